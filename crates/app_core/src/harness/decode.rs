//! From flags, `--input`, environment and configuration to one checked, typed input.

use std::{io::Read, path::Path};

use garde::Validate;
use serde_json::{Map, Value};

use super::{
    arguments::{Argument, arguments},
    command::subcommands,
    invocation::Invocation,
};
use crate::{
    config::Config,
    contract::{Definition, ErrorKind, PathKind, ToolError, ToolResult, schema},
    files::FileId,
    tool::Tool,
};

/// Largest JSON input in bytes.
const MAX_INPUT: u64 = 64 << 20;

/// The JSON object of `--input`; empty without it.
pub(super) fn read_input(source: Option<&str>) -> ToolResult<Value> {
    let Some(source) = source else {
        return Ok(Value::Object(Map::new()));
    };
    let (name, bytes) = if source == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(MAX_INPUT + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot read standard input: {e}")))?;
        ("standard input", bytes)
    } else {
        (source, crate::files::read_limited(Path::new(source), MAX_INPUT)?)
    };
    if bytes.len() as u64 > MAX_INPUT {
        return Err(ToolError::invalid(
            "",
            format!("{name} is larger than {MAX_INPUT} bytes"),
        ));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{name}` is not valid JSON: {error}"),
        )
        .code("invalid_json")
        .from_source("input")
    })
}

/// Puts the sources together: flag over `--input` over environment over configuration; defaults come from serde.
pub(super) fn merge(
    definition: &Definition,
    invocation: &Invocation,
    input: Value,
    config: &Config,
) -> ToolResult<Value> {
    let Value::Object(input) = input else {
        return Err(
            ToolError::new(ErrorKind::InvalidInput, "the input must be a JSON object").from_source("input"),
        );
    };
    let root = definition.input_schema.as_value();
    let mut tag_name = None;
    let branch = match subcommands(root) {
        None => Some(root),
        Some((tag, branches)) => {
            tag_name = Some(tag);
            let given = input.get(tag).and_then(Value::as_str);
            if let (Some((_, action)), Some(given)) = (&invocation.action, given)
                && action != given
            {
                return Err(ToolError::invalid(
                    tag,
                    format!("the command is `{action}`, but the input says `{tag}` is `{given}`"),
                ));
            }
            let chosen = invocation
                .action
                .as_ref()
                .map(|(_, action)| action.as_str())
                .or(given)
                .or(definition.default_action.as_deref());
            if chosen.is_none() && !input.contains_key(tag) {
                let names: Vec<_> = branches.iter().map(|(name, _)| format!("`{name}`")).collect();
                return Err(ToolError::invalid(
                    tag,
                    format!("a command is missing: one of {}", names.join(", ")),
                )
                .hint(format!("see `{} --help`", definition.name)));
            }
            chosen
                .and_then(|name| branches.iter().find(|(branch, _)| *branch == name))
                .map(|(_, schema)| *schema)
        }
    };
    let mut merged = Map::new();
    // Whatever names an action wins over it below.
    if let (Some(tag), Some(action)) = (tag_name, &definition.default_action) {
        merged.insert(tag.to_owned(), Value::String(action.clone()));
    }
    if let Some(branch) = branch {
        for argument in arguments(branch, tag_name) {
            if let Some(value) = from_surroundings(&argument, config)? {
                merged.insert(argument.field, value);
            }
        }
    }
    for (name, value) in input.into_iter().chain(invocation.fields.clone()) {
        merged.insert(name, value);
    }
    Ok(Value::Object(merged))
}

fn from_surroundings(argument: &Argument, config: &Config) -> ToolResult<Option<Value>> {
    if let Some(variable) = &argument.cli.env {
        let text = if argument.secret {
            config
                .find_secret(variable)?
                .map(|secret| secret.reveal().to_owned())
        } else {
            config.env(variable)
        };
        if let Some(text) = text {
            return argument.parse(&[text]).map(Some).map_err(|problem| {
                ToolError::config(format!("environment variable `{variable}`: {problem}"))
                    .field(&argument.field)
            });
        }
    }
    match &argument.cli.config {
        Some(key) => config.value_at(key),
        None => Ok(None),
    }
}

/// Decodes and validates once, naming the path of every bad field.
pub(super) fn decode<T: Tool>(definition: &Definition, value: Value) -> ToolResult<T::Input> {
    let root = definition.input_schema.as_value();
    let mistakes = schema::check(root, &value);
    if !mistakes.is_empty() {
        return Err(ToolError::invalid_fields(mistakes));
    }
    let input: T::Input = serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let path = match error.path().to_string() {
            dot if dot == "." => String::new(),
            path => path,
        };
        ToolError::invalid_fields(vec![(path, error.into_inner().to_string())])
    })?;
    if let Err(report) = input.validate() {
        let mut mistakes: Vec<_> = report
            .iter()
            .map(|(path, error)| (field_path(root, &path.to_string()), error.to_string()))
            .collect();
        mistakes.dedup();
        return Err(ToolError::invalid_fields(mistakes));
    }
    check_files(root, &value)?;
    Ok(input)
}

/// The path of a field as users know it. garde counts the one field of an enum's newtype variant as `[0]`, and names the
/// struct that another one takes in by `flatten`.
fn field_path(root: &Value, path: &str) -> String {
    let mut rest = path.strip_prefix("[0].").unwrap_or(path);
    while let Some((first, inner)) = rest.split_once('.') {
        let name = first.split('[').next().unwrap_or(first);
        if is_field(root, name) {
            break;
        }
        rest = inner;
    }
    rest.to_owned()
}

/// Whether an input, or one of its actions, has a field of this name.
fn is_field(root: &Value, name: &str) -> bool {
    let has = |schema: &Value| schema["properties"].get(name).is_some();
    has(root) || subcommands(root).is_some_and(|(_, branches)| branches.iter().any(|(_, branch)| has(branch)))
}

/// Files that must exist are looked for before anything starts.
fn check_files(root: &Value, value: &Value) -> ToolResult<()> {
    let branch = match subcommands(root) {
        None => root,
        Some((tag, branches)) => {
            let name = value.get(tag).and_then(Value::as_str).unwrap_or_default();
            match branches.iter().find(|(branch, _)| *branch == name) {
                Some((_, branch)) => *branch,
                None => return Ok(()),
            }
        }
    };
    let arguments = arguments(branch, None);
    for argument in arguments.iter().filter(|argument| argument.cli.exists) {
        for path in texts(value.get(&argument.field)) {
            let file = Path::new(path);
            let problem = match argument.cli.path {
                _ if !file.exists() => "does not exist",
                Some(PathKind::File) if file.is_dir() => "is a directory, not a file",
                Some(PathKind::Dir) if !file.is_dir() => "is not a directory",
                _ => continue,
            };
            let kind = if file.exists() {
                ErrorKind::InvalidInput
            } else {
                ErrorKind::NotFound
            };
            return Err(
                ToolError::new(kind, format!("`{}`: `{path}` {problem}", argument.field))
                    .field(&argument.field)
                    .from_source("input"),
            );
        }
    }
    outputs_beside_inputs(&arguments, value)
}

/// The texts of a field that holds one or a list.
fn texts(given: Option<&Value>) -> impl Iterator<Item = &str> {
    given
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            one => vec![one],
        })
        .filter_map(Value::as_str)
}

/// A file named as source and as output would be destroyed by its own run. Looked for before any work; what a tool
/// finds to read only later is looked after where files are written.
fn outputs_beside_inputs(arguments: &[Argument], value: &Value) -> ToolResult<()> {
    let of_kind = |wanted: fn(PathKind) -> bool| {
        arguments
            .iter()
            .filter(move |argument| argument.cli.path.is_some_and(wanted))
            .flat_map(|argument| texts(value.get(&argument.field)).map(move |text| (argument, text)))
    };
    let inputs: Vec<_> = of_kind(|kind| matches!(kind, PathKind::File | PathKind::Any))
        .filter_map(|(_, text)| Some((FileId::of(Path::new(text))?, text)))
        .collect();
    for (argument, output) in of_kind(|kind| kind == PathKind::Out) {
        let Some(id) = FileId::of(Path::new(output)) else {
            continue;
        };
        if let Some((_, input)) = inputs.iter().find(|(known, _)| *known == id) {
            return Err(ToolError::new(
                ErrorKind::Conflict,
                format!("the output `{output}` is the input `{input}`"),
            )
            .field(&argument.field)
            .code("output_is_input")
            .hint("name another file for the output"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_called_as_users_know_it() {
        let root = json!({"properties": {"media": {}, "list": {}}});
        for (path, field) in [
            ("media", "media"),
            ("common.media", "media"),
            ("common.period.media", "media"),
            ("list[3].name", "list[3].name"),
            ("[0].sides.list[1]", "list[1]"),
        ] {
            assert_eq!(field_path(&root, path), field);
        }
    }
}
