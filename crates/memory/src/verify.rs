//! Whether the file is whole, the index says what the documents say, and nothing is in it that should not be.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    postings::{self, Batch, Posting},
    reading::count,
    remains,
    store::Memory,
    writing::document_terms,
};

/// What a check showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    /// Documents read.
    pub documents: u64,
    /// Entries of the index compared.
    pub postings: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// What is wrong; empty when all is well.
    pub problems: Vec<String>,
    /// Texts that were looked for in the bytes of the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sought: Vec<Sought>,
}

/// A text that was looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sought {
    /// The text.
    pub text: String,
    /// How often it stands in the files.
    pub found: u64,
}

/// Entries of an index, added up so that order does not matter.
#[derive(Default, PartialEq)]
struct Sum {
    entries: u64,
    hashes: u64,
}

impl Sum {
    fn add(&mut self, collection: i64, term: &str, posting: Posting) {
        let mut hasher = DefaultHasher::new();
        (collection, term, posting.document, posting.count, posting.length).hash(&mut hasher);
        self.entries += 1;
        self.hashes = self.hashes.wrapping_add(hasher.finish());
    }
}

impl Memory {
    /// Checks the file by SQLite's own means, compares the index and the counts with what the documents say, and looks
    /// for texts in the bytes of the files.
    pub fn verify(&self, texts: &[String]) -> ToolResult<Verified> {
        let mut verified = Verified::default();
        let sound: Vec<String> = self.sql(|c| {
            let mut statement = c.prepare("PRAGMA integrity_check(20)")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })?;
        verified.problems.extend(
            sound
                .into_iter()
                .filter(|line| line != "ok")
                .map(|line| format!("file: {line}")),
        );
        let (mut expected, mut counts) = (Sum::default(), BTreeMap::new());
        self.documents(&mut verified, &mut expected, &mut counts)?;
        let mut there = Sum::default();
        self.sql(|c| {
            postings::each(c, |collection, term, posting| {
                there.add(collection, term, posting);
            })
        })?;
        verified.postings = there.entries;
        if there != expected {
            verified.problems.push(format!(
                "the index does not say what the documents say ({} entries, {} expected): run `memory_retrieval reindex`",
                there.entries, expected.entries
            ));
        }
        if self.counted()? != counts {
            verified
                .problems
                .push("the sizes of the collections are wrong: run `memory_retrieval reindex`".to_owned());
        }
        if self.is_unclean()? {
            verified.problems.push(
                "documents were forgotten and the file not cleaned: run `memory_retrieval verify --clean`"
                    .to_owned(),
            );
        }
        self.seek(texts, &mut verified)?;
        Ok(verified)
    }

    fn documents(
        &self,
        verified: &mut Verified,
        expected: &mut Sum,
        counts: &mut BTreeMap<i64, (u64, u64)>,
    ) -> ToolResult<()> {
        self.sql(|c| {
            let mut statement =
                c.prepare("SELECT number, collection, document, hex(id) FROM documents ORDER BY number")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                verified.documents += 1;
                let (number, collection): (i64, i64) = (row.get(0)?, row.get(1)?);
                let Ok(document) = serde_json::from_str::<Map<String, Value>>(row.get_ref(2)?.as_str()?)
                else {
                    verified
                        .problems
                        .push(format!("document number {number} cannot be read"));
                    continue;
                };
                if crate::id(&document) != row.get::<_, String>(3)?.to_lowercase() {
                    verified
                        .problems
                        .push(format!("document number {number} is not what its id says"));
                }
                let mut batch = Batch::new();
                let length = postings::note(&mut batch, number, document_terms(&document));
                for (term, list) in &batch {
                    for posting in list {
                        expected.add(collection, term, *posting);
                    }
                }
                let count: &mut (u64, u64) = counts.entry(collection).or_default();
                count.0 += 1;
                count.1 += u64::from(length);
            }
            Ok(())
        })
    }

    /// Documents and terms of each collection as they were counted while storing.
    fn counted(&self) -> ToolResult<BTreeMap<i64, (u64, u64)>> {
        self.sql(|c| {
            let mut statement =
                c.prepare("SELECT number, documents, terms FROM collections WHERE documents > 0")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, (count(row, 1)?, count(row, 2)?))))?;
            rows.collect()
        })
    }

    fn seek(&self, texts: &[String], verified: &mut Verified) -> ToolResult<()> {
        for file in self.files() {
            verified.bytes += std::fs::metadata(&file).map_or(0, |file| file.len());
        }
        for text in texts {
            if text.is_empty() {
                return Err(ToolError::invalid("text", "a text to look for must not be empty"));
            }
            let mut sought = Sought {
                text: text.clone(),
                found: 0,
            };
            for file in self.files() {
                let (found, _) = remains::count_in_file(&file, text.as_bytes())
                    .map_err(|e| ToolError::file("read", &file, &e))?;
                sought.found += found;
            }
            verified.sought.push(sought);
        }
        Ok(())
    }
}
