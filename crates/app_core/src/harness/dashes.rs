//! Texts that begin with a dash: `--badge "-15 %"`, `--text "- one thing"`, a prompt of `-50 % today`.
//!
//! A command line cannot tell them from flags by their first letter, so the rule is: what follows a flag that takes free
//! text is its text, unless it is spelled exactly like a flag that there is. A forgotten text is still found that way.

use std::{collections::HashSet, ffi::OsString};

use clap::{Arg, Command, ValueHint};

/// The flags of a command line, by what has to be known here.
#[derive(Default)]
struct Flags {
    /// Flags that take free text, without dashes, and the long name of each.
    texts: Vec<(String, String)>,
    /// Flags that take any value in the next argument.
    valued: HashSet<String>,
    /// All flags.
    known: HashSet<String>,
}

/// The command and its arguments, changed so that texts beginning with a dash are taken for what they are.
pub(super) fn understood(command: Command, args: Vec<OsString>) -> (Command, Vec<OsString>) {
    let named = args
        .iter()
        .skip(1)
        .filter_map(|arg| arg.to_str())
        .find_map(|arg| command.find_subcommand(arg));
    let flags = Flags::of(
        command
            .get_arguments()
            .chain(named.into_iter().flat_map(Command::get_arguments)),
    );
    let mut out: Vec<OsString> = Vec::with_capacity(args.len());
    let mut dashed_positional = false;
    let mut args = args.into_iter().peekable();
    out.extend(args.next());
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else {
            out.push(arg);
            continue;
        };
        if text == "--" {
            out.push(arg);
            out.extend(args);
            break;
        }
        let name = text.trim_start_matches('-');
        let is_flag = text.starts_with('-') && flags.known.contains(name);
        let next_is_text = args
            .peek()
            .and_then(|next| next.to_str())
            .is_some_and(|next| next.starts_with('-') && next.len() > 1 && next != "--" && !flags.has(next));
        if is_flag
            && next_is_text
            && let Some(long) = flags.text(name)
        {
            let mut joined = OsString::from(format!("--{long}="));
            joined.push(args.next().unwrap_or_default());
            out.push(joined);
            continue;
        }
        let takes_next = is_flag && flags.valued.contains(name);
        dashed_positional |= !is_flag && is_prose(text) && !flags.has(text);
        out.push(arg);
        if takes_next {
            out.extend(args.next());
        }
    }
    if !dashed_positional {
        return (command, out);
    }
    let open = |arg: Arg| {
        // Never a list: it would take the flags that follow for its own entries, `--apply` for a chat.
        if arg.is_positional() && is_text(&arg) && matches!(arg.get_action(), clap::ArgAction::Set) {
            arg.allow_hyphen_values(true)
        } else {
            arg
        }
    };
    let command = command.mut_args(open).mut_subcommands(|sub| sub.mut_args(open));
    (command, out)
}

impl Flags {
    fn of<'c>(arguments: impl Iterator<Item = &'c Arg>) -> Self {
        let mut flags = Self::default();
        for name in ["help", "h", "version", "V"] {
            flags.known.insert(name.to_owned());
        }
        for arg in arguments.filter(|arg| !arg.is_positional()) {
            let longs = arg
                .get_long()
                .into_iter()
                .chain(arg.get_all_aliases().into_iter().flatten());
            let shorts = arg
                .get_short()
                .into_iter()
                .chain(arg.get_all_short_aliases().into_iter().flatten());
            let names: Vec<String> = longs.map(str::to_owned).chain(shorts.map(String::from)).collect();
            for name in names {
                if arg.get_action().takes_values() && !arg.is_require_equals_set() {
                    flags.valued.insert(name.clone());
                }
                if let (true, Some(long)) = (is_text(arg), arg.get_long()) {
                    flags.texts.push((name.clone(), long.to_owned()));
                }
                flags.known.insert(name);
            }
        }
        flags
    }

    /// The long name of a flag that takes free text.
    fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .iter()
            .find(|(flag, _)| flag == name)
            .map(|(_, long)| long.as_str())
    }

    /// Whether an argument is spelled like a flag that there is, alone, with its value, or with others behind it.
    fn has(&self, arg: &str) -> bool {
        match arg.strip_prefix("--") {
            Some(long) => self.known.contains(long.split('=').next().unwrap_or_default()),
            None => {
                let first = arg.chars().nth(1).map(String::from).unwrap_or_default();
                self.known.contains(&first) && !arg.contains(char::is_whitespace)
            }
        }
    }
}

/// Whether an argument takes free text: no number, no choice, no file.
fn is_text(arg: &Arg) -> bool {
    arg.get_action().takes_values()
        && arg.get_possible_values().is_empty()
        && arg.get_value_hint() == ValueHint::Unknown
        && (arg.is_positional()
            || arg
                .get_value_names()
                .is_some_and(|names| names.iter().any(|n| n == "TEXT")))
}

/// Whether something with a dash before it cannot be meant as a flag: it has blanks, or no letter behind the dash.
fn is_prose(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|rest| {
        !rest.is_empty()
            && (text.contains(char::is_whitespace)
                || !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-'))
    })
}
