//! Reads the command line: common flags on one side, the fields that flags name on the other.

use std::path::PathBuf;

use clap::{ArgMatches, parser::ValueSource};
use serde_json::{Map, Value};

use super::{
    arguments::{Argument, Shape, arguments},
    command::{id, subcommands},
};
use crate::contract::{Definition, ToolError, ToolResult};

/// One command line, read.
#[derive(Debug, Default)]
pub(super) struct Invocation {
    pub(super) input: Option<String>,
    pub(super) json: bool,
    pub(super) text: bool,
    pub(super) describe: bool,
    pub(super) dry_run: bool,
    pub(super) apply: bool,
    pub(super) timeout_s: Option<u64>,
    pub(super) attempts: Option<u32>,
    pub(super) manifest: Option<PathBuf>,
    pub(super) quiet: bool,
    pub(super) verbose: bool,
    pub(super) color: Option<String>,
    pub(super) legacy: bool,
    /// A command line of the replaced script, as a call.
    pub(super) old_call: Option<Value>,
    pub(super) print_input: bool,
    /// Fields given by flags, positionals and the subcommand.
    pub(super) fields: Map<String, Value>,
    /// Tag and value of the subcommand.
    pub(super) action: Option<(String, String)>,
}

/// Reads matches of the command built from the same definition.
pub(super) fn read(definition: &Definition, matches: &ArgMatches) -> ToolResult<Invocation> {
    let schema = definition.input_schema.as_value();
    let flag = |name: &str| matches.get_flag(name);
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let mut invocation = Invocation {
        input: text(id::INPUT),
        json: flag(id::JSON),
        text: flag(id::TEXT),
        describe: flag(id::DESCRIBE),
        dry_run: flag(id::DRY_RUN),
        apply: flag(id::APPLY),
        timeout_s: matches.get_one(id::TIMEOUT).copied(),
        attempts: matches.get_one(id::ATTEMPTS).copied(),
        manifest: text(id::MANIFEST).map(PathBuf::from),
        quiet: flag(id::QUIET),
        verbose: flag(id::VERBOSE),
        color: text(id::COLOR),
        legacy: flag(id::LEGACY),
        print_input: flag(id::PRINT_INPUT),
        ..Invocation::default()
    };
    match (subcommands(schema), matches.subcommand()) {
        (Some((tag, branches)), Some((name, matches))) => {
            let branch = branches
                .iter()
                .find(|(branch, _)| *branch == name)
                .map(|(_, schema)| *schema);
            let branch = branch
                .ok_or_else(|| ToolError::internal(format!("no branch `{name}` in the input schema")))?;
            invocation.action = Some((tag.to_owned(), name.to_owned()));
            invocation
                .fields
                .insert(tag.to_owned(), Value::String(name.to_owned()));
            fields(&arguments(branch, Some(tag)), matches, &mut invocation.fields)?;
        }
        (Some(_), None) => {}
        (None, _) => fields(&arguments(schema, None), matches, &mut invocation.fields)?,
    }
    Ok(invocation)
}

fn fields(arguments: &[Argument], matches: &ArgMatches, fields: &mut Map<String, Value>) -> ToolResult<()> {
    for argument in arguments {
        if matches.value_source(&argument.field) != Some(ValueSource::CommandLine) {
            continue;
        }
        let value = if argument.shape == Shape::Boolean
            && argument.default == Some(Value::Bool(false))
            && argument.cli.positional.is_none()
        {
            Value::Bool(matches.get_flag(&argument.field))
        } else {
            let texts: Vec<String> = matches
                .get_many::<String>(&argument.field)
                .into_iter()
                .flatten()
                .cloned()
                .collect();
            argument.parse(&texts).map_err(|problem| {
                ToolError::invalid(&argument.field, format!("`{}`: {problem}", argument.spoken()))
            })?
        };
        fields.insert(argument.field.clone(), value);
    }
    Ok(())
}
