//! A chat of a Telegram bot, over the Bot API.

use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Delivery, text::visible_line};
use serde::Deserialize;
use serde_json::json;
use web::{HttpMethod, Response};

use super::{client, not_sent};
use crate::{Channels, text::units};

/// Length to which a text is cut that the service refuses, in UTF-16 units.
const SHORT: usize = 1000;

#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    description: String,
    result: Option<Sent>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Sent {
    message_id: i64,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u64>,
}

pub(super) async fn send(channels: &Channels, text: &str, ctx: &Context) -> ToolResult<Delivery> {
    let delivery = once(channels, text, ctx).await?;
    if matches!(delivery, Delivery::Refused(_)) && units(text) > SHORT {
        let mut short: String = text.chars().take(SHORT / 2).collect();
        short.push('…');
        return once(channels, &short, ctx).await;
    }
    Ok(delivery)
}

async fn once(channels: &Channels, text: &str, ctx: &Context) -> ToolResult<Delivery> {
    let token = ctx.secret("TELEGRAM_BOT_TOKEN")?;
    let chat = channels.telegram_chat.as_ref().map(ToString::to_string);
    let url = format!(
        "{}/bot{}/sendMessage",
        channels.telegram_api.trim_end_matches('/'),
        token.reveal()
    );
    let body = json!({"chat_id": chat, "text": text, "disable_web_page_preview": true});
    // The address holds the token: neither it nor an error built from it may be told.
    let hidden = |error: ToolError| {
        let message = if error.never_reached() {
            "the Bot API cannot be reached"
        } else {
            "the Bot API did not answer"
        };
        ToolError::new(error.kind, message).code(error.code)
    };
    let http = client(ctx)?;
    let request = http
        .request(HttpMethod::POST, &url)
        .map_err(|_| ToolError::config("`telegram_api` is not the base address of a Bot API"))?;
    Ok(match request.json(&body)?.send().await {
        Ok(response) => judge(&response),
        Err(error) if error.never_reached() => not_sent(hidden(error)),
        Err(error) => Delivery::Undecided(Box::new(hidden(error))),
    })
}

fn judge(response: &Response) -> Delivery {
    let answer: Answer = response.json().unwrap_or_default();
    if response.is_success() {
        let receipt = answer.result.map(|sent| sent.message_id.to_string());
        return Delivery::Sent(receipt.unwrap_or_default());
    }
    let mut message = format!("the Bot API answered {}", response.status);
    let words: String = answer.description.chars().take(200).collect();
    if !words.is_empty() {
        message.push_str(&format!(": {}", visible_line(&words)));
    }
    let kind = match response.status {
        // A wrong token, or one that somebody is just changing.
        401 | 404 => ErrorKind::Unauthorised,
        400..=428 => {
            return Delivery::Refused(Box::new(ToolError::new(ErrorKind::ProviderRejected, message)));
        }
        429 => ErrorKind::RateLimited,
        _ => ErrorKind::ProviderUnavailable,
    };
    let mut error = ToolError::new(kind, message);
    let asked = answer
        .parameters
        .and_then(|p| p.retry_after)
        .map(Duration::from_secs);
    if let Some(wait) = asked.or_else(|| response.retry_after()) {
        error = error.retry_after(wait);
    }
    not_sent(error)
}
