//! Storing and reading rows.

use std::collections::HashSet;

use sqlx::mysql::{MySql, MySqlArguments, MySqlRow};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{Row, TypeInfo, ValueRef};

use super::table::Dialect;
use super::{Cell, Database, Pool, Table, failure, nonempty, statement};
use app_core::contract::ToolResult;

/// What an upsert did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Rows that were new.
    pub inserted: u64,
    /// Rows that were there already.
    pub updated: u64,
    /// Rows the database refused.
    pub failed: Vec<RowFailure>,
}

/// A row the database refused, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFailure {
    /// Place in the rows given.
    pub row: usize,
    /// The database's words.
    pub message: String,
}

impl Database {
    /// Stores rows: new ones are inserted, known ones refreshed. All of it is one transaction. When the database
    /// refuses a row for what it holds, the others are stored one by one and the refused ones are reported.
    pub async fn upsert(&self, table: &Table, rows: &[Vec<Cell>]) -> ToolResult<Stored> {
        nonempty(table.columns.len())?;
        if rows.is_empty() {
            return Ok(Stored::default());
        }
        match self.page(table, rows).await {
            Ok(stored) => Ok(stored),
            Err(error) if failure::of_the_row(&error) => self.one_by_one(table, rows).await,
            Err(error) => Err(self.failed(&format!("store rows of `{}`", table.name), &error)),
        }
    }

    async fn one_by_one(&self, table: &Table, rows: &[Vec<Cell>]) -> ToolResult<Stored> {
        let mut all = Stored::default();
        for (at, row) in rows.iter().enumerate() {
            match self.page(table, std::slice::from_ref(row)).await {
                Ok(stored) => {
                    all.inserted += stored.inserted;
                    all.updated += stored.updated;
                }
                Err(error) if failure::of_the_row(&error) => {
                    let told = self.failed("store the row", &error);
                    all.failed.push(RowFailure {
                        row: at,
                        message: told.message,
                    });
                }
                Err(error) => return Err(self.failed(&format!("store rows of `{}`", table.name), &error)),
            }
        }
        Ok(all)
    }

    async fn page(&self, table: &Table, rows: &[Vec<Cell>]) -> Result<Stored, sqlx::Error> {
        // A key given twice is one row.
        let distinct: HashSet<_> = rows.iter().map(|row| table.key_of(row)).collect();
        let mut known = 0_i64;
        macro_rules! page {
            ($pool:expr, $dialect:expr, $bind:ident) => {{
                let mut transaction = $pool.begin().await?;
                for piece in table.pieces(rows) {
                    let keys: Vec<_> = piece
                        .iter()
                        .map(|row| table.key_of(row))
                        .collect::<HashSet<_>>()
                        .into_iter()
                        .collect();
                    let mut count = sqlx::query(statement(table.count_known(keys.len())));
                    for cell in keys.iter().flatten() {
                        count = $bind(count, cell);
                    }
                    known += count
                        .fetch_one(&mut *transaction)
                        .await?
                        .try_get::<i64, _>(0)?;
                    let mut upsert = sqlx::query(statement(table.upsert($dialect, piece.len())));
                    for cell in piece.iter().flatten() {
                        upsert = $bind(upsert, cell);
                    }
                    upsert.execute(&mut *transaction).await?;
                }
                transaction.commit().await?;
            }};
        }
        match &self.pool {
            Pool::Sqlite(pool) => page!(pool, Dialect::Sqlite, bind_sqlite),
            Pool::MySql(pool) => page!(pool, Dialect::MySql, bind_mysql),
        }
        let updated = u64::try_from(known).unwrap_or(0).min(distinct.len() as u64);
        Ok(Stored {
            inserted: distinct.len() as u64 - updated,
            updated,
            failed: Vec::new(),
        })
    }

    /// Every row of a table, in the order of its key; dates as text.
    pub async fn rows(&self, table: &Table) -> ToolResult<Vec<Vec<Cell>>> {
        nonempty(table.columns.len())?;
        macro_rules! rows {
            ($pool:expr, $dialect:expr, $cell:ident) => {
                sqlx::query(statement(table.select($dialect)))
                    .fetch_all($pool)
                    .await
                    .and_then(|rows| {
                        let cells = |row| (0..table.columns.len()).map(|at| $cell(row, at)).collect();
                        rows.iter().map(cells).collect()
                    })
            };
        }
        let rows: Result<Vec<Vec<Cell>>, sqlx::Error> = match &self.pool {
            Pool::Sqlite(pool) => rows!(pool, Dialect::Sqlite, sqlite_cell),
            Pool::MySql(pool) => rows!(pool, Dialect::MySql, mysql_cell),
        };
        rows.map_err(|error| self.failed(&format!("read `{}`", table.name), &error))
    }
}

type SqliteQuery<'q> = Query<'q, Sqlite, SqliteArguments>;
type MySqlQuery<'q> = Query<'q, MySql, MySqlArguments>;

fn bind_sqlite<'q>(query: SqliteQuery<'q>, cell: &'q Cell) -> SqliteQuery<'q> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Int(number) => query.bind(*number),
        Cell::Text(text) => query.bind(text.as_str()),
    }
}

fn bind_mysql<'q>(query: MySqlQuery<'q>, cell: &'q Cell) -> MySqlQuery<'q> {
    match cell {
        Cell::Null => query.bind(None::<i64>),
        Cell::Int(number) => query.bind(*number),
        Cell::Text(text) => query.bind(text.as_str()),
    }
}

fn sqlite_cell(row: &SqliteRow, at: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    match value.type_info().name() {
        "INTEGER" | "BOOLEAN" => row.try_get_unchecked(at).map(Cell::Int),
        _ => row.try_get_unchecked(at).map(Cell::Text),
    }
}

fn mysql_cell(row: &MySqlRow, at: usize) -> Result<Cell, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Cell::Null);
    }
    let kind = value.type_info().name().to_owned();
    if kind.contains("INT") || kind == "BOOLEAN" {
        return row.try_get_unchecked(at).map(Cell::Int);
    }
    row.try_get_unchecked(at).map(Cell::Text)
}
