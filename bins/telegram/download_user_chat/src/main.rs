//! Exports a dialog found by its username into a file named by it, as Markdown unless another format is asked for.
//! Replaces `download_user_chat`.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::names::file_name;
use telegram::export::{Format, LineStyle};
use telegram::exporter::{ChatExport, Common, Layout, Request, username};

const fn five_hundred() -> usize {
    500
}

fn chats() -> PathBuf {
    PathBuf::from("chats")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: username with or without @, t.me link, alias of config.yml, or id
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    username: String,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "five_hundred")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "l"}))]
    limit: usize,
    /// Format of the file
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// Folder of the file
    #[serde(default = "chats")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    output_dir: PathBuf,
    /// The file itself, instead of one named by the username
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
}

struct DownloadUserChat;

impl Tool for DownloadUserChat {
    type Input = Input;
    type Output = ChatExport;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["download_user_chat"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "a large chat with its files takes hours; a stopped run goes on where it was",
            )
            .example("the last 500 messages with a person", &["@alice_doe"])
            .example(
                "all of a group as one page, with pictures",
                &["river_club", "0", "--format", "html", "--media", "1"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<ChatExport> {
        let (format, folder) = (input.format, input.output_dir);
        let request = Request {
            chat: input.username,
            limit: input.limit,
            format,
            output: input.output,
            common: input.common,
        };
        request
            .run(ctx, |telegram, chat| {
                let name = username(&request.chat, chat);
                let file = file_name(Some(&name), "unknown");
                let mut options = telegram.export_options();
                options.lines = LineStyle::Dated;
                Layout {
                    output: folder.join(format!("{file}.{}", format.extension())),
                    options,
                    title: Some(format!("Chat with {}", chat.title())),
                    meta: vec![format!("Username: @{name}")],
                }
            })
            .await?
            .whole()
    }

    fn render(output: &ChatExport, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Saved: {}", output.exported.path.display())
    }
}

fn main() -> ExitCode {
    app_core::main::<DownloadUserChat>()
}
