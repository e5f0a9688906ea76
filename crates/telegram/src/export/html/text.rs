//! A text with its formatting as HTML; entities may nest and overlap.

use std::cmp::Reverse;

use super::{escape, push_escaped};
use crate::model::{Entity, EntityKind};

struct Span {
    start: usize,
    end: usize,
    open: String,
    close: &'static str,
    /// Stands on lines of its own, so that a line end behind it would show as an empty line.
    block: bool,
}

/// The text escaped, with its entities as elements.
pub(super) fn html(text: &str, entities: &[Entity]) -> String {
    let mut spans: Vec<Span> = entities.iter().filter_map(|entity| span(text, entity)).collect();
    spans.sort_by_key(|span| (span.start, Reverse(span.end)));
    let mut result = String::with_capacity(text.len() + spans.len() * 24);
    let mut open: Vec<usize> = Vec::new();
    // Where anything begins or ends; in between nothing changes.
    let mut places: Vec<usize> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
    places.sort_unstable();
    let mut places = places.into_iter();
    let mut next = places.next();
    let mut after_block = false;
    let mut at = 0;
    for c in text.chars() {
        if next.is_some_and(|place| place <= at) {
            after_block |= switch(&mut result, &spans, &mut open, at);
            next = places.find(|place| *place > at);
        }
        at += c.len_utf16();
        if !(after_block && c == '\n') {
            push_escaped(&mut result, c);
        }
        after_block = false;
    }
    for index in open.into_iter().rev() {
        result.push_str(spans[index].close);
    }
    result
}

/// Closes what ends here and opens what begins; elements in between are closed and opened again.
/// Says whether a block was closed.
fn switch(result: &mut String, spans: &[Span], open: &mut Vec<usize>, at: usize) -> bool {
    let active: Vec<usize> = (0..spans.len())
        .filter(|&i| spans[i].start <= at && at < spans[i].end)
        .collect();
    if active == *open {
        return false;
    }
    let same = active.iter().zip(open.iter()).take_while(|(a, b)| a == b).count();
    let mut block = false;
    for &index in open[same..].iter().rev() {
        result.push_str(spans[index].close);
        block |= spans[index].block;
    }
    for &index in &active[same..] {
        result.push_str(&spans[index].open);
    }
    *open = active;
    block
}

fn span(text: &str, entity: &Entity) -> Option<Span> {
    let (start, end) = (entity.offset, entity.offset.saturating_add(entity.length));
    let plain = |open: &str, close: &'static str| (open.to_owned(), close, false);
    let link = |target: Option<String>| {
        let target = target?;
        Some((
            format!("<a href=\"{}\" rel=\"noreferrer\">", escape(&target)),
            "</a>",
            false,
        ))
    };
    let covered = || slice(text, start, end);
    let (open, close, block) = match &entity.kind {
        EntityKind::Bold => plain("<b>", "</b>"),
        EntityKind::Italic => plain("<i>", "</i>"),
        EntityKind::Underline => plain("<u>", "</u>"),
        EntityKind::Strike => plain("<s>", "</s>"),
        EntityKind::Spoiler => plain("<span class=\"spoiler\" tabindex=\"0\">", "</span>"),
        EntityKind::Code => plain("<code>", "</code>"),
        EntityKind::Pre { language } => {
            let title = if language.is_empty() {
                String::new()
            } else {
                format!(" title=\"{}\"", escape(language))
            };
            (format!("<pre dir=\"ltr\"{title}>"), "</pre>", true)
        }
        EntityKind::Blockquote { .. } => ("<blockquote dir=\"auto\">".to_owned(), "</blockquote>", true),
        EntityKind::TextUrl { url } => link(target(url))?,
        EntityKind::Url => link(target(&covered()))?,
        EntityKind::Email => link(Some(format!("mailto:{}", covered())))?,
        EntityKind::Phone => {
            let number = covered()
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '+')
                .collect::<String>();
            link(Some(format!("tel:{number}")))?
        }
        EntityKind::Mention => {
            let name = covered();
            let name = name.trim_start_matches('@');
            let usual = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            link(usual.then(|| format!("https://t.me/{name}")))?
        }
        EntityKind::MentionName { user_id } => link(Some(format!("tg://user?id={user_id}")))?,
        EntityKind::Hashtag | EntityKind::Cashtag | EntityKind::BotCommand => {
            plain("<span class=\"tag\">", "</span>")
        }
        EntityKind::CustomEmoji { .. } | EntityKind::BankCard | EntityKind::Unknown => return None,
    };
    Some(Span {
        start,
        end,
        open,
        close,
        block,
    })
}

fn slice(text: &str, start: usize, end: usize) -> String {
    let mut at = 0;
    text.chars()
        .filter(|c| {
            let here = at;
            at += c.len_utf16();
            (start..end).contains(&here)
        })
        .collect()
}

/// A link as it may be followed: web, Telegram, mail and telephone only; without a scheme it is of the web.
pub(super) fn target(url: &str) -> Option<String> {
    let url = url.trim();
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    let allowed = ["http", "https", "tg", "ton", "mailto", "tel", "ftp"];
    match scheme {
        Some(scheme) if allowed.contains(&scheme.as_str()) => Some(url.to_owned()),
        // `host:port/path`, or a colon further on.
        Some(scheme) if scheme.contains(['.', '/', '?', '#']) => Some(format!("https://{url}")),
        Some(_) => None,
        None if url.is_empty() => None,
        None => Some(format!("https://{url}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(offset: usize, length: usize, kind: EntityKind) -> Entity {
        Entity { offset, length, kind }
    }

    #[test]
    fn overlapping_entities_become_well_formed_elements() {
        let entities = [entity(0, 5, EntityKind::Bold), entity(3, 5, EntityKind::Italic)];
        assert_eq!(html("ab cd ef", &entities), "<b>ab <i>cd</i></b><i> ef</i>");
        let nested = [entity(3, 2, EntityKind::Italic), entity(0, 8, EntityKind::Bold)];
        assert_eq!(html("😀 жи ef!", &nested), "<b>😀 <i>жи</i> ef</b>!");
    }

    #[test]
    fn nothing_gets_out_of_the_text() {
        let wild = [entity(1, 500, EntityKind::Spoiler)];
        assert_eq!(
            html("<script>&\u{0}", &wild),
            "&lt;<span class=\"spoiler\" tabindex=\"0\">script&gt;&amp;\u{2400}</span>"
        );
        let hostile = |url: &str| EntityKind::TextUrl { url: url.to_owned() };
        assert_eq!(html("a", &[entity(0, 1, hostile("JavaScript:alert(1)"))]), "a");
        assert_eq!(html("a", &[entity(0, 1, hostile("data:text/html,x"))]), "a");
        assert_eq!(
            html("a", &[entity(0, 1, hostile("https://e.org/?\"><b>"))]),
            "<a href=\"https://e.org/?&quot;&gt;&lt;b&gt;\" rel=\"noreferrer\">a</a>"
        );
        assert_eq!(target("e.org:8080/x").as_deref(), Some("https://e.org:8080/x"));
    }

    #[test]
    fn a_line_end_behind_a_block_is_not_an_empty_line() {
        let quote = [entity(0, 1, EntityKind::Blockquote { collapsed: false })];
        assert_eq!(html("q\na", &quote), "<blockquote dir=\"auto\">q</blockquote>a");
    }
}
