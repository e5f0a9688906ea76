//! What tools that act on many messages share: reading message numbers, previews, undo lists, and the account of what
//! was done.

use app_core::{Context, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::export::markup;
use crate::model::{MarkedId, Message};
use crate::peers::Chat;

/// A message that a user named: its number, and the chat if it was a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Number.
    pub id: i32,
    /// What stands before it in a link.
    pub place: Option<Place>,
}

/// The chat of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `t.me/name/5`.
    Username(String),
    /// `t.me/c/1002/5`.
    Channel(MarkedId),
}

/// Reads a message number or link; `None` for anything else.
pub fn token(text: &str) -> Option<Token> {
    let text = text.trim();
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits
            .then(|| text.parse::<i32>().ok())
            .flatten()
            .filter(|id| *id > 0)
    };
    if let Some(id) = number(text) {
        return Some(Token { id, place: None });
    }
    let path = text.split('?').next().unwrap_or_default();
    let path = path.strip_suffix('/').unwrap_or(path);
    let (before, last) = path.rsplit_once('/')?;
    let id = number(last)?;
    let before = before
        .trim_start_matches("https://")
        .trim_start_matches("http://");
    let mut parts = before.split('/').filter(|part| !part.is_empty());
    let place = match (parts.next(), parts.next(), parts.next()) {
        (Some("t.me" | "telegram.me"), Some("c"), Some(channel)) => channel
            .parse()
            .ok()
            .map(|bare| Place::Channel(MarkedId::channel(bare))),
        (Some("t.me" | "telegram.me"), Some(name), _) => Some(Place::Username(name.to_owned())),
        _ => None,
    };
    Some(Token { id, place })
}

/// Reads many: words separated by commas or blanks. What is no message is warned about and left out; a second mention
/// counts once, in the place of the first.
pub fn tokens<'a>(ctx: &Context, words: impl IntoIterator<Item = &'a str>) -> Vec<Token> {
    let mut found: Vec<Token> = Vec::new();
    for word in words
        .into_iter()
        .flat_map(|text| text.split([',', ' ', '\n', '\r', '\t']))
        .filter(|word| !word.is_empty())
    {
        match token(word) {
            Some(token) if found.iter().any(|known| known.id == token.id) => {}
            Some(token) => found.push(token),
            None => ctx.warn(format!("`{word}` is no message number or link and is left out")),
        }
    }
    found
}

/// Makes sure that no link leads to another chat.
///
/// # Errors
/// `invalid_input` naming the link's chat.
pub fn check_places(tokens: &[Token], chat: &Chat) -> ToolResult<()> {
    for token in tokens {
        let (same, named) = match &token.place {
            None => continue,
            Some(Place::Channel(id)) => (*id == chat.id(), id.to_string()),
            Some(Place::Username(name)) => {
                let own = chat
                    .peer
                    .username
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name));
                (own, format!("@{name}"))
            }
        };
        if !same {
            return Err(ToolError::invalid(
                "ids",
                format!(
                    "the link to message {} leads to {named}, not to `{}`",
                    token.id,
                    chat.title()
                ),
            )
            .code("link_to_another_chat"));
        }
    }
    Ok(())
}

/// The beginning of a message on one line.
pub fn preview(message: &Message, characters: usize, more: &str) -> String {
    let text = markup::markdown(&message.text, &message.entities).replace('\n', " ");
    shorten(text.trim(), characters, more)
}

/// Cuts by characters.
pub fn shorten(text: &str, characters: usize, more: &str) -> String {
    let mut letters = text.chars();
    let mut short: String = letters.by_ref().take(characters).collect();
    if letters.next().is_some() {
        short.push_str(more);
    }
    short
}

/// What became of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It would be acted on.
    Planned,
    /// It was acted on.
    Done,
    /// Nothing was to do: it was done before.
    Already,
    /// It was left alone, because something changed since the plan.
    Spared,
    /// It failed.
    Failed,
    /// The run ended before its turn; a rerun goes on there.
    Left,
}

/// One message of a bulk run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Item {
    /// Number of the message.
    pub id: i32,
    /// Its beginning, for people.
    pub preview: String,
    /// What became of it.
    pub state: State,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its chat, for the plan.
    #[serde(skip)]
    pub chat: MarkedId,
}

/// Why an item failed, short.
pub fn reason(error: &ToolError) -> String {
    let named = error.context.get("telegram_error").and_then(|name| name.as_str());
    named.map_or_else(|| error.message.clone(), str::to_owned)
}

impl crate::many::Item for Item {
    fn state(&self) -> State {
        self.state
    }
    fn outcome(&mut self) -> (&mut State, &mut Option<String>) {
        (&mut self.state, &mut self.error)
    }
    fn target(&self) -> String {
        crate::many::message_target(self.chat, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_links_are_read_as_the_contract_says() {
        let id = |text: &str| token(text).map(|token| token.id);
        for (text, expected) in [
            ("123", Some(123)),
            (" 123 ", Some(123)),
            ("https://t.me/chan/12345?single", Some(12345)),
            ("https://t.me/c/123/999", Some(999)),
            ("https://t.me/c/123/999/", Some(999)),
            ("https://t.me/c/1/2/3", Some(3)),
            ("t.me/x/9?comment=10", Some(9)),
            ("https://t.me/c/1/2#frag", None),
            ("/7", Some(7)),
            ("-5", None),
            ("12a", None),
            ("abc", None),
            ("", None),
            ("0", None),
            ("٣", None),
            ("007", Some(7)),
        ] {
            assert_eq!(id(text), expected, "{text}");
        }
        assert_eq!(
            token("https://t.me/c/123/999").unwrap().place,
            Some(Place::Channel(MarkedId(-1_000_000_000_123)))
        );
        assert_eq!(
            token("t.me/club/9").unwrap().place,
            Some(Place::Username("club".into()))
        );
    }

    #[test]
    fn previews_are_cut_by_characters() {
        assert_eq!(shorten("приветствие", 6, "…"), "привет…");
        assert_eq!(shorten("привет", 6, "…"), "привет");
    }
}
