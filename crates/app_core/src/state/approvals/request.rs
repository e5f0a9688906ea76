//! A request to people, and what they said to it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::state::principal::Principal;

/// A question to people.
#[derive(Clone, Copy, Debug)]
pub struct NewRequest<'a> {
    /// What it is about, the same each time it is asked: `campaign:RUN/STEP`, `plan:j12`, `mail:LIST/EDITION`.
    pub subject: &'a str,
    /// The question as people see it.
    pub question: &'a str,
    /// SHA-256 of everything that is shown for it, lower-case hex, in order. At least one.
    pub shown: &'a [String],
    /// How many different people must agree, 1 to 9.
    pub needed: u32,
    /// Who asks, for the record: `campaign:c7`. It is no principal, and does not count as one.
    pub by: &'a str,
}

/// What somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approve,
    /// No; one is enough to end the request.
    Reject,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Not enough people have agreed, and none has refused.
    Waiting,
    /// As many different people as needed have agreed.
    Approved,
    /// Somebody has refused.
    Rejected,
    /// Asked anew with something else shown, or taken back.
    Withdrawn,
}

impl RequestState {
    /// Whether what was asked for may be done.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved)
    }
}

/// A decision of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub principal: Principal,
    /// What.
    pub decision: Decision,
    /// Why, in words; may be empty.
    pub comment: String,
}

/// A request with all that was said to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Name of the request: `a` and a number.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// The question.
    pub question: String,
    /// Hashes of what is shown.
    pub shown: Vec<String>,
    /// How many different people must agree.
    pub needed: u32,
    /// Who asks.
    pub by: String,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// When it was approved, rejected or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// In the order in which they were given.
    pub decisions: Vec<Decided>,
}
