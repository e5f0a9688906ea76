//! Text as a row of parts: plain strings and objects with a type.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use crate::model::{Entity, EntityKind};

/// A text split at its entities.
pub(super) struct Text<'t> {
    parts: Vec<Part<'t>>,
    flattened: bool,
}

/// A stretch of text with a type, and one further field for the types that have one.
struct Part<'t> {
    kind: &'static str,
    text: &'t str,
    more: Option<(&'static str, Value)>,
}

impl<'t> Text<'t> {
    /// Splits the text at its entities. As in Telegram Desktop, parts do not nest: of entities that overlap the first
    /// (outermost) one counts, but for links and mentions, which are worth more than how the words look. An entity outside
    /// the text is ignored.
    pub(super) fn new(text: &'t str, entities: &[Entity]) -> Self {
        let mut parts = Vec::with_capacity(entities.len() * 2 + 1);
        if entities.is_empty() {
            parts.extend((!text.is_empty()).then(|| plain(text)));
            return Self {
                parts,
                flattened: false,
            };
        }
        let units = Units::new(text);
        let valid: Vec<(usize, usize, &EntityKind)> = entities
            .iter()
            .map(|entity| {
                (
                    entity.offset,
                    entity.offset.saturating_add(entity.length),
                    &entity.kind,
                )
            })
            .filter(|(from, to, _)| from < to && *to <= units.len())
            .collect();
        let mut bounds: Vec<usize> = valid.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        bounds.extend([0, units.len()]);
        bounds.sort_unstable();
        bounds.dedup();
        // Which entity each stretch between two bounds belongs to; neighbours of one entity are one part.
        let mut stretches: Vec<(usize, usize, Option<usize>)> = Vec::with_capacity(bounds.len());
        for pair in bounds.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            let over =
                |(_, entity): &(usize, &(usize, usize, &EntityKind))| entity.0 <= from && to <= entity.1;
            let mut covering = valid.iter().enumerate().filter(over);
            let first = covering.next();
            let chosen = valid
                .iter()
                .enumerate()
                .filter(over)
                .rfind(|(_, entity)| leads_somewhere(entity.2))
                .or(first)
                .map(|(n, _)| n);
            match stretches.last_mut() {
                Some(last) if last.2 == chosen => last.1 = to,
                _ => stretches.push((from, to, chosen)),
            }
        }
        let whole = |n: usize| stretches.contains(&(valid[n].0, valid[n].1, Some(n)));
        let flattened = !(0..valid.len()).all(whole);
        for (from, to, chosen) in stretches {
            let text = units.slice(from, to);
            parts.push(match chosen {
                Some(n) => part(valid[n].2, text),
                None => plain(text),
            });
        }
        Self { parts, flattened }
    }

    /// Whether formatting was lost because parts do not nest.
    pub(super) const fn flattened(&self) -> bool {
        self.flattened
    }
}

/// Whether it says where something leads or who is meant, not only how it looks.
const fn leads_somewhere(kind: &EntityKind) -> bool {
    matches!(
        kind,
        EntityKind::TextUrl { .. }
            | EntityKind::Url
            | EntityKind::Mention
            | EntityKind::MentionName { .. }
            | EntityKind::Email
            | EntityKind::Phone
            | EntityKind::BankCard
            | EntityKind::Hashtag
            | EntityKind::Cashtag
            | EntityKind::BotCommand
            | EntityKind::CustomEmoji { .. }
    )
}

/// An entity as Telegram delivers it: type, place in UTF-16 units, and what it carries.
pub(super) fn raw(entity: &Entity) -> Value {
    let part = part(&entity.kind, "");
    let mut value = serde_json::json!({"type": part.kind, "offset": entity.offset, "length": entity.length});
    if let (Some((key, more)), Some(fields)) = (part.more, value.as_object_mut()) {
        fields.insert(key.to_owned(), more);
    }
    value
}

/// The `text` of a message: a string when there is no formatting, else an array of strings and objects.
pub(super) struct Mixed<'t>(pub(super) &'t Text<'t>);

impl Serialize for Mixed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.parts.as_slice() {
            [] => serializer.serialize_str(""),
            [only] if only.kind == PLAIN => serializer.serialize_str(only.text),
            parts => {
                let mut row = serializer.serialize_seq(Some(parts.len()))?;
                for part in parts {
                    if part.kind == PLAIN {
                        row.serialize_element(part.text)?;
                    } else {
                        row.serialize_element(part)?;
                    }
                }
                row.end()
            }
        }
    }
}

/// The `text_entities` of a message: objects only.
pub(super) struct Parts<'t>(pub(super) &'t Text<'t>);

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0.parts)
    }
}

impl Serialize for Part<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("type", self.kind)?;
        object.serialize_entry("text", self.text)?;
        if let Some((key, value)) = &self.more {
            object.serialize_entry(key, value)?;
        }
        object.end()
    }
}

const PLAIN: &str = "plain";

const fn plain(text: &str) -> Part<'_> {
    Part {
        kind: PLAIN,
        text,
        more: None,
    }
}

