//! Spam points of a text.

use app_core::{ToolError, ToolResult};
use regex::Regex;

use crate::folded::texts;

/// Each counts 30.
const SPAM: [&str; 19] = [
    r"(?:регистрац\w*|register|sign\s?up)\W+(?:на|on|at)\W+(?:бирж\w*|\w*exchange)",
    r"реферальн\w+|referral program",
    r"бонус\w*\W+(?:до|up to)\W*\d+|bonus\W+up to\W*\d+",
    r"\b(?:bybit|binance|okx|mexc)\b",
    r"\d+\s?usdt\b",
    r"крипто\W?(?:бирж|кошел|заработ)\w*|crypto (?:exchange|wallet|earn)\w*",
    r"пассивн\w+ доход\w*|passive income",
    r"сетев\w+ маркетинг\w*|network marketing|\bmlm\b",
    r"финансов\w+ пирамид\w*|pyramid scheme",
    r"(?:заработ\w*|earn)\W+(?:от|до|from|up to)\W*[$₽€]?\d+",
    r"бесплатн\w+ деньг\w*|free money",
    r"л[её]гк\w+ (?:заработ\w*|деньг\w*)|easy (?:money|earning\w*)",
    r"интим\W?услуг\w*|adult services",
    r"\bэскорт\w*|\bescort\b",
    r"t\.me/\S*(?:\?start=|/referral)",
    r"подпи(?:шись|шитесь|сывай\w*) на (?:наш |мой )?канал|subscribe to (?:our |my )?channel",
    r"(?:присоединяй\w*|вступай\w*) (?:к нам|в (?:нашу )?групп\w*)|join (?:us|our group)\b",
    r"(?:переходи\w*|жми\w*|кликай\w*) по ссылк\w*|click the link",
    r"срочно!|только сегодня|today only|\bпромо\w*\W+\d+\s?%|promo\W+\d+\s?%",
];

/// Each counts 15.
const LINKS: [&str; 6] = [
    r"bit\.ly/",
    r"tinyurl\.com/",
    r"goo\.gl/",
    r"shorturl\.at/",
    r"clck\.ru/",
    r"\.(?:xyz|top|club|work|click|link|online|site|website)/",
];

/// Judges texts.
pub struct Judge {
    spam: Vec<Regex>,
    links: Vec<Regex>,
}

impl Judge {
    /// Ready to judge.
    pub fn new() -> ToolResult<Self> {
        let all = |patterns: &[&str]| -> ToolResult<Vec<Regex>> {
            patterns
                .iter()
                .map(|pattern| {
                    Regex::new(&format!("(?i){pattern}"))
                        .map_err(|error| ToolError::internal(error.to_string()))
                })
                .collect()
        };
        Ok(Self {
            spam: all(&SPAM)?,
            links: all(&LINKS)?,
        })
    }

    /// Points from 0 to 100.
    pub fn points(&self, text: &str) -> u32 {
        let texts = texts(text);
        let hits = |patterns: &[Regex]| {
            let hit = |pattern: &&Regex| texts.iter().any(|text| pattern.is_match(text));
            patterns.iter().filter(hit).count() as u32
        };
        let lower = text.to_lowercase();
        let mut points = hits(&self.spam) * 30 + hits(&self.links) * 15;
        let emoji = text
            .chars()
            .filter(|c| ('\u{1f300}'..='\u{1faff}').contains(c))
            .count();
        if emoji > 5 {
            points += 10;
        }
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        let capitals = text.chars().filter(|c| c.is_uppercase()).count();
        if text.len() > 20 && capitals * 2 > letters {
            points += 15;
        }
        if lower.matches("http").count() > 2 {
            points += 20;
        }
        if ["$", "₽", "руб", "usd"].iter().any(|sign| lower.contains(sign)) {
            points += 10;
        }
        points.min(100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_add_up_to_a_hundred_at_most() {
        let judge = Judge::new().unwrap();
        assert_eq!(judge.points("Доброе утро, идём на реку?"), 0);
        assert_eq!(judge.points("пассивный доход"), 30);
        assert_eq!(judge.points("пaccивный дoxoд"), 30, "in letters of two alphabets");
        assert_eq!(judge.points("пас\u{200b}сивный до\u{ad}ход"), 30);
        assert_eq!(judge.points("𝐩𝐚𝐬𝐬𝐢𝐯𝐞 раѕѕіvе income passive іnсоmе"), 30);
        assert_eq!(judge.points("https://bit.ly/x"), 15);
        assert_eq!(judge.points("100 USDT"), 40);
        assert_eq!(judge.points("ВСЕМ ДОБРОЕ УТРО, ДРУЗЬЯ"), 15);
        assert_eq!(
            judge.points("Binance: бонус до 500 usdt, пассивный доход, t.me/x?start=1"),
            100
        );
    }
}
