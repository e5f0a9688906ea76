//! From a text to the terms it is found by, the same for what is stored and for what is asked.
//!
//! Letters are folded (`fold`), words lose their endings (`stem`). Scripts that are written without blanks (Han, Kana,
//! Hangul, Thai and their neighbours) become characters and pairs of neighbouring characters. An emoji is a term, and so
//! are `c++` and `c#`. A word that turns once from letters to digits or back is two (`iphone15`, `15gb`), one that turns
//! more often is a code and stays whole.

mod fold;
mod stem;

use fold::{Folded, fold, is_mark};
use stem::stem;

/// Number of these rules. A store that was filled by others is filled anew.
pub const VERSION: u32 = 1;

/// Longest term in characters; what is longer is no word and is cut, in texts and in questions alike.
const LONGEST: usize = 64;

/// A term and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What is compared.
    pub text: String,
    /// Place in the order of the text; a pair of characters has the place of its first.
    pub position: u32,
    /// First byte of it in the text.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

/// What the terms are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To be found: characters and pairs.
    Document,
    /// To find: of two or more characters written without blanks only the pairs, which say more.
    Question,
}

/// The terms of a text, in order.
pub fn terms(text: &str, purpose: Purpose) -> Vec<Term> {
    let folded = fold(text);
    let mut terms = Terms {
        found: Vec::new(),
        position: 0,
    };
    let mut at = 0;
    while at < folded.len() {
        let class = class(folded[at].c);
        let mut end = at + 1;
        match class {
            Class::Word | Class::Digit => {
                while end < folded.len() && belongs(folded[end].c) {
                    end += 1;
                }
                end = terms.word(&folded, at, end);
            }
            Class::Unspaced => {
                while end < folded.len()
                    && (self::class(folded[end].c) == Class::Unspaced || is_mark(folded[end].c))
                {
                    end += 1;
                }
                terms.unspaced(&folded[at..end], purpose);
            }
            Class::Emoji => terms.push(folded[at].c.to_string(), folded[at].start, folded[at].end),
            Class::Flag => {
                let pair = folded.get(end).filter(|next| self::class(next.c) == Class::Flag);
                let text: String = [Some(&folded[at]), pair]
                    .into_iter()
                    .flatten()
                    .map(|f| f.c)
                    .collect();
                end += usize::from(pair.is_some());
                terms.push(text, folded[at].start, folded[end - 1].end);
            }
            Class::Between => {}
        }
        at = end;
    }
    terms.found
}

struct Terms {
    found: Vec<Term>,
    position: u32,
}

impl Terms {
    fn push(&mut self, text: String, start: usize, end: usize) {
        let position = self.position;
        self.position += 1;
        self.found.push(Term {
            text,
            position,
            start,
            end,
        });
    }

    /// A run of letters and digits. Answers where it ends, which is later with `c++`.
    fn word(&mut self, all: &[Folded], from: usize, to: usize) -> usize {
        let run = &all[from..to];
        if let ([letter], Some(signs)) = (run, signs(&all[to..])) {
            let end = to + signs.len();
            self.push(format!("{}{signs}", letter.c), letter.start, all[end - 1].end);
            return end;
        }
        let is_digit = |f: &Folded| class(f.c) == Class::Digit;
        let turns: Vec<usize> = (1..run.len())
            .filter(|&i| is_digit(&run[i - 1]) != is_digit(&run[i]))
            .collect();
        match turns[..] {
            [] => self.part(run, true),
            [turn] => {
                self.part(&run[..turn], true);
                self.part(&run[turn..], true);
            }
            _ => self.part(run, false),
        }
        to
    }

    fn part(&mut self, run: &[Folded], stemmed: bool) {
        let ([first, ..], [.., last]) = (run, run) else {
            return;
        };
        let word: String = run.iter().take(LONGEST).map(|f| f.c).collect();
        let word = if stemmed { stem(&word) } else { word };
        self.push(word, first.start, last.end);
    }

    fn unspaced(&mut self, run: &[Folded], purpose: Purpose) {
        for (index, one) in run.iter().enumerate() {
            let position = self.position;
            self.position += 1;
            let mut add = |text: String, end: usize| {
                self.found.push(Term {
                    text,
                    position,
                    start: one.start,
                    end,
                });
            };
            if purpose == Purpose::Document || run.len() == 1 {
                add(one.c.to_string(), one.end);
            }
            if let Some(next) = run.get(index + 1) {
                add([one.c, next.c].iter().collect(), next.end);
            }
        }
    }
}

