//! Which emoji fits a text, and which reaction Telegram has for it.

use telegram::acting::plain_emoji;

/// First rule whose word stands in the lower-cased text.
const RULES: [(&[&str], &str); 10] = [
    (&["спасибо", "благодар"], "🙏"),
    (&["люблю", "❤", "любовь"], "❤"),
    (&["смешно", "ржу", "😂", "🤣"], "😂"),
    (&["круто", "класс", "супер", "офигенн"], "🔥"),
    (&["красив", "прекрасн", "восхит"], "😍"),
    (&["грустно", "печаль", "жаль"], "😢"),
    (&["ужас", "шок", "офигеть"], "😱"),
    (&["поздравля", "день рожден", "праздник"], "🎉"),
    (&["вопрос", "?"], "🤔"),
    (&["еда", "вкусн", "готов", "рецепт"], "😋"),
];

/// For every other text, by its length in bytes.
const OTHERWISE: [&str; 5] = ["👍", "❤", "🔥", "👏", "😊"];

/// Emoji that are no reaction of Telegram's, and the nearest that is.
const NEAREST: [(&str, &str); 3] = [("😂", "🤣"), ("😋", "🤩"), ("😊", "🥰")];

/// The reaction that fits a text.
pub fn for_text(text: &str) -> String {
    let lower = text.to_lowercase();
    let chosen = RULES
        .iter()
        .find(|(words, _)| words.iter().any(|word| lower.contains(word)))
        .map_or(OTHERWISE[text.len() % OTHERWISE.len()], |(_, emoji)| emoji);
    reaction(chosen)
}

/// An emoji as Telegram has it for a reaction.
pub fn reaction(emoji: &str) -> String {
    let plain = plain_emoji(emoji);
    NEAREST
        .iter()
        .find(|(other, _)| *other == plain)
        .map_or(plain, |(_, nearest)| (*nearest).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        for (text, expected) in [
            ("Большое СПАСИБО, люблю", "🙏"),
            ("любовь", "❤"),
            ("ну и смешно", "🤣"),
            ("Круто!", "🔥"),
            ("красиво", "😍"),
            ("как жаль", "😢"),
            ("офигеть", "😱"),
            ("офигенно", "🔥"),
            ("с праздником", "🎉"),
            ("what?", "🤔"),
            ("новый рецепт", "🤩"),
            ("", "👍"),
            ("a", "❤"),
            ("я", "🔥"),
            ("abc", "👏"),
            ("abcd", "🥰"),
        ] {
            assert_eq!(for_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_given_emoji_loses_its_selector_and_finds_the_nearest_reaction() {
        assert_eq!(reaction("❤️"), "❤");
        assert_eq!(reaction("😂"), "🤣");
        assert_eq!(reaction("👍"), "👍");
    }
}
