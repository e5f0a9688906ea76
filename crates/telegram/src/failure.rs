//! What a failed request means, in the kinds every tool knows.

use std::time::Duration;

use app_core::{ErrorKind, ToolError};
use grammers_client::InvocationError;
use grammers_client::sender::RpcError;

/// Name of the far side in errors.
const SOURCE: &str = "telegram";

/// Errors of the service that mean the login is gone.
const LOGGED_OUT: [&str; 10] = [
    "AUTH_KEY_UNREGISTERED",
    "AUTH_KEY_INVALID",
    "AUTH_KEY_DUPLICATED",
    "AUTH_KEY_PERM_EMPTY",
    "SESSION_REVOKED",
    "SESSION_EXPIRED",
    "SESSION_PASSWORD_NEEDED",
    "USER_DEACTIVATED",
    "USER_DEACTIVATED_BAN",
    "PHONE_NUMBER_BANNED",
];

/// What the errors of a slow or stumbling service are called. They come with various numbers; the request is good.
const STUMBLES: [&str; 6] = [
    "TIMEOUT",
    "RPC_CALL_FAIL",
    "RPC_MCGET_FAIL",
    "INTERDC_CALL_ERROR",
    "INTERDC_CALL_RICH_ERROR",
    "WORKER_BUSY_TOO_LONG_RETRY",
];

/// Errors of the service that mean something is not there.
const MISSING: [&str; 8] = [
    "USERNAME_NOT_OCCUPIED",
    "USERNAME_INVALID",
    "CHANNEL_INVALID",
    "CHANNEL_PRIVATE",
    "CHAT_ID_INVALID",
    "PEER_ID_INVALID",
    "MESSAGE_ID_INVALID",
    "MSG_ID_INVALID",
];

/// How long the service asks to wait, if it does.
pub(crate) fn wait_asked(error: &InvocationError) -> Option<Duration> {
    match error {
        InvocationError::Rpc(rpc) if rpc.code == 420 => {
            Some(Duration::from_secs(u64::from(rpc.value.unwrap_or(1))))
        }
        _ => None,
    }
}

/// Whether the connection failed rather than the request.
pub(crate) fn is_connection(error: &InvocationError) -> bool {
    match error {
        InvocationError::Rpc(rpc) => stumbles(rpc),
        // A frame cut in the middle reads as a broken one.
        InvocationError::Io(_) | InvocationError::Dropped(_) | InvocationError::Transport(_) => true,
        _ => false,
    }
}

/// Whether the service had a fault of its own, which another try may not meet: 500 and above, also negative (-503 is
/// `Timeout`).
fn stumbles(rpc: &RpcError) -> bool {
    rpc.code.unsigned_abs() >= 500 || STUMBLES.iter().any(|name| name.eq_ignore_ascii_case(&rpc.name))
}

/// Whether the key itself is of no use any more, beside the login behind it.
pub(crate) fn is_dead_key(error: &ToolError) -> bool {
    let name = error
        .context
        .get("telegram_error")
        .and_then(serde_json::Value::as_str);
    matches!(name, Some("AUTH_KEY_DUPLICATED" | "AUTH_KEY_INVALID"))
}

/// Turns a failed request into a [`ToolError`].
pub fn failure(error: &InvocationError) -> ToolError {
    match error {
        InvocationError::Rpc(rpc) => refused(rpc),
        InvocationError::Io(_) | InvocationError::Dropped(_) | InvocationError::Transport(_) => {
            ToolError::new(ErrorKind::Network, "the connection to Telegram failed")
                .from_source(SOURCE)
                .caused_by(error)
        }
        _ => ToolError::new(
            ErrorKind::ProviderRejected,
            "Telegram's answer was not understood",
        )
        .code("telegram_protocol")
        .from_source(SOURCE)
        .caused_by(error),
    }
}

fn refused(rpc: &RpcError) -> ToolError {
    let name = match rpc.value {
        Some(value) => format!("{}_{value}", rpc.name),
        None => rpc.name.clone(),
    };
    let told = |kind: ErrorKind, message: String| {
        ToolError::new(kind, message)
            .from_source(SOURCE)
            .with("telegram_error", name.clone())
    };
    let code = rpc.name.to_lowercase();
    if rpc.code == 420 {
        let wait = Duration::from_secs(u64::from(rpc.value.unwrap_or(1)));
        return told(
            ErrorKind::RateLimited,
            format!("Telegram asks to wait {} s ({name})", wait.as_secs()),
        )
        .code(code)
        .retry_after(wait);
    }
    if LOGGED_OUT.contains(&rpc.name.as_str()) {
        let (message, hint) = logged_out(&rpc.name);
        return told(ErrorKind::Unauthorised, format!("{message} ({name})"))
            .code("session_unauthorised")
            .hint(hint);
    }
    if MISSING.contains(&rpc.name.as_str()) {
        return told(ErrorKind::NotFound, format!("Telegram does not know it ({name})")).code(code);
    }
    if stumbles(rpc) {
        return told(
            ErrorKind::ProviderUnavailable,
            format!("Telegram has a fault of its own ({name})"),
        )
        .code(code);
    }
    told(
        ErrorKind::ProviderRejected,
        format!("Telegram refused the request ({name})"),
    )
    .code(code)
}

/// What a login that is gone means, and what to do.
fn logged_out(name: &str) -> (&'static str, &'static str) {
    match name {
        "AUTH_KEY_DUPLICATED" => (
            "the session is not authorised any more",
            "the same session was used from two addresses at once, so Telegram revoked it; log in again with `init_session --force`",
        ),
        "USER_DEACTIVATED_BAN" | "PHONE_NUMBER_BANNED" => (
            "Telegram banned the account",
            "stop every program that uses it, since trying on makes it worse; an official program shows how to appeal",
        ),
        "USER_DEACTIVATED" => (
            "the account was deleted",
            "log in with another account: `init_session --force`",
        ),
        "SESSION_PASSWORD_NEEDED" => (
            "the login was not finished: the two-step password is missing",
            "log in again with `init_session --force` and give the password",
        ),
        _ => (
            "the session is signed out",
            "log in again with `init_session --force`",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(code: i32, text: &str) -> ToolError {
        failure(&InvocationError::Rpc(RpcError {
            code,
            name: text.to_owned(),
            value: None,
            caused_by: None,
        }))
    }

    #[test]
    fn a_lost_login_says_why_and_a_stumble_may_be_tried_again() {
        for (name, word) in [
            ("AUTH_KEY_DUPLICATED", "two addresses"),
            ("USER_DEACTIVATED_BAN", "makes it worse"),
            ("SESSION_PASSWORD_NEEDED", "password"),
            ("AUTH_KEY_UNREGISTERED", "--force"),
        ] {
            let error = told(401, name);
            assert_eq!(error.kind, ErrorKind::Unauthorised, "{name}");
            assert!(error.message.contains(name), "{error:?}");
            assert!(
                error.hint.as_deref().unwrap_or_default().contains(word),
                "{error:?}"
            );
        }
        for (code, name) in [
            (-503, "Timeout"),
            (400, "TIMEOUT"),
            (500, "ANYTHING"),
            (-500, "No workers running"),
        ] {
            assert!(told(code, name).kind.retryable(), "{name}");
        }
        assert!(!told(400, "CHAT_FORBIDDEN").kind.retryable());
    }
}