/// `+`, `++` or `#` directly behind a letter that stands alone, and then no further letter: names of languages.
fn signs(rest: &[Folded]) -> Option<&'static str> {
    let at = |index: usize| rest.get(index).map(|f| f.c);
    let known = match (at(0), at(1)) {
        (Some('+'), Some('+')) => "++",
        (Some('#'), _) => "#",
        _ => return None,
    };
    at(known.len()).is_none_or(|c| !belongs(c)).then_some(known)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Digit,
    Unspaced,
    Emoji,
    Flag,
    Between,
}

/// Whether a character goes on with a word.
fn belongs(c: char) -> bool {
    matches!(class(c), Class::Word | Class::Digit) || is_mark(c) && class(c) != Class::Unspaced
}

fn class(c: char) -> Class {
    if c.is_ascii() {
        return match c {
            'a'..='z' => Class::Word,
            '0'..='9' => Class::Digit,
            _ => Class::Between,
        };
    }
    match u32::from(c) {
        // Thai, Lao, Myanmar, Khmer; Hangul; Kana with its sound marks; Han with its additions.
        0xe00..=0xe7f | 0xe80..=0xeff | 0x1000..=0x109f | 0x1780..=0x17ff
            if c.is_alphabetic() || is_mark(c) =>
        {
            Class::Unspaced
        }
        0x1100..=0x11ff
        | 0x3005..=0x3007
        | 0x3041..=0x309f
        | 0x30a1..=0x30fa
        | 0x30fc..=0x30ff
        | 0x3105..=0x318f
        | 0x31f0..=0x31ff
        | 0x3400..=0x4dbf
        | 0x4e00..=0x9fff
        | 0xac00..=0xd7fb
        | 0xf900..=0xfaff
        | 0x20000..=0x3ffff => Class::Unspaced,
        0x1f1e6..=0x1f1ff => Class::Flag,
        // Skin tones say nothing without what they colour.
        0x1f3fb..=0x1f3ff => Class::Between,
        0x2190..=0x21ff | 0x2300..=0x23ff | 0x25a0..=0x27bf | 0x2b00..=0x2bff | 0x1f000..=0x1faff => {
            Class::Emoji
        }
        _ if c.is_numeric() => Class::Digit,
        _ if c.is_alphabetic() => Class::Word,
        _ => Class::Between,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, purpose: Purpose) -> Vec<String> {
        terms(text, purpose).into_iter().map(|term| term.text).collect()
    }

    #[test]
    fn what_looks_like_syntax_is_only_between_words() {
        let question = |text| words(text, Purpose::Question);
        assert_eq!(question("BENCH-100821"), ["bench", "100821"]);
        assert_eq!(question("C++ c# c+ C+-"), ["c++", "c#", "c", "c"]);
        assert_eq!(question("\"quoted* (NEAR: ^a"), ["quot", "near", "a"]);
        assert_eq!(question("отчёт_март.xlsx"), ["отчет", "март", "xlsx"]);
        assert_eq!(
            question("iPhone15 15GB a9f3c2 b2b"),
            ["iphon", "15", "15", "gb", "a9f3c2", "b2b"]
        );
        assert_eq!(question("* - ' : ."), Vec::<String>::new());
    }

    #[test]
    fn scripts_without_blanks_are_pairs_and_characters() {
        assert_eq!(
            words("重跑x后", Purpose::Document),
            ["重", "重跑", "跑", "x", "后"]
        );
        assert_eq!(words("重跑清", Purpose::Question), ["重跑", "跑清"]);
        assert_eq!(words("雨", Purpose::Question), ["雨"]);
        assert_eq!(words("역사", Purpose::Question), ["역사"]);
        assert_eq!(words("ราคา", Purpose::Question), ["รา", "าค", "คา"]);
    }

    #[test]
    fn emoji_are_words() {
        assert_eq!(
            words("🎄❤\u{fe0f}👍🏽🇩🇪🇫🇷", Purpose::Question),
            ["🎄", "❤", "👍", "🇩🇪", "🇫🇷"]
        );
    }

    #[test]
    fn terms_stand_where_they_were_written() {
        let text = "  Größe: 步2!";
        let spans: Vec<_> = terms(text, Purpose::Document)
            .iter()
            .map(|t| &text[t.start..t.end])
            .collect();
        assert_eq!(spans, ["Größe", "步", "2"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_analysed_and_a_question_finds_its_own_text(text in "\\PC{0,60}") {
            let document: Vec<String> = words(&text, Purpose::Document);
            for term in words(&text, Purpose::Question) {
                proptest::prop_assert!(document.contains(&term), "{term} of {text}");
            }
            for term in terms(&text, Purpose::Document) {
                proptest::prop_assert!(text.get(term.start..term.end).is_some_and(|part| !part.is_empty()));
            }
        }
    }
}
