//! A tool with one usual action and some others: the usual one need not be named on the command line.

use std::ffi::OsString;

use clap::Command;

use super::command::id;

/// The arguments (program name first) with the default action put before the first argument of its own, where no action
/// is named.
///
/// Common flags may stand before an action, so they are passed over. Arguments that are nothing but common flags stay
/// as they are: the input, which `--input` may bring, says the action then, or lacks it.
pub(super) fn named(command: &Command, action: Option<&str>, mut args: Vec<OsString>) -> Vec<OsString> {
    let Some(action) = action else { return args };
    let mut at = 1;
    while let Some(arg) = args.get(at) {
        let text = arg.to_string_lossy();
        if command.find_subcommand(text.as_ref()).is_some() {
            return args;
        }
        match common(command, &text) {
            Some(width) => at += width,
            None => {
                args.insert(at, action.into());
                return args;
            }
        }
    }
    args
}

/// How many arguments a common flag takes, its name included; `None` when it is none.
fn common(command: &Command, text: &str) -> Option<usize> {
    if matches!(text, "-h" | "--help" | "-V" | "--version") {
        return Some(1);
    }
    let bare = text.strip_prefix("--").or_else(|| text.strip_prefix('-'))?;
    let (name, joined) = bare
        .split_once('=')
        .map_or((bare, false), |(name, _)| (name, true));
    let flag = command.get_arguments().find(|flag| {
        let short = flag.get_short().is_some_and(|short| name.chars().eq([short]));
        flag.get_id().as_str().starts_with(id::PREFIX) && (flag.get_long() == Some(name) || short)
    })?;
    let takes_next = flag.get_action().takes_values() && !joined;
    Some(1 + usize::from(takes_next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let flag = |name: &'static str, long: &'static str| {
            let action = if long == "input" {
                clap::ArgAction::Set
            } else {
                clap::ArgAction::SetTrue
            };
            clap::Arg::new(name).long(long).action(action).global(true)
        };
        let command = Command::new("t")
            .arg(flag(id::INPUT, "input"))
            .arg(flag(id::QUIET, "quiet").short('q'))
            .subcommand(Command::new("crawl"))
            .subcommand(Command::new("price"));
        let args = std::iter::once("t")
            .chain(line.split_whitespace())
            .map(OsString::from);
        let args = named(&command, Some("crawl"), args.collect());
        args[1..]
            .iter()
            .map(|arg| arg.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn the_usual_action_is_named_where_none_is() {
        for (given, understood) in [
            ("https://a.example -o x", "crawl https://a.example -o x"),
            ("-q https://a.example", "-q crawl https://a.example"),
            (
                "--input f.json https://a.example",
                "--input f.json crawl https://a.example",
            ),
            ("-o x", "crawl -o x"),
            ("price 5", "price 5"),
            ("-q price 5", "-q price 5"),
            ("", ""),
            ("--input f.json", "--input f.json"),
            ("--input=f.json -q", "--input=f.json -q"),
            ("--help", "--help"),
            ("-- x", "crawl -- x"),
        ] {
            assert_eq!(told(given), understood);
        }
    }
}
