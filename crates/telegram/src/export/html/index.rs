//! The index of an export of several pages: its days, and a search that works from the file system.
//!
//! A browser lets a page that was opened as a file read no other file but scripts, so what is searched is a script that
//! holds nothing but data. The index alone has scripts.

use std::io::{self, Write};

use super::pages::{Page, Pages, Place};
use super::recent::without_spoilers;
use super::{Header, Html, dates, media};
use crate::model::Message;

/// Most characters of a message that are searched.
const SEARCHED: usize = 200;

/// What opens a file of what is searched, after the line with the mark of its export.
const OPENING: &str = "(window.exportedMessages = window.exportedMessages || []).push([\n";

/// What closes one.
pub const CLOSING: &str = "]);\n";

/// What a file of what is searched begins with.
pub fn opening(pages: &Pages) -> String {
    format!("{}\n{OPENING}", search_mark(&pages.names.page(0)))
}

/// The line that tells which export a file of what is searched is a part of.
pub fn search_mark(first: &str) -> String {
    format!("// part of {}", script_text(first))
}

/// A text as a script may hold it: it can end neither its quotation nor the element around it, and shows no character
/// that reorders what a reader of the file sees.
pub fn script_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            // What could end the element, then what a reader of the file would not see.
            '<'
            | '>'
            | '&'
            | '\''
            | '`'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}' => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The first characters of a text in one line, and whether that is not all of it.
fn beginning(text: &str) -> (String, bool) {
    // No more is looked at than can count; a text of blanks alone is short enough as well.
    let line = text
        .split_whitespace()
        .take(SEARCHED + 1)
        .collect::<Vec<_>>()
        .join(" ");
    match line.char_indices().nth(SEARCHED) {
        Some((end, _)) => (line[..end].to_owned(), true),
        None => (line, false),
    }
}

/// What of a message is searched where it has no text.
fn without_text(message: &Message) -> String {
    if let Some(entry) = &message.service {
        let words = [
            Some(entry.action.replace('_', " ")),
            entry.title.clone(),
            entry.text.clone(),
        ];
        return words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    }
    message.media.as_ref().map(media::label).unwrap_or_default()
}

/// What the index says beside its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Searched {
    /// Files of what is searched.
    pub files: usize,
    /// Messages of which only the beginning is searched.
    pub cut: usize,
}

impl Html {
    /// The line of a message in what is searched: its number, page, time, sender and the beginning of its text, and how
    /// that is shown where parts of it are hidden. Says whether the text was longer.
    pub fn searched(&mut self, message: &Message, page: usize) -> (String, bool) {
        let name = self.senders.name(message);
        let (text, cut) = if message.text.trim().is_empty() {
            beginning(&without_text(message))
        } else {
            beginning(&message.text)
        };
        let shown = beginning(&without_spoilers(message)).0;
        let shown = if shown == text || message.text.trim().is_empty() {
            String::new()
        } else {
            format!(",{}", script_text(&shown))
        };
        let line = format!(
            "[{},{page},{},{},{}{shown}],\n",
            message.id,
            script_text(&dates::stamp(message.date, &self.zone)),
            script_text(&name),
            script_text(&text),
        );
        (line, cut)
    }

