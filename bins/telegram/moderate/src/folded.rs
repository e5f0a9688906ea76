//! Words as they are meant: without what hides them from a search - letters of another alphabet that look the same,
//! marks above letters, characters without width, digits in place of letters, blanks between all letters.
//!
//! Look-alikes are those of Unicode's confusables (UTS #39) between Cyrillic, Latin and Greek that occur in the words
//! looked for.

/// Cyrillic letter, and what passes for it.
const CYRILLIC: [(char, &str); 25] = [
    ('а', "aαáàâä@"),
    ('б', "6"),
    ('в', "bβ"),
    ('г', "r"),
    ('д', "d"),
    ('е', "eεёéèëê"),
    ('з', "3"),
    ('и', "uiíй"),
    ('к', "kκ"),
    ('л', "l"),
    ('м', "mμ"),
    ('н', "hη"),
    ('о', "oο0óòö"),
    ('п', "nπ"),
    ('р', "pρ"),
    ('с', "cϲ$"),
    ('т', "tτ"),
    ('у', "yγúü"),
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

fn letter_of(c: char, table: &[(char, &str)], own: std::ops::RangeInclusive<char>) -> Option<char> {
    if own.contains(&c) || (c == 'ё' && own.contains(&'а')) {
        return Some(c);
    }
    table
        .iter()
        .find(|(_, alike)| alike.contains(c))
        .map(|(letter, _)| *letter)
}

/// The readings of a word: as it stands, and as a word of each alphabet that all its characters can pass for. Lower case.
pub fn readings(word: &str) -> Vec<String> {
    let bare: String = word.to_lowercase().chars().filter(|c| !hides(*c)).collect();
    let mut readings = vec![bare.clone()];
    // A number is a number.
    if !bare.chars().any(char::is_alphabetic) {
        return readings;
    }
    for (table, own) in [(&CYRILLIC[..], 'а'..='я'), (&LATIN[..], 'a'..='z')] {
        let read: Option<String> = bare.chars().map(|c| letter_of(c, table, own.clone())).collect();
        readings.extend(read.filter(|read| *read != bare));
    }
    // In a word of the one alphabet, 4 stands for its first letter as often as for the one it looks like.
    if bare.contains('4') {
        let read: Option<String> = bare
            .chars()
            .map(|c| {
                if c == '4' {
                    Some('а')
                } else {
                    letter_of(c, &CYRILLIC, 'а'..='я')
                }
            })
            .collect();
        readings.extend(read);
    }
    readings
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
