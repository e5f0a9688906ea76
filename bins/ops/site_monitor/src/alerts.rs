//! Alerts: their text, and the ways they are sent.

use std::{process::Stdio, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, contract::RateBucket, process::ChildGroup};
use jiff::Timestamp;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    transport::smtp::authentication::Credentials,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use web::{Http, HttpMethod, HttpOptions};

use crate::{
    config::{Config, Severity},
    hysteresis::Occasion,
    probe::{Cause, Timings},
};

/// One thing to tell.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Alert {
    /// Name or address of the site.
    pub(crate) site: String,
    /// Its address.
    pub(crate) url: String,
    /// Why it is told.
    pub(crate) occasion: Occasion,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The condition, or `reachable`.
    pub(crate) condition: String,
    /// What was seen.
    pub(crate) detail: String,
    /// Which part of the request failed.
    pub(crate) cause: Option<Cause>,
    /// Where the time went.
    pub(crate) timings: Timings,
    /// Since when it has been failing.
    pub(crate) since: Timestamp,
}

impl Alert {
    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let icon = match (self.occasion, self.severity) {
            (Occasion::Resolved, _) => "✅",
            (Occasion::ContentChanged, _) => "📝",
            (_, Severity::Warning) => "⚠️",
            _ => "🚨",
        };
        let words = match self.occasion {
            Occasion::Failing => "fails",
            Occasion::Reminder => "still fails",
            Occasion::Resolved => "works again",
            Occasion::ContentChanged => "has new content",
        };
        let mut line = format!("{icon} {} {words}", self.site);
        if self.occasion != Occasion::ContentChanged {
            line.push_str(&format!(": {}", self.condition));
        }
        if !self.detail.is_empty() && matches!(self.occasion, Occasion::Failing | Occasion::Reminder) {
            line.push_str(&format!(" ({})", self.detail));
        }
        if let Some(cause) = self.cause {
            let stage = serde_json::to_value(cause)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default();
            line.push_str(&format!(" [stage: {}]", stage.replace('_', " ")));
        }
        if matches!(self.occasion, Occasion::Reminder | Occasion::Resolved) {
            line.push_str(&format!(" since {}", self.since.strftime("%Y-%m-%d %H:%M UTC")));
        }
        line
    }
}

/// Sends the alerts over every channel of the configuration. Returns what could not be delivered.
pub(crate) async fn send(alerts: &[Alert], config: &Config, ctx: &Context) -> ToolResult<Vec<String>> {
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    let allowed = within_rate(alerts.len(), config.alerts.max_per_hour, ctx)?;
    let (now, later) = alerts.split_at(allowed);
    let mut lines: Vec<String> = now.iter().map(Alert::line).collect();
    if !later.is_empty() {
        lines.push(format!(
            "... and {} more within the hour (see the log)",
            later.len()
        ));
    }
    let text = lines.join("\n");
    let mut failures = Vec::new();
    let mut note = |channel: &str, result: ToolResult<()>| {
        if let Err(error) = result {
            failures.push(format!("{channel}: {}", error.message));
        }
    };
    let chat = config
        .alerts
        .telegram_chat
        .as_ref()
        .or(config.notify_telegram_chat.as_ref());
    if let Some(chat) = chat {
        note(
            "telegram",
            telegram(&config.alerts.telegram_api, &chat.text(), &text, ctx).await,
        );
    }
    if let Some(url) = &config.alerts.webhook {
        note("webhook", webhook(url, now, &text, ctx).await);
    }
    if !config.alerts.command.is_empty() {
        note("command", command(&config.alerts.command, now).await);
    }
    if !config.alerts.email.is_empty() {
        note("email", email(&config.alerts.email, now, &text, ctx).await);
    }
    Ok(failures)
}

