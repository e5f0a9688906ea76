//! Builds the clap command from the input schema.

use clap::{Arg, ArgAction, Command, ValueHint, builder::PossibleValuesParser};
use serde_json::Value;

use super::arguments::{Argument, Shape, arguments};
use crate::contract::{Definition, Effect, Gate, PathKind, schema::tagged};

/// Ids of the common flags; prefixed so that no input field collides with them.
pub(super) mod id {
    pub const PREFIX: &str = "onejob:";
    pub const INPUT: &str = "onejob:input";
    pub const JSON: &str = "onejob:json";
    pub const TEXT: &str = "onejob:text";
    pub const DESCRIBE: &str = "onejob:describe";
    pub const DRY_RUN: &str = "onejob:dry-run";
    pub const APPLY: &str = "onejob:apply";
    pub const TIMEOUT: &str = "onejob:run-timeout";
    pub const ATTEMPTS: &str = "onejob:run-attempts";
    pub const MANIFEST: &str = "onejob:manifest";
    pub const QUIET: &str = "onejob:quiet";
    pub const VERBOSE: &str = "onejob:verbose";
    pub const COLOR: &str = "onejob:color";
    pub const LEGACY: &str = "onejob:legacy";
    pub const PRINT_INPUT: &str = "onejob:print-input";
}

/// The command line of a tool: its subcommands or flags, and the common flags.
pub(super) fn build(definition: &Definition) -> Command {
    let schema = definition.input_schema.as_value();
    let mut command = Command::new(definition.name.clone())
        .version(definition.version.clone())
        .about(definition.summary.clone())
        .after_help(after_help(definition))
        .max_term_width(110)
        .disable_help_subcommand(true)
        .args_override_self(true)
        .args(common());
    match subcommands(schema) {
        Some((tag, branches)) => {
            command = command.subcommand_value_name("COMMAND");
            for (name, branch) in branches {
                let about = branch
                    .get("description")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let mut sub = Command::new(name.to_owned())
                    .about(first_paragraph(about))
                    .args_override_self(true)
                    .args(arguments(branch, Some(tag)).iter().map(clap_arg));
                let examples = examples(definition, |args| args.first().is_some_and(|first| first == name));
                if !examples.is_empty() {
                    sub = sub.after_help(examples.trim_end().to_owned());
                }
                if name.contains('_') {
                    sub = sub.alias(name.replace('_', "-"));
                }
                command = command.subcommand(sub);
            }
        }
        None => command = command.args(arguments(schema, None).iter().map(clap_arg)),
    }
    command
}

/// Tag and branches when the input is a tagged enum.
pub(super) fn subcommands(schema: &Value) -> Option<(&str, Vec<(&str, &Value)>)> {
    tagged(schema.get("oneOf").or_else(|| schema.get("anyOf"))?.as_array()?)
}

