//! Posting lists: for each term of a collection the documents that have it, how often, and how long they are.
//!
//! A list is a row of blocks in the table `postings`, each of at most [`FULL`] bytes, so that adding to a list and taking
//! out of it touch one block, and a frequent term is read in few rows. Numbers are kept as differences, seven bits a byte.
//! FTS5 would keep positions that only phrases need, and forget by marks that stay on disk; here what is taken out is gone
//! from its row at once.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, params};

/// Bytes after which a new block is begun: what still fits into a page of the file with its key.
const FULL: usize = 900;

/// One document of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    /// Number of the document.
    pub(crate) document: i64,
    /// How often it has the term.
    pub(crate) count: u32,
    /// How many terms it has in all.
    pub(crate) length: u32,
}

/// Postings to be added: by term, in rising order of documents.
pub(crate) type Batch = BTreeMap<String, Vec<Posting>>;

/// Notes the terms of one document. Answers how many there are.
pub(crate) fn note(batch: &mut Batch, document: i64, terms: impl Iterator<Item = String>) -> u32 {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut length = 0;
    for term in terms {
        *counts.entry(term).or_default() += 1;
        length += 1;
    }
    for (term, count) in counts {
        batch.entry(term).or_default().push(Posting {
            document,
            count,
            length,
        });
    }
    length
}

/// Adds postings of documents whose numbers are higher than all that the collection has.
pub(crate) fn append(connection: &Connection, collection: i64, batch: &Batch) -> rusqlite::Result<()> {
    let mut last_block = connection.prepare_cached(
        "SELECT first, count, data FROM postings WHERE collection = ?1 AND term = ?2 ORDER BY first DESC LIMIT 1",
    )?;
    for (term, new) in batch {
        let last = last_block
            .query_row(params![collection, term], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, Vec<u8>>(2)?))
            })
            .optional()?;
        let mut block = match last {
            Some((first, count, data)) if data.len() < FULL => Block::of(first, count, data),
            _ => Block::default(),
        };
        for posting in new {
            if block.data.len() >= FULL {
                block.save(connection, collection, term)?;
                block = Block::default();
            }
            block.push(*posting);
        }
        block.save(connection, collection, term)?;
    }
    Ok(())
}

