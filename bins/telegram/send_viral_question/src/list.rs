//! Questions, and the YAML list they are written in.

use app_core::{ToolError, ToolResult};
use serde::{Deserialize, Serialize};

/// Where a question stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not ready.
    Draft,
    /// To be sent.
    #[default]
    Active,
    /// It was sent.
    Sent,
    /// Done with.
    Archived,
}

impl Status {
    /// As the database has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Sent => "sent",
            Self::Archived => "archived",
        }
    }

    /// From the database; whatever is unknown is not sent.
    pub fn read(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "sent" => Self::Sent,
            "draft" => Self::Draft,
            _ => Self::Archived,
        }
    }
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Number in the database.
    #[serde(skip)]
    pub id: Option<i64>,
    /// Alias, id, `@username` or link of the chat.
    #[serde(deserialize_with = "name")]
    pub chat: String,
    /// What is posted.
    pub text: String,
    /// Where it stands.
    #[serde(default)]
    pub status: Status,
    /// Higher ones go first.
    #[serde(default)]
    pub priority: i64,
    /// For people.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// An id may be written without quotes.
fn name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Name {
        Number(i64),
        Text(String),
    }
    Ok(match Name::deserialize(deserializer)? {
        Name::Number(id) => id.to_string(),
        Name::Text(text) => text.trim().to_owned(),
    })
}

/// Reads the list.
pub fn read(text: &str) -> ToolResult<Vec<Question>> {
    let mut questions: Vec<Question> = serde_saphyr::from_str(text)
        .map_err(|error| ToolError::invalid("questions", format!("is no list of questions: {error}")))?;
    for (n, question) in questions.iter_mut().enumerate() {
        let wrong = |what: &str| {
            Err(ToolError::invalid(
                format!("questions[{n}]"),
                format!("question {} {what}", n + 1),
            ))
        };
        question.text = question.text.trim().to_owned();
        if question.text.is_empty() {
            return wrong("has no text");
        }
        if question.chat.is_empty() || question.chat == "0" {
            return wrong("names no chat");
        }
    }
    Ok(questions)
}

/// Takes the list into what is stored: a question is the same when chat and text are. What was sent stays sent.
pub fn merge(stored: Vec<Question>, listed: Vec<Question>) -> Vec<Question> {
    let mut merged = stored;
    for question in listed {
        match merged
            .iter_mut()
            .find(|known| known.chat == question.chat && known.text.trim() == question.text)
        {
            Some(known) if known.status == Status::Sent => {}
            Some(known) => {
                known.status = question.status;
                known.priority = question.priority;
                known.tags = question.tags;
            }
            None => merged.push(question),
        }
    }
    merged
}

/// The active ones in the order they go.
pub fn due(questions: &[Question]) -> Vec<Question> {
    let mut due: Vec<Question> = questions
        .iter()
        .filter(|question| question.status == Status::Active)
        .cloned()
        .collect();
    due.sort_by_key(|question| {
        (
            std::cmp::Reverse(question.priority),
            question.id.unwrap_or(i64::MAX),
        )
    });
    due
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_its_mistakes_are_named() {
        let list =
            read("- chat: -100123\n  text: ' hello '\n- {chat: club, text: b, status: draft}\n").unwrap();
        assert_eq!(
            (list[0].chat.as_str(), list[0].text.as_str()),
            ("-100123", "hello")
        );
        assert_eq!(list[1].status, Status::Draft);
        for wrong in [
            "- {chat: 0, text: a}",
            "- {chat: club, text: ' '}",
            "- {chat: '', text: a}",
            "- {chat: club}",
            "- {chat: club, text: a, status: soon}",
            "chat: club",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_was_sent_is_not_made_active_again() {
        let question = |id, status, priority| Question {
            id,
            chat: "club".into(),
            text: format!("question {priority}"),
            status,
            priority,
            tags: Vec::new(),
        };
        let stored = vec![
            question(Some(1), Status::Sent, 1),
            question(Some(2), Status::Active, 2),
        ];
        let listed = vec![
            question(None, Status::Active, 1),
            question(None, Status::Draft, 2),
            question(None, Status::Active, 3),
        ];
        let merged = merge(stored, listed);
        let due: Vec<_> = due(&merged).iter().map(|question| question.priority).collect();
        assert_eq!(due, [3]);
        assert_eq!(merged.len(), 3);
    }
}
