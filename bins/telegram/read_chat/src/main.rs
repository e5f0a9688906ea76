//! Exports the newest messages of a chat, one line a message, and may go on with what is written next.
//! Replaces `read_chat`, `read`, and their copies for single chats.
//!
//! The replaced script also deleted messages while it exported; this one never does.

mod watch;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::{Format, LineStyle, Options};
use telegram::exporter::{ChatExport, Common, Layout, Request, default_chat, written_name};
use telegram::{ByTitle, Telegram};

use crate::watch::Watch;

const fn text() -> Format {
    Format::Text
}

const fn two() -> f64 {
    2.0
}

/// Alias of `config.yml` that is meant where no chat is named.
const DEFAULT_ALIAS: &str = "chat_alpha";

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: alias of config.yml, id, @username or t.me link; else `DEFAULT_CHAT`, else the alias `chat_alpha`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chat: Option<String>,
    /// The newest so many messages, 0 for all; else `limits` of config.yml: `default` (3000), in GitHub Actions `ci` (1000)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: Option<usize>,
    /// Format of the file
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// The file; `<chat>.md` if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
    /// Begin each line with date and time
    #[serde(default)]
    timestamps: bool,
    /// First line of the file, such as a task for a language model
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// What every exporter may be asked.
    #[serde(flatten)]
    #[garde(dive)]
    common: Common,
    /// Go on afterwards: append what is written next to the file, until Ctrl-C
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "w"}))]
    watch: bool,
    /// End watching after so many seconds
    #[garde(range(min = 0.1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    watch_seconds: Option<f64>,
    /// Seconds between two looks
    #[garde(range(min = 0.25, max = 3600.0))]
    #[serde(default = "two")]
    watch_every: f64,
    /// Deletes nothing any more: `delete_unanswered` does that
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "d", "hidden": true}))]
    delete_unengaged: bool,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Messages asked for at most; 0 for all.
    read_limit: usize,
    /// Messages that came while watching.
    #[serde(skip_serializing_if = "Option::is_none")]
    watched: Option<u64>,
    /// What was exported.
    #[serde(flatten)]
    done: ChatExport,
}

struct ReadChat;

impl Tool for ReadChat {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["read_chat", "read", "read_example_chat", "read_vibecod3rs"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .long_running()
            .policy(
                Policy::with_timeout(Duration::ZERO),
                "with `--watch` it goes on until it is stopped",
            )
            .env("DEFAULT_CHAT", "Chat, where none is given")
            .env("GITHUB_ACTIONS", "`true`: the limit for CI counts")
            .example("the newest messages, as many as config.yml says", &["river_club"])
            .example(
                "the last 5 with their times",
                &["@garden_news", "--limit", "5", "--timestamps"],
            )
            .example(
                "and what is written in the next second",
                &["alice_doe", "--watch", "--watch-seconds", "1"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let watching = input.watch || input.watch_seconds.is_some();
        if watching && input.format != Format::Text {
            return Err(ToolError::invalid(
                "watch",
                format!(
                    "a file in the format `{}` cannot be gone on with",
                    input.format.word()
                ),
            )
            .hint("watch with the format `text`"));
        }
        if input.delete_unengaged {
            ctx.warn(
                "`--delete-unengaged` deletes nothing: exporting never does; \
                 `delete_unanswered` shows a plan first and deletes with `--apply`",
            );
        }
        let read_limit = match input.limit {
            Some(limit) => limit,
            None => configured_limit(ctx)?,
        };
        let request = Request {
            chat: default_chat(ctx, input.chat, DEFAULT_ALIAS)?,
            limit: read_limit,
            format: input.format,
            output: input.output,
            common: input.common,
        };
        request.check(ctx)?;
        let options = Asked {
            timestamps: input.timestamps,
            prompt: input.prompt,
            every: seconds(input.watch_every),
            at_most: input.watch_seconds.map(seconds),
            watching,
            read_limit,
        };
        let output =
            Telegram::session(ctx, async |telegram| read(ctx, &request, options, telegram).await).await?;
        output.done.exported.clone().whole(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output.watched {
            None => head(output, out),
            Some(count) => writeln!(
                out,
                "Новых сообщений: {count} → {}",
                output.done.exported.path.display()
            ),
        }
    }
}

/// What of the input the reading needs beside the request.
struct Asked {
    timestamps: bool,
    prompt: Option<String>,
    every: Duration,
    at_most: Option<Duration>,
    watching: bool,
    read_limit: usize,
}

/// A time of so many seconds; longer than any run, where the number is too large for one.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX)
}

/// Exports the chat, and goes on with what is written next if that was asked for.
async fn read(ctx: &Context, request: &Request, asked: Asked, telegram: &Telegram) -> ToolResult<Output> {
    let chat = telegram.resolve(&request.chat, ByTitle::No).await?;
    let options = Options {
        lines: if asked.timestamps {
            LineStyle::Dated
        } else {
            LineStyle::Plain
        },
        time_zone: request.common.period.zone()?,
        ..telegram.export_options()
    };
    // The list of lines has always been called Markdown.
    let extension = match request.format {
        Format::Text => "md",
        other => other.extension(),
    };
    let layout = Layout {
        output: PathBuf::from(format!("{}.{extension}", written_name(&request.chat))),
        options: Options {
            prompt: asked.prompt,
            ..options.clone()
        },
        title: None,
        meta: Vec::new(),
    };
    let done = request.export(telegram, &chat, layout).await?;
    let mut output = Output {
        read_limit: asked.read_limit,
        watched: None,
        done,
    };
    if !asked.watching || ctx.dry_run() {
        return Ok(output);
    }
    let mut text = String::new();
    head(&output, &mut text).map_err(|e| ToolError::internal(e.to_string()))?;
    let exported = serde_json::to_value(&output.done).map_err(|e| ToolError::internal(e.to_string()))?;
    ctx.stream(&exported, &text);
    let exported = &output.done.exported;
    let mut watch = Watch::new(telegram, &chat, options, &exported.path, exported.newest);
    let ended = watch.run(asked.every, asked.at_most).await;
    output.watched = Some(watch.seen());
    match ended {
        Ok(()) => Ok(output),
        Err(error) => Err(error.with_output(&output)),
    }
}

/// What was exported, for people.
fn head(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(
        out,
        "LIMIT={}\nЭкспорт завершён: {}",
        output.read_limit,
        output.done.exported.path.display()
    )
}

/// The limit of `config.yml`.
fn configured_limit(ctx: &Context) -> ToolResult<usize> {
    let (file, _) = telegram::AliasFile::read(ctx)?;
    let ci = ctx.env("GITHUB_ACTIONS").is_some_and(|text| text == "true");
    let limit = if ci { file.limit_ci } else { file.limit_default };
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn main() -> ExitCode {
    app_core::main::<ReadChat>()
}
