//! Exports a chat into a file named by its title, as Markdown unless another format is asked for.
//! Replaces `download_chat` and the library `chat_export_utils` it used.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use telegram::export::names::{UNKNOWN_CHAT, file_name};
use telegram::export::{Format, LineStyle, legacy};
use telegram::exporter::{ChatExport, Common, Layout, Request};

const fn two_hundred() -> usize {
    200
}

fn chats() -> PathBuf {
    PathBuf::from("chats")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: id, alias of config.yml, @username or t.me link
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["chat_id"]}))]
    chat: String,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "two_hundred")]
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
    /// The file itself, instead of one named by the title
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
}

struct DownloadChat;

impl Tool for DownloadChat {
    type Input = Input;
    type Output = ChatExport;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .replaces(1, &["download_chat", "chat_export_utils"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "a large chat with its files takes hours; a stopped run goes on where it was",
            )
            .example("the last 200 messages of a supergroup", &["-1000000001002"])
            .example(
                "everything, one JSON object a line",
                &["@river_club", "0", "--format", "ndjson"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<ChatExport> {
        let request = Request {
            chat: input.chat,
            limit: input.limit,
            format: input.format,
            output: input.output,
            common: input.common,
        };
        let folder = input.output_dir;
        let done = request
            .run(ctx, |telegram, chat| {
                let name = file_name(chat.peer.name().as_deref(), UNKNOWN_CHAT);
                let mut options = telegram.export_options();
                options.lines = LineStyle::Dated;
                Layout {
                    output: folder.join(format!("{name}.{}", request.format.extension())),
                    options,
                    title: None,
                    meta: vec![format!("Chat ID: {}", chat.id())],
                }
            })
            .await?;
        done.whole()
    }

    fn render(output: &ChatExport, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Saved: {}", output.exported.path.display())
    }
}

impl OldCalls for DownloadChat {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        let read = |name: &str| std::fs::read_to_string(name).ok();
        let Some(answer) = legacy::answer(&call, &read) else {
            return Ok(call);
        };
        for (path, content) in &answer.files {
            if let Err(error) = write(Path::new(path), content) {
                return Err(json!({"error": error.code, "message": error.message}));
            }
        }
        Err(answer.value)
    }
}

/// The old library call wrote by itself, without a run around it.
fn write(path: &Path, content: &[u8]) -> ToolResult<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
    }
    std::fs::write(path, content).map_err(|e| ToolError::file("write", path, &e))
}

fn main() -> ExitCode {
    migration::main::<DownloadChat>()
}
