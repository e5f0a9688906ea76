//! Conditions on what is known about a document: `lang=ru`, `price<10`, `event_at>=2026-01-01`.

use std::cmp::Ordering;

use app_core::{ToolError, ToolResult};
use jiff::Timestamp;
use serde_json::Value;

use crate::{document::Document, moment::Span};

/// A condition on one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    field: String,
    test: Test,
    value: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

/// Signs of the tests; the longer ones first, for they begin with the shorter.
const SIGNS: [(&str, Test); 6] = [
    ("!=", Test::Unequal),
    ("<=", Test::AtMost),
    (">=", Test::AtLeast),
    ("=", Test::Equal),
    ("<", Test::Less),
    (">", Test::More),
];

impl Condition {
    /// Reads `field=value`; also `!=`, `<`, `<=`, `>`, `>=`. Fails when no sign or no field is in it.
    pub fn parse(text: &str) -> ToolResult<Self> {
        let at = text.find(['!', '<', '>', '=']).unwrap_or(text.len());
        let (field, rest) = text.split_at(at);
        let found = SIGNS
            .iter()
            .find_map(|(sign, test)| Some((*test, rest.strip_prefix(sign)?)));
        match found {
            Some((test, value)) if !field.trim().is_empty() => Ok(Self {
                field: field.trim().to_owned(),
                test,
                value: value.trim().to_owned(),
            }),
            _ => Err(
                ToolError::invalid("where", format!("`{text}` is not a condition"))
                    .hint("write for example lang=ru, price<10 or event_at>=2026-01-01"),
            ),
        }
    }

    /// Whether the document meets it. The field is looked for among `id`, `event_at`, `ingested_at`, `source`, `path`,
    /// `message_id`, `seen`, then in the metadata, then in the document itself; dots lead into objects.
    ///
    /// Numbers are compared as numbers, times as times (a date is the whole day, UTC), texts only for being the same. Of a
    /// list one item is enough. `!=` also holds where there is no such field.
    pub fn holds(&self, document: &Document) -> bool {
        let found = self.found(document);
        match self.test {
            Test::Unequal => !found.is_some_and(|value| any(&value, |one| self.equal(one))),
            Test::Equal => found.is_some_and(|value| any(&value, |one| self.equal(one))),
            _ => found.is_some_and(|value| any(&value, |one| self.ordered(one))),
        }
    }

    fn found(&self, document: &Document) -> Option<Value> {
        let time = |at: Timestamp| Some(Value::from(at.to_string()));
        let text = |text: &Option<String>| text.clone().map(Value::from);
        match self.field.as_str() {
            "id" => Some(Value::from(document.id.clone())),
            "event_at" => document.event_at.and_then(time),
            "ingested_at" => time(document.ingested_at),
            "source" => text(&document.origin.source),
            "path" => text(&document.origin.path),
            "message_id" => text(&document.origin.message_id),
            "seen" => Some(Value::from(document.seen)),
            field => [&document.metadata, &document.document]
                .into_iter()
                .find_map(|map| {
                    map.get(field).cloned().or_else(|| {
                        let mut parts = field.split('.');
                        let first = map.get(parts.next()?)?;
                        parts.try_fold(first, |value, part| value.get(part)).cloned()
                    })
                }),
        }
        .filter(|value| !value.is_null())
    }

    fn equal(&self, value: &Value) -> bool {
        match value {
            Value::String(text) if *text == self.value => true,
            Value::String(text) => match (Span::parse(text), Span::parse(&self.value)) {
                (Some(at), Some(span)) => {
                    at.start == span.start
                        || span.start <= at.start && at.end <= span.end && at.start < span.end
                }
                _ => false,
            },
            Value::Bool(flag) => self.value == if *flag { "true" } else { "false" },
            Value::Number(number) => self
                .value
                .parse::<f64>()
                .is_ok_and(|wanted| number.as_f64() == Some(wanted)),
            _ => false,
        }
    }

    fn ordered(&self, value: &Value) -> bool {
        if let Value::String(text) = value
            && let (Some(at), Some(span)) = (Span::parse(text), Span::parse(&self.value))
        {
            return match self.test {
                Test::Less => at.start < span.start,
                Test::AtMost => at.start < span.end || at.start == span.start,
                Test::More => at.start >= span.end && at.start != span.start,
                _ => at.start >= span.start,
            };
        }
        let number = match value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let order = number
            .zip(self.value.parse::<f64>().ok())
            .and_then(|(a, b)| a.partial_cmp(&b));
        order.is_some_and(|order| match self.test {
            Test::Less => order == Ordering::Less,
            Test::AtMost => order != Ordering::Greater,
            Test::More => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }
}

fn any(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().any(test),
        one => test(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::Origin;

    #[test]
    fn conditions_compare_numbers_times_and_texts_each_in_their_way() {
        let document = Document {
            id: "ab".to_owned(),
            document: json!({"price": 9.5, "who": {"name": "Ana"}}).as_object().unwrap().clone(),
            metadata: json!({"lang": "ru", "tags": ["tea", "gift"], "n": 10, "live": true, "day": "2026-03-05", "none": null})
                .as_object()
                .unwrap()
                .clone(),
            event_at: "2026-03-05T23:30:00Z".parse().ok(),
            ingested_at: "2026-04-01T00:00:00Z".parse().unwrap(),
            origin: Origin { source: Some("crm".to_owned()), ..Origin::default() },
            seen: 2,
        };
        let holds = |text| Condition::parse(text).unwrap().holds(&document);
        for yes in [
            "lang=ru",
            "lang!=en",
            "missing!=x",
            "tags=gift",
            "tags!=toy",
            "n>9",
            "n<=10",
            "n=10.0",
            "price<10",
            "live=true",
            "event_at=2026-03-05",
            "event_at<=2026-03-05",
            "event_at>=2026-03-05",
            "event_at<2026-03-06",
            "event_at>2026-03-04",
            "day>=2026-03-05",
            "day<=2026-03-05",
            "ingested_at>2026-03-31",
            "source = crm",
            "who.name=Ana",
            "seen=2",
            "id=ab",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in [
            "lang=RU",
            "lang!=ru",
            "missing=x",
            "tags=toy",
            "n<9",
            "n>abc",
            "event_at>2026-03-05",
            "event_at<2026-03-05",
            "lang<z",
            "none=null",
            "none=",
            "day=2026-03-06",
            "who.age=1",
        ] {
            assert!(!holds(no), "{no}");
        }
        for wrong in ["", "lang", "=x", " =x", "a!b"] {
            assert_eq!(
                Condition::parse(wrong).unwrap_err().field_paths,
                ["where"],
                "{wrong}"
            );
        }
    }
}
