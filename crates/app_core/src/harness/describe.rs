//! What a tool says of itself, made complete for faces: schemas, titles, units, examples as inputs, the plan.

use std::ffi::OsString;

use schemars::Schema;
use serde_json::{Map, Value, json};

use super::{command, default_action, invocation};
use crate::{
    contract::{Definition, Plan, cli_mistakes, schema},
    tool::Tool,
};

/// The definition with the schemas of input and output.
pub(super) fn described<T: Tool>() -> Definition {
    let mut definition = T::definition();
    definition.input_schema = schema::of::<T::Input>();
    definition.output_schema = schema::of_output::<T::Output>();
    debug_assert!(
        cli_mistakes(definition.input_schema.as_value()).is_empty(),
        "{:?}",
        cli_mistakes(definition.input_schema.as_value())
    );
    definition
}

/// The definition as `--describe` prints it.
pub(super) fn for_faces(definition: &Definition) -> Definition {
    let mut full = definition.clone();
    full.input_schema = changed(&full.input_schema, for_forms);
    if full.has_effects() {
        full.output_schema = changed(&full.output_schema, with_plan);
    }
    for example in &mut full.examples {
        example.input = as_input(definition, &example.args);
    }
    full
}

fn changed(schema: &Schema, change: fn(&mut Value)) -> Schema {
    let mut value = schema.as_value().clone();
    change(&mut value);
    value.try_into().unwrap_or_else(|_| schema.clone())
}

/// The plan is added to the output by the harness, so it is described here, once for all tools.
fn with_plan(output: &mut Value) {
    // One branch for each action, or for each kind of result.
    for key in ["oneOf", "anyOf"] {
        for branch in output
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            with_plan(branch);
        }
    }
    let mut plan = schema::of_output::<Plan>().to_value();
    if let Some(plan) = plan.as_object_mut() {
        plan.remove("$schema");
        plan.remove("title");
    }
    if let Some(properties) = output.get_mut("properties").and_then(Value::as_object_mut) {
        properties.entry("plan").or_insert(plan);
    }
}

/// An object that lists its fields takes no others. The check of inputs knows it; whoever reads the schema is told here,
/// since serde cannot say it of a struct that takes in another one by `flatten`.
fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    let whole = !["oneOf", "anyOf", "allOf"]
        .iter()
        .any(|key| object.contains_key(*key));
    if whole && object.contains_key("properties") {
        object.entry("additionalProperties").or_insert(Value::Bool(false));
    }
}

/// Titles and units that a form shows, where the type does not give them.
fn for_forms(schema: &mut Value) {
    for key in ["oneOf", "anyOf"] {
        for branch in schema
            .get_mut(key)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            for_forms(branch);
        }
    }
    if let Some(items) = schema.get_mut("items") {
        for_forms(items);
    }
    close(schema);
    let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) else {
        return;
    };
    for (name, property) in properties {
        for_forms(property);
        let Some(fields) = property.as_object_mut() else {
            continue;
        };
        if fields.contains_key("const") {
            continue;
        }
        if !fields.contains_key("title") {
            fields.insert("title".to_owned(), json!(title(name)));
        }
        if is_number(fields)
            && !fields.contains_key("x-unit")
            && let Some(unit) = unit(name, fields)
        {
            fields.insert("x-unit".to_owned(), json!(unit));
        }
    }
}

/// `max_pixels` -> `Max pixels`.
fn title(name: &str) -> String {
    let words = name.replace('_', " ");
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => words,
    }
}

fn is_number(fields: &Map<String, Value>) -> bool {
    let numeric = |name: &Value| name == "integer" || name == "number";
    match fields.get("type") {
        Some(Value::Array(names)) => names.iter().any(numeric),
        Some(name) => numeric(name),
        None => false,
    }
}

/// The unit that the name or the first sentence of the description gives.
fn unit(name: &str, fields: &Map<String, Value>) -> Option<&'static str> {
    const ENDINGS: [(&str, &str); 13] = [
        ("_usd", "USD"),
        ("_ms", "ms"),
        ("_s", "s"),
        ("_secs", "s"),
        ("_seconds", "s"),
        ("_minutes", "min"),
        ("_hours", "h"),
        ("_kb", "KB"),
        ("_mb", "MB"),
        ("_days", "d"),
        ("_bytes", "bytes"),
        ("_px", "px"),
        ("_percent", "%"),
    ];
    const WORDS: [(&str, &str); 12] = [
        ("millisecond", "ms"),
        ("second", "s"),
        ("minute", "min"),
        ("hour", "h"),
        ("day", "d"),
        ("percent", "%"),
        ("megabyte", "MB"),
        ("byte", "bytes"),
        ("pixel", "px"),
        ("degree", "degrees"),
        ("dollar", "USD"),
        ("frames per second", "1/s"),
    ];
    if let Some((_, unit)) = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)) {
        return Some(unit);
    }
    let description = fields.get("description")?.as_str()?.to_lowercase();
    let sentence = description.split(". ").next()?;
    if sentence.contains("per second") {
        return Some("1/s");
    }
    WORDS
        .iter()
        .find(|(word, _)| sentence.contains(word))
        .map(|(_, unit)| *unit)
}

/// The arguments of an example as an input; `None` when they are not one (`--describe`, or a file of input).
fn as_input(definition: &Definition, args: &[String]) -> Option<Value> {
    let program = std::iter::once(definition.name.clone());
    let command = command::build(definition);
    let args = program.chain(args.iter().cloned()).map(OsString::from).collect();
    let args = default_action::named(&command, definition.default_action.as_deref(), args);
    let matches = command.try_get_matches_from(args).ok()?;
    let invocation = invocation::read(definition, &matches).ok()?;
    let other = invocation.describe || invocation.input.is_some();
    (!other).then_some(Value::Object(invocation.fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gets_titles_and_units() {
        let mut schema = json!({"properties": {
            "max_bytes": {"type": "integer", "description": "Largest file."},
            "width": {"type": ["integer", "null"], "description": "Width in pixels; the other side follows."},
            "rate": {"type": "number", "description": "Frames per second."},
            "name": {"type": "string", "title": "Full name", "description": "Seconds in a name."},
        }});
        for_forms(&mut schema);
        let of = |name: &str, key: &str| schema["properties"][name][key].clone();
        assert_eq!(
            (of("max_bytes", "title"), of("max_bytes", "x-unit")),
            (json!("Max bytes"), json!("bytes"))
        );
        assert_eq!(
            (of("width", "x-unit"), of("rate", "x-unit")),
            (json!("px"), json!("1/s"))
        );
        assert_eq!(
            (of("name", "title"), of("name", "x-unit")),
            (json!("Full name"), Value::Null)
        );
    }
}
