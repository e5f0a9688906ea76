//! Text as a row of parts: plain strings and objects with a type.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;

use crate::model::{Entity, EntityKind};

/// A text split at its entities.
pub(super) struct Text<'t> {
    parts: Vec<Part<'t>>,
}

/// A stretch of text with a type, and one further field for the types that have one.
struct Part<'t> {
    kind: &'static str,
    text: &'t str,
    more: Option<(&'static str, Value)>,
}

impl<'t> Text<'t> {
    /// Splits the text at its entities. As in Telegram Desktop, parts do not nest: of entities that overlap
    /// the first (outermost) one counts, and an entity outside the text is ignored.
    pub(super) fn new(text: &'t str, entities: &[Entity]) -> Self {
        let mut parts = Vec::with_capacity(entities.len() * 2 + 1);
        if entities.is_empty() {
            parts.extend((!text.is_empty()).then(|| plain(text)));
            return Self { parts };
        }
        let units = Units::new(text);
        let mut at = 0;
        for entity in entities {
            let end = entity.offset.saturating_add(entity.length);
            if entity.length == 0 || entity.offset < at || end > units.len() {
                continue;
            }
            if entity.offset > at {
                parts.push(plain(units.slice(at, entity.offset)));
            }
            parts.push(part(&entity.kind, units.slice(entity.offset, end)));
            at = end;
        }
        if at < units.len() {
            parts.push(plain(units.slice(at, units.len())));
        }
        Self { parts }
    }
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
