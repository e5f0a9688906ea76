//! Characters as they are compared: compatibility forms (NFKC), one case, `ё` as `е`, and letters of the European
//! alphabets, Hebrew and Arabic without their marks. Each keeps the place in the text that it came from.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use unicode_general_category::{GeneralCategory, get_general_category};

/// A folded character and the bytes of the text it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Folded {
    pub(super) c: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Folds a text. A letter is folded together with the marks that follow it, so every result has an exact place.
pub(super) fn fold(text: &str) -> Vec<Folded> {
    let mut folded = Vec::with_capacity(text.len());
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let mut end = start + c.len_utf8();
        while let Some((at, next)) = chars.peek().copied() {
            if !continues(next) {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        if c.is_ascii() && end == start + 1 {
            let c = c.to_ascii_lowercase();
            folded.push(Folded { c, start, end });
        } else {
            for c in cluster(&text[start..end]) {
                folded.push(Folded { c, start, end });
            }
        }
    }
    folded
}

/// Whether a character belongs to the one before it: a mark, or a Hangul part that composes with it.
fn continues(c: char) -> bool {
    let code = u32::from(c);
    code >= 0x300
        && (is_mark(c)
            || matches!(code, 0x1160..=0x11ff | 0xd7b0..=0xd7fb | 0xff9e..=0xff9f)
            || is_ignored(c))
}

/// Whether a character is a mark in the sense of Unicode (Mn, Mc, Me).
pub(super) fn is_mark(c: char) -> bool {
    c >= '\u{300}'
        && matches!(
            get_general_category(c),
            GeneralCategory::NonspacingMark | GeneralCategory::SpacingMark | GeneralCategory::EnclosingMark
        )
}

/// Characters without a meaning of their own: soft hyphen, joiners, direction, variation selectors.
fn is_ignored(c: char) -> bool {
    matches!(u32::from(c), 0xad | 0x34f | 0x640 | 0x200b..=0x200f | 0x2060..=0x2064 | 0xfe00..=0xfe0f | 0xfeff)
}

/// Marks that a reader of the script leaves out when he types: accents, Hebrew points, Arabic vowels. Those of the Indic
/// and south-east Asian scripts are vowels, and stay.
fn is_dropped_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36f | 0x483..=0x489 | 0x591..=0x5c7 | 0x610..=0x61a | 0x64b..=0x65f
        | 0x670 | 0x6d6..=0x6ed | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe20..=0xfe2f)
}

fn cluster(text: &str) -> Vec<char> {
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(text);
    let mut folded = Vec::with_capacity(2);
    // Upper case first: it spells out what has no lower-case twin (ŉ as ʼN), and unites σ and ς.
    for c in composed
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
    {
        plain(c, &mut folded);
    }
    folded
}

fn plain(c: char, folded: &mut Vec<char>) {
    if is_ignored(c) || is_dropped_mark(c) {
        return;
    }
    let spelled = match c {
        'ё' => "е",
        'ß' => "ss",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'ł' => "l",
        'ħ' => "h",
        'ı' => "i",
        'æ' => "ae",
        'œ' => "oe",
        'þ' => "th",
        // Letters of their own, not variants.
        'й' | 'ї' => "",
        _ => {
            let decomposes =
                matches!(u32::from(c), 0xc0..=0x24f | 0x370..=0x52f | 0x622..=0x626 | 0x1e00..=0x1fff);
            if decomposes {
                let mut buffer = [0; 4];
                let letter = DecomposingNormalizerBorrowed::new_nfd();
                let parts = letter.normalize(c.encode_utf8(&mut buffer));
                folded.extend(parts.chars().filter(|c| !is_dropped_mark(*c)));
                return;
            }
            ""
        }
    };
    if spelled.is_empty() {
        folded.push(c);
    } else {
        folded.extend(spelled.chars());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        fold(text).iter().map(|f| f.c).collect()
    }

    #[test]
    fn letters_are_compared_as_people_type_them() {
        for (text, expected) in [
            ("Straße GRÖẞE", "strasse grosse"),
            ("Пётр МЁД", "петр мед"),
            ("йод, ЇЖАК, и\u{306}од", "йод, їжак, йод"),
            ("ﬁne Ａ１ ½", "fine a1 1⁄2"),
            ("Σίσυφος", "σισυφοσ"),
            ("Łódź Øre naïve", "lodz ore naive"),
            ("הַשָּׁלוֹם", "השלום"),
            ("ｶﾞ が", "ガ が"),
            ("हिन्दी", "हिन्दी"),
            ("co\u{ad}op a\u{200b}b", "coop ab"),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn every_character_knows_its_place() {
        let text = "aё\u{301}ß!";
        for f in fold(text) {
            assert!(text.is_char_boundary(f.start) && text.is_char_boundary(f.end));
        }
        let places: Vec<_> = fold(text).iter().map(|f| &text[f.start..f.end]).collect();
        assert_eq!(places, ["a", "ё\u{301}", "ß", "ß", "!"]);
    }
}
