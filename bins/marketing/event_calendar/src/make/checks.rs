//! What texts of a new event may hold.

use app_core::{ToolError, ToolResult};

use crate::input;

/// Names and addresses of who takes part. Fails with every field that holds what cannot stand on one line.
pub(super) fn checked(input: &input::Create) -> ToolResult<Vec<(String, String)>> {
    let mut mistakes = Vec::new();
    let texts = [
        ("title", Some(&input.title)),
        ("location", input.location.as_ref()),
        ("uid", input.uid.as_ref()),
        ("rrule", input.rrule.as_ref()),
    ];
    let lists = [("categories", &input.categories), ("attendees", &input.attendees)];
    let named = lists.iter().flat_map(|(field, texts)| {
        texts
            .iter()
            .enumerate()
            .map(move |(at, text)| (format!("{field}[{at}]"), text))
    });
    let all = texts
        .into_iter()
        .filter_map(|(field, text)| Some((field.to_owned(), text?)))
        .chain(named);
    for (field, _) in all.filter(|(_, text)| text.chars().any(acts)) {
        mistakes.push((field, "must not have line ends or control characters".to_owned()));
    }
    let mut attendees = Vec::new();
    for (at, text) in input.attendees.iter().enumerate() {
        match attendee(text) {
            Some(found) => attendees.push(found),
            None if text.chars().any(acts) => {}
            None => mistakes.push((format!("attendees[{at}]"), "is no address".to_owned())),
        }
    }
    let unseen = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if input
        .description
        .as_ref()
        .is_some_and(|text| text.contains(unseen))
    {
        mistakes.push((
            "description".to_owned(),
            "must not have control characters".to_owned(),
        ));
    }
    if mistakes.is_empty() {
        Ok(attendees)
    } else {
        Err(ToolError::invalid_fields(mistakes))
    }
}

/// `ina@quillmoss.example`, or `Ina Weber <ina@quillmoss.example>`: name and address.
fn attendee(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>') {
        Some(whole) => whole.rsplit_once('<')?,
        None => ("", text),
    };
    let address = address.trim();
    let address = address.strip_prefix("mailto:").unwrap_or(address);
    let (local, domain) = address.rsplit_once('@')?;
    let odd = |c: char| c.is_whitespace() || acts(c) || "<>,;:\"".contains(c);
    let plain = |part: &str| !part.is_empty() && !part.contains(odd);
    let name = name.trim().trim_matches('"').trim();
    (plain(local) && plain(domain)).then(|| (name.to_owned(), address.to_owned()))
}

/// Whether a character ends a line, or does something else than being seen.
fn acts(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attendees_are_addresses_with_or_without_a_name() {
        let read = |text: &str| attendee(text).map(|(name, address)| format!("{name}|{address}"));
        assert_eq!(read(" mailto:i@x.example").as_deref(), Some("|i@x.example"));
        assert_eq!(
            read("\"Weber, Ina\" <i@x.example>").as_deref(),
            Some("Weber, Ina|i@x.example")
        );
        for bad in [
            "ina",
            "@x",
            "i@",
            "i@x y",
            "<i@x",
            "i@x>",
            "i@x\nATTENDEE:y@z",
            "a <b>",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
