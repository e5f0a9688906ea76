//! Words as they are meant: without what hides them from a search - letters of another alphabet that look the same,
//! styled letters, marks above letters, characters without width, digits in place of letters, blanks between all letters.
//!
//! Look-alikes are those of Unicode's confusables (UTS #39) between Cyrillic, Latin and Greek that occur in the words
//! looked for.

use std::ops::RangeInclusive;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

use crate::words::split;

/// Cyrillic letter, and what passes for it.
const CYRILLIC: [(char, &str); 25] = [
    ('а', "aα@"),
    ('б', "6"),
    ('в', "bβ"),
    ('г', "r"),
    ('д', "d"),
    ('е', "eε"),
    ('з', "3"),
    ('и', "ui"),
    ('к', "kκ"),
    ('л', "l"),
    ('м', "mμ"),
    ('н', "hη"),
    ('о', "oο0"),
    ('п', "nπ"),
    ('р', "pρ"),
    ('с', "cϲ$"),
    ('т', "tτ"),
    ('у', "yγ"),
    ('х', "xχ"),
    ('ч', "4"),
    ('ш', "w"),
    ('ы', ""),
    ('ь', ""),
    ('э', ""),
    ('я', ""),
];

/// Latin letter, and what passes for it.
const LATIN: [(char, &str); 21] = [
    ('a', "аα@4"),
    ('b', "вβ8"),
    ('c', "сϲ("),
    ('d', "ԁ"),
    ('e', "еε3"),
    ('g', "9"),
    ('h', "нһ"),
    ('i', "і1!ι|"),
    ('k', "кκ"),
    ('l', "1ӏ"),
    ('m', "м"),
    ('n', "пη"),
    ('o', "оο0"),
    ('p', "рρ"),
    ('r', "г"),
    ('s', "ѕ5$"),
    ('t', "т7τ"),
    ('u', "υц"),
    ('v', "ν"),
    ('x', "хχ"),
    ('y', "уγ"),
];

/// Whether a character has no width or only changes another: it hides a word and says nothing itself.
pub fn hides(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}')
}

/// An alphabet: its letters, and what passes for some of them.
type Alphabet = (RangeInclusive<char>, &'static [(char, &'static str)]);

const ALPHABETS: [Alphabet; 2] = [('а'..='я', &CYRILLIC), ('a'..='z', &LATIN)];

fn letter_of(c: char, (own, alike): &Alphabet) -> Option<char> {
    if own.contains(&c) || (c == 'ё' && own.contains(&'а')) {
        return Some(c);
    }
    let found = alike.iter().find(|(_, alike)| alike.contains(c));
    found.map(|(letter, _)| *letter)
}

/// A plain word read in one alphabet, where all its characters can pass for letters of it. A number is a number.
fn read(plain: &str, alphabet: &Alphabet) -> Option<String> {
    plain
        .chars()
        .any(char::is_alphabetic)
        .then(|| plain.chars().map(|c| letter_of(c, alphabet)).collect())
        .flatten()
}

/// The letter in a filled circle or square, which Unicode does not count as a form of the letter.
fn unboxed(c: char) -> char {
    let first = match c {
        '\u{1f150}'..='\u{1f169}' => 0x1f150,
        '\u{1f170}'..='\u{1f189}' => 0x1f170,
        _ => return c,
    };
    char::from(b'a' + (c as u32 - first) as u8)
}

/// A text in plain small letters: full-width, mathematical and enclosed letters, and letters with marks, as the letters
/// they are forms of; without characters that hide. Of the marks only those that make another letter of the Russian
/// alphabet stay: ё and й.
pub fn plain(text: &str) -> String {
    let composed: String = text.chars().map(unboxed).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc()
        .normalize(&composed)
        .to_lowercase();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd();
    let mut plain = String::with_capacity(composed.len());
    let mut buffer = [0; 4];
    for c in composed.chars() {
        if matches!(c, 'ё' | 'й') {
            plain.push(c);
        } else {
            let letters = decomposed.normalize(c.encode_utf8(&mut buffer));
            plain.extend(letters.chars().filter(|c| !hides(*c)));
        }
    }
    plain
}

/// The readings of a word: as it stands, and as a word of each alphabet that all its characters can pass for. Lower case.
pub fn readings(word: &str) -> Vec<String> {
    let bare = plain(word);
    let mut readings: Vec<String> = ALPHABETS
        .iter()
        .filter_map(|alphabet| read(&bare, alphabet))
        .filter(|read| *read != bare)
        .collect();
    // In a Russian word, 4 stands for the letter it looks like and as often for the first of the alphabet.
    if bare.contains('4') {
        readings.extend(read(&bare.replace('4', "а"), &ALPHABETS[0]));
    }
    readings.insert(0, bare);
    readings
}

/// The readings of a whole text, plain: as it stands, and with every word that can be read in an alphabet read so.
pub fn texts(text: &str) -> Vec<String> {
    let plain = plain(text);
    let in_alphabet = |alphabet| {
        split(&plain)
            .map(|(_, part)| read(part, alphabet).unwrap_or_else(|| part.to_owned()))
            .collect()
    };
    let mut texts: Vec<String> = ALPHABETS.iter().map(in_alphabet).collect();
    texts.insert(0, plain.clone());
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_a_word_is_seen_through() {
        for (word, meant) in [
            ("cyка", "сука"),
            ("с\u{200b}у\u{200b}к\u{200b}а", "сука"),
            ("су\u{301}ка", "сука"),
            ("сук4", "сука"),
            ("xyй", "хуй"),
            ("ѕhіt", "shit"),
            ("fuсk", "fuck"),
            ("sh1t", "shit"),
            ("МУДАК", "мудак"),
            ("ｆｕｃｋ", "fuck"),
            ("𝐟𝐮𝐜𝐤", "fuck"),
            ("ⓕⓤⓒⓚ", "fuck"),
            ("🅕🆄🅒🅺", "fuck"),
            ("fúçḱ", "fuck"),
            ("хуи\u{306}", "хуй"),
            ("ху\u{200b}и\u{306}", "хуй"),
        ] {
            assert!(
                readings(word).iter().any(|read| read == meant),
                "{word}: {:?}",
                readings(word)
            );
        }
        assert_eq!(readings("1945"), ["1945"]);
        assert_eq!(readings("привет"), ["привет"]);
    }
}
