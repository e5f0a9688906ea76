//! Forgetting: a document leaves the documents, the lists of postings and the file.
//!
//! What is deleted from a database usually stays in the file: in free pages, in gaps of pages, in the write-ahead log. So
//! the file is written anew after each forgetting, the log is emptied, and both are then looked through for pieces of what
//! was forgotten. Until that is done the store knows that it has to be.

use std::{collections::BTreeMap, path::PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult, state::database::database_error};
use rusqlite::{Connection, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    postings,
    reading::by_number,
    remains::{Pieces, SHORTEST},
    store::{Memory, meta, set_meta},
    writing::document_terms,
};

/// Mark in `meta` that something was deleted and the file not yet written anew.
pub(crate) const UNCLEAN: &str = "unclean";

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// Ids of the documents, as they were named.
    pub ids: Vec<String>,
    /// What was looked for afterwards.
    pub proof: Proof,
}

/// That nothing is left: pieces of the forgotten texts were looked for in the bytes of the files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Pieces looked for.
    pub pieces: u64,
    /// Pieces that were not looked for, because documents that stay say the same.
    pub shared: u64,
    /// Pieces that were not looked for, because there were too many.
    pub left_out: u64,
    /// Texts too short to be looked for.
    pub too_short: u64,
    /// Bytes looked through.
    pub bytes: u64,
}

impl Memory {
    /// Forgets documents of a collection, all or none, and proves it.
    ///
    /// Fails with kind `not_found` when one is not there, before anything is deleted; with `locked` when another program
    /// keeps the old file open so that it cannot be cleaned now (the next call does it); with `io` when a piece is left.
    pub fn forget(&mut self, collection: &str, ids: &[String]) -> ToolResult<Forgotten> {
        let mut numbers = Vec::with_capacity(ids.len());
        for id in ids {
            let number = self.number_of(collection, id)?.ok_or_else(|| {
                ToolError::not_found(format!("`{collection}` holds no document `{id}`"))
                    .hint("nothing was forgotten; `list` shows the ids there are")
            })?;
            numbers.push(number);
        }
        numbers.sort_unstable();
        numbers.dedup();
        let path = self.path.clone();
        let mut pieces = Pieces::default();
        let mut proof = Proof::default();
        let transaction = self.write()?;
        let act = || -> rusqlite::Result<()> {
            delete(&transaction, collection, &numbers, &mut pieces, &mut proof)?;
            transaction.commit()
        };
        act().map_err(|e| database_error(&path, &e))?;
        self.clean()?;
        self.prove(pieces, &mut proof)?;
        Ok(Forgotten {
            ids: ids.to_vec(),
            proof,
        })
    }

    /// Whether something was deleted and the file not yet written anew.
    pub fn is_unclean(&self) -> ToolResult<bool> {
        Ok(self.sql(|c| meta(c, UNCLEAN))?.is_some())
    }

    /// Writes the file anew without what was deleted, and empties the write-ahead log.
    pub fn clean(&mut self) -> ToolResult<()> {
        let busy = self.sql(|c| {
            c.execute_batch("VACUUM")?;
            c.execute("DELETE FROM meta WHERE key = ?1", [UNCLEAN])?;
            c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))
        })?;
        if busy {
            self.sql(|c| set_meta(c, UNCLEAN, "1"))?;
            return Err(ToolError::new(
                ErrorKind::Locked,
                "forgotten, but another program keeps the old state of the file open, so its bytes are still on disk",
            )
            .code("not_cleaned")
            .hint("run `memory_retrieval verify --clean` when it has ended"));
        }
        Ok(())
    }

    /// The files that hold what is stored.
    pub(crate) fn files(&self) -> [PathBuf; 2] {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        [self.path.clone(), log.into()]
    }

    fn prove(&self, mut pieces: Pieces, proof: &mut Proof) -> ToolResult<()> {
        let all = pieces.len();
        self.sql(|c| {
            let mut statement = c.prepare(
                "SELECT document, metadata, concat_ws(char(10), source, path, message_id) FROM documents",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..3 {
                    pieces.take_out(row.get_ref(column)?.as_str()?.as_bytes());
                }
            }
            Ok(())
        })?;
        proof.left_out = pieces.left_out() as u64;
        proof.pieces = pieces.len() as u64;
        proof.shared = (all - pieces.len()) as u64;
        for file in self.files() {
            let (found, bytes) = pieces
                .found_in_file(&file)
                .map_err(|e| ToolError::file("read", &file, &e))?;
            proof.bytes += bytes;
            if !found.is_empty() {
                return Err(ToolError::new(
                    ErrorKind::Io,
                    format!(
                        "{} pieces of what was forgotten are still in `{}`",
                        found.len(),
                        file.display()
                    ),
                )
                .code("still_there")
                .hint("run `memory_retrieval verify --clean`"));
            }
        }
        Ok(())
    }
}

fn delete(
    connection: &Connection,
    collection: &str,
    numbers: &[i64],
    pieces: &mut Pieces,
    proof: &mut Proof,
) -> rusqlite::Result<()> {
    let number: i64 = connection.query_row(
        "SELECT number FROM collections WHERE name = ?1",
        [collection],
        |row| row.get(0),
    )?;
    let mut by_term: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut length = 0;
    for document_number in numbers {
        let document = by_number(connection, *document_number)?;
        let texts = [&document.document, &document.metadata];
        for map in texts {
            strings(map, pieces, proof);
        }
        for term in document_terms(&document.document) {
            length += 1;
            let list = by_term.entry(term).or_default();
            if list.last() != Some(document_number) {
                list.push(*document_number);
            }
        }
        connection
            .prepare_cached("DELETE FROM documents WHERE number = ?1")?
            .execute([document_number])?;
    }
    for (term, documents) in &by_term {
        postings::remove(connection, number, term, documents)?;
    }
    connection.execute(
        "UPDATE collections SET documents = documents - ?2, terms = terms - ?3 WHERE number = ?1",
        params![number, numbers.len() as i64, length],
    )?;
    connection.execute(
        "DELETE FROM collections WHERE number = ?1 AND documents = 0",
        [number],
    )?;
    set_meta(connection, UNCLEAN, "1")
}

/// The texts of an object, as they stand in its JSON.
fn strings(map: &Map<String, Value>, pieces: &mut Pieces, proof: &mut Proof) {
    for value in map.values() {
        match value {
            Value::String(_) => {
                let json = value.to_string();
                let text = &json.as_bytes()[1..json.len() - 1];
                proof.too_short += u64::from(text.len() < SHORTEST);
                pieces.add(text);
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| (String::new(), item.clone()));
                // Keys do not matter here, so each item may have a map of its own.
                items.for_each(|item| strings(&Map::from_iter([item]), pieces, proof));
            }
            Value::Object(map) => strings(map, pieces, proof),
            _ => {}
        }
    }
}
