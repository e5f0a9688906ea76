//! Calls of the replaced tool: `{action, document, metadata, query, n_results}`, answered in its words.

use app_core::ToolError;
use migration::python_true;
use serde_json::{Map, Value, json};

use crate::output::Output;

/// Turns an old call into this tool's input.
pub(crate) fn from_legacy(call: &Value) -> Result<Value, Value> {
    let mut input = match call.get("action").and_then(Value::as_str) {
        Some("store") => {
            let document = call.get("document").filter(|document| python_true(document));
            let document = document.ok_or_else(|| failed("Document is required for 'store' action."))?;
            if !document.is_object() {
                return Err(failed("Document must be an object."));
            }
            let metadata = call.get("metadata").filter(|metadata| !metadata.is_null());
            let none = Value::Object(Map::new());
            json!({"action": "store", "document": document, "metadata": metadata.unwrap_or(&none)})
        }
        Some("retrieve") => {
            let query = call.get("query").filter(|query| python_true(query));
            let query = query.ok_or_else(|| failed("Query is required for 'retrieve' action."))?;
            let most = call.get("n_results").filter(|most| !most.is_null());
            // Python takes what is below nothing for nothing.
            let limit = match most.map(|most| most.as_i64().ok_or(most)) {
                None => json!(1),
                Some(Ok(most)) => json!(most.max(0)),
                Some(Err(other)) => other.clone(),
            };
            json!({"action": "retrieve", "match": "substring", "query": query, "limit": limit})
        }
        _ => return Err(failed("Invalid action. Must be 'store' or 'retrieve'.")),
    };
    if let Some(name) = call.get("collection_name") {
        input["collection"] = name.clone();
    }
    Ok(input)
}

fn failed(message: &str) -> Value {
    json!({"status": "error", "message": message})
}

/// The old answer to an old call.
pub(crate) fn to_legacy(outcome: Result<&Output, &ToolError>) -> Value {
    match outcome {
        Ok(Output::Store(stored)) => {
            let message = if stored.done {
                "Memory stored."
            } else {
                "Dry run: nothing was stored."
            };
            json!({"status": "success", "message": message, "id": stored.ids.first()})
        }
        Ok(Output::Substring { documents, .. }) => {
            let results = documents
                .iter()
                .map(|one| json!({"document": one.document, "metadata": one.metadata}));
            json!({"status": "success", "results": results.collect::<Vec<_>>()})
        }
        Ok(other) => serde_json::to_value(other).unwrap_or_default(),
        Err(error) => failed(&error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_takes_for_nothing_is_nothing() {
        for nothing in [
            json!(null),
            json!({}),
            json!(""),
            json!([]),
            json!(0),
            json!(false),
        ] {
            let answer = from_legacy(&json!({"action": "store", "document": nothing})).unwrap_err();
            assert_eq!(answer["message"], "Document is required for 'store' action.");
            let answer = from_legacy(&json!({"action": "retrieve", "query": nothing})).unwrap_err();
            assert_eq!(answer["message"], "Query is required for 'retrieve' action.");
        }
        let answer = from_legacy(&json!({"action": "store", "document": "text"})).unwrap_err();
        assert_eq!(answer["status"], "error");
        let limit = |call: Value| from_legacy(&call).unwrap()["limit"].clone();
        assert_eq!(limit(json!({"action": "retrieve", "query": "a"})), 1);
        assert_eq!(
            limit(json!({"action": "retrieve", "query": "a", "n_results": -2})),
            0
        );
        assert_eq!(
            limit(json!({"action": "retrieve", "query": "a", "n_results": "x"})),
            "x"
        );
    }
}