fn clap_arg(argument: &Argument) -> Arg {
    let list = matches!(argument.shape, Shape::List(_));
    let mut arg = Arg::new(argument.field.clone()).hide(argument.cli.hidden);
    arg = if let Some(index) = argument.cli.positional {
        let arg = arg.value_name(argument.field.to_uppercase());
        let arg = arg.index(index as usize).allow_negative_numbers(true);
        // A list takes the rest.
        if list {
            arg.num_args(0..).action(ArgAction::Append)
        } else {
            arg
        }
    } else {
        let flag = argument.flag();
        let mut arg = arg.long(flag.clone());
        if argument.field != flag {
            arg = arg.alias(argument.field.clone());
        }
        for alias in &argument.cli.aliases {
            arg = if alias.chars().count() == 1 {
                arg.short_alias(alias.chars().next().unwrap_or('_'))
            } else {
                arg.alias(alias.clone())
            };
        }
        if let Some(short) = argument.cli.short {
            arg = arg.short(short);
        }
        match &argument.shape {
            Shape::Boolean if argument.default == Some(Value::Bool(false)) => arg.action(ArgAction::SetTrue),
            Shape::Boolean => arg
                .value_name("BOOL")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true"),
            Shape::List(_) | Shape::Map(_) => arg
                .action(ArgAction::Append)
                // `--ids 1 2 3`, where the replaced script took several values after one flag.
                .num_args(if argument.cli.many { 1..=usize::MAX } else { 1..=1 })
                .value_name(value_name(argument))
                .allow_negative_numbers(true),
            _ => arg.value_name(value_name(argument)).allow_negative_numbers(true),
        }
    };
    if !argument.choices.is_empty() {
        arg = arg.value_parser(PossibleValuesParser::new(argument.choices.clone()));
        let names = argument.choices.join("|");
        // The values stand where the value goes; a long list is better told in the help text.
        if names.len() <= 40 {
            arg = arg.value_name(names).hide_possible_values(true);
        } else {
            arg = arg.value_name("VALUE");
        }
    }
    match argument.cli.path {
        Some(PathKind::Dir) => arg = arg.value_hint(ValueHint::DirPath),
        Some(_) => arg = arg.value_hint(ValueHint::FilePath),
        None => {}
    }
    arg.help(help(argument))
}

fn value_name(argument: &Argument) -> &'static str {
    match (&argument.shape, argument.cli.path) {
        (_, Some(PathKind::Dir)) => "FOLDER",
        (_, Some(_)) => "FILE",
        (Shape::Integer | Shape::Number, _) => "N",
        (Shape::Map(_), _) => "KEY=VALUE",
        (Shape::Json, _) => "JSON",
        (Shape::List(item), _) => match **item {
            Shape::Integer | Shape::Number => "N",
            Shape::Json => "JSON",
            _ => "TEXT",
        },
        _ => "TEXT",
    }
}

fn help(argument: &Argument) -> String {
    let mut text = first_paragraph(&argument.help);
    let mut notes = Vec::new();
    match &argument.default {
        Some(Value::Bool(false)) | None => {}
        Some(Value::String(default)) if default.is_empty() => {}
        Some(Value::String(default)) => notes.push(format!("default: {default}")),
        Some(Value::Array(list)) if list.is_empty() => {}
        Some(Value::Object(map)) if map.is_empty() => {}
        Some(default) => notes.push(format!("default: {default}")),
    }
    if argument.required {
        notes.push("required".to_owned());
    }
    if let Some(variable) = &argument.cli.env {
        notes.push(format!("env: {variable}"));
    }
    if !notes.is_empty() {
        text.push_str(&format!(" [{}]", notes.join("; ")));
    }
    text.trim_start().to_owned()
}

fn first_paragraph(text: &str) -> String {
    text.split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ")
        .trim_end_matches('.')
        .to_owned()
}

fn common() -> Vec<Arg> {
    // Not listed one by one: they are the same for every tool, and `common_block` shows them in short.
    let flag = |id: &'static str, name: &'static str, help: &'static str| {
        Arg::new(id)
            .long(name)
            .action(ArgAction::SetTrue)
            .global(true)
            .help(help)
            .hide(true)
    };
    let value = |id: &'static str, name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(id)
            .long(name)
            .value_name(value)
            .global(true)
            .help(help)
            .hide(true)
    };
    vec![
        value(
            id::INPUT,
            "input",
            "FILE",
            "Read the input as JSON from FILE (- is standard input); flags win over it",
        ),
        flag(
            id::JSON,
            "json",
            "Print the result as JSON (default when not on a terminal)",
        ),
        flag(
            id::TEXT,
            "text",
            "Print the result for people, also when not on a terminal",
        )
        .conflicts_with(id::JSON),
        flag(id::DRY_RUN, "dry-run", "Say what would be done; touch nothing"),
        flag(id::APPLY, "apply", "Act; without it, only plan"),
        value(
            id::TIMEOUT,
            "run-timeout",
            "SECONDS",
            "Longest run; 0 means no limit",
        )
        .value_parser(clap::value_parser!(u64)),
        value(
            id::ATTEMPTS,
            "run-attempts",
            "N",
            "Attempts for requests that may be retried",
        )
        .value_parser(clap::value_parser!(u32).range(1..=100)),
        value(
            id::MANIFEST,
            "manifest",
            "FILE",
            "Where the manifest goes; `none` writes no manifest",
        ),
        flag(id::QUIET, "quiet", "No progress, only warnings and errors").short('q'),
        flag(id::VERBOSE, "verbose", "More log lines").conflicts_with(id::QUIET),
        value(id::COLOR, "color", "WHEN", "Colour: auto, always or never")
            .value_parser(PossibleValuesParser::new(["auto", "always", "never"])),
        flag(
            id::DESCRIBE,
            "describe",
            "Print what this tool is, with its schemas, as JSON",
        ),
        flag(
            id::PRINT_INPUT,
            "print-input",
            "Print the checked input as JSON and stop",
        ),
        flag(
            id::LEGACY,
            "legacy",
            "Take a call of the replaced script and answer like it",
        ),
    ]
}