/// Takes documents, in rising order, out of the list of a term. Answers how many were in it.
pub(crate) fn remove(
    connection: &Connection,
    collection: i64,
    term: &str,
    documents: &[i64],
) -> rusqlite::Result<usize> {
    let mut find = connection.prepare_cached(
        "SELECT first, count, data FROM postings WHERE collection = ?1 AND term = ?2 AND first <= ?3
         ORDER BY first DESC LIMIT 1",
    )?;
    let mut delete = connection
        .prepare_cached("DELETE FROM postings WHERE collection = ?1 AND term = ?2 AND first = ?3")?;
    let (mut left, mut removed) = (documents, 0);
    while let Some((document, others)) = left.split_first() {
        left = others;
        let found = find
            .query_row(params![collection, term, document], |row| {
                Ok(Block::of(row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some(block) = found else { continue };
        // All that this block may hold, at once.
        let here = 1 + others.partition_point(|other| *other <= block.last);
        let here = &documents[documents.len() - others.len() - 1..][..here];
        left = &others[here.len() - 1..];
        let mut rest = Block::default();
        for posting in block
            .postings()
            .filter(|posting| here.binary_search(&posting.document).is_err())
        {
            rest.push(posting);
        }
        if rest.count == block.count {
            continue;
        }
        removed += (block.count - rest.count) as usize;
        // The first document is part of the key, and may be one that goes.
        delete.execute(params![collection, term, block.first])?;
        if rest.count > 0 {
            rest.save(connection, collection, term)?;
        }
    }
    Ok(removed)
}

/// The whole list of a term, in rising order of documents.
pub(crate) fn list(connection: &Connection, collection: i64, term: &str) -> rusqlite::Result<Vec<Posting>> {
    let mut blocks = connection.prepare_cached(
        "SELECT first, count, data FROM postings WHERE collection = ?1 AND term = ?2 ORDER BY first",
    )?;
    let mut rows = blocks.query(params![collection, term])?;
    let mut list = Vec::new();
    while let Some(row) = rows.next()? {
        list.extend(Block::of(row.get(0)?, row.get(1)?, row.get(2)?).postings());
    }
    Ok(list)
}

/// Calls `act` for every posting of the store, with collection and term.
pub(crate) fn each(connection: &Connection, mut act: impl FnMut(i64, &str, Posting)) -> rusqlite::Result<()> {
    let mut all = connection.prepare("SELECT collection, term, first, count, data FROM postings")?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        let block = Block::of(row.get(2)?, row.get(3)?, row.get(4)?);
        let (collection, term): (i64, String) = (row.get(0)?, row.get(1)?);
        block
            .postings()
            .for_each(|posting| act(collection, &term, posting));
    }
    Ok(())
}

/// A stretch of a list.
#[derive(Default)]
struct Block {
    first: i64,
    last: i64,
    count: u32,
    data: Vec<u8>,
}

impl Block {
    fn of(first: i64, count: u32, data: Vec<u8>) -> Self {
        let mut block = Self {
            first,
            last: first,
            count,
            data,
        };
        block.last = block.postings().last().map_or(first, |posting| posting.document);
        block
    }

    fn push(&mut self, posting: Posting) {
        if self.count == 0 {
            (self.first, self.last) = (posting.document, posting.document);
        }
        put(&mut self.data, (posting.document - self.last) as u64);
        put(&mut self.data, u64::from(posting.count));
        put(&mut self.data, u64::from(posting.length));
        self.last = posting.document;
        self.count += 1;
    }

    /// What it holds; a damaged rest is left out, and `verify` finds that it is missing.
    fn postings(&self) -> impl Iterator<Item = Posting> + '_ {
        let (mut document, mut rest) = (self.first, self.data.as_slice());
        std::iter::from_fn(move || {
            let (difference, count, length) = (take(&mut rest)?, take(&mut rest)?, take(&mut rest)?);
            document = document.checked_add(i64::try_from(difference).ok()?)?;
            Some(Posting {
                document,
                count: count as u32,
                length: length as u32,
            })
        })
    }

    fn save(&self, connection: &Connection, collection: i64, term: &str) -> rusqlite::Result<()> {
        connection
            .prepare_cached(
                "INSERT INTO postings (collection, term, first, count, data) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET count = excluded.count, data = excluded.data",
            )?
            .execute(params![collection, term, self.first, self.count, self.data])
            .map(drop)
    }
}

fn put(data: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        data.push(number as u8 | 0x80);
        number >>= 7;
    }
    data.push(number as u8);
}

fn take(data: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = data.split_first()?;
        *data = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_many_blocks_are_read_as_they_were_written_and_give_up_single_documents() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(crate::store::SCHEMA).unwrap();
        let posting = |n: i64| Posting {
            document: n * 7,
            count: 1 + (n % 3) as u32,
            length: 60 + n as u32,
        };
        for part in [1..500, 500..501, 501..2000_i64] {
            let batch = Batch::from([("tea".to_owned(), part.map(posting).collect())]);
            append(&connection, 1, &batch).unwrap();
        }
        let all: Vec<_> = (1..2000).map(posting).collect();
        assert_eq!(list(&connection, 1, "tea").unwrap(), all);
        let blocks: u32 = connection
            .query_row("SELECT count(*) FROM postings", [], |row| row.get(0))
            .unwrap();
        assert!(blocks > 5, "{blocks}");
        let gone: Vec<i64> = all
            .iter()
            .map(|p| p.document)
            .filter(|n| n % 2 == 1 || *n < 900)
            .collect();
        assert_eq!(remove(&connection, 1, "tea", &gone).unwrap(), gone.len());
        assert_eq!(remove(&connection, 1, "tea", &gone).unwrap(), 0);
        let rest: Vec<_> = all.into_iter().filter(|p| !gone.contains(&p.document)).collect();
        assert_eq!(list(&connection, 1, "tea").unwrap(), rest);
        let last: Vec<i64> = rest.iter().map(|p| p.document).collect();
        remove(&connection, 1, "tea", &last).unwrap();
        let rows: u32 = connection
            .query_row("SELECT count(*) FROM postings", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0, "an empty list leaves no row");
    }

    #[test]
    fn large_numbers_survive() {
        for number in [0, 127, 128, 1 << 40, u64::MAX] {
            let mut data = Vec::new();
            put(&mut data, number);
            assert_eq!(take(&mut data.as_slice()), Some(number));
        }
        assert_eq!(take(&mut [0x80_u8].as_slice()), None);
    }
}
