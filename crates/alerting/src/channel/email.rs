//! A letter over SMTP.

use std::{net::IpAddr, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Delivery};
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor, message::Mailbox,
    transport::smtp::authentication::Credentials,
};

use super::not_sent;
use crate::{Alert, Occasion, Severity};

pub(super) async fn send(
    recipients: &[String],
    text: &str,
    alerts: &[&Alert],
    ctx: &Context,
) -> ToolResult<Delivery> {
    let needed = |name: &str| {
        ctx.env(name)
            .ok_or_else(|| ToolError::config(format!("`{name}` is not set")))
    };
    let host = needed("SMTP_HOST")?;
    let port: u16 = ctx
        .env("SMTP_PORT")
        .map_or(Ok(587), |text| text.parse())
        .map_err(|_| ToolError::config("`SMTP_PORT` is not a port number"))?;
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let user = ctx.env("SMTP_USERNAME");
    let from = match ctx.env("SMTP_FROM").or_else(|| user.clone()) {
        Some(from) => from,
        None if loopback => {
            return Err(ToolError::config(
                "neither `SMTP_FROM` nor `SMTP_USERNAME` is set",
            ));
        }
        None => needed("SMTP_USERNAME")?,
    };
    let message = letter(&from, recipients, text, alerts)?;
    let builder = if loopback {
        // Nothing leaves the host, so plain text is fine; a password would still not be sent in the clear.
        AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
    } else {
        let relay = if port == 465 {
            AsyncSmtpTransport::<Tokio1Executor>::relay(&host)
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host)
        };
        let password = ctx.secret("SMTP_PASSWORD")?.reveal().to_owned();
        relay
            .map_err(|e| ToolError::config(format!("SMTP: {e}")))?
            .credentials(Credentials::new(user.unwrap_or(from), password))
    };
    let transport = builder.port(port).timeout(Some(Duration::from_secs(30))).build();
    Ok(match transport.send(message).await {
        Ok(_) => Delivery::Sent(String::new()),
        Err(error) => {
            let message = "the mail server did not take the message";
            let told = |kind: ErrorKind| ToolError::new(kind, message).caused_by(&error);
            if error.is_permanent() {
                Delivery::Refused(Box::new(told(ErrorKind::ProviderRejected)))
            } else if error.is_timeout() {
                Delivery::Undecided(Box::new(told(ErrorKind::Timeout)))
            } else {
                not_sent(told(ErrorKind::Network))
            }
        }
    })
}

fn letter(from: &str, recipients: &[String], text: &str, alerts: &[&Alert]) -> ToolResult<Message> {
    let address = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|_| ToolError::config(format!("`{text}` is not a mail address")))
    };
    let down = alerts.iter().any(|alert| {
        alert.severity == Severity::Critical
            && matches!(alert.change.occasion, Occasion::Failing | Occasion::Reminder)
    });
    let count = match alerts.len() {
        1 => "1 alert".to_owned(),
        many => format!("{many} alerts"),
    };
    let mut message = Message::builder()
        .from(address(from)?)
        .subject(format!("{} {count}", if down { "[down]" } else { "[info]" }));
    for recipient in recipients {
        message = message.to(address(recipient)?);
    }
    message
        .body(text.to_owned())
        .map_err(|e| ToolError::internal(format!("mail: {e}")))
}
