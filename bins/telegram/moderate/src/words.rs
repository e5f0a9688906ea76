//! Profanity: the stems that the script looked for, with the endings that make such words of them.

use app_core::{ToolError, ToolResult};
use regex::Regex;

use crate::folded::{hides, plain, readings};

/// What stands in place of such a word in a warning.
const REPLACEMENT: &str = "хулиган";

/// Prefixes under which some stems go on meaning the same. `с` is not among them: with it, words about oneself and
/// prime cost would match a stem.
const PREFIXES: &str = "вы|въ|до|за|из|ис|на|не|ни|о|об|от|отъ|пере|по|под|подъ|при|про|раз|рас|разъ|съ|у";

/// Russian stems with the endings they have as such words. An open end would take in surnames, sweeteners, cloth, languages
/// and cities that only begin alike.
const RUSSIAN: [&str; 6] = [
    r"бля+(?:[дт]\w*)?",
    r"сук(?:а+(?:бля\w*)?|и+|е+|у+|ой|ою|ам|ами|ах|ин\w*)",
    r"муд(?:а+к\w*|ач\w*|аш\w*|ил\w*|озвон\w*|о[её]б\w*|ень|ня\w*)",
    r"сран(?:[ьиы]\w*|ая|ое|ого|ому|ой|ою|ую)",
    r"(?:дерьм|жоп)\w*",
    r"нах\w*(?:уй|ер)",
];

/// English words that are not wanted, whole words only: that is what lets Scunthorpe and classics through.
const ENGLISH: &str = "(?:mother)?fuck(?:s|ed|er|ers|ing|in|up|wit|face)?|un?fuck(?:ing)?believable\
    |(?:bull|horse|dip|ape|bat)?shit(?:s|ty|tier|ting|ted|head|heads|hole|holes|show|storm|faced)?\
    |bitch(?:es|y|ing|ed)?|sonofabitch|cunt(?:s|y)?|(?:ass|arse)(?:hole|holes|wipe|hat|hats)|dickheads?|cocksuck(?:er|ers|ing)\
    |bastards?|whores?|slut(?:s|ty)?|wank(?:er|ers|ing)?|twats?|fag(?:got|gots)|nigg(?:er|ers|a|as)|retard(?:s|ed)?";

/// Words that are harmless behind one of these: "на суку" is on a branch.
const BEHIND: [(&str, &[&str]); 1] = [("суку", &["на", "в", "об", "о", "при"])];

/// Finds and hides such words.
pub struct Words {
    pattern: Regex,
    extra: Vec<String>,
}

impl Words {
    /// With further words that are not wanted.
    pub fn new(extra: &[String]) -> ToolResult<Self> {
        let russian = RUSSIAN.join("|");
        let pattern = format!(
            "^(?:{ENGLISH}|{russian}|(?:{PREFIXES}|с)?(?:ху[йёея]|пизд)\\w*\
             |(?:{PREFIXES})?[её]б\\w*(?:ть|ал|ла|ли|ут|ёт|ет))$"
        );
        Ok(Self {
            pattern: Regex::new(&pattern).map_err(|error| ToolError::internal(error.to_string()))?,
            extra: extra
                .iter()
                .map(|word| plain(word.trim()))
                .filter(|word| !word.is_empty())
                .collect(),
        })
    }

    /// Whether a word is one of them, `before` being the word before it.
    fn is_one(&self, word: &str, before: &str) -> bool {
        let before = before.to_lowercase();
        let harmless = |read: &str| {
            BEHIND
                .iter()
                .any(|(one, behind)| read == *one && behind.contains(&before.as_str()))
        };
        readings(word)
            .iter()
            .any(|read| self.extra.contains(read) || (self.pattern.is_match(read) && !harmless(read)))
    }

