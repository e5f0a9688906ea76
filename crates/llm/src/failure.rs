//! What a server says when it fails, and what that means here.

use std::time::Duration;

use app_core::{ErrorKind, ToolError, text::visible_line};
use serde_json::Value;

use crate::{model::Model, wire::Trouble};

/// Longest part of a vendor's message that is shown, in characters.
const SHOWN: usize = 300;

/// Longest silence that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// An error object of any dialect.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct VendorError {
    /// Status that it names itself, or that its type stands for.
    pub(crate) status: Option<u16>,
    /// Type and code, lower case, for example `rate_limit_exceeded`.
    pub(crate) words: String,
    pub(crate) message: String,
    /// The field that is to blame.
    pub(crate) param: String,
    pub(crate) wait: Option<Duration>,
}

impl VendorError {
    /// Reads an error from a document; whatever is not there stays empty.
    pub(crate) fn read(document: &Value) -> Self {
        // Gemini wraps it in a list where it was to send one.
        let document = document.get(0).unwrap_or(document);
        let error = document.get("error").unwrap_or(document);
        if let Some(message) = error.as_str() {
            return Self {
                message: message.to_owned(),
                ..Self::default()
            };
        }
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        let code = &error["code"];
        let words = format!("{} {} {}", text("type"), text("code"), text("status")).to_lowercase();
        let details = error.get("details").and_then(Value::as_array);
        let details = details.map(Vec::as_slice).unwrap_or_default();
        let daily = details
            .iter()
            .flat_map(|detail| detail["violations"].as_array().into_iter().flatten())
            .any(|violation| {
                violation["quotaId"]
                    .as_str()
                    .is_some_and(|id| id.contains("PerDay"))
            });
        let status = code.as_u64().and_then(|code| u16::try_from(code).ok());
        Self {
            status: status
                .filter(|status| (400..600).contains(status))
                .or_else(|| status_of(&words)),
            words: if daily {
                format!("{words} insufficient_quota")
            } else {
                words
            },
            message: text("message").to_owned(),
            param: text("param").to_owned(),
            wait: details
                .iter()
                .find_map(|detail| detail["retryDelay"].as_str())
                .and_then(|text| seconds(text.strip_suffix('s').unwrap_or(text))),
        }
    }

    /// Whether it speaks of a field.
    pub(crate) fn names(&self, field: &str) -> bool {
        self.param.contains(field) || self.message.contains(field)
    }

    /// Whether it speaks of the way in which JSON was asked for.
    pub(crate) fn names_format(&self) -> bool {
        let text = format!("{} {}", self.param, self.message).to_lowercase();
        [
            "response_format",
            "json_schema",
            "json_object",
            "schema",
            "output_config",
            "response_mime",
            "responsemime",
            "json mode",
        ]
        .iter()
        .any(|word| text.contains(word))
            || (self.param.is_empty() && text.trim().is_empty())
    }
}

fn status_of(words: &str) -> Option<u16> {
    let has = |word: &str| words.contains(word);
    Some(match () {
        () if has("overloaded") => 529,
        () if has("rate_limit") || has("resource_exhausted") => 429,
        () if has("authentication") => 401,
        () if has("permission") => 403,
        () if has("not_found") => 404,
        () if has("timeout") || has("deadline_exceeded") => 504,
        () if has("invalid_request") || has("invalid_argument") => 400,
        () if has("server_error") || has("api_error") || has("unavailable") || has("internal") => 500,
        () => return None,
    })
}

/// A failure of a call, with what may be done about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: ToolError,
    pub(crate) vendor: VendorError,
    pub(crate) status: u16,
    /// Whether the same call may be sent again.
    pub(crate) repeat: bool,
    /// Whether it is certain that nothing was charged.
    pub(crate) free: bool,
}

