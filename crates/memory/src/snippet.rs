//! The part of a document that shows why it was found.

use schemars::JsonSchema;
use serde::Serialize;

use crate::analysis::Term;

/// Characters of a snippet, about.
const LENGTH: usize = 200;
/// Characters shown before the first match.
const BEFORE: usize = 40;

/// A part of a document's text. Offsets count characters (Unicode scalar values).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Snippet {
    /// The part.
    pub text: String,
    /// Where it begins in the text of the document.
    pub offset: usize,
    /// Whether the document goes on behind it.
    pub more: bool,
    /// What was found in it: first character and the one behind the last, counted in `text`.
    pub matches: Vec<(usize, usize)>,
}

/// The stretch of the text with the most different terms of the question, where several have as many the first.
pub(crate) fn snippet(text: &str, terms: &[Term], asked: &[String]) -> Snippet {
    let found: Vec<(&Term, usize)> = terms
        .iter()
        .filter_map(|term| Some((term, asked.iter().position(|one| *one == term.text)?)))
        .collect();
    let start = best(&found).map_or(0, |term| before(text, term.start));
    let offset = text[..start].chars().count();
    let mut end = text[start..]
        .char_indices()
        .nth(LENGTH)
        .map_or(text.len(), |(at, _)| start + at);
    if end < text.len()
        && let Some(at) = text[start..end].rfind(char::is_whitespace)
        && at > LENGTH / 2
    {
        end = start + at;
    }
    let part = &text[start..end];
    let place = |byte: usize| text[start..byte].chars().count();
    let mut matches: Vec<(usize, usize)> = Vec::new();
    for (term, _) in found
        .iter()
        .filter(|(term, _)| term.start >= start && term.end <= end)
    {
        let (from, to) = (place(term.start), place(term.end));
        match matches.last_mut() {
            // Pairs of characters overlap.
            Some(last) if from < last.1 => last.1 = last.1.max(to),
            _ => matches.push((from, to)),
        }
    }
    Snippet {
        text: part.to_owned(),
        offset,
        more: end < text.len(),
        matches,
    }
}

/// The match at which the best stretch begins.
fn best<'a>(found: &[(&'a Term, usize)]) -> Option<&'a Term> {
    let mut best: Option<(u32, &Term)> = None;
    for (index, (first, _)) in found.iter().enumerate() {
        // Bytes serve as a measure: only which stretch is taken depends on it.
        let within = found[index..]
            .iter()
            .take_while(|(term, _)| term.end <= first.start + LENGTH - BEFORE);
        let different = within
            .fold(0_u64, |mask, (_, term)| mask | 1 << (term & 63))
            .count_ones();
        if best.is_none_or(|(most, _)| different > most) {
            best = Some((different, first));
        }
    }
    best.map(|(_, term)| term)
}

/// A little before a place, at the beginning of a word.
fn before(text: &str, place: usize) -> usize {
    let Some((start, _)) = text[..place].char_indices().rev().nth(BEFORE - 1) else {
        return 0;
    };
    match text[start..place].find(char::is_whitespace) {
        Some(at) => text[start + at..]
            .char_indices()
            .nth(1)
            .map_or(place, |(next, _)| start + at + next),
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Purpose, terms};

    fn of(text: &str, question: &str) -> Snippet {
        let asked: Vec<String> = terms(question, Purpose::Question)
            .into_iter()
            .map(|t| t.text)
            .collect();
        snippet(text, &terms(text, Purpose::Document), &asked)
    }

    fn marked(snippet: &Snippet) -> Vec<String> {
        let part = |(from, to): &(usize, usize)| snippet.text.chars().skip(*from).take(to - from).collect();
        snippet.matches.iter().map(part).collect()
    }

    #[test]
    fn offsets_name_what_was_found_in_the_text_as_it_was_written() {
        let short = of("Чайные КОРОБКИ и 修复已验证", "чайная 修复");
        assert_eq!(marked(&short), ["Чайные", "修复"]);
        assert_eq!((short.offset, short.more), (0, false));
    }

    #[test]
    fn the_stretch_with_the_most_different_words_is_shown() {
        let text = format!(
            "tea {} green tea box {}",
            "word ".repeat(100),
            "word ".repeat(100)
        );
        let long = of(&text, "green tea");
        assert_eq!(marked(&long), ["green", "tea"]);
        assert!(long.more && long.text.chars().count() <= 200);
        let shown: String = text
            .chars()
            .skip(long.offset)
            .take(long.text.chars().count())
            .collect();
        assert_eq!(shown, long.text);
        assert!(long.text.starts_with("word"), "{}", long.text);
    }
}
