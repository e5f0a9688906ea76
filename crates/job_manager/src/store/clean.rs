//! Taking secrets out of a store that an older version wrote: until version 3 the input was kept as it was given.

use app_core::contract::ToolResult;
use rusqlite::params;
use serde_json::{Map, Value};

use super::{Store, failed};
use crate::{
    redact::{HIDDEN, SecretFields},
    secrets::Secrets,
};

/// A row of the old table.
struct Old {
    id: i64,
    input: Value,
    shown: Option<Value>,
    over: bool,
    script: bool,
}

impl Store {
    /// Replaces every input by what is shown of it. The secrets of jobs that are not over are kept apart. Returns whether
    /// there was anything to clean; then the file must be written anew, since SQLite leaves old pages as they were.
    pub(super) fn clean_old_inputs(&mut self, secrets: &Secrets) -> ToolResult<bool> {
        let mut cleaned = false;
        for old in self.old_inputs()? {
            let mut input = old.input.clone();
            let mut taken: Map<String, Value> = Map::new();
            if let Some(shown) = &old.shown {
                differences(&old.input, shown, "", &mut taken);
                input = shown.clone();
            }
            if old.script {
                taken.extend(SecretFields::by_name().take_out(&mut input));
            }
            if taken.is_empty() {
                continue;
            }
            cleaned = true;
            let file = if old.over {
                None
            } else {
                Some(secrets.keep(&taken)?)
            };
            let paths: Vec<&String> = taken.keys().collect();
            self.db
                .execute(
                    "UPDATE jobs SET input = ?2, input_shown = NULL, input_hash = ?3, secrets = ?4, secret_fields = ?5
                     WHERE id = ?1",
                    params![
                        old.id,
                        input.to_string(),
                        crate::verbs::input_hash(&input),
                        file,
                        super::queue::json(&paths)
                    ],
                )
                .map_err(|e| failed(&e))?;
        }
        Ok(cleaned)
    }

    fn old_inputs(&self) -> ToolResult<Vec<Old>> {
        let mut statement = self
            .db
            .prepare(
                "SELECT id, input, input_shown, state NOT IN ('queued', 'running') AS over, route = 'legacy' AS script
                 FROM jobs WHERE input_shown IS NOT NULL OR route = 'legacy'",
            )
            .map_err(|e| failed(&e))?;
        let rows = statement
            .query_map([], |row| {
                Ok(Old {
                    id: row.get("id")?,
                    input: super::rows::json_at(row, "input")?,
                    shown: super::rows::optional_json_at(row, "input_shown")?,
                    over: row.get("over")?,
                    script: row.get("script")?,
                })
            })
            .map_err(|e| failed(&e))?;
        rows.collect::<Result<_, _>>().map_err(|e| failed(&e))
    }

    /// Writes the whole file anew, so that nothing of what was taken out is left in free pages or the log.
    pub(super) fn rewrite(&self) -> ToolResult<()> {
        self.db
            .execute_batch("PRAGMA secure_delete = ON; VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|e| failed(&e))
    }
}

/// The values of `whole` where `shown` has `***`.
fn differences(whole: &Value, shown: &Value, path: &str, taken: &mut Map<String, Value>) {
    match (whole, shown) {
        (Value::Object(whole), Value::Object(shown)) => {
            for (name, value) in whole {
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                if let Some(shown) = shown.get(name) {
                    differences(value, shown, &inner, taken);
                }
            }
        }
        (Value::Array(whole), Value::Array(shown)) => {
            for (index, (value, shown)) in whole.iter().zip(shown).enumerate() {
                differences(value, shown, &format!("{path}[{index}]"), taken);
            }
        }
        (whole, shown) if shown == HIDDEN && whole != shown => {
            taken.insert(path.to_owned(), whole.clone());
        }
        _ => {}
    }
}
