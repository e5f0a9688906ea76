//! Secrets in an input: which fields they are, taking them out, and putting them back.

use app_core::contract::Definition;
use serde_json::{Map, Value};

/// What stands in the place of a secret that is shown.
pub(crate) const HIDDEN: &str = "***";
/// The field of an object that names a secret instead of giving it.
pub(crate) const NAMED: &str = "$secret";

/// Which fields of a tool's input are secrets.
#[derive(Clone, Debug, Default)]
pub(crate) struct SecretFields {
    /// Marked by the schema. Names are enough: the same field is secret in every variant.
    marked: Vec<String>,
    /// Whether a field named like a secret counts as one: scripts mark nothing.
    by_name: bool,
    not_secret: Vec<String>,
}

impl SecretFields {
    /// By the tool's schema: `writeOnly` or `format: password`.
    pub(crate) fn of(definition: &Definition) -> Self {
        let mut marked = Vec::new();
        secret_names(definition.input_schema.as_value(), &mut marked);
        Self {
            marked,
            ..Self::default()
        }
    }

    /// Of a replaced script: also every field named like a secret.
    pub(crate) fn of_script(definition: &Definition, legacy: &crate::settings::LegacySection) -> Self {
        let mut fields = Self::of(definition);
        fields.by_name = true;
        // The caller may use the tool's name of a field or the script's.
        let both_names = |list: &[String]| {
            let aliases = legacy.fields.iter().filter(|(_, own)| list.contains(own));
            let aliases = aliases.map(|(alias, _)| alias.clone());
            list.iter().cloned().chain(aliases).collect::<Vec<_>>()
        };
        fields.marked.extend(both_names(&legacy.secret));
        fields.not_secret = both_names(&legacy.not_secret);
        let renamed = legacy.fields.iter().filter(|(_, own)| legacy.is_secret(own));
        fields.marked.extend(renamed.map(|(alias, _)| alias.clone()));
        fields
    }

    /// Every field that is named like a secret, for inputs of which nothing else is known.
    pub(crate) fn by_name() -> Self {
        Self {
            by_name: true,
            ..Self::default()
        }
    }

    fn has(&self, name: &str, value: &Value) -> bool {
        self.marked.iter().any(|n| n == name)
            || (self.by_name
                && value.is_string()
                && app_core::contract::settings::named_like_a_secret(name)
                && !self.not_secret.iter().any(|n| n == name))
    }

    /// Takes the secrets out: `***` is left in their place, and they are returned by their paths. A secret that is
    /// only named stays, since a name is none.
    pub(crate) fn take_out(&self, input: &mut Value) -> Vec<(String, Value)> {
        let mut taken = Vec::new();
        self.walk(input, "", &mut |path, value| {
            if secret_name(value).is_none() {
                let value = std::mem::replace(value, Value::String(HIDDEN.to_owned()));
                taken.push((path, value));
            }
        });
        taken
    }

    /// Paths of secret fields.
    pub(crate) fn paths(&self, input: &Value) -> Vec<(String, Value)> {
        let mut found = Vec::new();
        self.walk(&mut input.clone(), "", &mut |path, value| {
            found.push((path, value.clone()));
        });
        found
    }

