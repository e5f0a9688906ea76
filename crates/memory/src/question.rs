//! What is looked for.
//!
//! A question is plain words: nothing in it is syntax, whatever signs it has. Only [`Question::with_syntax`] knows
//! `"a phrase"`, `-without` and `field:word`.

use std::collections::HashMap;

use app_core::{ToolError, ToolResult};
use serde_json::{Map, Value};

use crate::{
    analysis::{Purpose, terms},
    document::text_of,
};

/// Terms of a question that count; a whole page pasted as a question is looked for by its first ones.
pub const MOST_TERMS: usize = 64;

/// A question, analysed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    terms: Vec<String>,
    /// The terms as they were written.
    written: Vec<String>,
    checks: Vec<Check>,
    left_out: usize,
}

/// Something a document must have, or must not.
#[derive(Clone, Debug, PartialEq)]
struct Check {
    /// Field of the document; all of it without one.
    field: Option<String>,
    /// Terms that follow each other, with their distance from the first.
    sequence: Vec<(String, u32)>,
    wanted: bool,
}

impl Question {
    /// A question in words. Fails when it has none.
    pub fn words(text: &str) -> ToolResult<Self> {
        let mut question = Self::default();
        question.add(text);
        question.checked()
    }

    /// A question in which `"..."` is a phrase that must occur as it is, `-` before a word or phrase excludes it, and
    /// `field:` before one asks for it in that field of the document.
    ///
    /// Fails when a phrase does not end, and when nothing is asked for.
    pub fn with_syntax(text: &str) -> ToolResult<Self> {
        let mut question = Self::default();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (part, behind) = Part::read(rest)?;
            rest = behind.trim_start();
            let sequence = sequence(part.text);
            if sequence.is_empty() {
                continue;
            }
            if !part.excluded {
                question.add(part.text);
            }
            if part.excluded || part.phrase || part.field.is_some() {
                question.checks.push(Check {
                    field: part.field.map(str::to_owned),
                    sequence,
                    wanted: !part.excluded,
                });
            }
        }
        question.checked()
    }

    /// The terms it is looked for by, in order, each once.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// The same as they were written.
    pub fn written(&self) -> &[String] {
        &self.written
    }

    /// How many terms behind the first [`MOST_TERMS`] were left out.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Whether documents must be read to know whether they are meant.
    pub(crate) fn has_checks(&self) -> bool {
        !self.checks.is_empty()
    }

    /// Whether a document has what it must have, and nothing it must not.
    pub(crate) fn allows(&self, document: &Map<String, Value>) -> bool {
        self.checks.iter().all(|check| check.holds(document))
    }

    fn add(&mut self, text: &str) {
        for term in terms(text, Purpose::Question) {
            if self.terms.contains(&term.text) {
                continue;
            }
            if self.terms.len() < MOST_TERMS {
                self.terms.push(term.text);
                self.written.push(text[term.start..term.end].to_owned());
            } else {
                self.left_out += 1;
            }
        }
    }

    fn checked(self) -> ToolResult<Self> {
        if self.terms.is_empty() {
            return Err(
                ToolError::invalid("query", "the question has no word to look for")
                    .code("no_words")
                    .hint("ask with at least one word, number or emoji"),
            );
        }
        Ok(self)
    }
}

fn sequence(text: &str) -> Vec<(String, u32)> {
    let terms = terms(text, Purpose::Question);
    let first = terms.first().map_or(0, |term| term.position);
    terms
        .into_iter()
        .map(|term| (term.text, term.position - first))
        .collect()
}

impl Check {
    fn holds(&self, document: &Map<String, Value>) -> bool {
        let text = match &self.field {
            None => text_of(document),
            Some(field) => match document.get(field) {
                Some(value) => text_of(&Map::from_iter([(String::new(), value.clone())])),
                None => return !self.wanted,
            },
        };
        self.occurs(&text) == self.wanted
    }

    fn occurs(&self, text: &str) -> bool {
        let mut places: HashMap<String, Vec<u32>> = HashMap::new();
        for term in terms(text, Purpose::Document) {
            places.entry(term.text).or_default().push(term.position);
        }
        let Some((first, behind)) = self.sequence.split_first() else {
            return false;
        };
        let at = |term: &str, position: u32| {
            places
                .get(term)
                .is_some_and(|all| all.binary_search(&position).is_ok())
        };
        let starts = places.get(&first.0).map(Vec::as_slice).unwrap_or_default();
        starts
            .iter()
            .any(|start| behind.iter().all(|(term, distance)| at(term, start + distance)))
    }
}

/// A word or phrase of a question with syntax.
struct Part<'a> {
    excluded: bool,
    field: Option<&'a str>,
    phrase: bool,
    text: &'a str,
}

impl<'a> Part<'a> {
    /// The first part of a text that begins with no blank, and what is behind it.
    fn read(text: &'a str) -> ToolResult<(Self, &'a str)> {
        let blank = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
        let (excluded, rest) = match text.strip_prefix('-') {
            Some(rest) if !blank(rest) => (true, rest),
            _ => (false, text),
        };
        let name = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (field, rest) = match rest[name..].strip_prefix(':') {
            Some(value) if name > 0 && !blank(value) => (Some(&rest[..name]), value),
            _ => (None, rest),
        };
        let (phrase, text, behind) = match rest.strip_prefix('"') {
            Some(inside) => {
                let (text, behind) = inside.split_once('"').ok_or_else(|| {
                    ToolError::invalid("query", "a phrase begins with `\"` and does not end")
                        .hint("close it, or leave out --syntax to ask in plain words")
                })?;
                (true, text, behind)
            }
            None => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (false, &rest[..end], &rest[end..])
            }
        };
        Ok((
            Self {
                excluded,
                field,
                phrase,
                text,
            },
            behind,
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn allows(question: &str, document: &Value) -> bool {
        Question::with_syntax(question)
            .unwrap()
            .allows(document.as_object().unwrap())
    }

    #[test]
    fn syntax_is_only_known_where_it_is_asked_for() {
        let question = Question::words("-tea \"green NEAR title:x *").unwrap();
        assert_eq!(question.terms(), ["tea", "green", "near", "titl", "x"]);
        assert!(!question.has_checks());
        assert_eq!(Question::words("* - ...").unwrap_err().code, "no_words");
        assert_eq!(Question::with_syntax("-tea").unwrap_err().code, "no_words");
        assert_eq!(
            Question::with_syntax("tea \"green").unwrap_err().field_paths,
            ["query"]
        );
    }

    #[test]
    fn phrases_exclusions_and_fields_hold_for_the_document() {
        let tea = json!({"title": "Green teas", "text": "a box of black tea, 修复验证 done", "n": 7});
        for yes in [
            "\"box of black\"",
            "title:green",
            "title:\"green tea\"",
            "tea -coffee",
            "\"修复验证\"",
            "tea -\"green box\"",
            "n:7",
            "- tea",
        ] {
            assert!(allows(yes, &tea), "{yes}");
        }
        for no in [
            "\"black box\"",
            "text:green",
            "other:tea",
            "tea -black",
            "\"复修\"",
            "tea -title:green",
            "box -\"of black tea\"",
        ] {
            assert!(!allows(no, &tea), "{no}");
        }
    }

    #[test]
    fn a_page_as_a_question_is_cut_and_says_so() {
        let page = (0..100)
            .map(|n| format!("word{n}x"))
            .collect::<Vec<_>>()
            .join(" ");
        let question = Question::words(&page).unwrap();
        assert_eq!((question.terms().len(), question.left_out()), (64, 36));
    }
}
