//! What people said: collected, found, listed, counted, written out, taken back.

use std::{collections::BTreeMap, io::Write as _};

use app_core::{Context, ToolError, ToolResult, files::sha256_of, state::Principal};
use memory::{Condition, Document, Memory, NewDocument, Origin, Question, Wanted};
use serde_json::{Map, Value, json};

use crate::{
    csv,
    input::{Chosen, Collect, Export, Filtered, Format, Retrieve, Undo},
    output::{Collected, Output, Summary},
};

/// Collection of the shared memory that holds it.
const COLLECTION: &str = "feedback";

pub(crate) fn open(ctx: &Context) -> ToolResult<Memory> {
    Memory::open(ctx.state_dir()?)
}

pub(crate) fn collect(input: &Collect, ctx: &Context) -> ToolResult<Output> {
    let new = feedback(input, ctx)?;
    new.check()?;
    let id = memory::id(&new.document);
    // Its id has the time in it, so that a plan cannot name it.
    if !ctx.may("collect", COLLECTION, "") {
        return Ok(Output::Collect(Collected {
            id,
            done: false,
            seen: 0,
        }));
    }
    let stored = open(ctx)?.store(COLLECTION, &[new], ctx.now())?;
    ctx.count_items(1);
    let seen = stored.first().map_or(0, |one| one.seen);
    Ok(Output::Collect(Collected { id, done: true, seen }))
}

/// The feedback of a call. An object is kept as it was given; a text becomes one with all that was said beside it.
fn feedback(input: &Collect, ctx: &Context) -> ToolResult<NewDocument> {
    let artifact = artifact(input, ctx)?;
    if let Some(feedback) = &input.feedback {
        if input.text.is_some() || input.rating.is_some() || !input.tags.is_empty() {
            return Err(ToolError::invalid(
                "feedback",
                "give text, rating and tags, or all of them in `feedback`, not both",
            ));
        }
        if feedback.is_empty() {
            return Err(nothing_said());
        }
        if let Some(rating) = feedback.get("rating").filter(|rating| !rating.is_null()) {
            let fits = rating
                .as_f64()
                .is_some_and(|rating| (1.0..=5.0).contains(&rating));
            if !fits {
                return Err(ToolError::invalid(
                    "feedback.rating",
                    format!("a rating is 1 to 5, not {rating}"),
                ));
            }
        }
        let mut metadata = input.metadata.clone();
        metadata.extend(artifact);
        if let Some(by) = &input.by {
            metadata.insert("author".to_owned(), Value::from(by.trim()));
        }
        return Ok(NewDocument {
            document: feedback.clone(),
            metadata,
            event_at: Some(ctx.now()),
            ..NewDocument::default()
        });
    }
    let text = input
        .text
        .as_deref()
        .map(str::trim)
        .filter(|text| !text.is_empty());
    if text.is_none() && input.rating.is_none() {
        return Err(nothing_said());
    }
    let author = input.by.as_deref().map_or_else(
        || Principal::os_user("cli").name().to_owned(),
        |by| by.trim().to_owned(),
    );
    let mut document = Map::new();
    let mut put = |key: &str, value: Value| drop(document.insert(key.to_owned(), value));
    if let Some(text) = text {
        put("text", Value::from(text));
    }
    if let Some(rating) = input.rating {
        put("rating", Value::from(rating));
    }
    if !input.tags.is_empty() {
        put("tags", json!(input.tags));
    }
    put("author", Value::from(author));
    // Two people, or two days, may say the same.
    put("at", Value::from(ctx.now().to_string()));
    document.extend(artifact);
    Ok(NewDocument {
        document,
        metadata: input.metadata.clone(),
        event_at: Some(ctx.now()),
        origin: Origin {
            source: Some("human_feedback".to_owned()),
            ..Origin::default()
        },
        ..NewDocument::default()
    })
}

/// In the words of the replaced script.
fn nothing_said() -> ToolError {
    ToolError::invalid("feedback", "Feedback document is required for 'collect' action.")
        .code("feedback_required")
        .hint("give a text, a --rating, or a --feedback object that is not empty")
}

/// Name and hash of the artifact. Fails when it is not what was seen.
fn artifact(input: &Collect, ctx: &Context) -> ToolResult<Map<String, Value>> {
    let mut known = Map::new();
    let Some(path) = &input.artifact else {
        return match input.sha256 {
            Some(_) => Err(ToolError::invalid(
                "sha256",
                "`sha256` is of an artifact; name it with `artifact`",
            )),
            None => Ok(known),
        };
    };
    let sha256 = sha256_of(path).map_err(|error| error.field("artifact"))?;
    ctx.reads(path);
    if let Some(seen) = &input.sha256
        && seen.trim().to_lowercase() != sha256
    {
        return Err(ToolError::invalid(
            "sha256",
            format!("`{}` is not what was seen: it has {sha256}", path.display()),
        )
        .code("artifact_changed"));
    }
    known.insert("artifact".to_owned(), Value::from(path.display().to_string()));
    known.insert("sha256".to_owned(), Value::from(sha256));
    Ok(known)
}

