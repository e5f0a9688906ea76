//! `start`: puts a job into the queue.

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    fallback, limits,
    manager::{JobManager, Role},
    owner, redact,
    store::NewJob,
    wire::{JobEventBody, StartRequest, Started},
};

impl JobManager {
    /// Queues a job; it is on disk when this returns. The tool itself checks its input when it runs.
    pub async fn start(&self, mut request: StartRequest) -> ToolResult<Started> {
        let tool = self.registry().resolve(&request.tool).await?;
        if request.input.is_null() {
            request.input = Value::Object(Map::new());
        }
        if !request.input.is_object() {
            return Err(ToolError::invalid(
                "input",
                "the input of a tool is a JSON object",
            ));
        }
        if let Some(dir) = &request.working_dir {
            let full = std::path::absolute(dir).map_err(|e| ToolError::file("find", dir, &e))?;
            if !full.is_dir() {
                return Err(
                    ToolError::not_found(format!("no working directory `{}`", dir.display()))
                        .field("working_dir"),
                );
            }
            request.working_dir = Some(full);
        }
        if let Some((script, _)) = &tool.legacy {
            fallback::check(script, &request.input)?;
        }
        let definition = tool.definition;
        let shown = redact::redacted(&definition, &request.input);
        let job = NewJob {
            family: definition.family.clone(),
            version: definition.version.clone(),
            input_shown: (shown != request.input).then_some(shown),
            input_hash: hash(&request.input),
            concurrency_key: limits::concurrency_key(&definition, &request.input),
            effects: definition.effects,
            policy: definition.policy,
            placement: (self.role() == Role::Foreground).then(|| self.name().to_owned()),
            request,
        };
        let attended = self.role() != Role::Client || owner::worker_lives(self.state_dir());
        self.ask(move |actor| {
            let (id, existing) = actor.store.enqueue(&job, Timestamp::now())?;
            if !existing {
                actor.tell(
                    id,
                    0,
                    JobEventBody::Queued {
                        tool: job.request.tool.clone(),
                    },
                )?;
                actor.queue_changed();
            }
            Ok(Started {
                id,
                existing,
                attended,
            })
        })
        .await
    }
}

/// SHA-256 of the input with its keys in order, so that the order in which they were given does not matter.
fn hash(input: &Value) -> String {
    hex::encode(Sha256::digest(canonical(input).to_string()))
}

fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Value::Object(
                entries
                    .into_iter()
                    .map(|(k, v)| (k.clone(), canonical(v)))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// Refuses what makes no sense for a job that is not over.
pub(super) fn not_over(id: crate::JobId, state: &str) -> ToolError {
    ToolError::new(ErrorKind::Conflict, format!("job `{id}` is {state}"))
        .from_source("job")
        .hint(format!(
            "wait for it with `jobs wait {id}`, or `jobs cancel {id}`"
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_change_the_hash() {
        let a: Value = serde_json::from_str(r#"{"a": [{"x": 1, "y": 2}], "b": null}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b": null, "a": [{"y": 2, "x": 1}]}"#).unwrap();
        assert_eq!(hash(&a), hash(&b));
        assert_ne!(hash(&a), hash(&serde_json::json!({"a": []})));
    }
}
