//! How much may run at once, and which runs must not overlap.

use std::collections::BTreeMap;

use app_core::contract::Definition;
use serde_json::Value;

/// Upper limits on running jobs, over all processes that share the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Jobs at once.
    pub global: u32,
    /// Jobs at once per family; a family not named has no limit of its own.
    pub families: BTreeMap<String, u32>,
}

impl Default for Limits {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            global: cores as u32,
            families: BTreeMap::new(),
        }
    }
}

/// The concurrency key of a run: `telegram:{session}` with the fields of the input filled in.
/// A field the caller left out takes its default from the schema; without one it becomes `-`.
pub(crate) fn concurrency_key(definition: &Definition, input: &Value) -> Option<String> {
    let template = definition.policy.concurrency_key.as_deref()?;
    let schema = definition.input_schema.as_value();
    let mut key = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        key.push_str(before);
        let Some((field, tail)) = after.split_once('}') else {
            key.push('{');
            rest = after;
            continue;
        };
        let default = || schema.get("properties")?.get(field)?.get("default");
        match input.get(field).filter(|v| !v.is_null()).or_else(default) {
            Some(Value::String(text)) => key.push_str(text),
            Some(other) => key.push_str(&other.to_string()),
            None => key.push('-'),
        }
        rest = tail;
    }
    key.push_str(rest);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_key_takes_fields_then_defaults() {
        let mut definition = Definition::new("t", "1", "t", "telegram");
        definition.policy.concurrency_key = Some("telegram:{session}:{slot}".to_owned());
        definition.input_schema = schemars::json_schema!({"properties": {"session": {"default": "main"}}});
        assert_eq!(
            concurrency_key(&definition, &json!({"slot": 3})).unwrap(),
            "telegram:main:3"
        );
        assert_eq!(
            concurrency_key(&definition, &json!({"session": "b"})).unwrap(),
            "telegram:b:-"
        );
    }
}
