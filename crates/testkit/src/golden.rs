//! Recorded Telegram cases played over the wire: the world file becomes a data centre, the schema a real database.

use std::path::Path;

use serde_json::Value;

use crate::telegram::{Dc, World};
use crate::{Finished, MariaDb, Sandbox};

/// A case that is ready to run.
pub struct Golden {
    /// `case.json`.
    pub recorded: Value,
    /// The Telegram of the case.
    pub dc: Dc,
    sandbox: Sandbox,
}

impl Golden {
    /// Reads a case and sets its surroundings up; the database is emptied first.
    pub fn set_up(folder: &Path, server: &MariaDb) -> Self {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let recorded: Value =
            serde_json::from_str(&read("case.json")).unwrap_or_else(|e| panic!("case.json: {e}"));
        let far_side = &recorded["far_side"];
        let world = World::load(&folder.join("in/world.json")).unwrap_or_else(|e| panic!("{e}"));
        server.reset();
        for key in ["schema", "rows_before"] {
            if let Some(name) = far_side["mysql"][key].as_str() {
                server.sql(&read(&format!("in/{name}")));
            }
        }
        let dc = Dc::start(world);
        let mut sandbox = dc.sandbox();
        if let Some(clock) = far_side["clock"].as_str() {
            sandbox = sandbox.env("ONEJOB_CLOCK", clock.replacen(' ', "T", 1));
        }
        for (name, value) in recorded["env"].as_object().into_iter().flatten() {
            let mut value = value.as_str().unwrap_or_default().to_owned();
            for (key, filled) in server.env() {
                value = value.replace(&format!("{{{{{key}}}}}"), &filled);
            }
            sandbox = sandbox.env(name, value);
        }
        Self {
            recorded,
            dc,
            sandbox,
        }
    }

    /// Runs a tool with the case's arguments.
    pub fn run(&self, program: &Path) -> Finished {
        let args = self.recorded["args"].as_array().cloned().unwrap_or_default();
        let mut args: Vec<&str> = args.iter().filter_map(Value::as_str).collect();
        // Not a terminal, yet the report for people is what was recorded.
        args.push("--text");
        self.sandbox.run(program, &args)
    }

    /// What the original printed.
    pub fn stdout(&self) -> &str {
        self.recorded["expected"]["stdout"].as_str().unwrap_or_default()
    }

    /// The rows the original left in a table, and those that are there now, both in the order of their ids.
    pub fn rows(&self, server: &MariaDb, table: &str) -> (Vec<Value>, Vec<Value>) {
        let recorded = self.recorded["expected"]["sql_rows"][table]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let columns = recorded.first().and_then(Value::as_object);
        let columns: Vec<String> = columns
            .map(|row| row.keys().cloned().collect())
            .unwrap_or_default();
        if columns.is_empty() {
            let now = server.sql(&format!("SELECT COUNT(*) FROM {table}"));
            return (
                recorded,
                vec![Value::from(now.trim()); usize::from(now.trim() != "0")],
            );
        }
        (in_order(recorded), in_order(server.rows(table, &columns)))
    }
}

fn in_order(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(|row| (row["chat_id"].as_i64(), row["id"].as_i64()));
    rows
}
