//! Feedback as a table (RFC 4180), made so that a spreadsheet shows it and runs nothing in it.

use memory::{Document, text_of};

use crate::feedback::{field, plain};

const COLUMNS: [&str; 9] = [
    "id", "at", "author", "rating", "tags", "text", "artifact", "sha256", "seen",
];

/// Byte order mark, without which spreadsheets take UTF-8 for something else, and the names of the columns.
pub(crate) fn head() -> String {
    format!("\u{feff}{}\r\n", COLUMNS.join(","))
}

/// One line.
pub(crate) fn row(document: &Document) -> String {
    let named = |name: &str| field(document, name).map(plain).unwrap_or_default();
    let text = match named("text") {
        text if text.is_empty() => text_of(&document.document),
        text => text,
    };
    let cells = [
        document.id.clone(),
        document.event_at.unwrap_or(document.ingested_at).to_string(),
        named("author"),
        named("rating"),
        named("tags"),
        text,
        named("artifact"),
        named("sha256"),
        document.seen.to_string(),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    cells.join(",") + "\r\n"
}

/// A cell. One that a spreadsheet would take for a formula begins with an apostrophe, which it does not show.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_only_text() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a, \"b\"\nc", "\"a, \"\"b\"\"\nc\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-5", "'-5"),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