/// How many of `count` alerts fit into the hour, from the bucket all runs on this host share.
fn within_rate(count: usize, per_hour: u32, ctx: &Context) -> ToolResult<usize> {
    let bucket = RateBucket {
        name: "site_monitor:alerts".to_owned(),
        capacity: f64::from(per_hour.max(1)),
        per_second: f64::from(per_hour.max(1)) / 3600.0,
    };
    let mut ledger = ctx.ledger()?;
    for taken in 0..count {
        if ledger.take(&bucket, 1.0, ctx.now())? > Duration::ZERO {
            return Ok(taken);
        }
    }
    Ok(count)
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

async fn telegram(api: &str, chat: &str, text: &str, ctx: &Context) -> ToolResult<()> {
    let token = ctx.secret("TELEGRAM_BOT_TOKEN")?;
    let url = format!("{}/bot{}/sendMessage", api.trim_end_matches('/'), token.reveal());
    let body = json!({"chat_id": chat, "text": text, "disable_web_page_preview": true});
    let sent = client(ctx)?
        .request(HttpMethod::POST, &url)?
        .json(&body)?
        .send()
        .await;
    // The address holds the token: neither it nor an error built from it may be told.
    match sent {
        Ok(response) if response.is_success() => Ok(()),
        Ok(response) => {
            let kind = if response.status == 401 || response.status == 404 {
                ErrorKind::Unauthorised
            } else {
                ErrorKind::ProviderRejected
            };
            Err(ToolError::new(
                kind,
                format!("the Bot API answered {}", response.status),
            ))
        }
        Err(error) => Err(ToolError::new(error.kind, "the Bot API cannot be reached")),
    }
}

async fn webhook(url: &str, alerts: &[Alert], text: &str, ctx: &Context) -> ToolResult<()> {
    let body = json!({"text": text, "alerts": alerts});
    client(ctx)?
        .request(HttpMethod::POST, url)?
        .json(&body)?
        .repeatable()
        .send()
        .await?
        .ok()
        .map(drop)
}

async fn command(line: &[String], alerts: &[Alert]) -> ToolResult<()> {
    let Some((program, args)) = line.split_first() else {
        return Ok(());
    };
    let mut command = tokio::process::Command::new(program);
    command
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut group = ChildGroup::spawn(command)?;
    if let Some(mut pipe) = group.child().stdin.take() {
        let text = serde_json::to_vec(alerts).unwrap_or_default();
        // A program that does not read it is fine.
        let _ = pipe.write_all(&text).await;
    }
    let ended = tokio::time::timeout(Duration::from_secs(30), group.wait()).await;
    match ended {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(ToolError::new(
            ErrorKind::ProviderRejected,
            format!("`{program}` ended with {status}"),
        )),
        Ok(Err(error)) => Err(ToolError::new(ErrorKind::Io, format!("`{program}`: {error}"))),
        Err(_) => Err(ToolError::new(
            ErrorKind::Timeout,
            format!("`{program}` did not end within 30 s"),
        )),
    }
}

async fn email(recipients: &[String], alerts: &[Alert], text: &str, ctx: &Context) -> ToolResult<()> {
    let host = ctx
        .env("SMTP_HOST")
        .ok_or_else(|| ToolError::config("`SMTP_HOST` is not set"))?;
    let user = ctx
        .env("SMTP_USERNAME")
        .ok_or_else(|| ToolError::config("`SMTP_USERNAME` is not set"))?;
    let port: u16 = ctx
        .env("SMTP_PORT")
        .map_or(Ok(587), |text| text.parse())
        .map_err(|_| ToolError::config("`SMTP_PORT` is not a port number"))?;
    let address = |text: &str| {
        text.parse::<lettre::message::Mailbox>()
            .map_err(|_| ToolError::config(format!("`{text}` is not a mail address")))
    };
    let worst = alerts
        .iter()
        .any(|a| a.severity == Severity::Critical && a.occasion != Occasion::Resolved);
    let subject = format!(
        "{} {} site alert(s)",
        if worst { "[down]" } else { "[info]" },
        alerts.len()
    );
    let mut message = Message::builder().from(address(&user)?).subject(subject);
    for recipient in recipients {
        message = message.to(address(recipient)?);
    }
    let message = message
        .body(text.to_owned())
        .map_err(|e| ToolError::internal(format!("mail: {e}")))?;
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let builder = if loopback {
        // Nothing leaves the host, so plain text is fine; a password would still not be sent in the clear.
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
    } else {
        let relay = if port == 465 {
            AsyncSmtpTransport::<Tokio1Executor>::relay(&host)
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host)
        };
        relay
            .map_err(|e| ToolError::config(format!("SMTP: {e}")))?
            .credentials(Credentials::new(
                user,
                ctx.secret("SMTP_PASSWORD")?.reveal().to_owned(),
            ))
    };
    let transport = builder.port(port).timeout(Some(Duration::from_secs(30))).build();
    transport.send(message).await.map(drop).map_err(|e| {
        let kind = if e.is_permanent() {
            ErrorKind::ProviderRejected
        } else {
            ErrorKind::Network
        };
        ToolError::new(kind, format!("the mail server `{host}` did not take the message")).caused_by(&e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_where_why_and_since_when() {
        let alert = Alert {
            site: "Shop".into(),
            url: "https://shop.example".into(),
            occasion: Occasion::Reminder,
            severity: Severity::Critical,
            condition: "reachable".into(),
            detail: "no answer within 10 s".into(),
            cause: Some(Cause::FirstByte),
            timings: Timings::default(),
            since: "2026-01-01T10:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            alert.line(),
            "🚨 Shop still fails: reachable (no answer within 10 s) [stage: first byte] since 2026-01-01 10:00 UTC"
        );
    }
}
