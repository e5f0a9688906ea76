//! Times as documents and people write them.

use jiff::{Timestamp, Unit, civil, tz::TimeZone};
use serde_json::{Map, Value};

/// Fields of a document that tell when what it speaks of happened; the first that holds a time counts.
const FIELDS: [&str; 8] = [
    "event_at",
    "date",
    "datetime",
    "timestamp",
    "time",
    "created_at",
    "sent_at",
    "published_at",
];

/// A stretch of time that a text names: a moment, or a whole day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First moment of it.
    pub start: Timestamp,
    /// First moment behind it; the same as `start` for a moment.
    pub end: Timestamp,
}

impl Span {
    /// Reads RFC 3339, a date with a time (UTC without an offset), or a date, which is the whole day in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let moment = |at: Timestamp| Self { start: at, end: at };
        if let Ok(at) = text.parse::<Timestamp>() {
            return Some(moment(at));
        }
        // jiff would take a date for a time at midnight.
        if text.len() <= 10 {
            let day = text.parse::<civil::Date>().ok()?;
            let begin = |day: civil::Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
            return Some(Self {
                start: begin(day)?,
                end: begin(day.tomorrow().ok()?)?,
            });
        }
        let at = text.parse::<civil::DateTime>().ok()?;
        Some(moment(at.to_zoned(TimeZone::UTC).ok()?.timestamp()))
    }
}

/// When what a document speaks of happened, by its own fields: a text that is a time, or seconds or milliseconds since
/// 1970.
pub fn of_document(document: &Map<String, Value>) -> Option<Timestamp> {
    FIELDS.iter().find_map(|field| of_value(document.get(*field)?))
}

fn of_value(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Span::parse(text).map(|span| span.start),
        Value::Number(number) => {
            let number = number.as_f64()?;
            // Years 1973 to 2286 in either unit; anything else is no time.
            let milliseconds = match number {
                1e8..1e10 => number * 1000.0,
                1e11..1e13 => number,
                _ => return None,
            };
            let at = Timestamp::from_millisecond(milliseconds as i64).ok()?;
            at.round(Unit::Millisecond).ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_date_is_a_whole_day_and_a_time_a_moment() {
        let span = |text| Span::parse(text).map(|s| (s.start.to_string(), s.end.to_string()));
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(
            span("2026-02-28"),
            pair("2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z")
        );
        assert_eq!(
            span("2026-03-01T10:00:00+03:00"),
            pair("2026-03-01T07:00:00Z", "2026-03-01T07:00:00Z")
        );
        assert_eq!(
            span(" 2026-03-01 10:00:00"),
            pair("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z")
        );
        for no in ["", "soon", "2026-13-01", "10", "2026"] {
            assert_eq!(span(no), None, "{no}");
        }
    }

    #[test]
    fn the_first_field_that_is_a_time_counts() {
        let at = |document: Value| of_document(document.as_object().unwrap()).map(|at| at.to_string());
        assert_eq!(
            at(json!({"date": "soon", "timestamp": 1_772_359_200})).unwrap(),
            "2026-03-01T10:00:00Z"
        );
        assert_eq!(
            at(json!({"time": 1_772_359_200_123_i64})).unwrap(),
            "2026-03-01T10:00:00.123Z"
        );
        assert_eq!(at(json!({"time": 15, "date": true, "when": "2026-03-01"})), None);
    }
}
