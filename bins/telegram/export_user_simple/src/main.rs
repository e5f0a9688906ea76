//! Exports the texts of a chat found by its username, as plain text unless another format is asked for.
//! Replaces `export_user_simple`.
//!
//! A killed export goes on where it stopped; `--incremental` fetches only what changed since the last one.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::names::file_name;
use telegram::export::{Format, LineStyle, Options};
use telegram::exporter::{ChatExport, Common, Layout, Request, username};
use telegram::model::Peer;

const fn a_thousand() -> usize {
    1000
}

const fn text() -> Format {
    Format::Text
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: username with or without @, t.me link, alias of config.yml, id, or `me`
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    username: String,
    /// The newest so many messages; 0 takes all, and so do `--since` and `--incremental`
    #[serde(default = "a_thousand")]
    #[schemars(extend("x-cli" = {"positional": 2, "short": "l"}))]
    limit: usize,
    /// Format of the file
    #[serde(default = "text")]
    #[schemars(extend("x-cli" = {"short": "f"}))]
    format: Format,
    /// The file; `chats/<username>.<extension>` if not given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    output: Option<PathBuf>,
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

struct ExportUserSimple;

impl Tool for ExportUserSimple {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .replaces(1, &["export_user_simple"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "a large chat with its files takes hours; a stopped run goes on where it was",
            )
            .example("the last 1000 messages of a private chat", &["alice_doe"])
            .example(
                "a channel since a day, as JSON",
                &["@garden_news", "--since", "2025-01-03", "--format", "json"],
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
        let mut done = request
            .run(ctx, |_, chat| {
                found_by = username(&request.chat, chat);
                let file = file_name(Some(&found_by), "unknown");
                Layout {
                    output: Path::new("chats").join(format!("{file}.{}", format.extension())),
                    options: Options {
                        lines: LineStyle::BracketedEnglish,
                        ..Options::default()
                    },
                    title: Some(shown(&chat.peer, &found_by)),
                    meta: Vec::new(),
                }
            })
            .await?;
        // A group or channel is shown under its username, as in the head of the file.
        if done.chat_id < 0 {
            done.chat.clone_from(&found_by);
        }
        done.exported.clone().whole(Output { found_by, done })
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let (name, done) = (&output.found_by, &output.done);
        writeln!(
            out,
            "Connecting to @{name}...\n✅ Found: {} (@{name})",
            visible_line(&done.chat)
        )?;
        match done.limit {
            Some(limit) => writeln!(out, "Экспортирую последние {limit} сообщений...\n")?,
            None => writeln!(out, "Экспортирую все сообщения...\n")?,
        }
        writeln!(
            out,
            "✅ Exported {} messages → {}",
            done.exported.written,
            done.exported.path.display()
        )
    }
}

/// A person by first and last name; everything else by its username.
fn shown(peer: &Peer, username: &str) -> String {
    let name = peer.name().filter(|_| peer.id.is_user());
    name.unwrap_or_else(|| username.to_owned())
}

fn main() -> ExitCode {
    app_core::main::<ExportUserSimple>()
}
