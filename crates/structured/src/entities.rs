//! Character references in values that are no markup any more, and markup in values that should be text.

use scraper::{ElementRef, Html};

/// The text with its character references decoded until nothing changes, at most twice, and how often that was.
///
/// Shops encode twice: `&amp;#038;` is `&`. More than twice is taken for a text about references.
pub fn decoded(text: &str) -> (String, usize) {
    let mut text = text.to_owned();
    for round in 0..2 {
        let next = decode(&text);
        if next == text {
            return (text, round);
        }
        text = next;
    }
    (text, 2)
}

/// Decodes as an HTML parser does, with every name the standard has.
fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // In a title nothing but references means anything; what would end it is hidden from the parser.
    let fragment = Html::parse_fragment(&format!(
        "<title>{}</title>",
        text.replace('<', "&lt;").replace('\r', "&#13;")
    ));
    let title = fragment
        .root_element()
        .descendants()
        .filter_map(ElementRef::wrap)
        .find(|element| element.value().name() == "title");
    title.map_or_else(|| text.to_owned(), |title| title.text().collect())
}

/// A value without markup and needless blanks, and whether there was markup in it. Paragraphs stay lines.
pub fn without_markup(text: &str) -> (String, bool) {
    let tag = text
        .match_indices('<')
        .any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!'));
    if !tag {
        return (text.trim().to_owned(), false);
    }
    let fragment = Html::parse_fragment(text);
    (crate::visible::text(fragment.root_element(), usize::MAX), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_decoded_until_stable_at_most_twice() {
        for (text, value, rounds) in [
            ("plain", "plain", 0),
            ("K&uuml;hn &amp; Co", "Kühn & Co", 1),
            ("&amp;quot;Moss&amp;quot; &amp;#038; lid", "\"Moss\" & lid", 2),
            ("&amp;amp;lt;", "&lt;", 2),
            ("a & b &c;", "a & b &c;", 0),
            ("x < y &lt;b>", "x < y <b>", 1),
            ("</title>&amp;", "</title>&", 1),
        ] {
            assert_eq!(decoded(text), (value.to_owned(), rounds), "{text}");
        }
    }

    #[test]
    fn markup_in_a_text_is_taken_out() {
        let (text, had) = without_markup("<p>One <b>cup</b></p><ul><li>red<li>blue</ul><script>x</script>");
        assert_eq!((text.as_str(), had), ("One cup\nred\nblue", true));
        assert_eq!(without_markup(" 3 < 5 "), ("3 < 5".to_owned(), false));
    }
}
