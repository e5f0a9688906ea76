//! Making the tables, and checking those that are there already.
//!
//! Statements run with `IF NOT EXISTS`, so a live database of the replaced programs is taken as it is; what a
//! table must have to be written to is checked, and a table that lacks it is named rather than changed.

use std::collections::BTreeSet;

use sqlx::Row;

use super::{Database, Pool, Table, statement};
use app_core::contract::{ToolError, ToolResult};

/// Statements for both databases, each file a list separated by `;` at a line's end.
pub(super) struct Script {
    pub(super) sqlite: &'static str,
    pub(super) mysql: &'static str,
}

impl Database {
    pub(super) async fn run(&self, script: &Script) -> ToolResult<()> {
        let text = match &self.pool {
            Pool::Sqlite(_) => script.sqlite,
            Pool::MySql(_) => script.mysql,
        };
        for sql in text.split(";\n").map(str::trim).filter(|sql| !sql.is_empty()) {
            let sql = statement(sql.to_owned());
            let done = match &self.pool {
                Pool::Sqlite(pool) => sqlx::query(sql).execute(pool).await.map(|_| ()),
                Pool::MySql(pool) => sqlx::query(sql).execute(pool).await.map(|_| ()),
            };
            done.map_err(|error| self.failed("make the tables", &error))?;
        }
        Ok(())
    }

    /// Checks that a table has every column that is written, and a unique key by which rows are known again.
    pub(super) async fn check(&self, table: &Table) -> ToolResult<()> {
        let columns = self.columns(table).await?;
        let missing: Vec<&str> = table
            .columns
            .iter()
            .copied()
            .filter(|c| !columns.contains(*c))
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "table `{}` in `{}` has no column `{}`",
                table.name,
                self.label(),
                missing.join("`, `")
            );
            return Err(ToolError::config(message)
                .code("table_mismatch")
                .hint("add the columns, or store into another database"));
        }
        let wanted: BTreeSet<String> = table.key.iter().map(|column| (*column).to_owned()).collect();
        if self.unique_keys(table).await?.contains(&wanted) {
            return Ok(());
        }
        let key = table.key.join(", ");
        let message = format!(
            "table `{}` in `{}` has no unique key over ({key})",
            table.name,
            self.label()
        );
        Err(ToolError::config(message).code("table_mismatch").hint(format!(
            "rows would be stored again and again; run: CREATE UNIQUE INDEX {0}_key ON {0} ({key})",
            table.name
        )))
    }

    async fn columns(&self, table: &Table) -> ToolResult<BTreeSet<String>> {
        let columns = match &self.pool {
            Pool::Sqlite(pool) => {
                let sql = "SELECT name FROM pragma_table_info(?)";
                sqlx::query_scalar(sql).bind(table.name).fetch_all(pool).await
            }
            Pool::MySql(pool) => {
                let sql = "SELECT CAST(column_name AS CHAR) FROM information_schema.columns \
                           WHERE table_schema = DATABASE() AND table_name = ?";
                sqlx::query_scalar(sql).bind(table.name).fetch_all(pool).await
            }
        };
        let columns: Vec<String> = columns.map_err(|error| self.failed("look at the tables", &error))?;
        Ok(columns.into_iter().map(|column| column.to_lowercase()).collect())
    }

    /// The columns of every unique key.
    async fn unique_keys(&self, table: &Table) -> ToolResult<BTreeSet<BTreeSet<String>>> {
        let failed = |error: sqlx::Error| self.failed("look at the keys", &error);
        // One line per key and column: the key's name, the column.
        let lines: Vec<(String, String)> = match &self.pool {
            Pool::Sqlite(pool) => {
                let sql = "SELECT 'primary', name FROM pragma_table_info(?1) WHERE pk > 0 \
                           UNION ALL SELECT l.name, i.name FROM pragma_index_list(?1) l, pragma_index_info(l.name) i \
                           WHERE l.\"unique\" = 1 AND l.partial = 0";
                let rows = sqlx::query(sql)
                    .bind(table.name)
                    .fetch_all(pool)
                    .await
                    .map_err(failed)?;
                let pair = |row: &sqlx::sqlite::SqliteRow| Ok((row.try_get(0)?, row.try_get(1)?));
                rows.iter().map(pair).collect::<Result<_, _>>().map_err(failed)?
            }
            Pool::MySql(pool) => {
                let sql = "SELECT CAST(index_name AS CHAR), CAST(column_name AS CHAR) FROM information_schema.statistics \
                           WHERE table_schema = DATABASE() AND table_name = ? AND non_unique = 0";
                let rows = sqlx::query(sql)
                    .bind(table.name)
                    .fetch_all(pool)
                    .await
                    .map_err(failed)?;
                let pair = |row: &sqlx::mysql::MySqlRow| Ok((row.try_get(0)?, row.try_get(1)?));
                rows.iter().map(pair).collect::<Result<_, _>>().map_err(failed)?
            }
        };
        let mut keys: std::collections::BTreeMap<String, BTreeSet<String>> =
            std::collections::BTreeMap::new();
        for (key, column) in lines {
            keys.entry(key).or_default().insert(column.to_lowercase());
        }
        Ok(keys.into_values().collect())
    }
}
