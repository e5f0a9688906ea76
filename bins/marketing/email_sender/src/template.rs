//! Templates: what a value may be depends on where it stands.
//!
//! In HTML values are escaped. Within an address (`href="..."`) they are percent-encoded, unless the value is the whole
//! beginning of it, whose scheme is checked afterwards. In subject and text they stand as they are.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};

/// Attributes that hold an address.
const LINKS: [&str; 4] = ["href", "src", "action", "background-url"];

/// An environment in which a variable that is not there is an error.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| match name {
        "letter" => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.add_filter("urlencode", |value: Value| percent_encoded(&value.to_string()));
    environment
}

/// RFC 3986, 2.3: all but unreserved characters, and the slash, which separates parts of paths.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// The source with `| urlencode` behind every expression within an address that does not say itself how it is written.
pub(crate) fn with_encoded_links(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, quote, after)) = next_link(rest) {
        out.push_str(before);
        let end = value_end(after, quote);
        encode_value(&after[..end], &mut out);
        rest = &after[end..];
    }
    out.push_str(rest);
    out
}

/// The next attribute with an address: all up to its value, the quote, and what follows.
fn next_link(text: &str) -> Option<(&str, char, &str)> {
    let mut from = 0;
    while let Some(at) = text[from..].find('=').map(|at| from + at) {
        from = at + 1;
        let name = text[..at].trim_end();
        let named = LINKS.iter().any(|link| {
            let begin = name.len().checked_sub(link.len());
            begin.is_some_and(|begin| {
                name.is_char_boundary(begin)
                    && name[begin..].eq_ignore_ascii_case(link)
                    && name[..begin].ends_with(char::is_whitespace)
            })
        });
        let value = text[from..].trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let (true, Some(quote)) = (named, quote) {
            let start = text.len() - value.len() + 1;
            return Some((&text[..start], quote, &text[start..]));
        }
    }
    None
}

/// Where a value ends: at its quote, but not within an expression.
fn value_end(text: &str, quote: char) -> usize {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("{{") {
            at += rest.find("}}").map_or(rest.len(), |end| end + 2);
        } else if rest.starts_with(quote) {
            return at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn encode_value(value: &str, out: &mut String) {
    let mut rest = value;
    while let Some(begin) = rest.find("{{") {
        let Some(length) = rest[begin..].find("}}") else {
            break;
        };
        let expression = rest[begin + 2..begin + length].trim_matches(['-', ' ']);
        let first = rest.len() == value.len() && rest[..begin].trim().is_empty();
        let said = expression.contains("urlencode") || expression.contains("safe");
        out.push_str(&rest[..begin]);
        if first || said {
            out.push_str(&rest[begin..begin + length + 2]);
        } else {
            out.push_str(&format!("{{{{ ({expression}) | urlencode }}}}"));
        }
        rest = &rest[begin + length + 2..];
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_within_an_address_are_encoded() {
        let rendered = |source: &str| {
            let source = with_encoded_links(source);
            let mut environment = environment();
            environment.add_template_owned("letter", source).unwrap();
            let data = minijinja::context! { url => "https://x.example", city => "a b&c", name => "<b>" };
            environment.get_template("letter").unwrap().render(data).unwrap()
        };
        assert_eq!(
            rendered("<a href=\"{{ url }}?a=1&amp;b={{ city }}\" title=\"{{ city }}\">{{ name }}</a>"),
            "<a href=\"https:&#x2f;&#x2f;x.example?a=1&amp;b=a%20b%26c\" title=\"a b&amp;c\">&lt;b&gt;</a>"
        );
        assert_eq!(
            rendered("<a href='https://x/{{ city }}/{{ city | safe }}'>"),
            "<a href='https://x/a%20b%26c/a b&c'>"
        );
        assert_eq!(rendered("no = link {{ city }}"), "no = link a b&amp;c");
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let mut environment = environment();
        environment
            .add_template_owned("letter", "{{ nobody }}".to_owned())
            .unwrap();
        let empty = minijinja::context! {};
        assert!(environment.get_template("letter").unwrap().render(empty).is_err());
    }
}
