//! Text as a row of parts: plain strings and objects with a type.

use serde_json::{Value, json};

use crate::model::{Entity, EntityKind};

/// `text` and `text_entities` of a message.
pub(super) struct Text {
    parts: Vec<Value>,
}

impl Text {
    /// Splits the text at its entities. As in Telegram Desktop, parts do not nest: of entities that overlap
    /// the first (outermost) one counts, and an entity outside the text is ignored.
    pub(super) fn new(text: &str, entities: &[Entity]) -> Self {
        let units = Units::new(text);
        let mut parts = Vec::new();
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

    /// A string when there is no formatting, else an array of strings and objects.
    pub(super) fn mixed(&self) -> Value {
        let string = |part: &Value| match part["type"].as_str() {
            Some("plain") => part["text"].clone(),
            _ => part.clone(),
        };
        match self.parts.as_slice() {
            [] => Value::from(""),
            [only] if only["type"] == "plain" => only["text"].clone(),
            parts => parts.iter().map(string).collect(),
        }
    }

    /// Objects only.
    pub(super) fn entities(self) -> Value {
        Value::Array(self.parts)
    }
}

fn plain(text: &str) -> Value {
    json!({"type": "plain", "text": text})
}

fn part(kind: &EntityKind, text: &str) -> Value {
    match kind {
        EntityKind::Bold => json!({"type": "bold", "text": text}),
        EntityKind::Italic => json!({"type": "italic", "text": text}),
        EntityKind::Underline => json!({"type": "underline", "text": text}),
        EntityKind::Strike => json!({"type": "strikethrough", "text": text}),
        EntityKind::Spoiler => json!({"type": "spoiler", "text": text}),
        EntityKind::Code => json!({"type": "code", "text": text}),
        EntityKind::Pre { language } => json!({"type": "pre", "text": text, "language": language}),
        EntityKind::Blockquote { collapsed } => {
            json!({"type": "blockquote", "text": text, "collapsed": collapsed})
        }
        EntityKind::TextUrl { url } => json!({"type": "text_link", "text": text, "href": url}),
        EntityKind::Url => json!({"type": "link", "text": text}),
        EntityKind::Mention => json!({"type": "mention", "text": text}),
        EntityKind::MentionName { user_id } => {
            json!({"type": "mention_name", "text": text, "user_id": user_id})
        }
        EntityKind::Hashtag => json!({"type": "hashtag", "text": text}),
        EntityKind::Cashtag => json!({"type": "cashtag", "text": text}),
        EntityKind::BotCommand => json!({"type": "bot_command", "text": text}),
        EntityKind::Email => json!({"type": "email", "text": text}),
        EntityKind::Phone => json!({"type": "phone", "text": text}),
        EntityKind::BankCard => json!({"type": "bank_card", "text": text}),
        EntityKind::CustomEmoji { document_id } => {
            json!({"type": "custom_emoji", "text": text, "document_id": document_id.to_string()})
        }
        EntityKind::Unknown => json!({"type": "unknown", "text": text}),
    }
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
    use super::*;

    fn entity(offset: usize, length: usize, kind: EntityKind) -> Entity {
        Entity { offset, length, kind }
    }

    #[test]
    fn plain_text_is_a_string_and_formatted_text_a_row() {
        let text = Text::new("just words", &[]);
        assert_eq!(text.mixed(), json!("just words"));
        assert_eq!(text.entities(), json!([{"type": "plain", "text": "just words"}]));
        let text = Text::new("", &[]);
        assert_eq!((text.mixed(), text.entities()), (json!(""), json!([])));
        let text = Text::new("😀 жир.", &[entity(3, 3, EntityKind::Bold)]);
        assert_eq!(text.mixed(), json!(["😀 ", {"type": "bold", "text": "жир"}, "."]));
    }

    #[test]
    fn overlapping_and_wild_entities_do_no_harm() {
        let entities = [
            entity(0, 5, EntityKind::Bold),
            entity(2, 2, EntityKind::Italic),
            entity(9, 99, EntityKind::Code),
            entity(6, 0, EntityKind::Code),
        ];
        assert_eq!(
            Text::new("ab cd ef gh", &entities).mixed(),
            json!([{"type": "bold", "text": "ab cd"}, " ef gh"])
        );
        // An offset in the middle of a surrogate pair.
        let split = [entity(1, 2, EntityKind::Bold)];
        let text: String = Text::new("😀ab", &split)
            .parts
            .iter()
            .map(|p| p["text"].as_str().unwrap())
            .collect();
        assert_eq!(text, "😀ab");
    }
}
