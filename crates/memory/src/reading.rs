//! Reading documents and collections.

use app_core::{ToolError, ToolResult, state::database::database_error};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    document::{Document, Origin},
    store::Memory,
};

/// Columns of a document, in the order [`document`] reads them.
const COLUMNS: &str =
    "number, id, document, metadata, event_at, ingested_at, source, path, message_id, sha256, seen";

/// A collection and its size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Collection {
    /// Name.
    pub name: String,
    /// Documents in it.
    pub documents: u64,
    /// Words and other terms in all of them.
    pub terms: u64,
}

impl Memory {
    /// Whether a document of this id is stored.
    pub fn contains(&self, collection: &str, id: &str) -> ToolResult<bool> {
        Ok(self.number_of(collection, id)?.is_some())
    }

    /// One document by its id. Fails with kind `not_found`.
    pub fn get(&self, collection: &str, id: &str) -> ToolResult<Document> {
        let number = self.number_of(collection, id)?.ok_or_else(|| {
            ToolError::not_found(format!("`{collection}` holds no document `{id}`"))
                .hint("`list` shows the ids there are")
        })?;
        self.sql(|c| by_number(c, number))
    }

    /// Calls `act` with each document of a collection, oldest first, until it answers false.
    pub fn each(
        &self,
        collection: &str,
        mut act: impl FnMut(Document) -> ToolResult<bool>,
    ) -> ToolResult<()> {
        let wrong = |e: rusqlite::Error| database_error(&self.path, &e);
        let query = format!(
            "SELECT {COLUMNS} FROM documents WHERE collection = (SELECT number FROM collections WHERE name = ?1) ORDER BY number"
        );
        let mut statement = self.connection.prepare(&query).map_err(wrong)?;
        let mut rows = statement.query([collection]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            if !act(document(row).map_err(wrong)?)? {
                break;
            }
        }
        Ok(())
    }

    /// All collections, by name.
    pub fn collections(&self) -> ToolResult<Vec<Collection>> {
        self.sql(|c| {
            let mut statement = c.prepare("SELECT name, documents, terms FROM collections ORDER BY name")?;
            let rows = statement.query_map([], |row| {
                Ok(Collection {
                    name: row.get(0)?,
                    documents: count(row, 1)?,
                    terms: count(row, 2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// The collection of this name; an empty one when there is none.
    pub fn collection(&self, name: &str) -> ToolResult<Collection> {
        let known = self.collections()?.into_iter().find(|c| c.name == name);
        Ok(known.unwrap_or_else(|| Collection {
            name: name.to_owned(),
            documents: 0,
            terms: 0,
        }))
    }

    pub(crate) fn number_of(&self, collection: &str, id: &str) -> ToolResult<Option<i64>> {
        let Ok(id) = hex::decode(id) else { return Ok(None) };
        self.sql(|c| {
            c.query_row(
                "SELECT d.number FROM documents d JOIN collections c ON c.number = d.collection
                 WHERE c.name = ?1 AND d.id = ?2",
                params![collection, id],
                |row| row.get(0),
            )
            .optional()
        })
    }
}

pub(crate) fn by_number(connection: &Connection, number: i64) -> rusqlite::Result<Document> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM documents WHERE number = ?1"))?
        .query_row([number], document)
}

/// A row of [`COLUMNS`].
pub(crate) fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    let time = |at: i64| Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
    Ok(Document {
        id: hex::encode(row.get::<_, Vec<u8>>("id")?),
        document: object(row, 2)?,
        metadata: object(row, 3)?,
        event_at: row.get::<_, Option<i64>>("event_at")?.map(time),
        ingested_at: time(row.get("ingested_at")?),
        origin: Origin {
            source: row.get("source")?,
            path: row.get("path")?,
            message_id: row.get("message_id")?,
            sha256: row.get("sha256")?,
        },
        seen: count(row, 10)?,
    })
}

/// A column that holds a JSON object.
pub(crate) fn object(row: &Row<'_>, column: usize) -> rusqlite::Result<Map<String, Value>> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
    })
}

/// A column that holds a count.
pub(crate) fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}
