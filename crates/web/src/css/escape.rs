//! Quoted texts and escapes of CSS.

/// The text between the quotes of a string token, escapes resolved; the closing quote may be missing.
pub fn unquote(token: &str) -> String {
    let mut chars = token.chars();
    let Some(quote) = chars.next() else {
        return String::new();
    };
    let inner = chars.as_str();
    unescape(inner.strip_suffix(quote).unwrap_or(inner))
}

/// A text as a quoted string that means it.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' | '\r' | '\u{c}' => out.push_str(&format!("\\{:x} ", u32::from(c))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Resolves the escapes of CSS: `\"`, `\20 `, and a line end that is passed over.
pub fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let mut code = String::new();
        while code.len() < 6
            && let Some(digit) = chars.next_if(char::is_ascii_hexdigit)
        {
            code.push(digit);
        }
        if code.is_empty() {
            out.extend(chars.next().filter(|c| *c != '\n'));
        } else {
            chars.next_if(char::is_ascii_whitespace);
            let number = u32::from_str_radix(&code, 16).unwrap_or(0);
            let meant = char::from_u32(number).filter(|c| *c != '\0');
            out.push(meant.unwrap_or('\u{fffd}'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_made() {
        assert_eq!(unescape("a\\20 b\\\"c\\0 "), "a b\"c\u{fffd}");
        assert_eq!(unquote("'it\\'s'"), "it's");
        assert_eq!(unquote("\"cut"), "cut");
        let odd = "a\"b\\c\nd";
        assert_eq!(unquote(&quoted(odd)), odd);
    }
}
