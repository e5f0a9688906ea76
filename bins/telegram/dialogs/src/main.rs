//! Lists the account's chats with their ids, kind, unread count and last message. Replaces `dialogs`.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::Telegram;
use telegram::model::ChatKind;

const fn fifty() -> usize {
    50
}

/// How the list is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", try_from = "String")]
#[schemars(with = "String")]
enum Layout {
    /// Columns for people.
    #[default]
    Table,
    /// A JSON list.
    Json,
    /// A YAML list.
    Yaml,
}

impl TryFrom<String> for Layout {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        match word.to_lowercase().as_str() {
            "table" | "pretty" => Ok(Self::Table),
            "json" => Ok(Self::Json),
            "yaml" | "yml" => Ok(Self::Yaml),
            _ => Err(format!("`{word}` is none of table, json, yaml")),
        }
    }
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Chats shown at most
    #[garde(range(min = 1, max = 50_000))]
    #[serde(default = "fifty")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// How the list is written: table (or pretty), json, yaml (or yml)
    #[serde(default)]
    format: Layout,
    /// File for the list instead of standard output
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// Show positive ids without the mark for groups and channels
    #[serde(default)]
    bare_ids: bool,
    /// Leave bots out, as the script did
    #[serde(default)]
    no_bots: bool,
}

/// A line of the list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Line {
    /// Title of the chat or name of the person.
    title: String,
    /// Marked id (or the bare one, if asked for).
    id: i64,
    /// What it is.
    chat_type: ChatKind,
    /// Public name.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// Unread messages.
    unread: i32,
    /// When the last message was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Timestamp>,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The chats, the one with the newest message first.
    dialogs: Vec<Line>,
    /// The file written.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
}

struct Dialogs;

impl Tool for Dialogs {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .policy(
                Policy::with_timeout(std::time::Duration::from_secs(3600)),
                "the list of a large account is read page by page at a slow pace",
            )
            .replaces(1, &["dialogs"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .example("the 20 chats with the newest messages", &["--limit", "20"])
            .example("as JSON, for another program", &["--format", "json"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let keep_bots = !input.no_bots;
        let dialogs = Telegram::session(ctx, async |telegram| {
            telegram
                .dialogs(Some(input.limit), |dialog| {
                    keep_bots || dialog.chat.peer.kind != ChatKind::Bot
                })
                .await
        })
        .await?;
        let mut lines: Vec<Line> = dialogs
            .iter()
            .map(|dialog| Line {
                title: dialog.chat.title(),
                id: if input.bare_ids {
                    dialog.chat.id().bare()
                } else {
                    dialog.chat.id().0
                },
                chat_type: dialog.chat.peer.kind,
                username: dialog.chat.peer.username.clone(),
                unread: dialog.unread,
                last_message: dialog.last.as_ref().map(|last| last.date),
            })
            .collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.last_message));
        ctx.count_items(lines.len() as u64);
        let mut output = Output {
            dialogs: lines,
            file: None,
        };
        if let Some(path) = input.output {
            let text = written(&output, input.format).map_err(|e| ToolError::internal(e.to_string()))?;
            let media_type = match input.format {
                Layout::Table => "text/plain",
                Layout::Json => "application/json",
                Layout::Yaml => "application/yaml",
            };
            telegram::files::write_private(ctx, &path, media_type, "dialogs", text.as_bytes())?;
            output.file = Some(path);
        }
        Ok(output)
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match &output.file {
            Some(path) => writeln!(out, "Сохранено: {}", path.display()),
            None => {
                let layout = view.input.map_or_else(Layout::default, |input| input.format);
                if layout == Layout::Table {
                    writeln!(out, "Диалоги: {}\n", output.dialogs.len())?;
                }
                out.write_str(&written(output, layout).map_err(|_| fmt::Error)?)
            }
        }
    }
}

/// The list as text.
fn written(output: &Output, layout: Layout) -> Result<String, Box<dyn std::error::Error>> {
    Ok(match layout {
        Layout::Json => serde_json::to_string_pretty(&output.dialogs)? + "\n",
        Layout::Yaml => serde_saphyr::to_string(&output.dialogs)?,
        Layout::Table => table(&output.dialogs),
    })
}

fn table(lines: &[Line]) -> String {
    let mut text = format!(
        "{:<4} {:<16} {:<10} {:<12} {} | {}\n{}\n",
        "#",
        "ID",
        "Тип",
        "Непрочитано",
        "Последнее сообщение",
        "Заголовок",
        "-".repeat(80)
    );
    for (n, line) in lines.iter().enumerate() {
        let when = line.last_message.map_or_else(
            || "-".to_owned(),
            |at| at.to_zoned(TimeZone::UTC).strftime("%d.%m.%Y %H:%M").to_string(),
        );
        text.push_str(&format!(
            "{:<4} {:<16} {:<10} {:<12} {when} | {}\n",
            n + 1,
            line.id,
            line.chat_type.word(),
            line.unread,
            line.title
        ));
    }
    text
}

fn main() -> ExitCode {
    app_core::main::<Dialogs>()
}
