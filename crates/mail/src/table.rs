//! Tables as people export them: encodings, byte order marks, delimiters, line ends.

use app_core::{ToolError, ToolResult};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252};

/// Rows of a table with the line on which each begins.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<(u64, Vec<String>)>,
    /// How the bytes were read.
    pub(crate) encoding: &'static str,
    /// What separates the cells.
    pub(crate) delimiter: char,
}

/// Reads a CSV file. `encoding` overrides what is found in the bytes.
pub(crate) fn read(bytes: &[u8], encoding: Option<&str>) -> ToolResult<Table> {
    let (text, encoding) = decoded(bytes, encoding)?;
    let delimiter = delimiter(&text);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(text.as_bytes());
    let failed = |e: csv::Error| ToolError::invalid("to", format!("the list cannot be read: {e}"));
    let cells = |record: &csv::StringRecord| record.iter().map(cell).collect::<Vec<_>>();
    let head = cells(reader.headers().map_err(failed)?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(failed)?;
        let line = record.position().map_or(0, |at| {
            // A record begins behind the CR of the one before, and behind empty lines.
            let from = (at.byte() as usize).min(text.len());
            let ends = text.as_bytes()[from..]
                .iter()
                .take_while(|b| matches!(b, b'\r' | b'\n'));
            at.line() + ends.filter(|b| **b == b'\n').count() as u64
        });
        rows.push((line, cells(&record)));
    }
    Ok(Table {
        head,
        rows,
        encoding,
        delimiter: char::from(delimiter),
    })
}

/// A cell: spaces around it go, a line break in it becomes a space.
fn cell(text: &str) -> String {
    let text = text
        .replace("\r\n", " ")
        .replace(['\n', '\r', '\u{2028}', '\u{2029}'], " ");
    text.trim().to_owned()
}

/// The text of the bytes, and in which encoding they were.
///
/// Fails on bytes that are no text in it, and where they could be in either of two encodings.
pub(crate) fn decoded(bytes: &[u8], asked: Option<&str>) -> ToolResult<(String, &'static str)> {
    let marked = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let encoding = match (asked, marked) {
        (Some(label), _) => Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            ToolError::invalid("encoding", format!("`{}` is no encoding", label.escape_debug()))
        })?,
        (None, Some(marked)) => marked,
        (None, None) => guessed(bytes)?,
    };
    let (text, used, broken) = encoding.decode(bytes);
    if broken || text.contains('\0') {
        return Err(
            ToolError::invalid("to", format!("the list is no text in {}", used.name()))
                .hint("say with --encoding in which encoding it is"),
        );
    }
    Ok((text.into_owned(), used.name()))
}

/// Without a mark: UTF-8 when it is; UTF-16 by its zeros; else nothing is guessed.
fn guessed(bytes: &[u8]) -> ToolResult<&'static Encoding> {
    if bytes.len() >= 4 {
        let zeros = |start: usize| {
            bytes
                .iter()
                .skip(start)
                .step_by(2)
                .take(200)
                .filter(|b| **b == 0)
                .count()
        };
        let pairs = (bytes.len() / 2).min(200);
        if zeros(1) * 2 > pairs {
            return Ok(UTF_16LE);
        }
        if zeros(0) * 2 > pairs {
            return Ok(UTF_16BE);
        }
    }
    if std::str::from_utf8(bytes).is_ok() {
        return Ok(UTF_8);
    }
    // Both readings of such bytes are names; a person must say which.
    let (western, cyrillic) = (WINDOWS_1252.name(), WINDOWS_1251.name());
    Err(
        ToolError::invalid("to", "the list is not UTF-8, and has no byte order mark")
            .code("encoding_unknown")
            .hint(format!(
                "say in which encoding it is: --encoding {western}, {cyrillic}, ..."
            )),
    )
}

/// What separates the cells of the first line: the candidate that stands in it most often, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut counts = [(b';', 0_usize), (b',', 0), (b'\t', 0), (b'|', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            other => {
                for (candidate, count) in &mut counts {
                    *count += usize::from(*candidate == other);
                }
            }
        }
    }
    // The first of equals; none at all is one column.
    let best = counts.iter().rev().max_by_key(|(_, count)| *count);
    best.filter(|(_, count)| *count > 0)
        .map_or(b',', |(byte, _)| *byte)
}
