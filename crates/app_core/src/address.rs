//! Addresses as people and manifests may see them: without passwords and tokens.

use serde_json::Value;
use url::Url;

/// What stands for something that is not shown.
const HIDDEN: &str = "***";

/// An address for people: without user and password, without the values of its query and without fragment, any of
/// which may hold a token. The names in the query stay.
pub fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Addresses that cannot have a user have none to hide.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_fragment(None);
    if let Some(query) = url.query() {
        let pairs: Vec<String> = query
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) => format!("{name}={HIDDEN}"),
                None => HIDDEN.to_owned(),
            })
            .collect();
        shown.set_query(Some(&pairs.join("&")));
    }
    shown.into()
}

/// As [`shown`], for a text that is meant as an address and may be none.
pub fn shown_text(text: &str) -> String {
    if let Some(url) = Url::parse(text.trim()).ok().filter(Url::has_host) {
        return shown(&url);
    }
    let (bare, asked) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
    let (scheme, rest) = bare.split_at(bare.find("://").map_or(0, |at| at + 3));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let asked = if asked.is_empty() { "" } else { "?***" };
    format!("{scheme}{host}{path}{asked}")
}

/// Replaces each address in a JSON value by what [`shown_text`] makes of it; other texts stay.
pub fn hide_secrets(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("://") && !text.contains(char::is_whitespace) => {
            *text = shown_text(text);
        }
        Value::Array(items) => items.iter_mut().for_each(hide_secrets),
        Value::Object(fields) => fields.values_mut().for_each(hide_secrets),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_of_an_address_is_shown() {
        let shown = |text: &str| shown(&Url::parse(text).unwrap());
        assert_eq!(
            shown("https://bob:CANARY@a.example/x/y.css?v=CANARY&CANARY&k=#CANARY"),
            "https://a.example/x/y.css?v=***&***&k=***"
        );
        assert_eq!(shown("https://a.example/x"), "https://a.example/x");
        assert_eq!(shown("mailto:a@b.example"), "mailto:a@b.example");
    }

    #[test]
    fn a_broken_address_shows_no_secret_either() {
        assert_eq!(
            shown_text("http://bob:CANARY@[bad/x?t=CANARY"),
            "http://[bad/x?***"
        );
        assert_eq!(
            shown_text("http://bob:CAN@ARY@a.example:99999/x#CANARY"),
            "http://a.example:99999/x?***"
        );
        assert_eq!(shown_text("site/index.html"), "site/index.html");
    }

    #[test]
    fn addresses_in_an_input_are_hidden_and_texts_are_not() {
        let mut value =
            serde_json::json!({"a": ["http://u:CANARY@a.example/"], "b": "see http://x for a@b", "c": 1});
        hide_secrets(&mut value);
        assert_eq!(
            value,
            serde_json::json!({"a": ["http://a.example/"], "b": "see http://x for a@b", "c": 1})
        );
    }
}
