//! What a server answers, and what it means for a message (RFC 5321, 4.2; RFC 3463).

use std::fmt;

use app_core::{ErrorKind, ToolError};
use lettre::transport::smtp::Error;

/// An answer that is not positive, or the one that took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Three digits.
    pub code: u16,
    /// `5.1.1`, when the server says it.
    pub enhanced: Option<(u8, u16, u16)>,
    /// Its words, on one line, at most 300 characters.
    pub text: String,
}

impl Reply {
    pub(super) fn new(code: u16, text: &str) -> Self {
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            code,
            enhanced: enhanced(&text),
            text: text.chars().take(300).collect(),
        }
    }

    /// Whether the address does not exist, and will not tomorrow (5.1.x). Anything else says nothing about the address.
    pub fn is_hard(&self) -> bool {
        self.code >= 500 && matches!(self.enhanced, Some((5, 1, _)))
    }

    /// Whether it speaks of policy or content, not of the recipient (5.7.x).
    pub fn is_policy(&self) -> bool {
        matches!(self.enhanced, Some((_, 7, _)))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text)
    }
}

/// `5.1.1 text` (RFC 3463, 2).
pub(crate) fn enhanced(text: &str) -> Option<(u8, u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.split('.');
    let class: u8 = numbers.next()?.parse().ok()?;
    let subject: u16 = numbers.next()?.parse().ok()?;
    let detail: u16 = numbers.next()?.parse().ok()?;
    (matches!(class, 2 | 4 | 5) && numbers.next().is_none() && subject < 1000 && detail < 1000)
        .then_some((class, subject, detail))
}

/// At which command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The sender was named.
    Mail,
    /// The recipient was named.
    Rcpt,
    /// The message was announced.
    Data,
    /// The message, with its final dot, was given.
    Dot,
}

/// How giving a message to a server ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took it.
    Sent(Reply),
    /// It will never take it (5xx).
    Refused(Stage, Reply),
    /// It does not take it now (4xx).
    Deferred(Stage, Reply),
    /// The connection ended before it could have it.
    Lost(String),
    /// The connection ended after the final dot was on its way: nobody knows.
    Undecided(String),
    /// Nothing was said to it, since it cannot take this message.
    Unfit(String),
}

impl Outcome {
    /// From a failure of the client library at a stage.
    pub(super) fn of(stage: Stage, error: &Error) -> Self {
        match status(error) {
            Some(reply) if reply.code >= 500 => Self::Refused(stage, reply),
            Some(reply) => Self::Deferred(stage, reply),
            None if stage == Stage::Dot => Self::Undecided(words(error)),
            None => Self::Lost(words(error)),
        }
    }
}

/// The answer in a failure, when there was one.
pub(super) fn status(error: &Error) -> Option<Reply> {
    let code = u16::from(error.status()?);
    let text = std::error::Error::source(error).map(ToString::to_string);
    Some(Reply::new(code, &text.unwrap_or_default()))
}

/// A failure and its causes.
pub(super) fn words(error: &Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_words = next.to_string();
        if !words.contains(&next_words) {
            words.push_str(": ");
            words.push_str(&next_words);
        }
        cause = next.source();
    }
    words
}

/// A failure before any message, as everybody sees it.
pub(super) fn failure(what: &str, error: &Error) -> ToolError {
    let (kind, detail) = match status(error) {
        Some(reply) if reply.code >= 500 => (ErrorKind::ProviderRejected, reply.to_string()),
        Some(reply) => (ErrorKind::ProviderUnavailable, reply.to_string()),
        None if error.is_tls() => (ErrorKind::Network, words(error)),
        None => (ErrorKind::Network, words(error)),
    };
    ToolError::new(kind, format!("{what}: {detail}")).from_source("smtp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bad_addresses_are_hard() {
        let reply = |code, text| Reply::new(code, text);
        assert!(reply(550, "5.1.1 no such user").is_hard());
        assert!(!reply(550, "no such user").is_hard());
        assert!(!reply(550, "5.7.1 blocked").is_hard() && reply(550, "5.7.1 blocked").is_policy());
        assert!(!reply(552, "5.2.2 full").is_hard());
        assert!(!reply(450, "4.1.1 later").is_hard());
        assert_eq!(reply(250, "1.2.3.4 ok").enhanced, None);
        assert_eq!(reply(250, "2.0.0 ok").enhanced, Some((2, 0, 0)));
    }
}
