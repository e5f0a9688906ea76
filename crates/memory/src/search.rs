//! Finding: BM25 over posting lists, every document of them scored.
//!
//! A word alone does not make a hit: a document must have, by weight, at least [`SHARE`] of what the best one has. So
//! `quick ok` does not find what only says `quick` while something says both, and where nothing says all, the nearest is
//! found. Rare words weigh more, words that every document has next to nothing.

use app_core::{ToolResult, state::database::database_error};
use rusqlite::{Connection, OptionalExtension as _};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    analysis::{Purpose, terms},
    document::{Document, text_of},
    filter::Condition,
    moment::Span,
    postings::{self, Posting},
    question::Question,
    reading::{by_number, count},
    snippet::{Snippet, snippet},
    store::Memory,
};

/// How much of the best document's weight another must have to be found too.
const SHARE: f64 = 0.7;
/// Parameters of BM25 as Robertson gives them: how soon repetition stops to count, and how much length does.
const K1: f64 = 1.2;
const B: f64 = 0.75;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Where to look.
    pub collection: &'a str,
    /// Most hits.
    pub limit: usize,
    /// What must hold of a hit.
    pub conditions: &'a [Condition],
    /// Only what had been stored by then; a day counts to its end.
    pub as_of: Option<Span>,
    /// Whether to tell how each score came about.
    pub explain: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Found {
    /// Documents in the collection.
    pub searched: u64,
    /// Documents that are hits, also those beyond the limit.
    pub matching: u64,
    /// Words of the question that no document has, as they were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
    /// The best, best first.
    pub hits: Vec<Hit>,
}

/// A document that was found.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Hit {
    /// BM25; higher is better, and comparable within one answer only.
    pub score: f64,
    /// The document.
    #[serde(flatten)]
    pub document: Document,
    /// The part that shows why.
    pub snippet: Snippet,
    /// Words of the question that it lacks, as they were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// How the score came about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub explain: Vec<Share>,
}

/// What one term gave to a score.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Share {
    /// The term, as it is compared.
    pub term: String,
    /// How often the document has it.
    pub count: u32,
    /// Documents of the collection that have it.
    pub documents: u64,
    /// Its weight.
    pub weight: f64,
    /// Its part of the score.
    pub score: f64,
}

/// The posting list of a term, with its weight.
struct List {
    postings: Vec<Posting>,
    weight: f64,
}

/// A document that has a term at least.
struct Candidate {
    document: i64,
    score: f64,
    weight: f64,
    /// Which terms it has, a bit each.
    has: u64,
}

impl Memory {
    /// Finds documents. Everything is read at one moment, whatever others store meanwhile.
    pub fn search(&self, question: &Question, wanted: &Wanted<'_>) -> ToolResult<Found> {
        let look = || -> rusqlite::Result<Found> {
            // Ends without a commit: nothing is written.
            let snapshot = self.connection.unchecked_transaction()?;
            find(&snapshot, question, wanted)
        };
        look().map_err(|e| database_error(&self.path, &e))
    }

    /// Finds documents whose text contains this text, upper and lower case being the same; in the order in which they
    /// were stored.
    pub fn containing(&self, text: &str, wanted: &Wanted<'_>) -> ToolResult<Vec<Document>> {
        let text = text.to_lowercase();
        let mut found = Vec::new();
        if wanted.limit == 0 {
            return Ok(found);
        }
        self.each(wanted.collection, |document| {
            if text_of(&document.document).to_lowercase().contains(&text) && meant(&document, wanted) {
                found.push(document);
            }
            Ok(found.len() < wanted.limit)
        })?;
        Ok(found)
    }
}

