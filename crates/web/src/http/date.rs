//! Dates of HTTP headers.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The three forms of RFC 9110, 5.6.7: the present one, and two that are only read.
const FORMS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// A date of a header; `None` for what is none.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let civil = FORMS
        .iter()
        .find_map(|form| DateTime::strptime(form, text.trim()).ok())?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_are_read() {
        let moment: Timestamp = "1994-11-06T08:49:37Z".parse().unwrap();
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(moment), "{text}");
        }
        for text in [
            "",
            "soon",
            "Sun, 06 Nov 1994 08:49:37",
            "Mon, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
