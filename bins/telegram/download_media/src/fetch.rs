//! Walking through the chats, newest message first, and fetching what is wanted of each page.

use std::collections::HashSet;

use app_core::{Context, ToolResult};
use futures_util::StreamExt;
use telegram::export::names::{UNKNOWN_CHAT, file_name};
use telegram::files::{FILES_AT_ONCE, Fetcher, Outcome, Wanted};
use telegram::model::Message;
use telegram::{ByTitle, Chat, PAGE, Pages, Search, Telegram};

use crate::choice::Choice;
use crate::{Fetched, Input, Missing};

/// The topic in which everything stands that names no other.
const GENERAL: i32 = 1;

/// Reasons that are told of each chat.
const MOST_REASONS: usize = 100;

/// Fetches from every chat; what was done stands in `done` also when it fails.
///
/// # Errors
/// Those of finding the chats and of reading them.
pub async fn all(
    input: &Input,
    choice: &Choice,
    telegram: &Telegram,
    done: &mut Vec<Fetched>,
) -> ToolResult<()> {
    let mut choice = choice.clone();
    // All of them are known before the first is read.
    let mut chats = Vec::new();
    let mut named = HashSet::new();
    for name in &input.chats {
        let chat = telegram.resolve(name, ByTitle::Unique).await?;
        if named.insert(chat.id()) {
            chats.push(chat);
        }
    }
    let sender = match &input.sender {
        Some(sender) => Some(telegram.resolve(sender, ByTitle::No).await?),
        None => None,
    };
    choice.sender = sender.as_ref().map(Chat::id);
    for chat in chats {
        let name = file_name(chat.peer.name().as_deref(), UNKNOWN_CHAT);
        // Two chats may bear one title.
        let folder = input
            .output_dir
            .join(format!("{name}_{}", chat.id().0.unsigned_abs()));
        done.push(Fetched {
            chat: chat.title(),
            chat_id: chat.id().0,
            folder,
            ..Fetched::default()
        });
        if let Some(fetched) = done.last_mut() {
            one(input, &choice, telegram, &chat, sender.as_ref(), fetched).await?;
        }
    }
    Ok(())
}

async fn one(
    input: &Input,
    choice: &Choice,
    telegram: &Telegram,
    chat: &Chat,
    sender: Option<&Chat>,
    fetched: &mut Fetched,
) -> ToolResult<()> {
    let ctx = telegram.context();
    let topic = match &input.topic {
        Some(topic) => Some(telegram.topic(chat, topic).await?.0),
        None => None,
    };
    let search = Search {
        from: sender,
        topic: topic.filter(|topic| *topic != GENERAL),
        // A second more, since the service need not agree on which side the last one falls.
        until: choice.until.map_or(0, |until| until.as_second() as i32 + 1),
        ..Search::default()
    };
    // A search leaves out what is not wanted; where nothing is asked for, the history itself is surer.
    let asked = search.from.is_some() || search.topic.is_some() || search.until > 0;
    let pages = if asked {
        telegram.found(chat, &search, 0)
    } else {
        telegram.pages(chat, 0)
    };
    let belongs = |message: &Message| match topic {
        Some(GENERAL) => message.topic.unwrap_or(GENERAL) == GENERAL,
        _ => true,
    };
    let fetcher = Fetcher::new(telegram, &fetched.folder)?;
    walk(input, choice, (pages, &belongs), &fetcher, (ctx, chat), fetched).await
}

async fn walk(
    input: &Input,
    choice: &Choice,
    (mut pages, belongs): (Pages<'_>, &(dyn Fn(&Message) -> bool + Sync)),
    fetcher: &Fetcher<'_>,
    (ctx, chat): (&Context, &Chat),
    fetched: &mut Fetched,
) -> ToolResult<()> {
    let bar = ctx.progress("files", "files", None);
    let mut left = if input.limit == 0 { usize::MAX } else { input.limit };
    while left > 0
        && let Some(page) = pages.next(PAGE.min(left)).await?
    {
        left -= page.messages.len();
        fetched.messages += page.messages.len();
        let past = choice
            .since
            .is_some_and(|since| page.messages.last().is_some_and(|last| last.date < since));
        let wanted: Vec<Wanted<'_>> = page
            .messages
            .iter()
            .filter(|message| belongs(message) && choice.takes(message))
            .filter_map(|message| Wanted::of(chat, message))
            .collect();
        fetched.wanted += wanted.len();
        fetched.bytes += wanted.iter().map(|wanted| wanted.file.size).sum::<u64>();
        let (kept, missing): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|wanted| fetcher.folder().holds(wanted).is_some());
        fetched.files_kept += kept.len();
        if ctx.dry_run() {
            fetched.files += missing.len();
        }
        let mut due = missing;
        due.retain(|wanted| {
            let target = fetched.folder.join(&wanted.name);
            ctx.may("write_file", &target.display().to_string(), "")
        });
        page_of_files(due, fetcher, ctx, fetched, &bar).await?;
        if past {
            break;
        }
    }
    bar.finish();
    Ok(())
}

async fn page_of_files(
    wanted: Vec<Wanted<'_>>,
    fetcher: &Fetcher<'_>,
    ctx: &Context,
    fetched: &mut Fetched,
    bar: &app_core::ProgressBar,
) -> ToolResult<()> {
    let mut running = futures_util::stream::iter(wanted)
        .map(async |wanted| (wanted.message, fetcher.fetch(&wanted).await))
        .buffered(FILES_AT_ONCE);
    while let Some((message, outcome)) = running.next().await {
        ctx.check_cancelled()?;
        match outcome? {
            Outcome::Stored { fresh: true, .. } => fetched.files += 1,
            Outcome::Stored { fresh: false, .. } => fetched.files_kept += 1,
            Outcome::Gone(reason) | Outcome::Later(reason) => {
                fetched.files_missing += 1;
                if fetched.reasons.len() < MOST_REASONS {
                    fetched.reasons.push(Missing { message, reason });
                }
            }
        }
        bar.inc(1);
    }
    Ok(())
}