    /// The parts of a text, each with whether it is such a word. Letters that stand alone with blanks between them are
    /// one word.
    fn judged<'t>(&self, text: &'t str) -> Vec<(bool, &'t str)> {
        let mut judged = Vec::new();
        let mut before = "";
        let parts = joined(text);
        for (is_word, part) in parts {
            judged.push((
                is_word && self.is_one(&part.split_whitespace().collect::<String>(), before),
                part,
            ));
            if is_word {
                before = part;
            }
        }
        judged
    }

    /// Such words of a text, as they are written.
    pub fn find(&self, text: &str) -> Vec<String> {
        let judged = self.judged(text).into_iter();
        judged
            .filter(|(bad, _)| *bad)
            .map(|(_, word)| word.to_owned())
            .collect()
    }

    /// The text without them.
    pub fn hide(&self, text: &str) -> String {
        let judged = self.judged(text).into_iter();
        judged
            .map(|(bad, part)| if bad { REPLACEMENT } else { part })
            .collect()
    }
}

/// Fewest single letters in a row that count as one word written apart: fewer are initials and words of one letter.
const APART: usize = 3;

/// Words and what stands between them; a row of single letters with one blank between each is one word.
fn joined(text: &str) -> Vec<(bool, &str)> {
    let parts: Vec<(usize, bool, &str)> = split(text)
        .scan(0, |at, (is_word, part)| {
            let begin = *at;
            *at += part.len();
            Some((begin, is_word, part))
        })
        .collect();
    let single = |n: usize| {
        parts
            .get(n)
            .is_some_and(|(_, is_word, part)| *is_word && part.chars().filter(|c| !hides(*c)).count() == 1)
    };
    let mut joined = Vec::with_capacity(parts.len());
    let mut n = 0;
    while let Some((begin, is_word, part)) = parts.get(n).copied() {
        let mut last = n;
        while single(last) && single(last + 2) && parts[last + 1].2 == " " {
            last += 2;
        }
        if last >= n + 2 * (APART - 1) {
            let end = parts[last].0 + parts[last].2.len();
            joined.push((true, &text[begin..end]));
            n = last + 1;
        } else {
            joined.push((is_word, part));
            n += 1;
        }
    }
    joined
}

/// Words and what stands between them.
pub fn split(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '_' | '@' | '$') || hides(c);
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.chars().next().map(is_letter)?;
        let end = rest.find(|c| is_letter(c) != word).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        rest = after;
        Some((word, part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stems_are_found_and_harmless_words_are_not() {
        let words = Words::new(&["Спойлер".into(), "Naïveté".into()]).unwrap();
        for found in [
            "блять",
            "СУКА",
            "мудак",
            "дерьмо",
            "жопа",
            "срань",
            "нахер",
            "нахуй",
            "охуел",
            "ебать",
            "заебал",
            "спойлер",
            "naïveté",
            "cyка",
            "с\u{200b}у\u{200b}к\u{200b}а",
            "с у к а",
            "су\u{301}ка",
            "сук4",
            "fuck",
            "Bullshit",
            "sh1t",
            "ѕhit",
            "ｆｕｃｋ",
            "𝐟𝐮𝐜𝐤",
            "ⓕⓤⓒⓚ",
            "хуи\u{306}",
            "сукааа",
            "сукины",
            "мудачьё",
            "мудила",
            "сраные",
            "бляди",
            "спиздил",
            "съебал",
        ] {
            assert_eq!(words.find(&format!("ну {found}!")), [found], "{found}");
        }
        for harmless in [
            "мудрый",
            "сукно",
            "Бляха",
            "бляшка",
            "суккулент",
            "хлеб",
            "небо",
            "употреблять",
            "рубля",
            "страна",
            "нахимовец",
            "себя",
            "учеба",
            "хутор",
            "сырник",
            "корабля",
            "гребёт",
            "дебет",
            "дерево на суку",
            "сломал суком ветку",
            "о бляхах и мудрости",
            "Scunthorpe",
            "shiitake",
            "classic assessment",
            "a b c",
            "и в а н",
            "cocktail",
            "Dickens",
            "Сринагар",
            "себестоимость",
            "себялюбивость",
            "Сукачёв",
            "сукралоза",
            "Сукарно",
            "сукцинат",
            "сукияки",
            "сранан-тонго",
            "муджахид",
            "мудехар",
            "мудра",
            "½ кг",
        ] {
            assert!(words.find(harmless).is_empty(), "{harmless}");
        }
        assert_eq!(words.hide("ты сука, мудрый"), "ты хулиган, мудрый");
    }
}
