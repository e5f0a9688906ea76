//! Exports a chat found by a part of its title, an alias, an id, a username or a link. Replaces `export_any_chat`.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::{Format, LineStyle};
use telegram::exporter::written_name;
use telegram::{ByTitle, Chat, Exported, Job, Range, Telegram, claims, moment};

const fn five_hundred() -> usize {
    500
}

fn utc() -> String {
    "UTC".to_owned()
}

/// The zone of a name.
fn zone(name: &str) -> ToolResult<TimeZone> {
    match name {
        "host" => Ok(app_core::host_zone()),
        "UTC" => Ok(TimeZone::UTC),
        name => TimeZone::get(name).map_err(|_| {
            ToolError::invalid("time_zone", format!("`{name}` is no time zone"))
                .hint("names are those of the IANA database: `Europe/Berlin`, `UTC`; or `host`")
        }),
    }
}

const fn text() -> Format {
    Format::Text
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(deny_unknown_fields)]
struct Input {
    /// The chat: part of its title, an alias of config.yml, an id, a @username or a t.me link
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "aliases": ["chat_name"]}))]
    chat: String,
    /// The newest so many messages; 0 takes all
    #[garde(skip)]
    #[serde(default = "five_hundred")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "l"}))]
    limit: usize,
    /// Format of the file
    #[garde(skip)]
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// The file; `chats/<chat>.<extension>` if not given
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// Only messages from this day or time on (UTC)
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// Only messages before this day or time (UTC)
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Lowest message id
    #[garde(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_id: Option<i32>,
    /// Highest message id
    #[garde(range(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_id: Option<i32>,
    /// Only this topic of a forum: its title or id
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    topic: Option<String>,
    /// Fetch only what is new, edited or deleted since the last export of this chat and range
    #[garde(skip)]
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    incremental: bool,
    /// Download photos and files of up to this many megabytes each, beside the export
    #[garde(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media: Option<f64>,
    /// Time zone of all dates in the file, as `Europe/Berlin`; `host` is that of this machine. JSON also has seconds since
    /// 1970, and NDJSON is always UTC
    #[garde(length(min = 1, max = 100))]
    #[serde(default = "utc")]
    time_zone: String,
    /// Read within a take-out session, which Telegram slows down less but may delay by a day
    #[garde(skip)]
    #[serde(default)]
    takeout: bool,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
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
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        zone(&input.time_zone)?;
        let mut range = Range {
            limit: (input.limit > 0).then_some(input.limit),
            since: input
                .since
                .as_deref()
                .map(|text| moment("since", text))
                .transpose()?,
            until: input
                .until
                .as_deref()
                .map(|text| moment("until", text))
                .transpose()?,
            min_id: input.min_id,
            max_id: input.max_id,
            topic: None,
        };
        if matches!((range.since, range.until), (Some(since), Some(until)) if since >= until) {
            return Err(ToolError::invalid("until", "`until` is not after `since`"));
        }
        // A range by date or number is wanted whole.
        if range.since.is_some() || range.min_id.is_some() || input.incremental {
            range.limit = None;
        }
        let (chat, exported) =
            Telegram::session(ctx, async |telegram| export(&input, range, telegram).await).await?;
        exported.clone().whole(Output {
            chat: chat.title(),
            chat_id: chat.id().0,
            exported,
        })
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let done = &output.exported;
        writeln!(out, "✅ Найден чат: {}", visible_line(&output.chat))?;
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
}

/// The index of an export of several pages.
fn index_of(output: &std::path::Path) -> String {
    let name = telegram::export::html::pages::Names::beside(output).index();
    output.with_file_name(name).display().to_string()
}

/// Finds the chat and exports it.
async fn export(input: &Input, mut range: Range, telegram: &Telegram) -> ToolResult<(Chat, Exported)> {
    let chat = telegram.resolve(&input.chat, ByTitle::Unique).await?;
    if let Some(topic) = &input.topic {
        range.topic = Some(telegram.topic(&chat, topic).await?.0);
    }
    if input.takeout {
        telegram.begin_takeout().await?;
    }
    let output = match &input.output {
        Some(output) => output.clone(),
        None => {
            let name = format!("{}.{}", file_stem(&input.chat), input.format.extension());
            claims::free(telegram, &PathBuf::from("chats").join(name), &chat, input.format)?
        }
    };
    let mut options = telegram.export_options();
    options.lines = LineStyle::Bracketed;
    options.time_zone = zone(&input.time_zone)?;
    let exported = telegram
        .export(Job {
            chat: &chat,
            range,
            format: input.format,
            options,
            title: None,
            meta: Vec::new(),
            output: output.clone(),
            incremental: input.incremental,
            media: input.media.map(|megabytes| (megabytes * 1e6) as u64),
        })
        .await?;
    claims::keep(telegram, &output, &chat)?;
    Ok((chat, exported))
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
