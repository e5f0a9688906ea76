//! Drawing SVG, text included, into pixels.
//!
//! Two fonts are built in, so that a machine without fonts draws the same picture as any other; the fonts of the system
//! are looked at only for characters that these lack. Files and addresses named in an SVG are never followed.

mod lines;
mod typeface;

pub use lines::Words;
pub use typeface::Typeface;

/// The text with the characters that mean something in XML replaced, and those that XML forbids left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn markup_is_only_text() {
        assert_eq!(super::escape("a<b & \"c\"\u{1}"), "a&lt;b &amp; &quot;c&quot;");
    }
}
