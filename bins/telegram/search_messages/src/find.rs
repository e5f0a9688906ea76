//! Where a pattern stands in a text.

use app_core::{ToolError, ToolResult};
use regex::{Regex, RegexBuilder};

/// Largest compiled expression, in bytes.
const LARGEST: usize = 4 << 20;

/// What is searched for.
#[derive(Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// A regular expression.
    ///
    /// # Errors
    /// `invalid_input` for one that cannot be read or is too large.
    pub fn regular(text: &str, ignore_case: bool) -> ToolResult<Self> {
        RegexBuilder::new(text)
            .case_insensitive(ignore_case)
            .size_limit(LARGEST)
            .build()
            .map(Self)
            .map_err(|error| {
                // The library draws a picture of several lines; its last one says what is wrong.
                let told = error.to_string();
                let reason = told
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .trim_start_matches("error: ");
                ToolError::invalid("query", format!("`{text}` is no regular expression: {reason}"))
                    .hint("look-around and back-references do not exist here; a backslash makes a sign plain")
            })
    }

    /// Any of the words as they are written, in any case.
    ///
    /// # Errors
    /// `invalid_input` when there is none.
    pub fn words(text: &str) -> ToolResult<Self> {
        let words: Vec<String> = text.split_whitespace().map(regex::escape).collect();
        if words.is_empty() {
            return Err(ToolError::invalid("query", "no word to search for"));
        }
        Self::regular(&words.join("|"), true)
    }

    /// Beginnings and ends of all matches, in code points; a match of nothing counts as one.
    pub fn matches(&self, text: &str) -> Vec<(usize, usize)> {
        let (mut at, mut chars) = (0, 0);
        let mut place = |byte: usize| {
            chars += text.get(at..byte).map_or(0, |part| part.chars().count());
            at = byte;
            chars
        };
        self.0
            .find_iter(text)
            .map(|found| (place(found.start()), place(found.end())))
            .collect()
    }
}

/// The text with its matches in bold yellow.
pub fn highlighted(text: &str, matches: &[(usize, usize)], paint: impl Fn(&str) -> String) -> String {
    let mut chars = text.chars();
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    for (begin, end) in matches.iter().filter(|(begin, end)| begin < end) {
        shown.extend(chars.by_ref().take(begin - at));
        let part: String = chars.by_ref().take(end - begin).collect();
        shown.push_str(&paint(&part));
        at = *end;
    }
    shown.extend(chars);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_in_code_points_and_highlighted() -> ToolResult<()> {
        let pattern = Pattern::regular("сад[а-я]*", true)?;
        let text = "🌿 Сады и сад";
        let matches = pattern.matches(text);
        assert_eq!(matches, [(2, 6), (9, 12)]);
        assert_eq!(
            highlighted(text, &matches, |part| format!("<{part}>")),
            "🌿 <Сады> и <сад>"
        );
        let nothing = Pattern::regular("x*", false)?.matches("ab");
        assert_eq!(nothing.len(), 3);
        assert_eq!(highlighted("ab", &nothing, |part| format!("<{part}>")), "ab");
        Ok(())
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        for text in ["(", "(?=a)", "a{1000}{1000}"] {
            assert!(Pattern::regular(text, false).is_err(), "{text}");
        }
        assert!(Pattern::words("  ").is_err());
        let words = Pattern::words("a.b C").map(|p| p.matches("axb c a.B").len());
        assert_eq!(words.ok(), Some(2));
    }
}
