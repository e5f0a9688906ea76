//! Exports a dialog found by its username as a list of lines with times and senders. Replaces `export` and `export_chat`.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

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
use telegram::exporter::{ChatExport, Common, Layout, Request, username, written_name};

const fn a_hundred() -> usize {
    100
}

const fn text() -> Format {
    Format::Text
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: username with or without @, t.me link, alias of config.yml, or id
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    username: String,
    /// The file; `<username>.md` if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "a_hundred")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Format of the file
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The name the chat was found by, without `@`.
    found_by: String,
    /// What was exported.
    #[serde(flatten)]
    done: ChatExport,
}

struct ExportChat;

impl Tool for ExportChat {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["export_chat", "export"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "a large chat with its files takes hours; a stopped run goes on where it was",
            )
            .example("the last 100 messages with a person", &["alice_doe"])
            .example(
                "all of a channel into a file of this name",
                &["garden_news", "news.md", "--limit", "0"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let format = input.format;
        let request = Request {
            chat: input.username,
            limit: input.limit,
            format,
            output: input.output,
            common: input.common,
        };
        let mut found_by = String::new();
        let done = request
            .run(ctx, |telegram, chat| {
                found_by = username(&request.chat, chat);
                let mut options = telegram.export_options();
                options.lines = LineStyle::Dialogue;
                // The list of lines has always been called Markdown.
                let extension = match format {
                    Format::Text => "md",
                    other => other.extension(),
                };
                Layout {
                    output: PathBuf::from(format!("{}.{extension}", written_name(&found_by))),
                    options,
                    title: None,
                    meta: Vec::new(),
                }
            })
            .await?;
        done.exported.clone().whole(Output { found_by, done })
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let done = &output.done;
        writeln!(
            out,
            "Экспортирую чат: {} (@{})\nЭкспортировано {} сообщений в {}",
            visible_line(&done.chat),
            output.found_by,
            done.exported.messages,
            done.exported.path.display()
        )
    }
}

fn main() -> ExitCode {
    app_core::main::<ExportChat>()
}
