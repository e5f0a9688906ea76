//! Storing documents, and indexing them anew.

use std::collections::BTreeMap;

use app_core::{ToolError, ToolResult, state::database::database_error};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    analysis::{self, Purpose, terms},
    document::{NewDocument, Origin, text_of},
    moment,
    postings::{self, Batch},
    python_json,
    reading::{count, object},
    store::{Memory, set_meta},
};

/// Largest document in bytes of JSON.
pub const LARGEST: usize = 1 << 20;

/// Documents whose terms are gathered before they are written.
const AT_A_TIME: usize = 5_000;

/// What became of a document that was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stored {
    /// Its id.
    pub id: String,
    /// Whether it was not there before.
    pub new: bool,
    /// How often it has been stored by now.
    pub seen: u64,
}

impl Memory {
    /// Stores documents, all or none. One that is there already is counted, and takes over what the new metadata say;
    /// its times and its origin stay.
    ///
    /// Fails on an empty document, on one of more than [`LARGEST`] bytes, and on an unusable name of the collection.
    pub fn store(
        &mut self,
        collection: &str,
        documents: &[NewDocument],
        now: Timestamp,
    ) -> ToolResult<Vec<Stored>> {
        check_name(collection)?;
        let texts = documents.iter().map(checked).collect::<ToolResult<Vec<_>>>()?;
        let path = self.path.clone();
        let transaction = self.write()?;
        put_all(transaction, collection, documents, &texts, now).map_err(|e| database_error(&path, &e))
    }

    /// Writes all lists of postings anew from the documents. `progress` is told how many are done, and can stop it, which
    /// leaves everything as it was.
    pub fn reindex(&mut self, mut progress: impl FnMut(u64) -> ToolResult<()>) -> ToolResult<u64> {
        let path = self.path.clone();
        let wrong = |e: rusqlite::Error| database_error(&path, &e);
        let transaction = self.write()?;
        transaction
            .execute_batch("DELETE FROM postings; UPDATE collections SET documents = 0, terms = 0;")
            .map_err(wrong)?;
        let (mut from, mut done) = (0, 0);
        loop {
            let part = part(&transaction, from).map_err(wrong)?;
            let Some((last, ..)) = part.last() else { break };
            from = *last;
            index(&transaction, &part).map_err(wrong)?;
            done += part.len() as u64;
            progress(done)?;
        }
        set_meta(&transaction, "analysis", &analysis::VERSION.to_string()).map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
        Ok(done)
    }
}

fn check_name(collection: &str) -> ToolResult<()> {
    if collection.is_empty() || collection.len() > 100 || collection.chars().any(app_core::text::acts) {
        return Err(ToolError::invalid(
            "collection",
            "the name of a collection is 1 to 100 bytes of plain text",
        ));
    }
    Ok(())
}

impl NewDocument {
    /// Whether it may be stored. Fails on an empty document, and on one of more than [`LARGEST`] bytes.
    pub fn check(&self) -> ToolResult<()> {
        checked(self).map(drop)
    }
}

/// The document as JSON, if it may be stored.
fn checked(new: &NewDocument) -> ToolResult<String> {
    if new.document.is_empty() {
        return Err(ToolError::invalid("document", "a document must not be empty"));
    }
    let text = Value::Object(new.document.clone()).to_string();
    let bytes = text.len() + Value::Object(new.metadata.clone()).to_string().len();
    if bytes > LARGEST {
        return Err(ToolError::invalid(
            "document",
            format!("a document has at most {LARGEST} bytes with its metadata, this one {bytes}"),
        )
        .code("document_too_large"));
    }
    Ok(text)
}

fn put_all(
    transaction: Transaction<'_>,
    collection: &str,
    documents: &[NewDocument],
    texts: &[String],
    now: Timestamp,
) -> rusqlite::Result<Vec<Stored>> {
    let collection = make_collection(&transaction, collection)?;
    let mut stored = Vec::with_capacity(documents.len());
    for (documents, texts) in documents.chunks(AT_A_TIME).zip(texts.chunks(AT_A_TIME)) {
        let mut batch = Batch::new();
        for (new, json) in documents.iter().zip(texts) {
            stored.push(put(&transaction, collection, new, json, now, &mut batch)?);
        }
        postings::append(&transaction, collection, &batch)?;
    }
    transaction.commit()?;
    Ok(stored)
}

