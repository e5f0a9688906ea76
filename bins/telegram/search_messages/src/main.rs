//! Searches the newest messages of a chat for a regular expression, or lets Telegram search. Replaces `search_messages`.

mod find;

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Paint, Policy, Tool, ToolResult, View};
use garde::Validate;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::export::{Options, Senders};
use telegram::listing::stamp;
use telegram::model::{MarkedId, Message};
use telegram::{ByTitle, Chat, PAGE, Search, Telegram};

use crate::find::Pattern;

const fn three_thousand() -> usize {
    3000
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: alias of config.yml, id, @username, t.me link, or a part of its title that only one chat has
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chat: String,
    /// Regular expression (no look-around, no back-references); words for Telegram's search with --server
    #[garde(length(min = 1, max = 10_000))]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    query: String,
    /// The newest so many messages are searched; with --server, so many are found at most
    #[garde(range(min = 1))]
    #[serde(default = "three_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Upper and lower case are the same
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    ignore_case: bool,
    /// Only messages of this sender (marked id)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    /// Only messages of this account
    #[serde(default)]
    outgoing: bool,
    /// Telegram searches the whole chat for the words, in its own way, instead of the newest messages being read
    #[serde(default)]
    server: bool,
}

/// A message that was found.
#[derive(Debug, Serialize, JsonSchema)]
struct Hit {
    /// Number of the message.
    id: i32,
    /// When it was written.
    date: Timestamp,
    /// Name of the sender.
    sender: String,
    /// Marked id of the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender_id: Option<MarkedId>,
    /// Its text or caption.
    text: String,
    /// Where the matches begin and end, in code points.
    matches: Vec<(usize, usize)>,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The chat as it was named.
    chat: String,
    /// Marked id of the chat.
    chat_id: i64,
    /// What was searched for.
    query: String,
    /// Messages looked at.
    scanned: usize,
    /// The messages found, newest first.
    hits: Vec<Hit>,
}

struct SearchMessages;

impl Tool for SearchMessages {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["search_messages"])
            .effects(&[Effect::Reads])
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "a search through many chats is paced, and flood waits add up",
            )
            .example(
                "links among the newest 500 messages",
                &["river_club", "https?://\\S+", "--limit", "500"],
            )
            .example("a word in any case", &["@garden_news", "листья", "-i"])
            .example(
                "Telegram's own search, through the whole chat",
                &["Workshop forum", "hammer", "--server"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let pattern = if input.server {
            Pattern::words(&input.query)?
        } else {
            Pattern::regular(&input.query, input.ignore_case)?
        };
        let mut senders = Senders::new(&Options::default(), "Unknown");
        let mut hits = Vec::new();
        let wanted = |message: &Message| {
            !message.text.is_empty()
                && (!input.outgoing || message.out)
                && input
                    .user_id
                    .is_none_or(|id| message.sender_id == Some(MarkedId(id)))
        };
        let mut keep = |senders: &mut Senders, message: Message, always: bool| {
            if !wanted(&message) {
                return;
            }
            let matches = pattern.matches(&message.text);
            if always || !matches.is_empty() {
                hits.push(Hit {
                    id: message.id,
                    date: message.date,
                    sender: senders.name(&message).to_string(),
                    sender_id: message.sender_id,
                    text: message.text,
                    matches,
                });
            }
        };
        let bar = ctx.progress("messages", "messages", None);
        let (chat, scanned) = Telegram::session(ctx, async |telegram| {
            let chat = telegram.resolve(&input.chat, ByTitle::Unique).await?;
            senders.learn(&chat.peer);
            let scanned = if input.server {
                // What Telegram found may contain other forms of the words than those written.
                let mut found = |message: Message| keep(&mut senders, message, true);
                server(telegram, &chat, &input, &mut found).await?
            } else {
                telegram
                    .newest(&chat, Some(input.limit), |message| {
                        ctx.check_cancelled()?;
                        bar.inc(1);
                        keep(&mut senders, message, false);
                        Ok(true)
                    })
                    .await?
            };
            Ok((chat, scanned))
        })
        .await?;
        bar.finish();
        ctx.count_items(scanned as u64);
        Ok(Output {
            chat: input.chat,
            chat_id: chat.id().0,
            query: input.query,
            scanned,
            hits,
        })
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(
            out,
            "Searching for '{}' in {}...\n",
            visible_line(&output.query),
            visible_line(&output.chat)
        )?;
        for (n, hit) in output.hits.iter().enumerate() {
            let date = stamp(hit.date, "%Y-%m-%d %H:%M");
            writeln!(out, "--- #{} [{date}] {} ---", n + 1, visible_line(&hit.sender))?;
            let text = find::highlighted(&hit.text, &hit.matches, |part| view.paint(Paint::Yellow, part));
            writeln!(out, "{text}\n")?;
        }
        writeln!(
            out,
            "Found {} matches in {} messages",
            output.hits.len(),
            output.scanned
        )
    }
}

/// Lets Telegram search; returns how many messages it delivered.
async fn server(
    telegram: &Telegram,
    chat: &Chat,
    input: &Input,
    found: &mut impl FnMut(Message),
) -> ToolResult<usize> {
    let search = Search {
        text: &input.query,
        ..Search::default()
    };
    let (mut pages, mut seen) = (telegram.found(chat, &search, 0), 0);
    while seen < input.limit
        && let Some(page) = pages.next((input.limit - seen).min(PAGE)).await?
    {
        seen += page.messages.len();
        page.messages.into_iter().for_each(&mut *found);
    }
    Ok(seen)
}

fn main() -> ExitCode {
    app_core::main::<SearchMessages>()
}
