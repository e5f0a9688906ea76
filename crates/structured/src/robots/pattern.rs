//! Paths and patterns of robots.txt: one spelling for both, and the match.

use std::fmt::Write as _;

/// One spelling: octets outside ASCII are escaped, escapes are in upper case, those of letters, digits and `-._~` are
/// undone. `%2F` stays, since it is no `/` (RFC 9309, section 2.2.2).
pub(super) fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut normal = String::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let escaped = text.get(at + 1..at + 3).filter(|_| byte == b'%').and_then(|hex| {
            let valid = hex.bytes().all(|b| b.is_ascii_hexdigit());
            valid.then(|| u8::from_str_radix(hex, 16).ok()).flatten()
        });
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(inner) if inner.is_ascii_alphanumeric() || b"-._~".contains(&inner) => {
                normal.push(char::from(inner));
            }
            Some(inner) => push_escape(&mut normal, inner),
            None if byte.is_ascii_graphic() => normal.push(char::from(byte)),
            None => push_escape(&mut normal, byte),
        }
    }
    normal
}

fn push_escape(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

/// Whether a pattern fits the beginning of a path: `*` is anything, `$` at the end is the end.
///
/// Takes time of the product of both lengths at worst, and mostly their sum: each part is looked for from where the
/// last one ended, which finds a match whenever there is one.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !to_end || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if to_end && parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_spelled_alike() {
        for (text, spelled) in [
            ("/ceník", "/cen%C3%ADk"),
            ("/cen%c3%adk", "/cen%C3%ADk"),
            ("/a%2fb", "/a%2Fb"),
            ("/%61%7e", "/a~"),
            ("/100%", "/100%"),
            ("/a b%zz", "/a%20b%zz"),
        ] {
            assert_eq!(normal(text), spelled);
        }
    }

    #[test]
    fn stars_and_the_end_are_understood() {
        for (pattern, path, fits) in [
            ("/a", "/abc", true),
            ("/a$", "/a", true),
            ("/a$", "/ab", false),
            ("/*.json$", "/x/y.json", true),
            ("/*.json$", "/y.json?x", false),
            ("*", "/x", true),
            ("/a*b*c", "/a-b-b-c-d", true),
            ("/a*b*c", "/a-c-b", false),
            ("/a*$", "/abc", true),
            ("/*a*a$", "/a", false),
            ("/a**b", "/a/b", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} {path}");
        }
    }

    /// The match by its definition.
    fn plainly(pattern: &[u8], path: &[u8]) -> bool {
        match pattern.first() {
            None => true,
            Some(b'$') if pattern.len() == 1 => path.is_empty(),
            Some(b'*') => (0..=path.len()).any(|at| plainly(&pattern[1..], &path[at..])),
            Some(byte) => path.first() == Some(byte) && plainly(&pattern[1..], &path[1..]),
        }
    }

    proptest::proptest! {
        #[test]
        fn it_matches_what_the_definition_matches(pattern in "[ab*]{0,8}[$]?", path in "[ab]{0,10}") {
            proptest::prop_assert_eq!(matches(&pattern, &path), plainly(pattern.as_bytes(), path.as_bytes()));
        }
    }
}