    fn walk(&self, value: &mut Value, path: &str, seen: &mut dyn FnMut(String, &mut Value)) {
        match value {
            Value::Object(map) => {
                for (name, item) in map.iter_mut() {
                    let inner = if path.is_empty() {
                        name.clone()
                    } else {
                        format!("{path}.{name}")
                    };
                    if !item.is_null() && self.has(name, item) {
                        seen(inner, item);
                    } else {
                        self.walk(item, &inner, seen);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.walk(item, &format!("{path}[{index}]"), seen);
                }
            }
            _ => {}
        }
    }
}

/// The input with every secret shown as `***`.
pub(crate) fn redacted(fields: &SecretFields, input: &Value) -> Value {
    let mut shown = input.clone();
    fields.take_out(&mut shown);
    shown
}

/// Puts secrets back where [`SecretFields::take_out`] found them.
pub(crate) fn put_back(input: &mut Value, secrets: &Map<String, Value>) {
    replace(input, "", &mut |path, value| {
        if let Some(secret) = secrets.get(path) {
            *value = secret.clone();
        }
    });
}

/// Puts in the values of the secrets that the input only names. Fails with the name of the first that `find` fails on.
pub(crate) fn resolve_named<E>(
    input: &mut Value,
    find: &mut dyn FnMut(&str) -> Result<String, E>,
) -> Result<(), E> {
    let mut failed = None;
    replace(input, "", &mut |_, value| {
        if failed.is_none()
            && let Some(name) = secret_name(value).map(str::to_owned)
        {
            match find(&name) {
                Ok(secret) => *value = Value::String(secret),
                Err(e) => failed = Some(e),
            }
        }
    });
    failed.map_or(Ok(()), Err)
}

/// The name in `{"$secret": "NAME"}`.
pub(crate) fn secret_name(value: &Value) -> Option<&str> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    map.get(NAMED)?.as_str()
}

/// Every place where the input names a secret.
pub(crate) fn named(input: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    replace(&mut input.clone(), "", &mut |path, value| {
        if let Some(name) = secret_name(value) {
            found.push((path.to_owned(), name.to_owned()));
        }
    });
    found
}

fn replace(value: &mut Value, path: &str, act: &mut dyn FnMut(&str, &mut Value)) {
    act(path, value);
    match value {
        Value::Object(map) => {
            for (name, item) in map.iter_mut() {
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                replace(item, &inner, act);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                replace(item, &format!("{path}[{index}]"), act);
            }
        }
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields() -> SecretFields {
        let mut definition = Definition::new("t", "1", "t", "f");
        definition.input_schema = schemars::json_schema!({"oneOf": [{"properties": {
            "smtp": {"properties": {"password": {"anyOf": [{"writeOnly": true}, {"type": "null"}]}}},
            "to": {"type": "string"},
        }}]});
        SecretFields::of(&definition)
    }

    #[test]
    fn secrets_are_hidden_at_any_depth_and_put_back() {
        let given = json!({"to": "a", "list": [{"smtp": {"password": "p", "host": "h"}}]});
        let mut input = given.clone();
        let taken: Map<String, Value> = fields().take_out(&mut input).into_iter().collect();
        assert_eq!(
            input,
            json!({"to": "a", "list": [{"smtp": {"password": "***", "host": "h"}}]})
        );
        assert_eq!(
            taken,
            json!({"list[0].smtp.password": "p"}).as_object().unwrap().clone()
        );
        put_back(&mut input, &taken);
        assert_eq!(input, given);
    }

    #[test]
    fn a_named_secret_is_shown_and_resolved() {
        let mut input = json!({"smtp": {"password": {"$secret": "SMTP_PASSWORD"}}});
        assert!(fields().take_out(&mut input).is_empty());
        assert_eq!(
            named(&input),
            [("smtp.password".to_owned(), "SMTP_PASSWORD".to_owned())]
        );
        resolve_named::<()>(&mut input, &mut |name| Ok(format!("<{name}>"))).unwrap();
        assert_eq!(input["smtp"]["password"], "<SMTP_PASSWORD>");
        assert_eq!(
            resolve_named(&mut json!({"$secret": "X"}), &mut |n| Err(n.to_owned())),
            Err("X".to_owned())
        );
    }

    #[test]
    fn names_of_secrets_are_known() {
        for name in [
            "key",
            "api_key",
            "apiKey",
            "API-KEY",
            "bot_token",
            "password",
            "SMTP_PASSWORD",
            "client_secret",
        ] {
            assert!(app_core::contract::settings::named_like_a_secret(name), "{name}");
        }
        for name in [
            "keyword",
            "max_tokens",
            "monkey",
            "keys",
            "secretary",
            "token_count",
            "to",
            "",
        ] {
            assert!(!app_core::contract::settings::named_like_a_secret(name), "{name}");
        }
    }
}
