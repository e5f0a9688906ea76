//! Secrets in an input, by the tool's schema.

use app_core::contract::Definition;
use serde_json::Value;

/// The input with every value replaced by `***` that the schema marks as a secret
/// (`writeOnly`, `format: password`). Names are enough: the same field is secret in every variant.
pub(crate) fn redacted(definition: &Definition, input: &Value) -> Value {
    let mut names = Vec::new();
    secret_names(definition.input_schema.as_value(), &mut names);
    let mut shown = input.clone();
    if !names.is_empty() {
        hide(&mut shown, &names);
    }
    shown
}

fn secret_names(schema: &Value, names: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(properties)) = map.get("properties") {
                for (name, property) in properties {
                    if is_secret(property) {
                        names.push(name.clone());
                    }
                }
            }
            map.values().for_each(|v| secret_names(v, names));
        }
        Value::Array(items) => items.iter().for_each(|v| secret_names(v, names)),
        _ => {}
    }
}

fn is_secret(property: &Value) -> bool {
    let direct = property.get("writeOnly") == Some(&Value::Bool(true))
        || property.get("format").is_some_and(|f| f == "password");
    // `Option<Secret>` is written as `anyOf: [secret, null]`.
    direct
        || ["anyOf", "oneOf", "items"]
            .iter()
            .any(|key| match property.get(key) {
                Some(Value::Array(variants)) => variants.iter().any(is_secret),
                Some(one) => is_secret(one),
                None => false,
            })
}

fn hide(value: &mut Value, names: &[String]) {
    match value {
        Value::Object(map) => {
            for (name, item) in map.iter_mut() {
                if !item.is_null() && names.contains(name) {
                    *item = Value::String("***".to_owned());
                } else {
                    hide(item, names);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|v| hide(v, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_hidden_at_any_depth() {
        let mut definition = Definition::new("t", "1", "t", "f");
        definition.input_schema = schemars::json_schema!({"oneOf": [{"properties": {
            "smtp": {"properties": {"password": {"anyOf": [{"writeOnly": true}, {"type": "null"}]}}},
            "to": {"type": "string"},
        }}]});
        let shown = redacted(
            &definition,
            &json!({"to": "a", "smtp": {"password": "p", "host": "h"}}),
        );
        assert_eq!(
            shown,
            json!({"to": "a", "smtp": {"password": "***", "host": "h"}})
        );
    }
}
