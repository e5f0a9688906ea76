//! A local full-text index of chats: read them in, find messages by their words, see who writes with whom.
//! Replaces `index_messages`.
//!
//! Everything stays in one file of the state directory: no text leaves the machine. The embeddings, the vector store
//! and the graph store of the replaced program are not built; words, BM25 and reply links in SQLite answer instead.

mod answers;
mod collect;
mod input;
mod query;
mod store;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use schemars::JsonSchema;
use serde::Serialize;
use telegram::listing::stamp;
use telegram::{ByTitle, Telegram};

use crate::answers::{Contact, Held, Hit};
use crate::input::{Index, Input};
use crate::store::{Store, Tally};

/// Characters of a text shown to people.
const SHOWN: usize = 100;

/// What became of a chat.
#[derive(Debug, Serialize, JsonSchema)]
struct Indexed {
    /// The chat as it was named.
    chat: String,
    /// Marked id of the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_id: Option<i64>,
    /// What storing did.
    #[serde(flatten)]
    tally: Tally,
    /// Why it could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Output {
    /// Chats were read.
    Index {
        /// The chats.
        chats: Vec<Indexed>,
        /// The index.
        index: PathBuf,
    },
    /// Messages were searched for.
    Search {
        /// The messages, the best first.
        hits: Vec<Hit>,
    },
    /// People were searched for.
    Contacts {
        /// The people, those with most messages first.
        contacts: Vec<Contact>,
    },
    /// What the index holds.
    Stats(Held),
}

struct IndexMessages;

impl Tool for IndexMessages {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["index_messages"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(12 * 3600)),
                "a first index reads every message of the chats; later ones only what is new",
            )
            .example(
                "read two chats into the index",
                &["index", "river_club", "@garden_news"],
            )
            .example(
                "find messages by their words",
                &["search", "утро", "--limit", "5"],
            )
            .example("what the index holds", &["stats"]);
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let path = ctx.state_dir()?.join("telegram").join("index.sqlite3");
        let store = || {
            if !path.is_file() {
                ctx.warn("nothing is in the index yet; `index_messages index` reads chats into it");
                return Ok(None);
            }
            Store::open(&path, 0).map(Some)
        };
        match input {
            Input::Index(index) => self::index(&index, path, ctx).await,
            Input::Search(search) => {
                query::expression(&search.query, search.any, search.exact)?;
                let hits = store()?.map_or(Ok(Vec::new()), |store| store.search(&search))?;
                ctx.count_items(hits.len() as u64);
                Ok(Output::Search { hits })
            }
            Input::Contacts(of) => {
                let contacts =
                    store()?.map_or(Ok(Vec::new()), |store| store.contacts(of.user_id, of.limit))?;
                ctx.count_items(contacts.len() as u64);
                Ok(Output::Contacts { contacts })
            }
            Input::Stats(_) => {
                let held = store()?.map_or(Ok(Held::default()), |store| store.held())?;
                Ok(Output::Stats(held))
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Index { chats, .. } => indexed(chats, out),
            Output::Search { hits } if hits.is_empty() => writeln!(out, "No results found."),
            Output::Search { hits } => hits.iter().enumerate().try_for_each(|(n, hit)| {
                writeln!(
                    out,
                    "{}. [Score: {:.3}] {} in {}\n   {}\n   {}\n",
                    n + 1,
                    hit.score,
                    hit.sender,
                    hit.chat,
                    stamp(hit.date, "%Y-%m-%d %H:%M"),
                    telegram::bulk::shorten(&hit.text.replace('\n', " "), SHOWN, "...")
                )
            }),
            Output::Contacts { contacts } if contacts.is_empty() => writeln!(out, "No contacts found."),
            Output::Contacts { contacts } => contacts.iter().enumerate().try_for_each(|(n, contact)| {
                writeln!(
                    out,
                    "{}. {} ({}): {} messages, {} shared chats",
                    n + 1,
                    contact.name,
                    contact.id,
                    contact.messages,
                    contact.shared_chats
                )
            }),
            Output::Stats(held) => {
                writeln!(
                    out,
                    "Messages: {}\nPeople: {}\nReply links: {}\nChats: {}",
                    held.messages,
                    held.people,
                    held.reply_links,
                    held.chats.len()
                )?;
                held.chats.iter().try_for_each(|chat| {
                    let title = visible_line(&chat.title);
                    writeln!(out, "  {title} ({}): {} messages", chat.id, chat.messages)
                })
            }
        }
    }
}

fn indexed(chats: &[Indexed], out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "=== Indexing Results ===")?;
    for chat in chats {
        match &chat.error {
            Some(error) => writeln!(out, "{}: {error}", visible_line(&chat.chat))?,
            None => writeln!(
                out,
                "{}: {} messages, {} changed, {} removed",
                visible_line(&chat.chat),
                chat.tally.new,
                chat.tally.changed,
                chat.tally.removed
            )?,
        }
    }
    let all: u64 = chats.iter().map(|chat| chat.tally.new).sum();
    writeln!(out, "Total: {all} messages")
}

async fn index(index: &Index, path: PathBuf, ctx: &Context) -> ToolResult<Output> {
    if index.qdrant_url.is_some() {
        ctx.warn("`--qdrant-url` is not used: the index is a local file, no text leaves this machine");
    }
    let (file, _) = telegram::AliasFile::read(ctx)?;
    let named: Vec<String> = if index.chats.is_empty() {
        file.chats.into_keys().collect()
    } else {
        index.chats.clone()
    };
    if named.is_empty() {
        return Err(
            ToolError::invalid("chats", "no chat is named, and config.yml has none")
                .hint("name chats: `index_messages index @name`"),
        );
    }
    let chats = Telegram::session(ctx, async |telegram| {
        let mut store = Store::open(&path, telegram.me()?.id.0)?;
        if !ctx.may("store_rows", &path.display().to_string(), "messages") {
            store.rehearse()?;
        }
        let mut chats = Vec::with_capacity(named.len());
        for chat in named {
            let mut done = Indexed {
                chat,
                chat_id: None,
                tally: Tally::default(),
                error: None,
            };
            match one(telegram, &mut done, &mut store, index).await {
                Ok(()) => {}
                // What is wrong with this run is wrong with every chat.
                Err(error) if error.kind.retryable() || ctx.check_cancelled().is_err() => return Err(error),
                Err(error) => done.error = Some(error.message),
            }
            chats.push(done);
        }
        Ok(chats)
    })
    .await?;
    let failed = chats.iter().filter(|chat| chat.error.is_some()).count();
    let all = chats.len();
    let output = Output::Index { chats, index: path };
    if failed > 0 {
        return Err(ToolError::partial(
            format!("{failed} of {all} chats could not be read"),
            &output,
        ));
    }
    Ok(output)
}

async fn one(telegram: &Telegram, done: &mut Indexed, store: &mut Store, index: &Index) -> ToolResult<()> {
    let chat = telegram.resolve(&done.chat, ByTitle::Unique).await?;
    done.chat_id = Some(chat.id().0);
    if index.rebuild {
        store.forget(chat.id().0)?;
    }
    done.tally = collect::chat(telegram, &chat, store, index.limit).await?;
    Ok(())
}

fn main() -> ExitCode {
    app_core::main::<IndexMessages>()
}
