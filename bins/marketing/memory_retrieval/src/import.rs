//! Documents from files: JSON lines, JSON, Markdown, plain text, and folders of them.
//!
//! Whatever cannot be read is passed over and named, with its file and line; the rest is taken.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};

use app_core::{Context, ToolError, ToolResult, files::sha256_of};
use jiff::Timestamp;
use memory::{LARGEST, NewDocument, Origin};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{files::Kind, sections::sections};

/// Largest file that is read whole, in bytes.
const WHOLE: u64 = 64 << 20;
/// Most documents handed on at a time.
const BATCH: usize = 1_000;
/// Most passed-over parts that are named; all are counted.
const NAMED: usize = 200;

/// A part of the input that was not taken.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Skipped {
    /// File, with the line where there is one.
    pub(crate) place: String,
    /// Why.
    pub(crate) reason: String,
}

/// What was passed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassedOver {
    /// How much could not be read.
    pub(crate) total: u64,
    /// The first of it, by name.
    pub(crate) named: Vec<Skipped>,
    /// Files in folders that are of no kind that is read, hidden, or links.
    pub(crate) ignored: u64,
}

impl PassedOver {
    pub(crate) fn add(&mut self, place: String, reason: impl Into<String>) {
        self.total += 1;
        if self.named.len() < NAMED {
            self.named.push(Skipped {
                place,
                reason: reason.into(),
            });
        }
    }
}

/// A line that `export` wrote, or one that says as much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exported {
    #[serde(default, rename = "id")]
    _id: Option<String>,
    document: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    event_at: Option<Timestamp>,
    #[serde(default)]
    ingested_at: Option<Timestamp>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    message_id: Option<String>,
    #[serde(default)]
    sha256: Option<String>,
    #[serde(default)]
    seen: Option<u64>,
}

/// Where the documents of a file go, some at a time.
pub(crate) type Sink<'a> = dyn FnMut(Vec<NewDocument>, &mut PassedOver) -> ToolResult<()> + 'a;

/// Reads the documents of a file and hands them to `sink`. What cannot be read is passed over.
///
/// Fails as `sink` fails, and when the run is to stop.
pub(crate) fn read(
    path: &Path,
    passed: &mut PassedOver,
    ctx: &Context,
    sink: &mut Sink<'_>,
) -> ToolResult<()> {
    let Some(kind) = Kind::of(path) else {
        passed.add(
            path.display().to_string(),
            "is neither .jsonl, .ndjson, .json, .md, .markdown, .txt nor .text",
        );
        return Ok(());
    };
    let origin = match sha256_of(path) {
        Ok(sha256) => Origin {
            sha256: Some(sha256),
            ..Origin::default()
        },
        Err(error) => {
            passed.add(path.display().to_string(), error.message);
            return Ok(());
        }
    };
    ctx.reads(path);
    if let Kind::Lines = kind {
        return lines(path, &origin, passed, ctx, sink);
    }
    let text = match app_core::files::read_limited(path, WHOLE).map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => {
            passed.add(path.display().to_string(), "is not UTF-8");
            return Ok(());
        }
        Err(error) => {
            passed.add(path.display().to_string(), error.message);
            return Ok(());
        }
    };
    let text = text.trim_start_matches('\u{feff}');
    let documents = match kind {
        Kind::Json => values(text, path, &origin, passed),
        Kind::Markdown => markdown(text, path, &origin),
        _ => vec![whole(text, path, &origin)],
    };
    let mut documents = documents.into_iter().peekable();
    while documents.peek().is_some() {
        sink(documents.by_ref().take(BATCH).collect(), passed)?;
    }
    Ok(())
}

fn lines(
    path: &Path,
    origin: &Origin,
    passed: &mut PassedOver,
    ctx: &Context,
    sink: &mut Sink<'_>,
) -> ToolResult<()> {
    let failed = |e: &std::io::Error| ToolError::file("read", path, e);
    let mut reader = BufReader::new(File::open(path).map_err(|e| failed(&e))?);
    let (mut batch, mut line, mut number) = (Vec::new(), Vec::new(), 0_u64);
    loop {
        number += 1;
        line.clear();
        // JSON may need six bytes for one.
        let most = LARGEST as u64 * 6;
        let read = reader
            .by_ref()
            .take(most + 1)
            .read_until(b'\n', &mut line)
            .map_err(|e| failed(&e))?;
        if read == 0 {
            break;
        }
        let place = format!("{}:{number}", path.display());
        if read as u64 > most {
            passed.add(place, "the line is too long");
            reader.skip_until(b'\n').map_err(|e| failed(&e))?;
            continue;
        }
        let text = line
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(&line)
            .trim_ascii();
        if text.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Value>(text) {
            Ok(value) => take(value, &place, origin, &mut batch, passed),
            Err(error) => passed.add(place, format!("is not JSON: {error}")),
        }
        if batch.len() >= BATCH {
            ctx.check_cancelled()?;
            sink(std::mem::take(&mut batch), passed)?;
        }
    }
    if batch.is_empty() {
        Ok(())
    } else {
        sink(batch, passed)
    }
}

fn values(text: &str, path: &Path, origin: &Origin, passed: &mut PassedOver) -> Vec<NewDocument> {
    let place = path.display().to_string();
    let mut documents = Vec::new();
    match serde_json::from_str(text) {
        Ok(Value::Array(items)) => {
            for (index, item) in items.into_iter().enumerate() {
                take(item, &format!("{place}[{index}]"), origin, &mut documents, passed);
            }
        }
        Ok(value) => take(value, &place, origin, &mut documents, passed),
        Err(error) => passed.add(place, format!("is not JSON: {error}")),
    }
    documents
}

fn take(
    value: Value,
    place: &str,
    origin: &Origin,
    documents: &mut Vec<NewDocument>,
    passed: &mut PassedOver,
) {
    if let Ok(line) = Exported::deserialize(&value) {
        let own = Origin {
            source: line.source,
            path: Some(line.path.unwrap_or_else(|| place.to_owned())),
            message_id: line.message_id,
            sha256: line.sha256.or_else(|| origin.sha256.clone()),
        };
        documents.push(NewDocument {
            document: line.document,
            metadata: line.metadata,
            event_at: line.event_at,
            ingested_at: line.ingested_at,
            seen: line.seen,
            origin: own,
        });
        return;
    }
    match value {
        Value::Object(document) => documents.push(of(document, place, origin)),
        _ => passed.add(place.to_owned(), "is not a JSON object"),
    }
}

fn markdown(text: &str, path: &Path, origin: &Origin) -> Vec<NewDocument> {
    let made = sections(text, &stem(path)).into_iter().map(|section| {
        let place = format!("{}:{}", path.display(), section.line);
        of(
            object(json!({"title": section.title, "text": section.text})),
            &place,
            origin,
        )
    });
    made.collect()
}

fn whole(text: &str, path: &Path, origin: &Origin) -> NewDocument {
    let document = object(json!({"title": stem(path), "text": text.trim()}));
    of(document, &path.display().to_string(), origin)
}

fn of(document: Map<String, Value>, place: &str, origin: &Origin) -> NewDocument {
    let origin = Origin {
        path: Some(place.to_owned()),
        ..origin.clone()
    };
    NewDocument {
        document,
        origin,
        ..NewDocument::default()
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
