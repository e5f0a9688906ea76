//! A request that got no answer.

use app_core::contract::ToolError;
use url::Url;

use super::failure;

/// A request that got no answer.
#[derive(Debug)]
pub struct Unanswered {
    /// Whether it left: the far side may have acted on it, and charged for it.
    pub sent: bool,
    /// What happened.
    pub error: ToolError,
}

impl Unanswered {
    /// From a failure of the client, after `followed` redirects. Without a connection nothing was sent.
    pub(super) fn of(url: &Url, error: &reqwest::Error, followed: usize) -> Self {
        Self {
            error: failure::classify(url, error),
            sent: followed > 0 || !error.is_connect(),
        }
    }
}

/// What is refused before anything is sent.
impl From<ToolError> for Unanswered {
    fn from(error: ToolError) -> Self {
        Self { error, sent: false }
    }
}

impl From<Unanswered> for ToolError {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.error
    }
}