fn make_collection(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.execute(
        "INSERT INTO collections (name) VALUES (?1) ON CONFLICT DO NOTHING",
        [name],
    )?;
    connection.query_row("SELECT number FROM collections WHERE name = ?1", [name], |row| {
        row.get(0)
    })
}

fn put(
    connection: &Connection,
    collection: i64,
    new: &NewDocument,
    json: &str,
    now: Timestamp,
    batch: &mut Batch,
) -> rusqlite::Result<Stored> {
    let id = python_json::id(&new.document);
    let bytes = hex::decode(&id).unwrap_or_default();
    let known = connection
        .prepare_cached("SELECT number, seen, metadata FROM documents WHERE collection = ?1 AND id = ?2")?
        .query_row(params![collection, bytes], |row| {
            Ok((row.get::<_, i64>(0)?, count(row, 1)?, object(row, 2)?))
        })
        .optional()?;
    if let Some((number, seen, mut metadata)) = known {
        metadata.extend(new.metadata.clone());
        connection
            .prepare_cached("UPDATE documents SET seen = seen + 1, metadata = ?2 WHERE number = ?1")?
            .execute(params![number, Value::Object(metadata).to_string()])?;
        return Ok(Stored {
            id,
            new: false,
            seen: seen + 1,
        });
    }
    let event_at = new.event_at.or_else(|| moment::of_document(&new.document));
    let ingested_at = new.ingested_at.unwrap_or(now);
    let seen = new.seen.unwrap_or(1).clamp(1, u64::from(u32::MAX)) as u32;
    let Origin {
        source,
        path,
        message_id,
        sha256,
    } = &new.origin;
    connection
        .prepare_cached(
            "INSERT INTO documents (collection, id, document, metadata, event_at, ingested_at, source, path, message_id, sha256, seen)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            collection,
            bytes,
            json,
            Value::Object(new.metadata.clone()).to_string(),
            event_at.map(Timestamp::as_millisecond),
            ingested_at.as_millisecond(),
            source,
            path,
            message_id,
            sha256,
            seen
        ])?;
    note(
        connection,
        collection,
        connection.last_insert_rowid(),
        &new.document,
        batch,
    )?;
    Ok(Stored {
        id,
        new: true,
        seen: u64::from(seen),
    })
}

/// Counts a document and gathers its terms.
fn note(
    connection: &Connection,
    collection: i64,
    number: i64,
    document: &Map<String, Value>,
    batch: &mut Batch,
) -> rusqlite::Result<()> {
    let length = postings::note(batch, number, document_terms(document));
    connection
        .prepare_cached(
            "UPDATE collections SET documents = documents + 1, terms = terms + ?2 WHERE number = ?1",
        )?
        .execute(params![collection, length])
        .map(drop)
}

/// The terms that a document is found by.
pub(crate) fn document_terms(document: &Map<String, Value>) -> impl Iterator<Item = String> {
    terms(&text_of(document), Purpose::Document)
        .into_iter()
        .map(|term| term.text)
}

/// Number, collection and document.
type Numbered = (i64, i64, Map<String, Value>);

/// The next documents behind a number.
fn part(connection: &Connection, from: i64) -> rusqlite::Result<Vec<Numbered>> {
    let mut statement = connection.prepare_cached(
        "SELECT number, collection, document FROM documents WHERE number > ?1 ORDER BY number LIMIT ?2",
    )?;
    let rows = statement.query_map(params![from, AT_A_TIME as i64], |row| {
        Ok((row.get(0)?, row.get(1)?, object(row, 2)?))
    })?;
    rows.collect()
}

fn index(connection: &Connection, part: &[Numbered]) -> rusqlite::Result<()> {
    let mut batches: BTreeMap<i64, Batch> = BTreeMap::new();
    for (number, collection, document) in part {
        note(
            connection,
            *collection,
            *number,
            document,
            batches.entry(*collection).or_default(),
        )?;
    }
    batches
        .iter()
        .try_for_each(|(collection, batch)| postings::append(connection, *collection, batch))
}
