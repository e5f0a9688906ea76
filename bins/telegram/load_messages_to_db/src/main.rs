//! Stores the newest messages of groups and channels in a database. Replaces `load_messages_to_db`.
//!
//! SQLite by default, MySQL or MariaDB by address. Running it again refreshes text, views, forwards and reactions
//! of what is there; nothing is ever deleted.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use app_core::{Context, Definition, Effect, ErrorKind, Policy, Secret, Tool, ToolError, ToolResult, View};
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sql::{self, Database, Location};
use telegram::model::ChatKind;
use telegram::{ByTitle, Chat, Dialog, Telegram};

mod load;
mod report;
mod row;

const fn hundred() -> usize {
    100
}

const fn fifty() -> usize {
    50
}

fn database_file() -> PathBuf {
    PathBuf::from("telegram.sqlite")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Messages of each chat, the newest first
    #[garde(range(min = 1, max = 100_000_000))]
    #[serde(default = "hundred")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Only this chat of the dialog list, by marked id; loads nothing when the list has no such chat
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chat_id: Option<i64>,
    /// Only this chat: alias, id, @username or link, also a private one
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chat: Option<String>,
    /// Only messages of the last so many days; 0 for all
    #[garde(range(max = 36_500))]
    #[serde(default)]
    days: u32,
    /// Chats loaded at most; one that fails does not count
    #[garde(range(min = 1, max = 50_000))]
    #[serde(default = "fifty")]
    max_chats: usize,
    /// Address of the database, instead of the one in the environment
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<Secret>,
    /// SQLite file used when neither address nor MYSQL_* variables are given
    #[serde(default = "database_file")]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    file: PathBuf,
}

/// What was done with a chat.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Loaded {
    /// Title.
    title: String,
    /// Marked id.
    id: i64,
    /// Messages stored, new and refreshed.
    stored: u64,
    /// New ones among them.
    inserted: u64,
    /// Messages left out because they are too old or the database refused them.
    skipped: u64,
    /// Messages the database refused, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
    /// Why the chat could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// A message the database refused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// Its number.
    id: i32,
    /// Why.
    reason: String,
}

/// What the tool returns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The database, without its password.
    database: String,
    /// Chats and people in the dialog list; nothing when it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dialogs: Option<usize>,
    /// Day from which messages were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// The chats, in the order they were loaded.
    chats: Vec<Loaded>,
    /// Messages stored in all.
    messages: u64,
    /// Chats that were loaded without a failure.
    complete: usize,
    /// Whether this only says what would be done.
    planned: bool,
}

struct LoadMessagesToDb;

impl Tool for LoadMessagesToDb {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram", "mysql"])
            .policy(Policy::with_timeout(std::time::Duration::from_secs(12 * 3600)), "up to a hundred million messages are read and stored as they come; a second run stores nothing twice")
            .replaces(1, &["load_messages_to_db"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::ChangesRemote])
            .example("the newest 100 messages of 50 chats into telegram.sqlite", &[])
            .example(
                "a week of one chat, at most 5000 messages",
                &["--chat-id", "-1000000001002", "--days", "7", "--limit", "5000"],
            );
        telegram::declare(&mut definition);
        definition.env.extend(sql::variables());
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        if input.chat.is_some() && input.chat_id.is_some() {
            return Err(ToolError::invalid(
                "chat",
                "`chat` and `chat_id` exclude each other",
            ));
        }
        let location = Location::choose(ctx, input.database.as_ref(), &input.file)?;
        // The database first: Telegram need not be asked for what cannot be kept.
        let database = if ctx.may("store_rows", &location.label(), "messages") {
            let database = Database::open(&location).await?;
            database.prepare_telegram().await?;
            Some(database)
        } else {
            None
        };
        let mut output = Output {
            database: location.label(),
            dialogs: None,
            since: None,
            chats: Vec::new(),
            messages: 0,
            complete: 0,
            planned: ctx.dry_run(),
        };
        let since = since(ctx.now(), input.days);
        output.since = since.map(|at| at.strftime("%Y-%m-%d").to_string());
        let done = Telegram::session(ctx, async |telegram| {
            work(&input, ctx, telegram, database.as_ref(), since, &mut output).await
        })
        .await;
        if let Some(database) = database {
            database.close().await;
        }
        ctx.count_items(output.messages);
        if let Err(error) = done {
            return Err(error.with_output(&output));
        }
        let failed = output.chats.iter().filter(|chat| chat.error.is_some()).count();
        let refused: usize = output.chats.iter().map(|chat| chat.refused.len()).sum();
        if failed + refused > 0 {
            let message = format!("{failed} chats could not be read, {refused} messages not stored");
            return Err(ToolError::partial(message, &output));
        }
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::write(output, out)
    }

    fn render_partial(
        output: &serde_json::Value,
        _: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match serde_json::from_value::<Output>(output.clone()) {
            Ok(output) => report::write(&output, out),
            Err(_) => app_core::render_value(output, out),
        }
    }
}

