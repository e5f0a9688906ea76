//! `start`: puts a job into the queue.

use std::{
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use app_core::contract::{ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{plan, validate};
use crate::{
    limits,
    manager::{JobManager, Role},
    owner,
    store::{NewJob, own_folder},
    wire::{JobEventBody, StartRequest, Started},
};

impl JobManager {
    /// Queues a job; it is on disk when this returns. Fails, naming every field, on an input that the tool's schema does
    /// not allow: nothing is queued then.
    pub async fn start(&self, mut request: StartRequest) -> ToolResult<Started> {
        let tool = self.registry().resolve(&request.tool).await?;
        if request.input.is_null() {
            request.input = Value::Object(Map::new());
        }
        let planned = match request.plan_of {
            Some(of) => Some(self.ask(move |actor| actor.store.get(of)).await?),
            None => None,
        };
        if let Some(planned) = &planned {
            plan::check(planned, &mut request, &tool.definition, self.plan_age())?;
        }
        let checked = validate::check(&tool, &request.input)?;
        let input_hash = hash(&checked.shown);
        if let Some(planned) = &planned {
            plan::check_input(planned, &input_hash)?;
        }
        request.input = checked.shown;
        if let Some(dir) = &request.working_dir {
            request.working_dir = Some(existing_folder(dir)?);
        }
        let definition = tool.definition;
        let job = NewJob {
            family: definition.family.clone(),
            version: definition.version.clone(),
            secrets: checked.secrets,
            input_hash,
            concurrency_key: limits::concurrency_key(&definition, &request.input),
            effects: definition.effects,
            policy: definition.policy,
            placement: (self.role() == Role::Foreground).then(|| self.name().to_owned()),
            request,
        };
        let attended = self.role() != Role::Client || owner::worker(self.state_dir()).is_some();
        let state_dir = self.state_dir().to_owned();
        self.ask(move |actor| {
            let (id, existing) = actor.store.enqueue(&job, app_core::Clock::System.now())?;
            if !existing {
                if job.request.working_dir.is_none() {
                    let dir = own_folder(&state_dir, id);
                    make_folder(&dir)?;
                    actor.store.set_working_dir(id, &dir)?;
                }
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

/// The folder without links in its path, so that what lies in it can be found again without following any.
fn existing_folder(dir: &Path) -> ToolResult<PathBuf> {
    match std::fs::canonicalize(dir) {
        Ok(full) if full.is_dir() => Ok(full),
        _ => {
            let message = format!("no working directory `{}`", dir.display());
            Err(ToolError::not_found(message).field("working_dir"))
        }
    }
}

fn make_folder(dir: &Path) -> ToolResult<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| ToolError::file("make", dir, &e))
}

/// SHA-256 of the input with its keys in order, so that the order in which they were given does not matter.
pub(crate) fn hash(input: &Value) -> String {
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
            "wait for it with `onejob wait {id}`, or `onejob cancel {id}`"
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