/// The common flags that mean something for this tool, in short.
fn common_block(definition: &Definition) -> String {
    let mut text = String::from("Common options:\n");
    let mut line = |flags: &str, help: &str| text.push_str(&format!("  {flags:<30} {help}\n"));
    line(
        "--input FILE",
        "the input as JSON (- is standard input); flags win over it",
    );
    line(
        "--json, --text",
        "the result as JSON (default off a terminal), or for people",
    );
    if definition.gate != Gate::Direct {
        line(
            "--apply, --dry-run",
            "act, or only plan (the default where several are meant)",
        );
    } else if definition.has_effects() {
        line("--dry-run", "say what would be done; touch nothing");
    }
    line("--run-timeout SECONDS", "longest run; 0 means no limit");
    line("--run-attempts N", "attempts for requests that may be retried");
    if definition.effects.contains(&Effect::WritesFiles) {
        line("--manifest FILE|none", "where the list of written files goes");
    }
    line("-q, --quiet, --verbose", "fewer or more log lines");
    line(
        "--color auto|always|never",
        "whether to colour (NO_COLOR counts too)",
    );
    line("--describe", "what this tool is, with its schemas, as JSON");
    text.push('\n');
    text
}

fn after_help(definition: &Definition) -> String {
    let mut text = common_block(definition);
    text.push_str(&examples(definition, |_| true));
    let variables: Vec<_> = definition.env.iter().collect();
    if !variables.is_empty() {
        text.push_str("Environment:\n");
        for variable in variables {
            let secret = if variable.secret { " (secret)" } else { "" };
            text.push_str(&format!("  {}{secret}: {}\n", variable.name, variable.help));
        }
        text.push('\n');
    }
    text.push_str(
        "Exit codes: 0 done, 2 wrong input, 3 partly failed, 66 not found, 69 refused by the far side, 70 bug, \
         73 conflict, 74 file trouble, 75 try again later, 77 not authorised, 78 setting missing, 130/143 stopped",
    );
    text
}

/// The examples whose arguments are wanted, as lines to copy.
fn examples(definition: &Definition, wanted: impl Fn(&[String]) -> bool) -> String {
    let mut text = String::new();
    for example in definition.examples.iter().filter(|example| wanted(&example.args)) {
        if text.is_empty() {
            text.push_str("Examples:\n");
        }
        text.push_str(&format!("  # {}\n  {}", example.about, definition.name));
        for arg in &example.args {
            text.push(' ');
            text.push_str(&shell_quoted(arg));
        }
        text.push('\n');
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn shell_quoted(arg: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@,%+~".contains(c);
    if !arg.is_empty() && arg.chars().all(plain) {
        arg.to_owned()
    } else {
        format!("'{}'", arg.replace('\'', "'\\''"))
    }
}
