//! From the text of an answer to a value, or to what is wrong with it.

use app_core::contract::schema::{self, Mistake};
use garde::Validate;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::schema::is_nullable;

/// A value of `T` from an answer, or what is wrong with it.
pub(super) fn decoded<T>(schema: &Value, text: &str) -> Result<T, Vec<Mistake>>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    let none = || vec![(String::new(), "holds no JSON object".to_owned())];
    let mut value = Value::Object(first_object(text).ok_or_else(none)?);
    mend(schema, &mut value);
    let mistakes = schema::check(schema, &value);
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let value: T = serde_path_to_error::deserialize(value)
        .map_err(|error| vec![(error.path().to_string(), error.inner().to_string())])?;
    value.validate().map_err(|report| {
        let mistakes = report.iter();
        mistakes
            .map(|(path, error)| (path.to_string(), error.to_string()))
            .collect::<Vec<_>>()
    })?;
    Ok(value)
}

/// The first JSON object in a text, between fences or prose. A text that is a bare array holds none: what was asked for
/// is an object, and one of its entries would pass for it.
pub fn first_object(text: &str) -> Option<Map<String, Value>> {
    let mut inner = text.trim().trim_start_matches('\u{feff}');
    if let Some(rest) = inner.strip_prefix("```") {
        inner = rest
            .trim_start_matches(|c: char| c.is_ascii_alphanumeric())
            .trim_start();
    }
    if inner.starts_with('[') {
        return None;
    }
    // Each place is tried once and a failure costs what was read there, so the number of tries is bounded.
    for (at, _) in inner.match_indices('{').take(64) {
        let mut values = serde_json::Deserializer::from_str(&inner[at..]).into_iter::<Value>();
        if let Some(Ok(Value::Object(object))) = values.next() {
            return Some(object);
        }
    }
    None
}

/// Mends what models get wrong without meaning it: numbers as texts and texts as numbers, `null` for an optional field,
/// fields that were not asked for.
fn mend(schema: &Value, value: &mut Value) {
    if let Some(options) = ["anyOf", "oneOf"].iter().find_map(|key| schema[key].as_array()) {
        let mut real = options.iter().filter(|option| option["type"] != "null");
        // Of several, nobody knows which is meant.
        if let (Some(only), None) = (real.next(), real.next())
            && !value.is_null()
        {
            mend(only, value);
        }
        return;
    }
    let is = |name: &str| match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(all) => all.iter().any(|one| one == name),
        _ => false,
    };
    match value {
        Value::Object(object) => {
            let Some(properties) = schema["properties"].as_object() else {
                return;
            };
            let required = schema["required"].as_array();
            let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
            let free = schema
                .get("additionalProperties")
                .is_some_and(|more| *more != false);
            object.retain(|name, value| match properties.get(name) {
                Some(inner) => !value.is_null() || is_nullable(inner) || is_required(name),
                None => free,
            });
            for (name, value) in object {
                if let Some(inner) = properties.get(name) {
                    mend(inner, value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mend(&schema["items"], item)),
        Value::String(text) if !is("string") => {
            if is("integer") || is("number") {
                let number = text.trim().parse::<serde_json::Number>().ok();
                if let Some(number) = number {
                    *value = whole_number(number, is("number"));
                }
            } else if is("boolean")
                && let Ok(truth) = text.trim().to_ascii_lowercase().parse::<bool>()
            {
                *value = truth.into();
            }
        }
        Value::Number(number) if is("integer") && !is("number") => {
            *value = whole_number(number.clone(), false);
        }
        Value::Number(number) if is("string") && !is("number") && !is("integer") => {
            *value = number.to_string().into();
        }
        Value::Bool(truth) if is("string") && !is("boolean") => *value = truth.to_string().into(),
        _ => {}
    }
}

/// `3.0` as `3`, where a whole number is wanted.
fn whole_number(number: serde_json::Number, any: bool) -> Value {
    match number.as_f64() {
        Some(float) if !any && number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
            (float as i64).into()
        }
        _ => number.into(),
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, JsonSchema, Validate)]
    struct Claim {
        #[garde(length(min = 1, max = 20))]
        text: String,
        #[garde(range(max = 9))]
        cites: u32,
        #[serde(default)]
        #[garde(skip)]
        links: Vec<u32>,
        #[garde(skip)]
        note: Option<String>,
        #[serde(default)]
        #[garde(skip)]
        share: f64,
    }

    fn read(text: &str) -> Result<Claim, Vec<Mistake>> {
        decoded(schema::of::<Claim>().as_value(), text)
    }

    #[test]
    fn the_first_object_is_found_in_whatever_stands_around_it() {
        for (text, found) in [
            ("```json\n{\"a\":1}\n```", Some("{\"a\":1}")),
            ("```\n{}\n```", Some("{}")),
            ("  {\"a\": \"б\"}  ", Some("{\"a\":\"б\"}")),
            ("not json", None),
            ("```json\n{\"a\":1}", Some("{\"a\":1}")),
            ("prose ```json\n{\"a\":1}\n```", Some("{\"a\":1}")),
            ("[1,2]", None),
            ("[{\"a\":1}]", None),
            ("```json\n[{\"a\":1}]\n```", None),
            ("", None),
            ("{\"a\":1} trailing", Some("{\"a\":1}")),
            ("```JSON\n{\"a\":1}\n```", Some("{\"a\":1}")),
            ("as {this} says {\"a\":\"}\"}", Some("{\"a\":\"}\"}")),
            ("{\"a\":", None),
        ] {
            let object = first_object(text).map(|object| Value::Object(object).to_string());
            assert_eq!(object.as_deref(), found, "{text}");
        }
    }

    #[test]
    fn what_is_plain_is_mended_and_what_is_not_is_named() {
        let claim =
            read(r#"{"text": 12, "cites": "3", "links": null, "note": null, "share": "0.5", "extra": 1}"#)
                .unwrap();
        assert_eq!((claim.text.as_str(), claim.cites, claim.share), ("12", 3, 0.5));
        assert_eq!((claim.links, claim.note), (vec![], None));
        assert_eq!(read(r#"{"text": "a", "cites": 3.0}"#).unwrap().cites, 3);
        let paths = |text: &str| {
            read(text)
                .unwrap_err()
                .into_iter()
                .map(|(path, _)| path)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            paths(r#"{"text": "", "cites": "many", "links": ["x"]}"#),
            ["text", "cites", "links[0]"]
        );
        assert_eq!(paths(r#"{"text": "", "cites": 10}"#), ["text", "cites"]);
        assert_eq!(paths("{}"), ["text", "cites"]);
        assert_eq!(paths("no"), [""]);
    }
}