fn part<'t>(kind: &EntityKind, text: &'t str) -> Part<'t> {
    let (kind, more) = match kind {
        EntityKind::Bold => ("bold", None),
        EntityKind::Italic => ("italic", None),
        EntityKind::Underline => ("underline", None),
        EntityKind::Strike => ("strikethrough", None),
        EntityKind::Spoiler => ("spoiler", None),
        EntityKind::Code => ("code", None),
        EntityKind::Pre { language } => ("pre", Some(("language", Value::from(language.as_str())))),
        EntityKind::Blockquote { collapsed } => ("blockquote", Some(("collapsed", Value::from(*collapsed)))),
        EntityKind::TextUrl { url } => ("text_link", Some(("href", Value::from(url.as_str())))),
        EntityKind::Url => ("link", None),
        EntityKind::Mention => ("mention", None),
        EntityKind::MentionName { user_id } => ("mention_name", Some(("user_id", Value::from(*user_id)))),
        EntityKind::Hashtag => ("hashtag", None),
        EntityKind::Cashtag => ("cashtag", None),
        EntityKind::BotCommand => ("bot_command", None),
        EntityKind::Email => ("email", None),
        EntityKind::Phone => ("phone", None),
        EntityKind::BankCard => ("bank_card", None),
        EntityKind::CustomEmoji { document_id } => (
            "custom_emoji",
            Some(("document_id", Value::from(document_id.to_string()))),
        ),
        EntityKind::Unknown => ("unknown", None),
    };
    Part { kind, text, more }
}

/// A text addressed in UTF-16 units.
struct Units<'t> {
    text: &'t str,
    /// Byte position of every unit, and of the end; the second unit of a pair has the end of its character.
    starts: Option<Vec<usize>>,
}

impl<'t> Units<'t> {
    fn new(text: &'t str) -> Self {
        let starts = (!text.is_ascii()).then(|| {
            let mut starts = Vec::with_capacity(text.len() + 1);
            for (at, c) in text.char_indices() {
                starts.push(at);
                if c.len_utf16() == 2 {
                    starts.push(at + c.len_utf8());
                }
            }
            starts.push(text.len());
            starts
        });
        Self { text, starts }
    }

    fn len(&self) -> usize {
        self.starts
            .as_ref()
            .map_or(self.text.len(), |starts| starts.len() - 1)
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        let byte = |at: usize| self.starts.as_ref().map_or(at, |starts| starts[at]);
        &self.text[byte(from)..byte(to)]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mixed(text: &Text<'_>) -> Value {
        serde_json::to_value(Mixed(text)).unwrap()
    }

    fn objects(text: &Text<'_>) -> Value {
        serde_json::to_value(Parts(text)).unwrap()
    }

    fn entity(offset: usize, length: usize, kind: EntityKind) -> Entity {
        Entity { offset, length, kind }
    }

    #[test]
    fn plain_text_is_a_string_and_formatted_text_a_row() {
        let text = Text::new("just words", &[]);
        assert_eq!(mixed(&text), json!("just words"));
        assert_eq!(objects(&text), json!([{"type": "plain", "text": "just words"}]));
        let text = Text::new("", &[]);
        assert_eq!((mixed(&text), objects(&text)), (json!(""), json!([])));
        let bold = [entity(3, 3, EntityKind::Bold)];
        let text = Text::new("😀 жир.", &bold);
        assert_eq!(mixed(&text), json!(["😀 ", {"type": "bold", "text": "жир"}, "."]));
    }

    #[test]
    fn a_link_inside_bold_is_kept_and_what_is_lost_is_told() {
        let link = || EntityKind::TextUrl {
            url: "https://example.org/inside".into(),
        };
        let text = Text::new(
            "bold with a link inside",
            &[entity(0, 23, EntityKind::Bold), entity(12, 4, link())],
        );
        assert_eq!(
            mixed(&text),
            json!([{"type": "bold", "text": "bold with a "},
                   {"type": "text_link", "text": "link", "href": "https://example.org/inside"},
                   {"type": "bold", "text": " inside"}])
        );
        assert!(text.flattened());
        let side_by_side = Text::new("ab", &[entity(0, 1, EntityKind::Bold), entity(1, 1, link())]);
        assert!(!side_by_side.flattened());
        assert_eq!(
            raw(&entity(12, 4, link())),
            json!({"type": "text_link", "offset": 12, "length": 4, "href": "https://example.org/inside"})
        );
    }

    #[test]
    fn overlapping_and_wild_entities_do_no_harm() {
        let entities = [
            entity(0, 5, EntityKind::Bold),
            entity(2, 2, EntityKind::Italic),
            entity(9, 99, EntityKind::Code),
            entity(6, 0, EntityKind::Code),
        ];
        let text = Text::new("ab cd ef gh", &entities);
        assert_eq!(mixed(&text), json!([{"type": "bold", "text": "ab cd"}, " ef gh"]));
        // An offset in the middle of a surrogate pair.
        let split = [entity(1, 2, EntityKind::Bold)];
        let text: String = Text::new("😀ab", &split)
            .parts
            .iter()
            .map(|part| part.text)
            .collect();
        assert_eq!(text, "😀ab");
    }
}