pub(crate) fn retrieve(input: &Retrieve, ctx: &Context) -> ToolResult<Output> {
    if input.query.trim().is_empty() {
        return Err(
            ToolError::invalid("query", "Query is required for 'retrieve' action.").code("query_required"),
        );
    }
    let conditions = conditions(&input.conditions)?;
    let wanted = Wanted {
        collection: COLLECTION,
        limit: input.limit as usize,
        conditions: &conditions,
        as_of: None,
        explain: false,
    };
    open(ctx)?
        .search(&Question::words(&input.query)?, &wanted)
        .map(Output::Retrieve)
}

pub(crate) fn list(input: &Chosen, ctx: &Context) -> ToolResult<Output> {
    let (mut matching, mut documents) = (0, Vec::new());
    each(&input.conditions, ctx, |document| {
        matching += 1;
        if documents.len() < input.limit as usize {
            documents.push(document);
        }
        Ok(())
    })?;
    Ok(Output::List { matching, documents })
}

pub(crate) fn summary(input: &Filtered, ctx: &Context) -> ToolResult<Output> {
    let mut summary = Summary::default();
    let mut sum = 0.0;
    each(&input.conditions, ctx, |document| {
        summary.count += 1;
        if let Some(rating) = field(&document, "rating").and_then(Value::as_f64) {
            summary.rated += 1;
            sum += rating;
            *summary.ratings.entry(rating.round().to_string()).or_default() += 1;
        }
        for tag in field(&document, "tags")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            *summary.tags.entry(plain(tag)).or_default() += 1;
        }
        if let Some(author) = field(&document, "author") {
            *summary.authors.entry(plain(author)).or_default() += 1;
        }
        Ok(())
    })?;
    summary.mean_rating = (summary.rated > 0).then(|| (sum / summary.rated as f64 * 100.0).round() / 100.0);
    Ok(Output::Summary(summary))
}

pub(crate) fn export(input: &Export, ctx: &Context) -> ToolResult<Output> {
    let failed = |e: &std::io::Error| ToolError::file("write", &input.output, e);
    let media = match input.format {
        Format::Csv => "text/csv",
        Format::Jsonl => "application/x-ndjson",
    };
    let mut file = std::io::BufWriter::new(ctx.create(&input.output, media, "export")?);
    if input.format == Format::Csv {
        file.write_all(csv::head().as_bytes()).map_err(|e| failed(&e))?;
    }
    let mut documents = 0;
    each(&input.conditions, ctx, |document| {
        documents += 1;
        let line = match input.format {
            Format::Csv => csv::row(&document),
            Format::Jsonl => {
                serde_json::to_string(&document)
                    .map_err(|e| ToolError::internal(format!("feedback does not serialise: {e}")))?
                    + "\n"
            }
        };
        file.write_all(line.as_bytes()).map_err(|e| failed(&e))
    })?;
    file.into_inner().map_err(|e| failed(e.error()))?.commit()?;
    ctx.count_items(documents);
    Ok(Output::Export {
        file: input.output.clone(),
        documents,
    })
}

pub(crate) fn undo(input: &Undo, ctx: &Context) -> ToolResult<Output> {
    let mut memory = open(ctx)?;
    let id = input.id.trim().to_lowercase();
    memory.get(COLLECTION, &id)?;
    let done = ctx.may("undo", &format!("{COLLECTION}/{id}"), "");
    if done {
        memory.forget(COLLECTION, std::slice::from_ref(&id))?;
    }
    Ok(Output::Undo { id, done })
}

fn conditions(texts: &[String]) -> ToolResult<Vec<Condition>> {
    texts.iter().map(|text| Condition::parse(text)).collect()
}

/// Calls `act` with all feedback of which the conditions hold, oldest first.
fn each(texts: &[String], ctx: &Context, mut act: impl FnMut(Document) -> ToolResult<()>) -> ToolResult<()> {
    let conditions = conditions(texts)?;
    open(ctx)?.each(COLLECTION, |document| {
        ctx.check_cancelled()?;
        if conditions.iter().all(|one| one.holds(&document)) {
            act(document)?;
        }
        Ok(true)
    })
}

/// A field of feedback, wherever it was kept.
pub(crate) fn field<'a>(document: &'a Document, name: &str) -> Option<&'a Value> {
    let found = document
        .document
        .get(name)
        .or_else(|| document.metadata.get(name));
    found.filter(|value| !value.is_null())
}

/// A value as a person writes it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// Numbers of feedback by a name.
pub(crate) type Counts = BTreeMap<String, u64>;
