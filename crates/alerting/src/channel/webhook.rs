//! A POST: `text` as chat services take it, `alerts` for programs.

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Delivery};
use serde_json::json;
use web::HttpMethod;

use super::{client, data, not_sent};
use crate::{Alert, Channels};

pub(super) async fn send(
    channels: &Channels,
    text: &str,
    alerts: &[&Alert],
    ctx: &Context,
) -> ToolResult<Delivery> {
    let url = channels.webhook.as_deref().unwrap_or_default();
    let http = client(ctx)?;
    // The path of such an address is a password, so no error is built from it.
    let request = http
        .request(HttpMethod::POST, url)
        .map_err(|_| ToolError::config("`webhook` is not an http(s) address"))?;
    let sent = request
        .json(&json!({"text": text, "alerts": data(alerts)}))?
        .send()
        .await;
    let response = match sent {
        Ok(response) => response,
        Err(error) if error.never_reached() => {
            return Ok(not_sent(ToolError::new(error.kind, "it cannot be reached")));
        }
        Err(error) => {
            return Ok(Delivery::Undecided(Box::new(ToolError::new(
                error.kind,
                "it did not answer",
            ))));
        }
    };
    if response.is_success() {
        return Ok(Delivery::Sent(String::new()));
    }
    let message = format!("it answered {}", response.status);
    let kind = match response.status {
        408 | 429 => ErrorKind::RateLimited,
        400..=499 => {
            return Ok(Delivery::Refused(Box::new(ToolError::new(
                ErrorKind::ProviderRejected,
                message,
            ))));
        }
        _ => ErrorKind::ProviderUnavailable,
    };
    let mut error = ToolError::new(kind, message);
    if let Some(wait) = response.retry_after() {
        error = error.retry_after(wait);
    }
    Ok(not_sent(error))
}
