//! Rows of a SQLite file, table by table.

use std::{collections::BTreeMap, path::Path};

use regex::Regex;
use rusqlite::{Connection, OpenFlags, types::ValueRef};
use serde_json::{Value, json};

use crate::seen::Table;

/// Every table of the file with its rows, sorted. A file that is not there has no tables; one that cannot be read is
/// an error text.
pub fn tables(path: &Path) -> Result<BTreeMap<String, Table>, String> {
    if !path.is_file() {
        return Ok(BTreeMap::new());
    }
    let told = |e: rusqlite::Error| format!("cannot read the database: {e}");
    // Not read-only: rows may still lie in a write-ahead log, which only a writer may fold in.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags).map_err(told)?;
    let mut names = database
        .prepare(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
        )
        .map_err(told)?;
    let names: Vec<String> = names
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(told)?;
    let mut found = BTreeMap::new();
    for name in names {
        let table = table(&database, &name).map_err(told)?;
        found.insert(name, table);
    }
    Ok(found)
}

/// Table definitions of MySQL without what SQLite does not know: engine, plain keys, columns that touch themselves.
pub fn translated(schema: &str) -> String {
    let foreign = r"(?i)\)\s*ENGINE\s*=[^;]*|,\s*KEY\s+\w+\s*\([^)]*\)|\s+ON\s+UPDATE\s+CURRENT_TIMESTAMP";
    let Ok(foreign) = Regex::new(foreign) else {
        return schema.to_owned();
    };
    let kept = |found: &regex::Captures<'_>| if found[0].starts_with(')') { ")" } else { "" };
    foreign.replace_all(schema, kept).into_owned()
}

/// Runs statements on the file, which is made when missing.
pub fn run(path: &Path, sql: &str) -> Result<(), String> {
    let told = |e: rusqlite::Error| format!("cannot fill the database: {e}");
    Connection::open(path)
        .map_err(told)?
        .execute_batch(sql)
        .map_err(told)
}

fn table(database: &Connection, name: &str) -> rusqlite::Result<Table> {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let mut info = database.prepare(&format!("PRAGMA table_info({quoted})"))?;
    let info: Vec<(String, usize)> = info
        .query_map([], |row| {
            Ok((row.get("name")?, row.get::<_, u32>("pk")? as usize))
        })?
        .collect::<rusqlite::Result<_>>()?;
    let mut key: Vec<(usize, usize)> = info
        .iter()
        .enumerate()
        .filter(|(_, (_, place))| *place > 0)
        .map(|(index, (_, place))| (*place, index))
        .collect();
    key.sort_unstable();
    let mut select = database.prepare(&format!("SELECT * FROM {quoted}"))?;
    let width = select.column_count();
    let mut rows: Vec<Vec<Value>> = select
        .query_map([], |row| (0..width).map(|i| row.get_ref(i).map(value)).collect())?
        .collect::<rusqlite::Result<_>>()?;
    rows.sort_by_cached_key(|row| Value::Array(row.clone()).to_string());
    Ok(Table {
        columns: info.into_iter().map(|(name, _)| name).collect(),
        key: key.into_iter().map(|(_, index)| index).collect(),
        rows,
    })
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => json!({"blob": hex::encode(bytes)}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_of_mysql_are_understood() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let schema = "CREATE TABLE t (\n  id BIGINT PRIMARY KEY, n INT DEFAULT 0,\n  at DATETIME DEFAULT CURRENT_TIMESTAMP ON UPDATE \
                      CURRENT_TIMESTAMP,\n  KEY idx_n (n), KEY idx_at (at)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;\n";
        run(
            &path,
            &format!("{}INSERT INTO t (id) VALUES (7);", translated(schema)),
        )
        .unwrap();
        assert_eq!(tables(&path).unwrap()["t"].rows[0][..2], [json!(7), json!(0)]);
        assert!(run(&path, "INSERT INTO nothing VALUES (1)").is_err());
    }

    #[test]
    fn rows_come_with_columns_and_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        assert!(tables(&path).unwrap().is_empty());
        let database = Connection::open(&path).unwrap();
        database
            .execute_batch(
                "PRAGMA journal_mode=WAL; CREATE TABLE t (a TEXT, id INTEGER PRIMARY KEY, b BLOB, r REAL);
                 INSERT INTO t VALUES ('x', 2, x'00ff', 1.0), (NULL, 1, NULL, 2.5);",
            )
            .unwrap();
        let found = tables(&path).unwrap();
        let table = &found["t"];
        assert_eq!(table.columns, ["a", "id", "b", "r"]);
        assert_eq!(table.key, [1]);
        assert_eq!(
            table.rows[0],
            [json!("x"), json!(2), json!({"blob": "00ff"}), json!(1.0)]
        );
        std::fs::write(
            dir.path().join("b.db"),
            "no database, but a text that is long enough",
        )
        .unwrap();
        assert!(tables(&dir.path().join("b.db")).is_err());
    }
}
