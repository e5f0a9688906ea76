//! What a model is asked, and what it answered.

use app_core::Usd;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who said a turn of the conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one who asks.
    User,
    /// The model, earlier.
    Assistant,
}

/// One turn of the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: String,
}

/// One question to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What it is for, as the ledger and the plan name it.
    pub purpose: String,
    /// The instructions; never other people's text.
    pub system: String,
    /// The conversation, oldest first; the last turn is the question.
    pub turns: Vec<Turn>,
    /// Most tokens of the answer, thinking included.
    pub max_output: u32,
    /// How freely words are chosen, 0 to 2; the model's own default without it.
    pub temperature: Option<f64>,
    /// JSON Schema that the answer is to fit. Set by [`Llm::complete_as`](crate::Llm::complete_as).
    pub schema: Option<Value>,
    /// Hash of the prompt that the instructions were made from; part of the key of a kept answer.
    pub prompt_hash: String,
    /// Whom or what the call is about, so that its answers can be forgotten by it.
    pub subject: String,
    /// Whether the answer may be kept and used again. Not for dialogues.
    pub keep: bool,
}

impl Call {
    /// A question for `purpose` with an answer of at most `max_output` tokens.
    pub fn new(purpose: impl Into<String>, max_output: u32) -> Self {
        Self {
            purpose: purpose.into(),
            system: String::new(),
            turns: Vec::new(),
            max_output,
            temperature: None,
            schema: None,
            prompt_hash: String::new(),
            subject: String::new(),
            keep: true,
        }
    }

    /// Sets the instructions.
    pub fn system(mut self, text: impl Into<String>) -> Self {
        self.system = text.into();
        self
    }

    /// Adds a turn of the one who asks.
    pub fn user(mut self, text: impl Into<String>) -> Self {
        self.turns.push(Turn {
            role: Role::User,
            text: text.into(),
        });
        self
    }

    /// Adds an earlier turn of the model.
    pub fn assistant(mut self, text: impl Into<String>) -> Self {
        self.turns.push(Turn {
            role: Role::Assistant,
            text: text.into(),
        });
        self
    }

    /// Sets how freely words are chosen.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.temperature = Some(temperature);
        self
    }

    /// Says what the call is about.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Takes instructions, limits and hash from a prompt.
    pub fn prompt(mut self, prompt: &crate::prompts::Prompt) -> Self {
        self.system.clone_from(&prompt.text);
        self.prompt_hash.clone_from(&prompt.hash);
        self.max_output = prompt.max_output.unwrap_or(self.max_output);
        self.temperature = prompt.temperature.or(self.temperature);
        self
    }

    /// Never keeps the answer.
    pub fn never_kept(mut self) -> Self {
        self.keep = false;
        self
    }
}

/// Tokens that a call took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Usage {
    /// Of the prompt, all of them.
    pub input: u64,
    /// Of those, found in the provider's cache.
    pub cached: u64,
    /// Of the answer, thinking included.
    pub output: u64,
    /// Whether these are guesses: the provider did not say.
    #[serde(default)]
    pub estimated: bool,
}

/// How an answer ended. Only `finished` is a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// The model had said what it wanted to say.
    Finished,
    /// The answer is cut: it had reached the limit of tokens, or the window was full.
    Length,
    /// The model would not answer.
    Refused,
    /// A filter of the provider withheld the answer or the question.
    Filtered,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What was said.
    pub text: String,
    /// What it took.
    pub usage: Usage,
    /// How it ended.
    pub stop: Stop,
    /// Whether it was kept from an earlier run; then it cost nothing.
    pub cached: bool,
    /// What it cost.
    pub cost: Usd,
}

/// A part of a streamed answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// More text.
    Text(String),
    /// The whole answer, at its end.
    End(Box<Reply>),
}
