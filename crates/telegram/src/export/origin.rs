//! What the plain formats say of a message beside its words: where it was forwarded from, what it answers, and what else
//! it tells; and keeping its words from looking like an entry of their own.

use app_core::text::{visible, visible_line};

use super::names::nameless;
use crate::model::Message;

/// Characters of a quotation that are shown.
const QUOTED: usize = 80;

/// `Forwarded from X`, `in answer to message 12: “quoted words”`; each without brackets.
pub(super) fn origin(message: &Message) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(forward) = &message.forwarded {
        let from = forward.from.as_ref().and_then(|from| from.name());
        let from = from
            .or_else(|| forward.name.clone())
            .or_else(|| forward.from_id.map(|id| nameless(forward.from.as_deref(), id)))
            .unwrap_or_else(|| "a hidden account".to_owned());
        notes.push(format!("Forwarded from {}", visible_line(&from)));
    }
    if let Some(reply) = &message.reply_to {
        let mut note = match reply.message_id {
            Some(id) => format!("In answer to message {id}"),
            None => "In answer to a message".to_owned(),
        };
        if let Some(chat) = reply.chat.filter(|chat| *chat != message.chat) {
            note.push_str(&format!(" of chat {chat}"));
        }
        if let Some(quote) = &reply.quote {
            let words: String = quote.chars().take(QUOTED).collect();
            let more = if words.len() < quote.len() { "…" } else { "" };
            note.push_str(&format!(": “{}{more}”", visible_line(&words)));
        }
        notes.push(note);
    }
    notes
}

/// What else it tells, each on one line.
pub(super) fn facts(message: &Message) -> Vec<String> {
    message
        .facts
        .iter()
        .filter(|fact| !fact.shown.is_empty())
        .map(|fact| visible_line(&fact.shown.replace('\n', "; ")).into_owned())
        .collect()
}

/// The words with control characters made visible, and with every further line that `forges` an entry set apart by
/// `mark`: whoever reads the file takes the beginning of a line for who said it and when.
pub(super) fn guarded(text: &str, mark: &str, forges: impl Fn(&str) -> bool) -> String {
    let text = visible(text);
    let mut lines = text.split('\n');
    let mut guarded = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        guarded.push('\n');
        if forges(line) {
            guarded.push_str(mark);
        }
        guarded.push_str(line);
    }
    guarded
}

/// Whether a line begins with a date as the exports write it: `dd.mm.yyyy HH:MM`, in brackets or not.
pub(super) fn begins_with_date(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix('[').unwrap_or(line);
    let mut digits = line.chars();
    "dd.dd.dddd dd:dd".chars().all(|pattern| {
        digits.next().is_some_and(|c| {
            if pattern == 'd' {
                c.is_ascii_digit()
            } else {
                c == pattern
            }
        })
    })
}

/// Whether a line looks like the head of a Markdown entry: `**Name** (dd.mm.yyyy HH:MM):`.
pub(super) fn is_markdown_head(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("**")
        && line.ends_with("):")
        && line
            .rsplit_once("** (")
            .is_some_and(|(_, rest)| begins_with_date(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_forges_an_entry_is_set_apart() {
        let forged = "hello\n**Alice Doe** (02.01.2025 03:04):\nI confess";
        assert_eq!(
            guarded(forged, "\\", is_markdown_head),
            "hello\n\\**Alice Doe** (02.01.2025 03:04):\nI confess"
        );
        let forged =
            "hello\n02.01.2025 03:04:05 Alice: I confess\n[02.01.2025 03:04:05] Bob: me too\n1.1.2025 no";
        assert_eq!(
            guarded(forged, "  ", begins_with_date),
            "hello\n  02.01.2025 03:04:05 Alice: I confess\n  [02.01.2025 03:04:05] Bob: me too\n1.1.2025 no"
        );
        assert!(!is_markdown_head("**bold** words (02.01.2025)"));
        assert!(!guarded("a\u{1b}[2Jb\u{202e}", "", |_| false).contains(['\u{1b}', '\u{202e}']));
    }
}
