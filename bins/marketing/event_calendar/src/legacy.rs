//! Calls of the replaced tool: `{start_date, end_date, keywords}`, answered with `{status, events}`.

use app_core::{ErrorKind, ToolError};
use serde_json::{Value, json};

use crate::{
    Output,
    bounds::{self, Given},
    model::Event,
};

fn failed(message: impl std::fmt::Display) -> Value {
    json!({"status": "error", "message": format!("Error processing input: {message}")})
}

/// Turns an old call into this tool's input.
pub fn from_legacy(call: &Value) -> Result<Value, Value> {
    let text = |name: &str| call.get(name).filter(|value| !value.is_null() && *value != "");
    let (Some(start), Some(end)) = (text("start_date"), text("end_date")) else {
        return Err(json!({"status": "error", "message": "start_date and end_date are required."}));
    };
    let mut given = Vec::new();
    for value in [start, end] {
        let text = value
            .as_str()
            .ok_or_else(|| failed("fromisoformat: argument must be str"))?;
        let read = bounds::parse(text)
            .ok_or_else(|| failed(format!("Invalid isoformat string: '{}'", text.escape_debug())))?;
        given.push((text, read));
    }
    if is_before(given[1].1, given[0].1) {
        return Err(json!({"status": "success", "events": []}));
    }
    let words = match call.get("keywords") {
        None | Some(Value::Null) => json!([]),
        Some(Value::Array(words)) if words.iter().all(Value::is_string) => json!(words),
        Some(_) => return Err(failed("keywords must be a list of texts")),
    };
    Ok(json!({"action": "list", "from": given[0].0, "to": given[1].0, "words": words}))
}

/// Whether a range that ends here ends before it begins; a day lasts until its end.
fn is_before(end: Given, start: Given) -> bool {
    match (start, end) {
        (Given::Day(start), Given::Day(end)) => end < start,
        (Given::Local(start), Given::Day(end)) => end < start.date(),
        (Given::Day(start), Given::Local(end)) => end.date() < start,
        (Given::Local(start), Given::Local(end)) => end < start,
        (Given::Moment(start), Given::Moment(end)) => end < start,
        _ => false,
    }
}

/// The old answer to an old call.
pub fn to_legacy(outcome: Result<&Output, &ToolError>) -> Value {
    match outcome {
        Ok(Output::List(listing)) => events(&listing.events),
        Ok(_) => failed("not a list"),
        // What can be read is worth more to an old caller than nothing; what is missing is in the log.
        Err(error) if error.kind == ErrorKind::Partial => {
            let listed = error.output.as_ref().and_then(|output| output.get("events"));
            let found = listed.and_then(|events| serde_json::from_value::<Vec<Event>>(events.clone()).ok());
            found.map_or_else(|| failed(&error.message), |found| events(&found))
        }
        Err(error) => failed(&error.message),
    }
}

/// In the order of the calendar, with times as its clock shows them.
fn events(found: &[Event]) -> Value {
    let mut ordered: Vec<&Event> = found.iter().collect();
    ordered.sort_by(|one, two| (&one.source, one.line).cmp(&(&two.source, two.line)));
    let shown = ordered.into_iter().map(|event| {
        let date = match (&event.start.date, &event.start.local) {
            (Some(date), _) => format!("{date}T00:00:00"),
            (None, Some(local)) => local.chars().take("2026-03-01T00:00:00".len()).collect(),
            (None, None) => String::new(),
        };
        json!({"id": event.uid, "title": event.title, "date": date, "description": event.description})
    });
    json!({"status": "success", "events": shown.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_mistakes_get_the_old_answers() {
        let told = |call: Value| {
            from_legacy(&call).unwrap_err()["message"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(told(json!({})), "start_date and end_date are required.");
        assert_eq!(
            told(json!({"start_date": "2023/10/26", "end_date": "2023-10-27"})),
            "Error processing input: Invalid isoformat string: '2023/10/26'"
        );
        assert!(told(json!({"start_date": 1, "end_date": "2023-10-27"})).contains("argument must be str"));
    }

    #[test]
    fn a_reversed_range_is_empty() {
        let answer = from_legacy(&json!({"start_date": "2025-03-10", "end_date": "2025-03-01"})).unwrap_err();
        assert_eq!(answer, json!({"status": "success", "events": []}));
        assert!(from_legacy(&json!({"start_date": "2025-03-10T12:00:00", "end_date": "2025-03-10"})).is_ok());
    }
}
