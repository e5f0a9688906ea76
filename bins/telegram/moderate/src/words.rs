//! Profanity: stems at the start of a word, as the script had them, without the harmless words that share them.

use app_core::{ToolError, ToolResult};
use regex::Regex;

/// What stands in place of such a word in a warning.
const REPLACEMENT: &str = "хулиган";

/// Prefixes under which some stems go on meaning the same.
const PREFIXES: &str =
    "(?:вы|въ|до|за|из|ис|на|не|ни|о|об|от|отъ|пере|по|под|подъ|при|про|раз|рас|разъ|с|съ|у)?";

/// Beginnings of harmless words: wise, cloth, plaque, succulent, knotty, chequer.
const HARMLESS: [&str; 14] = [
    "мудр",
    "мудж",
    "сукн",
    "сукон",
    "сукк",
    "сукроват",
    "сукцес",
    "бляха",
    "бляхи",
    "бляхе",
    "бляху",
    "бляхой",
    "бляш",
    "блямб",
];

/// Finds and hides such words.
pub struct Words {
    pattern: Regex,
    extra: Vec<String>,
}

impl Words {
    /// With further words that are not wanted.
    pub fn new(extra: &[String]) -> ToolResult<Self> {
        let pattern = format!(
            "(?i)^(?:{PREFIXES}(?:ху[йёея]|пизд)\\w*|(?:бля|сук|муд|дерьм|жоп|ср[аи]н)\\w*\
             |{PREFIXES}[её]б\\w*(?:ть|ал|ла|ли|ут|ёт|ет)|нах\\w*(?:уй|ер))$"
        );
        Ok(Self {
            pattern: Regex::new(&pattern).map_err(|error| ToolError::internal(error.to_string()))?,
            extra: extra
                .iter()
                .map(|word| word.trim().to_lowercase())
                .filter(|word| !word.is_empty())
                .collect(),
        })
    }

    fn is_one(&self, word: &str) -> bool {
        let lower = word.to_lowercase();
        self.extra.contains(&lower)
            || !HARMLESS.iter().any(|start| lower.starts_with(start)) && self.pattern.is_match(&lower)
    }

    /// Such words of a text, as they are written.
    pub fn find(&self, text: &str) -> Vec<String> {
        split(text)
            .filter(|(is_word, part)| *is_word && self.is_one(part))
            .map(|(_, word)| word.to_owned())
            .collect()
    }

    /// The text without them.
    pub fn hide(&self, text: &str) -> String {
        split(text)
            .map(|(is_word, part)| {
                if is_word && self.is_one(part) {
                    REPLACEMENT
                } else {
                    part
                }
            })
            .collect()
    }
}

/// Words and what stands between them.
fn split(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
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
        let words = Words::new(&["Спойлер".into()]).unwrap();
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
        ] {
            assert!(words.find(harmless).is_empty(), "{harmless}");
        }
        assert_eq!(words.hide("ты сука, мудрый"), "ты хулиган, мудрый");
    }
}
