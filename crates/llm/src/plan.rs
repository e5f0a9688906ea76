//! What a run will ask and what that may cost, before anything is asked.

use std::fmt;

use app_core::{Usd, text::visible_line};
use schemars::JsonSchema;
use serde::Serialize;

use crate::privacy::Privacy;

/// What is probable, and what it cannot pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Range<T> {
    /// Probable.
    pub estimate: T,
    /// Upper bound: what is set aside.
    pub bound: T,
}

/// The plan of a run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Plan {
    /// Who is asked.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Where.
    pub host: String,
    /// What of people's names and numbers leaves.
    pub privacy: Privacy,
    /// Calls in all.
    pub calls: u64,
    /// Of those, answered from what was kept.
    pub kept: u64,
    /// Tokens of the prompts that are sent.
    pub input_tokens: Range<u64>,
    /// Tokens of the answers.
    pub output_tokens: Range<u64>,
    /// Dollars. The bound has room for one repair of each answer that must fit a schema.
    pub usd: Range<Usd>,
    /// Most dollars this run may come to; no limit without it.
    pub max_usd: Option<Usd>,
}

impl Plan {
    /// Whether the run may start.
    pub fn fits(&self) -> bool {
        self.max_usd.is_none_or(|max| self.usd.bound <= max)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            kept,
            input_tokens,
            output_tokens,
            usd,
            ..
        } = self;
        write!(
            f,
            "{} at {}: {calls} {} ({kept} kept from before), about {} tokens in and {} out, about {} and at most {}",
            visible_line(&self.model),
            visible_line(&self.host),
            if *calls == 1 { "call" } else { "calls" },
            input_tokens.estimate,
            output_tokens.estimate,
            usd.estimate,
            usd.bound,
        )?;
        if let Some(max) = self.max_usd {
            write!(f, " (limit {max})")?;
        }
        write!(f, "; {}", self.privacy)
    }
}
