//! Exports a chat into a file named by its title, as Markdown unless another format is asked for.
//! Replaces `download_chat` and the library `chat_export_utils` it used.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

use std::fmt;
use std::fs::File;
use std::io::Read;
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
use telegram::exporter::{ChatExport, Layout, Request};
use telegram::model::MarkedId;
use telegram::{ByTitle, Telegram};

const fn two_hundred() -> usize {
    200
}

fn chats() -> PathBuf {
    PathBuf::from("chats")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The chat: id, alias of config.yml, @username or t.me link
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["chat_id"]}))]
    chat: String,
    /// The newest so many messages; 0 takes all
    #[garde(skip)]
    #[serde(default = "two_hundred")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "l"}))]
    limit: usize,
    /// Format of the file
    #[garde(skip)]
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// Folder of the file
    #[garde(skip)]
    #[serde(default = "chats")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    output_dir: PathBuf,
    /// The file itself, instead of one named by the title
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// Only messages from this day or time on (UTC); the limit does not count then
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Only messages before this day or time (UTC)
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Fetch only what is new, edited or deleted since the last export of this chat
    #[garde(skip)]
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    incremental: bool,
    /// Download photos and files of up to this many megabytes each, beside the export
    #[garde(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<f64>,
}

struct DownloadChat;

impl Tool for DownloadChat {
    type Input = Input;
    type Output = ChatExport;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .replaces(1, &["download_chat", "chat_export_utils"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(Policy::with_timeout(Duration::from_secs(24 * 3600)))
            .example("the last 200 messages of a supergroup", &["-1000000001002"])
            .example(
                "everything, one JSON object a line",
                &["@river_club", "0", "--format", "ndjson"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<ChatExport> {
        let mut request = Request {
            chat: input.chat,
            limit: input.limit,
            since: input.since,
            until: input.until,
            incremental: input.incremental,
            media: input.media,
            format: input.format,
            output: input.output,
        };
        request.check(ctx)?;
        let telegram = Telegram::open(ctx).await?;
        let chat = telegram.resolve(&request.chat, ByTitle::No).await?;
        let output = match request.output.take() {
            Some(output) => output,
            None => named(
                &input.output_dir,
                chat.peer.name().as_deref(),
                chat.id(),
                input.format,
            )?,
        };
        let mut options = telegram.export_options();
        options.lines = LineStyle::Dated;
        let layout = Layout {
            output,
            options,
            title: None,
            meta: vec![format!("Chat ID: {}", chat.id())],
        };
        let done = request.export(&telegram, &chat, layout).await;
        telegram.close().await;
        done
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

/// Most of a file's head that is looked at.
const HEAD: u64 = 4096;

/// A file named by the title. When one of that name holds another chat, the id is appended.
fn named(folder: &Path, title: Option<&str>, id: MarkedId, format: Format) -> ToolResult<PathBuf> {
    let name = file_name(title, UNKNOWN_CHAT);
    let path = |name: &str| folder.join(format!("{name}.{}", format.extension()));
    let plain = path(&name);
    if !plain.is_file() {
        return Ok(plain);
    }
    let mut head = Vec::new();
    let looked = File::open(&plain).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    looked.map_err(|e| ToolError::file("read", &plain, &e))?;
    if of_another(&String::from_utf8_lossy(&head), id, format) {
        return Ok(path(&format!("{name}_{}", id.0.unsigned_abs())));
    }
    Ok(plain)
}

/// Whether the head of an export names a chat other than this one.
fn of_another(head: &str, id: MarkedId, format: Format) -> bool {
    let (mark, number) = match format {
        Format::Markdown => ("Chat ID: ", id.0),
        Format::Json => ("\"id\": ", id.bare()),
        Format::Ndjson => ("\"id\":", id.0),
        Format::Html => ("<p dir=\"auto\">Chat ID: ", id.0),
        Format::Text => return false,
    };
    let Some((_, rest)) = head.split_once(mark) else {
        return false;
    };
    let found: String = rest
        .chars()
        .take_while(|c| *c == '-' || c.is_ascii_digit())
        .collect();
    found.parse() != Ok(number)
}

fn main() -> ExitCode {
    migration::main::<DownloadChat>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_chat_is_recognised_by_its_head() {
        let head = "# News\nChat ID: -1001\nMessages: 2\n";
        assert!(of_another(head, MarkedId(-1002), Format::Markdown));
        assert!(!of_another(head, MarkedId(-1001), Format::Markdown));
        assert!(!of_another("no head at all", MarkedId(-1001), Format::Markdown));
        let json =
            "{\n \"name\": \"News\",\n \"type\": \"private_channel\",\n \"id\": 1002,\n \"messages\": [";
        assert!(!of_another(json, MarkedId::channel(1002), Format::Json));
        assert!(of_another(json, MarkedId::channel(1003), Format::Json));
    }
}
