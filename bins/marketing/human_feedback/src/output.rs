//! What each action gives back, as data and for a person.

use std::{fmt, path::PathBuf};

use app_core::text::visible_line;
use memory::{Document, Found, text_of};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    approval::{Answer, Standing},
    feedback::{Counts, field, plain},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Output {
    /// What was kept.
    Collect(Collected),
    /// What was found.
    Retrieve(Found),
    /// What there is.
    List {
        /// Feedback of which the conditions hold.
        matching: u64,
        /// That which is listed.
        documents: Vec<Document>,
    },
    /// What it comes to.
    Summary(Summary),
    /// What was written.
    Export {
        /// The file.
        file: PathBuf,
        /// Feedback in it.
        documents: u64,
    },
    /// What was taken back, or would be.
    Undo {
        /// Id of the feedback.
        id: String,
        /// Whether it was done.
        done: bool,
    },
    /// A request to people.
    Request(Answer),
    /// A request after a decision.
    Decided(Answer),
    /// Where a request stands.
    Check(Answer),
    /// What a dry run would have done.
    Planned {
        /// In words.
        would: String,
    },
    /// The log of approvals is whole.
    Verify {
        /// Rows in it.
        rows: u64,
    },
}

/// Feedback that was kept, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Collected {
    /// Its id.
    pub(crate) id: String,
    /// Whether it was done.
    pub(crate) done: bool,
    /// How often exactly this was collected by now.
    pub(crate) seen: u64,
}

/// Feedback in numbers.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Summary {
    /// Feedback in all.
    pub(crate) count: u64,
    /// Feedback with a rating.
    pub(crate) rated: u64,
    /// Mean of the ratings; none without ratings.
    pub(crate) mean_rating: Option<f64>,
    /// How often each rating was given, halves rounded up.
    pub(crate) ratings: Counts,
    /// How often each tag was given.
    pub(crate) tags: Counts,
    /// How much each author said.
    pub(crate) authors: Counts,
}

pub(crate) fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Collect(collected) => {
            let verb = if collected.done {
                "collected"
            } else {
                "would collect"
            };
            writeln!(out, "{verb} {}", collected.id)
        }
        Output::Retrieve(found) => {
            found.hits.iter().try_for_each(|hit| row(&hit.document, out))?;
            writeln!(
                out,
                "{} of {} that match, among {}",
                found.hits.len(),
                found.matching,
                found.searched
            )
        }
        Output::List { matching, documents } => {
            documents.iter().try_for_each(|one| row(one, out))?;
            writeln!(out, "{} of {matching}", documents.len())
        }
        Output::Summary(summary) => totals(summary, out),
        Output::Export { file, documents } => writeln!(out, "{documents} rows in {}", file.display()),
        Output::Undo { id, done } => {
            writeln!(
                out,
                "{} {id}",
                if *done { "took back" } else { "would take back" }
            )
        }
        Output::Request(answer) | Output::Decided(answer) | Output::Check(answer) => request(answer, out),
        Output::Planned { would } => writeln!(out, "would {}", visible_line(would)),
        Output::Verify { rows } => writeln!(out, "the log of approvals is whole: {rows} rows"),
    }
}

fn row(document: &Document, out: &mut dyn fmt::Write) -> fmt::Result {
    let named = |name: &str| field(document, name).map(plain).unwrap_or_default();
    let text = match named("text") {
        text if text.is_empty() => text_of(&document.document),
        text => text,
    };
    let words: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(100)
        .collect();
    let rating = named("rating");
    let rating = if rating.is_empty() { "-".to_owned() } else { rating };
    let line = format!(
        "{}  {rating}  {}  {}  {words}",
        document.id,
        named("author"),
        named("tags")
    );
    writeln!(out, "{}", visible_line(&line))
}

fn totals(summary: &Summary, out: &mut dyn fmt::Write) -> fmt::Result {
    let mean = summary.mean_rating.map_or_else(
        || "no ratings".to_owned(),
        |mean| format!("mean rating {mean} of {}", summary.rated),
    );
    writeln!(out, "{} in all, {mean}", summary.count)?;
    for (name, counts) in [
        ("rating", &summary.ratings),
        ("tag", &summary.tags),
        ("author", &summary.authors),
    ] {
        for (value, count) in counts {
            writeln!(out, "{count:>6}  {name} {}", visible_line(value))?;
        }
    }
    Ok(())
}

fn request(answer: &Answer, out: &mut dyn fmt::Write) -> fmt::Result {
    let request = &answer.request;
    let standing = match answer.standing {
        Standing::Approved => "approved",
        Standing::Waiting => "waiting",
        Standing::Stale => "stale",
        Standing::Rejected => "rejected",
        Standing::Withdrawn => "withdrawn",
    };
    writeln!(
        out,
        "{}  {standing}  {}",
        request.id,
        visible_line(&request.question)
    )?;
    for file in &answer.changed {
        writeln!(out, "    changed: {}", visible_line(&file.display().to_string()))?;
    }
    for decided in &request.decisions {
        let verb = if decided.decision == app_core::state::Decision::Approve {
            "approved"
        } else {
            "rejected"
        };
        writeln!(
            out,
            "    {verb} by {} {}",
            decided.principal,
            visible_line(&decided.comment)
        )?;
    }
    writeln!(
        out,
        "    {} to agree, asked by {}",
        request.needed,
        visible_line(&request.by)
    )
}
