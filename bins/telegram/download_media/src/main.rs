//! Downloads the files of chats without exporting their text: by type, extension, size, date, sender and topic.
//!
//! What is in the folder already is not fetched again, and a file that was cut off is gone on with.

mod choice;
mod fetch;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::Telegram;
use telegram::exporter::Period;

use crate::choice::{Choice, Kind};

fn media() -> PathBuf {
    PathBuf::from("media")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chats: parts of titles, aliases of config.yml, ids, @usernames or t.me links
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chats: Vec<String>,
    /// Folder in which each chat gets one of its own
    #[serde(default = "media")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    output_dir: PathBuf,
    /// Only files of these sorts; all, if none is given
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "t"}))]
    types: Vec<Kind>,
    /// Only files whose names end so, such as `pdf`
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "e"}))]
    extensions: Vec<String>,
    /// Only files of at least this many megabytes
    #[garde(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_size: Option<f64>,
    /// Only files of at most this many megabytes
    #[garde(range(min = 0.0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_size: Option<f64>,
    /// Which time.
    #[serde(flatten)]
    #[garde(dive)]
    period: Period,
    /// Only what this person or channel sent: an id, @username or alias
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// Only this topic of a forum: its title or id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Look at the newest so many messages only; 0 looks at all
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
}

/// What was done in one chat.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
struct Fetched {
    /// Title of the chat.
    chat: String,
    /// Marked id of the chat.
    chat_id: i64,
    /// Where its files are.
    folder: PathBuf,
    /// Messages looked at.
    messages: usize,
    /// Files that were asked for.
    wanted: usize,
    /// Their size in bytes, as Telegram tells it.
    bytes: u64,
    /// Those downloaded by this run; in a dry run those that would be.
    files: usize,
    /// Those that were there already.
    files_kept: usize,
    /// Those that Telegram did not deliver; the next run tries them again.
    files_missing: usize,
    /// Why, for the first of them.
    reasons: Vec<Missing>,
}

/// A file that was not delivered.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
struct Missing {
    /// Number of its message.
    message: i32,
    /// Why.
    reason: String,
}

/// What the tool returns.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Output {
    /// The chats, as they were named.
    chats: Vec<Fetched>,
    /// Files downloaded by this run in all chats.
    files: usize,
    /// Files that Telegram did not deliver in all chats.
    files_missing: usize,
    /// Nothing was downloaded: this is what would be.
    planned: bool,
}

struct DownloadMedia;

impl Tool for DownloadMedia {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "the files of a large chat take hours; a stopped run goes on where it was",
            )
            .example("all files of a group", &["@river_club"])
            .example(
                "photos and documents of at most 5 MB from a channel",
                &[
                    "@garden_news",
                    "--types",
                    "photo",
                    "--types",
                    "document",
                    "--max-size",
                    "5",
                ],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let choice = Choice::new(&input)?;
        let mut output = Output {
            planned: ctx.dry_run(),
            ..Output::default()
        };
        let done = Telegram::session(ctx, async |telegram| {
            fetch::all(&input, &choice, telegram, &mut output.chats).await
        })
        .await;
        output.files = output.chats.iter().map(|chat| chat.files).sum();
        output.files_missing = output.chats.iter().map(|chat| chat.files_missing).sum();
        ctx.count_items(output.files as u64);
        if let Err(error) = done {
            return Err(error.with_output(&output));
        }
        if output.files_missing > 0 {
            let message = format!("{} files could not be downloaded", output.files_missing);
            return Err(ToolError::partial(message, &output)
                .hint("run the same command again: it fetches what is missing"));
        }
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        for chat in &output.chats {
            let verb = if output.planned {
                "would be downloaded"
            } else {
                "downloaded"
            };
            writeln!(
                out,
                "{}: {} files {verb}, {} there already, {} missing, in {}",
                chat.chat,
                chat.files,
                chat.files_kept,
                chat.files_missing,
                chat.folder.display()
            )?;
        }
        Ok(())
    }
}

fn main() -> ExitCode {
    app_core::main::<DownloadMedia>()
}