    /// Writes the index.
    ///
    /// # Errors
    /// Those of writing.
    pub fn index(
        &self,
        out: &mut dyn Write,
        header: &Header,
        pages: &Pages,
        searched: Searched,
    ) -> io::Result<()> {
        self.head(out, header, Some(pages))?;
        write!(
            out,
            "<section class=\"search\">\n<label for=\"words\">Search</label>\n\
             <input id=\"words\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" dir=\"auto\">\n\
             <p>All words must be there, in the sender’s name or the first {SEARCHED} characters of a message. {}</p>\n\
             <noscript><p>The search needs scripts, which are switched off here. The pages need none.</p></noscript>\n\
             <p id=\"said\" aria-live=\"polite\"></p>\n<ul id=\"found\"></ul>\n</section>\n",
            match searched.cut {
                0 => "No message is longer.".to_owned(),
                1 => "1 message is longer; the rest of it is not searched.".to_owned(),
                cut => format!("{cut} messages are longer; the rest of them is not searched."),
            }
        )?;
        for (at, page) in pages.list.iter().enumerate() {
            section(out, at, page, pages)?;
        }
        let names: Vec<String> = (0..pages.list.len())
            .map(|at| script_text(&Pages::file(&pages.names.page(at))))
            .collect();
        out.write_all(b"</main>\n")?;
        for at in 0..searched.files {
            let file = Pages::file(&pages.names.search(at));
            writeln!(out, "<script src=\"{file}\"></script>")?;
        }
        write!(
            out,
            "<script>\nconst about = {{messages: {}, pages: [{}]}};\n{}</script>\n</body>\n</html>\n",
            header.count,
            names.join(","),
            include_str!("index.js")
        )
    }

    /// Turns to a page: what is begun, written and ended next stands there.
    pub fn turn_to(&mut self, pages: &std::sync::Arc<Pages>, at: usize) {
        let pages = std::sync::Arc::clone(pages);
        self.place = Some(Place { pages, at });
    }
}

/// A page with its months and days.
fn section(out: &mut dyn Write, at: usize, page: &Page, pages: &Pages) -> io::Result<()> {
    let file = Pages::file(&pages.names.page(at));
    let messages = if page.messages == 1 { "message" } else { "messages" };
    write!(
        out,
        "<section class=\"page\">\n<h2><a href=\"{file}\">Page {}</a><small>{} {messages} · numbers {} – {}</small></h2>\n",
        at + 1,
        page.messages,
        page.first,
        page.last
    )?;
    for days in page
        .days
        .chunk_by(|a, b| (a.date.year(), a.date.month()) == (b.date.year(), b.date.month()))
    {
        let Some(first) = days.first() else { continue };
        let count: usize = days.iter().map(|day| day.messages).sum();
        write!(
            out,
            "<h3>{} <small>{count}</small></h3>\n<ul class=\"days\">\n",
            dates::month(first.date)
        )?;
        for day in days {
            writeln!(
                out,
                "<li><a href=\"{file}#m{}\" title=\"{}: {} messages\">{}<small>{}</small></a></li>",
                day.first,
                dates::long_day(day.date.at(0, 0, 0, 0)),
                day.messages,
                day.date.day(),
                day.messages
            )?;
        }
        out.write_all(b"</ul>\n")?;
    }
    out.write_all(b"</section>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Options, samples};
    use crate::model::{Entity, EntityKind};

    #[test]
    fn no_text_breaks_out_of_a_script() {
        let text = "</script><!--\u{2028}\u{202e}\"\\\n`${x}`'é😀";
        let quoted = script_text(text);
        for bad in ["<", ">", "\u{2028}", "\u{202e}", "\n", "`", "'"] {
            assert!(!quoted.contains(bad), "{bad:?} in {quoted}");
        }
        assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
    }

    #[test]
    fn what_is_hidden_is_found_but_not_shown() {
        let mut html = Html::new(Options::default());
        let mut message = samples::text(7, "the butler did it");
        message.entities = vec![Entity {
            offset: 4,
            length: 6,
            kind: EntityKind::Spoiler,
        }];
        let (line, cut) = html.searched(&message, 2);
        assert!(!cut && line.starts_with("[7,2,\"2025-"), "{line}");
        assert!(
            line.ends_with(",\"Alice Doe\",\"the butler did it\",\"the ▒▒▒▒▒▒ did it\"],\n"),
            "{line}"
        );
    }

    #[test]
    fn only_the_beginning_of_a_long_text_is_searched_and_that_is_counted() {
        let mut html = Html::new(Options::default());
        let (line, cut) = html.searched(&samples::text(1, &"я".repeat(201)), 0);
        assert!(cut && line.matches('я').count() == 200, "{line}");
        assert!(!html.searched(&samples::text(1, &"я".repeat(200)), 0).1);
    }
}
