//! Calls of the replaced tool: `{action, feedback, metadata, query, top_k}`, answered in its words.

use app_core::ToolError;
use migration::python_true;
use serde_json::{Map, Value, json};

use crate::output::Output;

/// Turns an old call into this tool's input.
pub(crate) fn from_legacy(call: &Value) -> Result<Value, Value> {
    match call.get("action").and_then(Value::as_str) {
        Some("collect") => {
            let feedback = call.get("feedback").filter(|feedback| python_true(feedback));
            let feedback =
                feedback.ok_or_else(|| failed("Feedback document is required for 'collect' action."))?;
            if !feedback.is_object() {
                return Err(failed("Feedback must be an object."));
            }
            let metadata = call.get("metadata").filter(|metadata| !metadata.is_null());
            let none = Value::Object(Map::new());
            Ok(json!({"action": "collect", "feedback": feedback, "metadata": metadata.unwrap_or(&none)}))
        }
        Some("retrieve") => {
            let query = call.get("query").filter(|query| python_true(query));
            let query = query.ok_or_else(|| failed("Query is required for 'retrieve' action."))?;
            let limit = match call.get("top_k").filter(|most| !most.is_null()) {
                None => json!(1),
                Some(most) => most
                    .as_i64()
                    .map_or_else(|| most.clone(), |most| json!(most.max(0))),
            };
            Ok(json!({"action": "retrieve", "query": query, "limit": limit}))
        }
        _ => Err(failed("Invalid action. Must be 'collect' or 'retrieve'.")),
    }
}

fn failed(message: &str) -> Value {
    json!({"status": "error", "message": message})
}

/// The old answer to an old call.
pub(crate) fn to_legacy(outcome: Result<&Output, &ToolError>) -> Value {
    match outcome {
        Ok(Output::Collect(collected)) => {
            let message = if collected.done {
                "Memory stored."
            } else {
                "Dry run: nothing was stored."
            };
            json!({"status": "success", "message": message})
        }
        Ok(Output::Retrieve(found)) => {
            let result = |one: &memory::Hit| json!({"document": one.document.document, "metadata": one.document.metadata});
            json!({"status": "success", "results": found.hits.iter().map(result).collect::<Vec<_>>()})
        }
        Ok(other) => serde_json::to_value(other).unwrap_or_default(),
        // Signs alone were looked for, and found nothing.
        Err(error) if error.code == "no_words" => json!({"status": "success", "results": []}),
        Err(error) => failed(&error.message),
    }
}
