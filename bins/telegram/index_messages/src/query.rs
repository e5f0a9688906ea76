//! From what a user types to an expression of the full-text index.

use app_core::{ToolError, ToolResult};

/// A text as the index has it: letters that are written for each other are the same.
pub fn normal(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'ё' => 'е',
            'Ё' => 'Е',
            other => other,
        })
        .collect()
}

/// An expression that finds the words (or any of them), also as beginnings of longer ones unless they are to be exact.
///
/// # Errors
/// `invalid_input` when there is no word.
pub fn expression(query: &str, any: bool, exact: bool) -> ToolResult<String> {
    let query = normal(query);
    let mut parts = Vec::new();
    for (n, part) in query.split('"').enumerate() {
        // Every second part stands in quotes.
        if n % 2 == 1 {
            parts.push((part, true));
        } else {
            parts.extend(part.split_whitespace().map(|word| (word, false)));
        }
    }
    let terms: Vec<String> = parts
        .into_iter()
        .filter(|(part, _)| part.chars().any(char::is_alphanumeric))
        .map(|(part, quoted)| {
            // Signs at the end would make a word of nothing, whose beginning is everything.
            let part = part.trim_matches(|c: char| !c.is_alphanumeric());
            let star = if quoted || exact { "" } else { "*" };
            format!("\"{part}\"{star}")
        })
        .collect();
    if terms.is_empty() {
        return Err(ToolError::invalid("query", "no word to search for"));
    }
    Ok(terms.join(if any { " OR " } else { " AND " }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_phrases_become_terms() {
        let of = |query: &str, any: bool, exact: bool| expression(query, any, exact).unwrap_or_default();
        assert_eq!(of("Ёлка стоит", false, false), "\"Елка\"* AND \"стоит\"*");
        assert_eq!(of("a b", true, true), "\"a\" OR \"b\"");
        assert_eq!(
            of("say \"good morning\" now", false, false),
            "\"say\"* AND \"good morning\" AND \"now\"*"
        );
        assert_eq!(of("NEAR( boat) - \"", false, false), "\"NEAR\"* AND \"boat\"*");
        assert!(expression(" - \"\" * ", false, false).is_err());
    }
}