/// The first moment that counts.
fn since(now: Timestamp, days: u32) -> Option<Timestamp> {
    let back = SignedDuration::from_hours(24 * i64::from(days));
    // Before the beginning of the calendar, everything counts.
    (days > 0).then(|| now.checked_sub(back).unwrap_or(Timestamp::MIN))
}

async fn work(
    input: &Input,
    ctx: &Context,
    telegram: &Telegram,
    database: Option<&Database>,
    since: Option<Timestamp>,
    output: &mut Output,
) -> ToolResult<()> {
    let chats: Vec<Chat> = if let Some(name) = &input.chat {
        vec![telegram.resolve(name, ByTitle::No).await?]
    } else {
        let dialogs = telegram.dialogs(None, |_| true).await?;
        output.dialogs = Some(dialogs.len());
        wanted(dialogs, input.chat_id)
    };
    let progress = ctx.progress("chats", "chats", Some(chats.len().min(input.max_chats) as u64));
    for chat in chats {
        if output.complete >= input.max_chats {
            break;
        }
        ctx.check_cancelled()?;
        progress.message(chat.title());
        let mut loaded = Loaded {
            title: chat.peer.name().unwrap_or_else(|| "Unknown".to_owned()),
            id: chat.id().0,
            stored: 0,
            inserted: 0,
            skipped: 0,
            refused: Vec::new(),
            error: None,
        };
        let done = match database {
            Some(database) => load::chat(telegram, database, &chat, input.limit, since, &mut loaded).await,
            None => Ok(()),
        };
        output.messages += loaded.stored;
        match done {
            Ok(()) => {
                output.complete += 1;
                progress.inc(1);
                output.chats.push(loaded);
            }
            // This chat cannot be read; the others may.
            Err(error)
                if matches!(error.kind, ErrorKind::ProviderRejected | ErrorKind::NotFound)
                    && error.source != "database" =>
            {
                ctx.warn(format!("`{}` is left out: {}", loaded.title, error.message));
                loaded.error = Some(error.message);
                output.chats.push(loaded);
            }
            Err(error) => {
                loaded.error = Some(error.message.clone());
                output.chats.push(loaded);
                return Err(error);
            }
        }
    }
    progress.finish();
    Ok(())
}

/// Groups and channels in the server's order, or the one with this id whatever it is.
fn wanted(dialogs: Vec<Dialog>, id: Option<i64>) -> Vec<Chat> {
    let keep = |chat: &Chat| {
        let group = matches!(
            chat.peer.kind,
            ChatKind::Group | ChatKind::Supergroup | ChatKind::Channel
        );
        group && id.is_none_or(|id| chat.id().0 == id)
    };
    dialogs
        .into_iter()
        .map(|dialog| dialog.chat)
        .filter(keep)
        .collect()
}

fn main() -> ExitCode {
    app_core::main::<LoadMessagesToDb>()
}
