//! A small quick export of a chat, one line a message. Replaces `tg`.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::{Format, LineStyle};
use telegram::exporter::{ChatExport, Common, Layout, Request, default_chat, written_name};

const fn two_hundred() -> usize {
    200
}

const fn text() -> Format {
    Format::Text
}

/// Alias of `config.yml` that is meant where no chat is named.
const DEFAULT_ALIAS: &str = "chat_delta";

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: alias of config.yml, id, @username or t.me link; else `DEFAULT_CHAT`, else the alias `chat_delta`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chat: Option<String>,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "two_hundred")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Format of the file
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// The file; `<chat>.md` if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// First line of the file, such as a task for a language model
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
}

struct Tg;

impl Tool for Tg {
    type Input = Input;
    type Output = ChatExport;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["tg"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "a few thousand messages at most, with room for flood waits",
            )
            .env("DEFAULT_CHAT", "Chat, where none is given")
            .example("the last 200 messages", &["river_club"])
            .example(
                "the last 50, headed by a task for a language model",
                &["@garden_news", "-l", "50", "--prompt", "Sum this up."],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<ChatExport> {
        let format = input.format;
        let request = Request {
            chat: default_chat(ctx, input.chat, DEFAULT_ALIAS)?,
            limit: input.limit,
            format,
            output: input.output,
            common: input.common,
        };
        let done = request
            .run(ctx, |telegram, _| {
                let mut options = telegram.export_options();
                options.lines = LineStyle::MediaDated;
                options.prompt = input.prompt;
                // The list of lines has always been called Markdown.
                let extension = match format {
                    Format::Text => "md",
                    other => other.extension(),
                };
                Layout {
                    output: PathBuf::from(format!("{}.{extension}", written_name(&request.chat))),
                    options,
                    title: None,
                    meta: Vec::new(),
                }
            })
            .await?;
        done.whole()
    }

    fn render(output: &ChatExport, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(out, "Экспорт завершён: {}", output.exported.path.display())
    }
}

fn main() -> ExitCode {
    app_core::main::<Tg>()
}
