//! What a failed request means, in the kinds every tool knows.

use std::time::Duration;

use app_core::{ErrorKind, ToolError};
use grammers_client::InvocationError;
use grammers_client::sender::RpcError;

/// Name of the far side in errors.
const SOURCE: &str = "telegram";

/// Errors of the service that mean the login is gone.
const LOGGED_OUT: [&str; 7] = [
    "AUTH_KEY_UNREGISTERED",
    "AUTH_KEY_INVALID",
    "AUTH_KEY_DUPLICATED",
    "AUTH_KEY_PERM_EMPTY",
    "SESSION_REVOKED",
    "SESSION_EXPIRED",
    "USER_DEACTIVATED",
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
        InvocationError::Rpc(rpc) => rpc.code == 500 || rpc.name == "RPC_CALL_FAIL" || rpc.name == "TIMEOUT",
        // A frame cut in the middle reads as a broken one.
        InvocationError::Io(_) | InvocationError::Dropped(_) | InvocationError::Transport(_) => true,
        _ => false,
    }
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
        let hint = if rpc.name == "AUTH_KEY_DUPLICATED" {
            "the same session was used from two addresses at once, so Telegram revoked it; log in again with `init_session --force`"
        } else {
            "log in again with `init_session --force`"
        };
        return told(
            ErrorKind::Unauthorised,
            format!("the session is not authorised ({name})"),
        )
        .code("session_unauthorised")
        .hint(hint);
    }
    if MISSING.contains(&rpc.name.as_str()) {
        return told(ErrorKind::NotFound, format!("Telegram does not know it ({name})")).code(code);
    }
    if rpc.code == 500 {
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
