//! Shows what is wrong on this host and who was told, and sends what a channel missed.
//!
//! Watchers such as `site_monitor` send their alerts by themselves. What a channel did not take waits here, and goes out
//! with the next run of any of them or with `alerts flush` on a timer.

mod input;
mod output;
mod unit;

use std::{collections::BTreeSet, fmt, path::Path, time::Duration};

use alerting::{Alert, Book, Channels, Flushed, Origin, Severity, Trouble};
use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View,
    contract::{Gate, RetryPolicy},
    state::MessageState,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    input::{Input, Silence},
    output::{Failing, Message, Output, Silenced},
};

/// Longest silence.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);

fn main() -> std::process::ExitCode {
    app_core::main::<Alerts>()
}

struct Alerts;

impl Tool for Alerts {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("ops")
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::Sends])
            .action("list", &[Effect::Reads], Gate::Direct)
            .action("silence", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .action("unsilence", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .default_action("list")
            .reaches(&["telegram", "web", "smtp"])
            .policy(
                Policy {
                    retry: RetryPolicy::NONE,
                    ..Policy::with_timeout(Duration::from_secs(300))
                },
                "each channel has 30 s for each of at most five texts; what it does not take waits for the next run",
            )
            .secret("TELEGRAM_BOT_TOKEN", "token of the bot that sends alerts")
            .secret("SMTP_PASSWORD", "password for alerts by mail")
            .env("SMTP_HOST", "mail server for alerts; with SMTP_PORT (587), SMTP_USERNAME and SMTP_FROM")
            .example("what is wrong, and who was told?", &["list"])
            .example("send what a channel missed", &["flush"])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let book = Book::open(ctx)?;
        match input {
            Input::List(_) => list(&book, ctx.now()),
            Input::Flush(_) if ctx.dry_run() => list(&book, ctx.now()),
            Input::Flush(_) => flushed(book.flush(None, ctx).await?),
            Input::Test(test) => {
                let (channels, origin) = channels(test.config.as_deref(), ctx)?;
                let now = ctx.now();
                let key = format!("test {now}");
                tell(
                    &book,
                    &Alert::plain(&key, "test message of alerts", Severity::Warning, now),
                    (&channels, &origin),
                    ctx,
                )
                .await
            }
            Input::Silence(silence) => self::silence(&book, &silence, ctx),
            Input::Unsilence(input) => {
                if !book.silences(ctx.now())?.contains_key(&input.key) {
                    return Err(ToolError::not_found("nothing is silenced under that name").field("key"));
                }
                if !ctx.dry_run() {
                    book.silence(&input.key, None, ctx.now())?;
                }
                list(&book, ctx.now())
            }
            Input::Unit(input) => {
                let (channels, origin) = channels(input.config.as_deref(), ctx)?;
                let alert = unit::failed(&input, ctx).await?;
                tell(&book, &alert, (&channels, &origin), ctx).await
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        output::render(output, out)
    }

    fn render_partial(
        output: &serde_json::Value,
        _: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match serde_json::from_value(output.clone()) {
            Ok(flushed) => output::render(&Output::Flush(flushed), out),
            Err(_) => Ok(()),
        }
    }
}

/// The channels of a tool's file, else those of the host. Fails with kind `config` when there is none.
fn channels(config: Option<&Path>, ctx: &Context) -> ToolResult<(Channels, Origin)> {
    let origin = match config {
        Some(path) => {
            Origin::File(std::fs::canonicalize(path).map_err(|e| ToolError::file("open", path, &e))?)
        }
        None => Origin::Settings,
    };
    let channels = origin.load(ctx)?;
    if channels.all().is_empty() {
        let place = match config {
            Some(path) => format!("`{}` names no channel under `alerts`", path.display()),
            None => "`onejob.toml` names no channel under `[providers.alerts]`".to_owned(),
        };
        return Err(ToolError::config(place).hint("for example: webhook = \"https://hooks.example/alerts\""));
    }
    Ok((channels, origin))
}

async fn tell(
    book: &Book,
    alert: &Alert,
    (channels, origin): (&Channels, &Origin),
    ctx: &Context,
) -> ToolResult<Output> {
    if ctx.dry_run() {
        let waiting = channels
            .all()
            .into_iter()
            .map(|channel| Message::planned(&channel.lane, alert))
            .collect();
        return Ok(Output::List {
            failing: Vec::new(),
            waiting,
            given_up: Vec::new(),
            silenced: Vec::new(),
        });
    }
    book.say(alert, (channels, origin), ctx.now())?;
    flushed(book.flush(Some(&channels.all()), ctx).await?)
}

fn flushed(flushed: Flushed) -> ToolResult<Output> {
    let lines: Vec<_> = flushed.troubles.iter().map(Trouble::line).collect();
    let output = Output::Flush(flushed);
    if lines.is_empty() {
        return Ok(output);
    }
    Err(ToolError::partial(
        format!("not everything was delivered: {}", lines.join("; ")),
        &output,
    )
    .code("undelivered"))
}

fn list(book: &Book, now: Timestamp) -> ToolResult<Output> {
    let silences = book.silences(now)?;
    let mut failing = Vec::new();
    for source in book.sources()? {
        for (key, incident) in book.incidents(&source)?.unwrap_or_default() {
            if let Some(since) = incident.since() {
                failing.push(Failing {
                    silenced_until: silences.get(&key).copied(),
                    watcher: source.clone(),
                    key,
                    since,
                });
            }
        }
    }
    let messages = |state| -> ToolResult<Vec<Message>> {
        let found = book.messages(state)?;
        Ok(found
            .iter()
            .map(|(alert, message)| Message::of(alert, message))
            .collect())
    };
    Ok(Output::List {
        failing,
        waiting: messages(MessageState::Ready)?,
        given_up: messages(MessageState::Refused)?,
        silenced: silences
            .into_iter()
            .map(|(key, until)| Silenced { key, until })
            .collect(),
    })
}

fn silence(book: &Book, input: &Silence, ctx: &Context) -> ToolResult<Output> {
    let now = ctx.now();
    let length: SignedDuration = input.duration.parse().map_err(|_| {
        ToolError::invalid(
            "for",
            format!("`{}` is not a length of time such as `2h`", input.duration),
        )
    })?;
    if length <= SignedDuration::ZERO || length > LONGEST {
        return Err(ToolError::invalid(
            "for",
            "must be more than nothing and at most 30 days",
        ));
    }
    let until = now
        .checked_add(length)
        .map_err(|_| ToolError::invalid("for", "ends after the last day that there is"))?;
    let known = known(book)?;
    if !known.contains(&input.key) {
        let some: Vec<_> = known.iter().take(10).map(|key| format!("`{key}`")).collect();
        let error = ToolError::not_found("no incident is known under that name").field("key");
        return Err(if some.is_empty() {
            error
        } else {
            error.hint(format!("known are: {}", some.join(", ")))
        });
    }
    if !ctx.dry_run() {
        book.silence(&input.key, Some(until), now)?;
    }
    list(book, now)
}

/// All names under which something can be silenced: keys of watchers, and the titles that people read.
fn known(book: &Book) -> ToolResult<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for source in book.sources()? {
        known.extend(book.incidents(&source)?.unwrap_or_default().into_keys());
    }
    for state in [MessageState::Ready, MessageState::Sent, MessageState::Refused] {
        known.extend(book.messages(state)?.into_iter().map(|(alert, _)| alert.title));
    }
    Ok(known)
}
