//! What is stored and what is given back.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where a document comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Who or what gave it: a program, a person, a channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// File it was read from, with the line where that helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Id of the message it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// SHA-256 of the file it was read from, lower-case hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// A document to be stored.
#[derive(Clone, Debug, Default)]
pub struct NewDocument {
    /// The document itself; must not be empty.
    pub document: Map<String, Value>,
    /// What is known about it.
    pub metadata: Map<String, Value>,
    /// When what it speaks of happened; without it the document's own fields are looked at.
    pub event_at: Option<Timestamp>,
    /// When it was first stored, for documents that move here from another store.
    pub ingested_at: Option<Timestamp>,
    /// How often it had been stored there.
    pub seen: Option<u64>,
    /// Where it comes from.
    pub origin: Origin,
}

/// A stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// MD5 of the document as Python writes it, lower-case hex.
    pub id: String,
    /// The document as it was given.
    pub document: Map<String, Value>,
    /// What is known about it.
    pub metadata: Map<String, Value>,
    /// When what it speaks of happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_at: Option<Timestamp>,
    /// When it was first stored.
    pub ingested_at: Timestamp,
    /// Where it comes from, as far as it was said.
    #[serde(flatten)]
    pub origin: Origin,
    /// How often it was stored.
    pub seen: u64,
}

/// What a document says: its texts and numbers, one a line, without the names of its fields.
pub fn text_of(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    for value in document.values() {
        collect(value, &mut text);
    }
    text
}

fn collect(value: &Value, text: &mut String) {
    let mut line = |part: &str| {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(part);
    };
    match value {
        Value::String(part) => line(part),
        Value::Number(number) => line(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, text)),
        Value::Object(map) => map.values().for_each(|item| collect(item, text)),
        Value::Null | Value::Bool(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_says_its_values_and_not_its_keys() {
        let document = json!({"title": "a", "n": 2, "ok": true, "list": [{"deep": "b"}, null, 1.5]});
        assert_eq!(text_of(document.as_object().unwrap()), "a\n2\nb\n1.5");
    }
}
