//! Exports a chat found by a part of its title, an alias, an id, a username or a link. Replaces `export_any_chat`.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

mod several;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::{Format, LineStyle};
use telegram::exporter::{Common, Layout, Request, written_name};
use telegram::{ByTitle, Chat, Exported, Range, Telegram};

use crate::several::Many;

const fn five_hundred() -> usize {
    500
}

const fn text() -> Format {
    Format::Text
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: part of its title, an alias of config.yml, an id, a @username or a t.me link
    #[garde(inner(length(min = 1)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["chat_name"]}))]
    chat: Option<String>,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "five_hundred")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "l"}))]
    limit: usize,
    /// Format of the file
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// The file; `chats/<chat>.<extension>` if not given, and always with several chats
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// Every chat of the dialog list instead of one, each into a file of its own
    #[serde(default)]
    all: bool,
    /// Every chat of this folder instead of one
    #[garde(inner(length(min = 1)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<String>,
    /// Lowest message id
    #[garde(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_id: Option<i32>,
    /// Highest message id
    #[garde(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_id: Option<i32>,
    /// Only this topic of a forum: its title or id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
    /// Read within a take-out session, which Telegram slows down less but may delay by a day
    #[serde(default)]
    takeout: bool,
}

/// What the tool returns.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Output {
    /// One chat was asked for.
    One(One),
    /// Several were.
    Many(Many),
}

/// An export of a chat.
#[derive(Clone, Debug, Serialize, JsonSchema)]
struct One {
    /// Title of the chat.
    chat: String,
    /// Marked id of the chat.
    chat_id: i64,
    /// What was exported.
    #[serde(flatten)]
    exported: Exported,
}

struct ExportAnyChat;

impl Tool for ExportAnyChat {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["export_any_chat"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "a large chat with its files takes hours; a stopped run goes on where it was",
            )
            .example("the last 500 messages as text", &["river_club"])
            .example(
                "everything, as Telegram Desktop writes it",
                &["river_club", "0", "--format", "json", "-o", "club.json"],
            )
            .example(
                "one page to read, with pictures",
                &[
                    "@garden_news",
                    "--format",
                    "html",
                    "--media",
                    "1",
                    "-o",
                    "news.html",
                ],
            )
            .example(
                "what is new in the chats of a folder, one file each",
                &["--folder", "Garden", "--incremental"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let several = several::asked(&input)?;
        let request = Request {
            chat: input.chat.unwrap_or_default(),
            limit: input.limit,
            format: input.format,
            output: input.output,
            common: input.common,
        };
        let mut range = request.range()?;
        (range.min_id, range.max_id) = (input.min_id, input.max_id);
        // A range by number is wanted whole, as one by date is.
        if range.min_id.is_some() {
            range.limit = None;
        }
        let wanted = Wanted {
            request,
            range,
            topic: input.topic,
            takeout: input.takeout,
        };
        if let Some(several) = several {
            return several::run(&wanted, &several, ctx).await;
        }
        let one = Telegram::session(ctx, async |telegram| export(&wanted, telegram).await).await?;
        one.exported.clone().whole(Output::One(one))
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::One(one) => shown(one, out),
            Output::Many(many) => several::shown(many, out),
        }
    }
}

/// An export of one chat, for people.
fn shown(one: &One, out: &mut dyn fmt::Write) -> fmt::Result {
    let done = &one.exported;
    writeln!(out, "✅ Найден чат: {}", visible_line(&one.chat))?;
    if done.incremental {
        writeln!(
            out,
            "   новых: {}, изменённых: {}, удалённых: {}",
            done.new, done.edited, done.deleted
        )?;
    } else if done.resumed {
        writeln!(
            out,
            "   продолжено прерванное: {} сообщений этим запуском",
            done.new
        )?;
    }
    if done.files > 0 || done.files_left_out > 0 {
        writeln!(
            out,
            "   файлов: {}, пропущено: {}",
            done.files, done.files_left_out
        )?;
    }
    if let Some(pages) = done.pages {
        writeln!(
            out,
            "   страниц: {pages}, оглавление и поиск: {}",
            index_of(&done.path)
        )?;
    }
    writeln!(
        out,
        "✅ Экспортировано {} сообщений → {}",
        done.messages,
        done.path.display()
    )
}

/// The index of an export of several pages.
fn index_of(output: &std::path::Path) -> String {
    let name = telegram::export::html::pages::Names::beside(output).index();
    output.with_file_name(name).display().to_string()
}

/// What is exported, and how.
struct Wanted {
    request: Request,
    range: Range,
    topic: Option<String>,
    takeout: bool,
}

/// Finds the chat and exports it.
async fn export(wanted: &Wanted, telegram: &Telegram) -> ToolResult<One> {
    let chat = telegram.resolve(&wanted.request.chat, ByTitle::Unique).await?;
    if wanted.takeout {
        telegram.begin_takeout().await?;
    }
    export_chat(wanted, &chat, &file_stem(&wanted.request.chat), telegram).await
}

/// Exports a chat into the file that was asked for, or else one of this name.
async fn export_chat(wanted: &Wanted, chat: &Chat, name: &str, telegram: &Telegram) -> ToolResult<One> {
    let (request, mut range) = (&wanted.request, wanted.range.clone());
    if let Some(topic) = &wanted.topic {
        range.topic = Some(telegram.topic(chat, topic).await?.0);
    }
    let mut options = telegram.export_options();
    options.lines = LineStyle::Bracketed;
    let layout = Layout {
        output: PathBuf::from("chats").join(format!("{name}.{}", request.format.extension())),
        options,
        title: None,
        meta: Vec::new(),
    };
    let done = request.export_range(telegram, chat, range, layout).await?;
    Ok(One {
        chat: done.chat,
        chat_id: done.chat_id,
        exported: done.exported,
    })
}

/// The name of the file: the chat as it was written, blanks joined.
fn file_stem(chat: &str) -> String {
    let name: String = chat
        .trim()
        .chars()
        .map(|c| if c == ' ' || c == '/' || c == '\\' { '_' } else { c })
        .collect();
    let name = name.trim_start_matches(['.', '@']);
    written_name(name)
}

fn main() -> ExitCode {
    app_core::main::<ExportAnyChat>()
}
