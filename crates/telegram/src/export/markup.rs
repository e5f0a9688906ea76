//! Formatting turned back into the Markdown that Telegram clients accept: `**bold**`, `__italic__`,
//! `~~strike~~`, `` `code` ``, ```` ```pre``` ````, `[label](url)`.
//!
//! The rules are those of Telethon's `markdown.unparse`: the language of a block is dropped, a mention by id
//! becomes a `tg://user` link, and underline, spoiler, quotation and custom emoji leave the text as it is.

use crate::model::{Entity, EntityKind};

/// The text with its formatting written out. Offsets are in UTF-16 units; those outside the text count as its
/// end, and one in the middle of a character as the end of that character.
pub fn markdown(text: &str, entities: &[Entity]) -> String {
    let mut marks: Vec<(usize, isize, String)> = Vec::new();
    for (index, entity) in entities.iter().enumerate() {
        let index = index as isize;
        let (open, close) = match &entity.kind {
            EntityKind::Bold => both("**"),
            EntityKind::Italic => both("__"),
            EntityKind::Strike => both("~~"),
            EntityKind::Code => both("`"),
            EntityKind::Pre { .. } => both("```"),
            EntityKind::TextUrl { url } if !url.is_empty() => ("[".to_owned(), format!("]({url})")),
            EntityKind::MentionName { user_id } => ("[".to_owned(), format!("](tg://user?id={user_id})")),
            _ => continue,
        };
        marks.push((entity.offset, index, open));
        marks.push((entity.offset.saturating_add(entity.length), -index, close));
    }
    if marks.is_empty() || text.is_empty() {
        return text.to_owned();
    }
    // At one place inner entities close before outer ones, and all close before later ones open.
    marks.sort_by_key(|(at, rank, _)| (*at, *rank));
    let mut result = String::with_capacity(text.len() + marks.len() * 4);
    let mut marks = marks.into_iter().peekable();
    let mut at = 0;
    for c in text.chars() {
        while let Some((_, _, mark)) = marks.next_if(|(place, ..)| *place <= at) {
            result.push_str(&mark);
        }
        result.push(c);
        at += c.len_utf16();
    }
    result.extend(marks.map(|(_, _, mark)| mark));
    result
}

fn both(mark: &str) -> (String, String) {
    (mark.to_owned(), mark.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(offset: usize, length: usize, kind: EntityKind) -> Entity {
        Entity { offset, length, kind }
    }

    #[test]
    fn every_kind_as_telethon_writes_it() {
        let text = "Hi bold it code link pre strike under";
        let link = EntityKind::TextUrl {
            url: "https://e.example".to_owned(),
        };
        let pre = EntityKind::Pre {
            language: "rust".to_owned(),
        };
        let entities = [
            entity(3, 4, EntityKind::Bold),
            entity(8, 2, EntityKind::Italic),
            entity(11, 4, EntityKind::Code),
            entity(16, 4, link),
            entity(21, 3, pre),
            entity(25, 6, EntityKind::Strike),
            entity(32, 5, EntityKind::Underline),
        ];
        assert_eq!(
            markdown(text, &entities),
            "Hi **bold** __it__ `code` [link](https://e.example) ```pre``` ~~strike~~ under"
        );
    }

    #[test]
    fn offsets_are_utf16_and_may_be_wrong() {
        let bold = |offset, length| [entity(offset, length, EntityKind::Bold)];
        assert_eq!(markdown("😀 жир 👨‍💻", &bold(3, 3)), "😀 **жир** 👨‍💻");
        // In the middle of the surrogate pair, and past the end.
        assert_eq!(markdown("😀a", &bold(1, 9)), "😀**a**");
        assert_eq!(markdown("ab", &bold(7, usize::MAX)), "ab****");
        assert_eq!(markdown("", &bold(0, 3)), "");
    }

    #[test]
    fn nested_and_adjacent_entities_close_in_order() {
        let nested = [entity(0, 4, EntityKind::Bold), entity(0, 4, EntityKind::Italic)];
        assert_eq!(markdown("both", &nested), "**__both__**");
        let inner = [entity(0, 5, EntityKind::Bold), entity(2, 3, EntityKind::Italic)];
        assert_eq!(markdown("ab cd", &inner), "**ab__ cd__**");
        let adjacent = [entity(0, 1, EntityKind::Bold), entity(1, 1, EntityKind::Italic)];
        assert_eq!(markdown("ab", &adjacent), "**a**__b__");
        let mention = [entity(0, 3, EntityKind::MentionName { user_id: 7 })];
        assert_eq!(markdown("Bob", &mention), "[Bob](tg://user?id=7)");
    }
}
