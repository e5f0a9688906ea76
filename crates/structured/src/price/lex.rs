//! A price text in pieces: numbers, and what stands between them.

use std::borrow::Cow;

/// A number in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins, in bytes.
    pub(super) begin: usize,
    /// Where it ends, with the dash that stands for no small change.
    pub(super) end: usize,
    /// Its digits and separators.
    pub(super) digits: String,
    /// Whether a minus belongs to it.
    pub(super) negative: bool,
}

/// The text with one kind of blank, digit, apostrophe and minus.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| changed(c) == c) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(changed).collect())
    }
}

fn changed(c: char) -> char {
    match c {
        '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' | '\t' | '\n' | '\r' | '\u{3000}' => ' ',
        '\u{ff10}'..='\u{ff19}' => char::from(b'0' + (c as u32 - 0xff10) as u8),
        '，' => ',',
        '．' => '.',
        '\u{2019}' | '\u{2bc}' | '´' | '`' => '\'',
        '\u{2212}' | '－' => '-',
        other => other,
    }
}

/// The numbers of a text that went through [`plain`], at most a hundred.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let bytes = text.as_bytes();
    let mut found: Vec<Piece> = Vec::new();
    let mut at = 0;
    while at < bytes.len() && found.len() < 100 {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let mut begin = at;
        // `,89` and `.99`: a separator that no digit or letter stands before.
        if at > 0 && matches!(bytes[at - 1], b',' | b'.') {
            let before = text[..at - 1].chars().next_back();
            if before.is_none_or(|c| !c.is_alphanumeric() && c != '.' && c != ',') {
                begin = at - 1;
            }
        }
        let end = run(bytes, at);
        let end_with_dash = end + no_change(&text[end..]);
        found.push(Piece {
            begin,
            end: end_with_dash,
            digits: text[begin..end].to_owned(),
            negative: is_negative(&text[..begin], found.last().map(|piece| piece.end)),
        });
        at = end_with_dash.max(end);
    }
    found
}

/// The end of the digits that begin here, with separators that digits follow; a blank only before three of them.
fn run(bytes: &[u8], begin: usize) -> usize {
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut end = begin + digits(begin);
    let mut group = end - begin;
    loop {
        let Some(mark) = bytes.get(end) else { return end };
        let next = if end < bytes.len() { digits(end + 1) } else { 0 };
        let joins = match mark {
            b'.' | b',' => next > 0,
            b'\'' => next == 3,
            b' ' => next == 3 && group <= 3,
            _ => false,
        };
        if !joins {
            return end;
        }
        end += 1 + next;
        group = next;
    }
}

/// Bytes of a dash that stands for no small change: `1299.–`, `1 299,-`.
fn no_change(rest: &str) -> usize {
    let Some(after) = rest.strip_prefix([',', '.']) else {
        return 0;
    };
    let dashes = after.len() - after.trim_start_matches(['-', '–', '—']).len();
    if dashes == 0 { 0 } else { 1 + dashes }
}

/// Whether a minus before the number makes it negative, rather than parting it from what stands before.
fn is_negative(before: &str, last_number: Option<usize>) -> bool {
    let bare = before.trim_end_matches(|c: char| {
        c == ' ' || !c.is_ascii() && !c.is_alphanumeric() && c != '–' || c == '$'
    });
    let Some(rest) = bare.strip_suffix('-') else {
        return false;
    };
    // Behind another number or glued to a word it is a range or a hyphen.
    last_number.is_none_or(|end| rest.len() > end + 3) && !rest.ends_with(char::is_alphanumeric)
}
