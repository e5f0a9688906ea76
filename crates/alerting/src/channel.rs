//! The four ways to somebody. Each says for certain whether the text arrived, or that nobody knows.

mod command;
mod email;
mod telegram;
mod webhook;

use app_core::{Context, ToolError, ToolResult, state::Delivery};
use web::{Http, HttpOptions};

use crate::{Alert, Channels, Kind};

/// Sends one text.
pub(crate) async fn send(
    kind: Kind,
    channels: &Channels,
    text: &str,
    alerts: &[&Alert],
    ctx: &Context,
) -> Delivery {
    let sent = match kind {
        Kind::Telegram => telegram::send(channels, text, ctx).await,
        Kind::Webhook => webhook::send(channels, text, alerts, ctx).await,
        Kind::Command => command::send(&channels.command, alerts).await,
        Kind::Email => email::send(&channels.email, text, alerts, ctx).await,
    };
    // What fails before anything is sent (a secret that is not set, a wrong address in the settings) can be mended, and
    // the alert is still worth telling then.
    sent.unwrap_or_else(not_sent)
}

fn not_sent(error: ToolError) -> Delivery {
    Delivery::NotSent(Box::new(error))
}

/// Alert channels are named by the operator and may well be inside.
fn client(ctx: &Context) -> ToolResult<Http> {
    Http::with_options(
        ctx,
        HttpOptions {
            allow_private: true,
            ..HttpOptions::of(ctx)?
        },
    )
}

/// The alerts as programs get them.
fn data(alerts: &[&Alert]) -> Vec<serde_json::Value> {
    alerts.iter().map(|alert| alert.data.clone()).collect()
}