fn find(connection: &Connection, question: &Question, wanted: &Wanted<'_>) -> rusqlite::Result<Found> {
    let sizes = connection
        .query_row(
            "SELECT number, documents, terms FROM collections WHERE name = ?1",
            [wanted.collection],
            |row| Ok((row.get::<_, i64>(0)?, count(row, 1)?, count(row, 2)?)),
        )
        .optional()?;
    let (collection, searched, length) = sizes.unwrap_or_default();
    let mut lists = Vec::with_capacity(question.terms().len());
    for term in question.terms() {
        let postings = postings::list(connection, collection, term)?;
        let weight = weight(postings.len() as f64, searched as f64);
        lists.push(List { postings, weight });
    }
    let average = (length as f64 / searched.max(1) as f64).max(1.0);
    let mut candidates = candidates(&lists, average);
    if question.has_checks() || !wanted.conditions.is_empty() || wanted.as_of.is_some() {
        candidates = kept(connection, candidates, question, wanted)?;
    }
    let best = candidates.iter().map(|c| c.weight).fold(0.0, f64::max);
    candidates.retain(|candidate| candidate.weight >= best * SHARE);
    let matching = candidates.len() as u64;
    let order = |a: &Candidate, b: &Candidate| b.score.total_cmp(&a.score).then(a.document.cmp(&b.document));
    if candidates.len() > wanted.limit && wanted.limit > 0 {
        candidates.select_nth_unstable_by(wanted.limit - 1, order);
    }
    candidates.truncate(wanted.limit);
    candidates.sort_unstable_by(order);
    let unknown = question
        .written()
        .iter()
        .zip(&lists)
        .filter(|(_, list)| list.postings.is_empty());
    Ok(Found {
        searched,
        matching,
        unknown: unknown.map(|(term, _)| term.clone()).collect(),
        hits: candidates
            .into_iter()
            .map(|candidate| hit(connection, candidate, question, &lists, average, wanted.explain))
            .collect::<rusqlite::Result<_>>()?,
    })
}

/// Weight of a term that `having` of `all` documents have: BM25's inverse document frequency, never negative.
fn weight(having: f64, all: f64) -> f64 {
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln().max(0.0)
}

/// What a term gives to the score of a document.
fn part(list: &List, posting: Posting, average: f64) -> f64 {
    let count = f64::from(posting.count);
    let length = f64::from(posting.length) / average;
    list.weight * count * (K1 + 1.0) / (count + K1 * (1.0 - B + B * length))
}

/// All documents of the lists, scored; the lists are walked side by side.
fn candidates(lists: &[List], average: f64) -> Vec<Candidate> {
    let mut rest: Vec<&[Posting]> = lists.iter().map(|list| list.postings.as_slice()).collect();
    let longest = lists.iter().map(|list| list.postings.len()).max().unwrap_or(0);
    let mut candidates = Vec::with_capacity(longest);
    while let Some(document) = rest
        .iter()
        .filter_map(|list| list.first())
        .map(|p| p.document)
        .min()
    {
        let mut candidate = Candidate {
            document,
            score: 0.0,
            weight: 0.0,
            has: 0,
        };
        for (index, list) in rest.iter_mut().enumerate() {
            if let Some((posting, behind)) = list.split_first()
                && posting.document == document
            {
                candidate.score += part(&lists[index], *posting, average);
                candidate.weight += lists[index].weight;
                candidate.has |= 1 << index;
                *list = behind;
            }
        }
        candidates.push(candidate);
    }
    candidates
}

/// The candidates of which everything holds that is asked beside the words.
fn kept(
    connection: &Connection,
    candidates: Vec<Candidate>,
    question: &Question,
    wanted: &Wanted<'_>,
) -> rusqlite::Result<Vec<Candidate>> {
    let mut kept = Vec::new();
    for candidate in candidates {
        let document = by_number(connection, candidate.document)?;
        if meant(&document, wanted) && question.allows(&document.document) {
            kept.push(candidate);
        }
    }
    Ok(kept)
}

fn meant(document: &Document, wanted: &Wanted<'_>) -> bool {
    let known = |span: Span| document.ingested_at < span.end || document.ingested_at == span.start;
    wanted.as_of.is_none_or(known) && wanted.conditions.iter().all(|one| one.holds(document))
}

fn hit(
    connection: &Connection,
    candidate: Candidate,
    question: &Question,
    lists: &[List],
    average: f64,
    explain: bool,
) -> rusqlite::Result<Hit> {
    let document = by_number(connection, candidate.document)?;
    let text = text_of(&document.document);
    let asked = question.terms();
    let has = |index: usize| candidate.has & (1 << index) != 0;
    let share = |(index, list): (usize, &List)| {
        let place = list
            .postings
            .binary_search_by_key(&candidate.document, |p| p.document)
            .ok()?;
        let posting = list.postings[place];
        Some(Share {
            term: asked[index].clone(),
            count: posting.count,
            documents: list.postings.len() as u64,
            weight: rounded(list.weight),
            score: rounded(part(list, posting, average)),
        })
    };
    Ok(Hit {
        score: rounded(candidate.score),
        snippet: snippet(&text, &terms(&text, Purpose::Document), asked),
        missing: (0..asked.len())
            .filter(|i| !has(*i))
            .map(|i| question.written()[i].clone())
            .collect(),
        explain: if explain {
            lists.iter().enumerate().filter_map(share).collect()
        } else {
            Vec::new()
        },
        document,
    })
}

/// To four places: what is shown and compared.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}