/// A refusal by status, with the error object of its body and the wait of its headers.
pub(crate) fn refusal(model: &Model, status: u16, vendor: VendorError, wait: Option<Duration>) -> Refusal {
    let host = model.host();
    let empty = [
        "insufficient_quota",
        "billing",
        "exceeded your current quota",
        "credit balance",
    ]
    .iter()
    .any(|word| vendor.words.contains(word) || vendor.message.contains(word));
    let (kind, what) = match status {
        // Anthropic says so with 400.
        400 | 403 | 429 if empty => (ErrorKind::BudgetExceeded, "has no quota left for this key"),
        401 | 403 => (ErrorKind::Unauthorised, "does not accept the key"),
        402 => (ErrorKind::BudgetExceeded, "has no money left for this key"),
        429 => (ErrorKind::RateLimited, "asks to come back later"),
        408 | 504 => (ErrorKind::Timeout, "did not answer in time"),
        529 => (ErrorKind::ProviderUnavailable, "is overloaded"),
        500..=599 => (ErrorKind::ProviderUnavailable, "is broken at the moment"),
        _ => (ErrorKind::ProviderRejected, "refuses the call"),
    };
    // What a server says of a key may repeat it.
    let said = if matches!(status, 401 | 403) || model.names_key(&vendor.message) {
        String::new()
    } else {
        shown(&vendor.message)
    };
    let colon = if said.is_empty() { "" } else { ": " };
    let mut error = ToolError::new(kind, format!("`{host}` {what} ({status}){colon}{said}"))
        .code(match status {
            400 | 403 | 429 if empty => "insufficient_quota".to_owned(),
            _ => format!("model_http_{status}"),
        })
        .from_source("llm")
        .with("status", status)
        .with("model", model.name.clone());
    if let Some(wait) = vendor.wait.or(wait) {
        error = error.retry_after(wait.min(LONGEST_WAIT));
    }
    if kind == ErrorKind::Unauthorised
        && let Some(variable) = model.dialect.key_variables().first()
    {
        error = error.hint(format!(
            "look at `{variable}`, or at `llm.key_variable` in onejob.toml"
        ));
    }
    Refusal {
        repeat: (status == 429 && !empty) || matches!(status, 500..=503 | 505..=599),
        // A gateway that gave up waiting says nothing of what stands behind it.
        free: status != 504,
        error,
        vendor,
        status,
    }
}

/// Trouble within an answer that had begun well.
pub(crate) fn within(model: &Model, trouble: Trouble) -> ToolError {
    match trouble {
        Trouble::Vendor(vendor) => {
            let status = vendor.status.unwrap_or(500);
            refusal(model, status, vendor, None)
                .error
                .with("within_answer", true)
        }
        Trouble::Unreadable(place) => ToolError::new(
            ErrorKind::ProviderRejected,
            format!(
                "`{}` answers with what its dialect does not know ({place})",
                model.host()
            ),
        )
        .code("unexpected_body")
        .from_source("llm"),
    }
}

/// The wait that headers ask for, in seconds or milliseconds.
pub(crate) fn wait(header: impl Fn(&str) -> Option<String>) -> Option<Duration> {
    let milliseconds = header("retry-after-ms")
        .and_then(|text| seconds(&text))
        .map(|wait| wait / 1000);
    let wait = milliseconds.or_else(|| header("retry-after").and_then(|text| seconds(&text)));
    wait.map(|wait| wait.min(LONGEST_WAIT))
}

fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    Duration::try_from_secs_f64(number.min(1e9)).ok()
}

fn shown(message: &str) -> String {
    let line = visible_line(message.trim()).into_owned();
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_of_all_dialects_are_read() {
        let openai = VendorError::read(
            &json!({"error": {"message": "Unsupported parameter", "type": "invalid_request_error", "param": "max_tokens", "code": "unsupported_parameter"}}),
        );
        assert!(openai.names("max_tokens") && openai.status == Some(400));
        let anthropic = VendorError::read(
            &json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
        );
        assert_eq!(anthropic.status, Some(529));
        let gemini = VendorError::read(
            &json!([{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"}]}}]),
        );
        assert_eq!(
            (gemini.status, gemini.wait),
            (Some(429), Some(Duration::from_millis(34_500)))
        );
        let daily = VendorError::read(
            &json!({"error": {"code": 429, "details": [{"violations": [{"quotaId": "RequestsPerDayPerProject"}]}]}}),
        );
        assert!(daily.words.contains("insufficient_quota"));
        assert_eq!(
            VendorError::read(&json!({"error": "model not found"})).message,
            "model not found"
        );
        assert_eq!(VendorError::read(&json!("x")).message, "x");
    }

    #[test]
    fn waits_are_read_in_seconds_and_milliseconds() {
        let asked =
            |name: &'static str, value: &'static str| wait(move |n| (n == name).then(|| value.to_owned()));
        assert_eq!(asked("retry-after", "2"), Some(Duration::from_secs(2)));
        assert_eq!(asked("retry-after", "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after", "-1"), None);
        assert_eq!(asked("retry-after", "1e300"), Some(LONGEST_WAIT));
    }
}
