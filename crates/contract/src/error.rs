//! The one error type of the contract.

mod kind;

use std::{error::Error as StdError, fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::schema::Mistake;

pub use kind::ErrorKind;

/// Result of a tool or provider.
pub type ToolResult<T> = Result<T, ToolError>;

/// One wrong field of an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FieldMistake {
    /// JSON path of the field, for example `frames[2].delay`; empty for the whole input.
    pub path: String,
    /// What is wrong with it, as a fragment: `must be at most 100, not 1000`.
    pub message: String,
}

/// Code of a failure before the far side was reached.
const CANNOT_CONNECT: &str = "cannot_connect";

/// A failure as every face shows it.
///
/// `message` is a lower-case fragment with names in backticks; `hint` is the next step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ToolError {
    /// Stable snake_case code; the kind's name unless the tool gave a finer one.
    pub code: String,
    /// Class of the failure.
    pub kind: ErrorKind,
    /// What went wrong, as a lower-case fragment.
    pub message: String,
    /// What the user can do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Whether a retry may succeed.
    pub retryable: bool,
    /// Earliest sensible retry, in milliseconds from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// JSON paths of the input fields that are to blame, for example `frames[2].delay`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub field_paths: Vec<String>,
    /// What is wrong with each of them, so that a form can say it beside the field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldMistake>,
    /// Which far side or part failed: `input`, `file`, `http`, `ledger`, `telegram`, ...
    pub source: String,
    /// Trace id of the run; filled by the harness.
    #[serde(default)]
    pub trace_id: String,
    /// Further facts for machines.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// Messages of the underlying errors, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What was achieved before the failure; only with kind `partial` or `cancelled`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Box<Value>>,
}

impl ToolError {
    /// An error of `kind` with a message; the code is the kind's name.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            code: kind.as_str().to_owned(),
            kind,
            message: message.into(),
            hint: None,
            retryable: kind.retryable(),
            retry_after_ms: None,
            field_paths: Vec::new(),
            fields: Vec::new(),
            source: "tool".to_owned(),
            trace_id: String::new(),
            context: Map::new(),
            causes: Vec::new(),
            output: None,
        }
    }

    /// Wrong input in one named field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
            .field(field)
            .from_source("input")
    }

    /// Wrong input in the fields named, each with what is wrong there. The message names the first eight.
    pub fn invalid_fields(mistakes: Vec<Mistake>) -> Self {
        const SHOWN: usize = 8;
        let mut message = String::new();
        for (path, problem) in mistakes.iter().take(SHOWN) {
            if !message.is_empty() {
                message.push_str("; ");
            }
            message.push_str(&if path.is_empty() {
                format!("the input {problem}")
            } else {
                format!("`{path}` {problem}")
            });
        }
        if mistakes.len() > SHOWN {
            message.push_str(&format!("; and {} more", mistakes.len() - SHOWN));
        }
        let mut error = Self::new(ErrorKind::InvalidInput, message).from_source("input");
        for (path, message) in mistakes {
            error.field_paths.push(path.clone());
            error.fields.push(FieldMistake { path, message });
        }
        error
    }

    /// A missing file, resource or entry.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    /// A missing or wrong setting.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message).from_source("config")
    }

    /// A bug; the message says which invariant did not hold.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The run was cancelled.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Some items failed; `output` (what was done, and which failed) is printed all the same.
    pub fn partial(message: impl Into<String>, output: &impl Serialize) -> Self {
        Self::new(ErrorKind::Partial, message).with_output(output)
    }

    /// A file system failure at `path`, classed by the cause.
    pub fn file(action: &str, path: &std::path::Path, cause: &std::io::Error) -> Self {
        let kind = match cause.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::AlreadyExists => ErrorKind::Conflict,
            _ => ErrorKind::Io,
        };
        let text = io_text(cause);
        Self::new(kind, format!("cannot {action} `{}`: {text}", path.display())).from_source("file")
    }

    /// The far side was never reached, so nothing of the request can have been done. Providers make it of every failure
    /// before the first byte; an outbox sends again after it.
    pub fn cannot_connect(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Network, message).code(CANNOT_CONNECT)
    }

    /// Whether this is a [`ToolError::cannot_connect`].
    pub fn never_reached(&self) -> bool {
        self.code == CANNOT_CONNECT
    }

    /// Sets the stable code.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = code.into();
        self
    }

    /// Sets the next step for the user.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a field path.
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.field_paths.push(path.into());
        self
    }

    /// Adds mistakes, each at its field. Paths go into `field_paths` too.
    pub fn mistakes(mut self, mistakes: impl IntoIterator<Item = (String, String)>) -> Self {
        for (path, message) in mistakes {
            self.field_paths.push(path.clone());
            self.fields.push(FieldMistake { path, message });
        }
        self
    }

    /// Names the far side or part that failed.
    pub fn from_source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Sets the earliest sensible retry.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Adds a fact for machines.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// Attaches what was achieved before the failure.
    pub fn with_output(mut self, output: &impl Serialize) -> Self {
        self.output = serde_json::to_value(output).ok().map(Box::new);
        self
    }

    /// Adds the chain of causes below this error.
    pub fn caused_by(mut self, cause: &(dyn StdError + 'static)) -> Self {
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            if self.causes.last() != Some(&text) && !self.message.contains(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }
}

/// Short text of an I/O error, without the `(os error N)` tail.
fn io_text(cause: &std::io::Error) -> String {
    match cause.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        std::io::ErrorKind::NotADirectory => "a part of the path is not a directory".to_owned(),
        std::io::ErrorKind::StorageFull => "no space left on the device".to_owned(),
        std::io::ErrorKind::AlreadyExists => "exists already".to_owned(),
        _ => {
            let text = cause.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ToolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_documented_exit_codes_and_names() {
        for kind in ErrorKind::ALL {
            let wire = serde_json::to_value(kind).unwrap();
            assert_eq!(wire, kind.as_str());
        }
        assert_eq!(ErrorKind::InvalidInput.exit_code(), 2);
        assert_eq!(ErrorKind::Config.exit_code(), 78);
        assert!(ErrorKind::Locked.retryable());
        assert!(!ErrorKind::BudgetExceeded.retryable());
    }

    #[test]
    fn a_full_disk_is_named_without_the_error_number() {
        let cause = std::io::Error::from_raw_os_error(28);
        let error = ToolError::file("write", std::path::Path::new("a.gif"), &cause);
        assert_eq!(error.message, "cannot write `a.gif`: no space left on the device");
        assert_eq!(error.kind, ErrorKind::Io);
    }
}
