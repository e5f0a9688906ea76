//! Calls of the script's functions that others relied on: reading message tokens.

use serde_json::{Value, json};
use telegram::bulk::token;

/// Answers `parse_message_token` and `collect_message_ids`; passes everything else on as input.
pub fn answer(call: Value) -> Result<Value, Value> {
    let function = call.get("function").and_then(Value::as_str).unwrap_or_default();
    if !function.contains("parse_message_token") {
        return Ok(call);
    }
    let texts = |key: &str| -> Vec<String> {
        let list = call
            .get(key)
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        list.iter()
            .filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let parsed: Vec<Value> = texts("tokens")
        .iter()
        .map(|text| json!({"token": text, "id": token(text).map(|token| token.id)}))
        .collect();
    let mut words = texts("ids");
    if let Some(file) = call.get("file").and_then(Value::as_str) {
        words.extend(std::fs::read_to_string(file).ok());
    }
    let collected: Vec<i32> = words
        .iter()
        .flat_map(|text| text.split([',', ' ', '\n', '\r', '\t']))
        .filter_map(token)
        .map(|token| token.id)
        .collect();
    Err(json!({"tokens": parsed, "collected": collected}))
}
