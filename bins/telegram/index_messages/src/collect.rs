//! Reading a chat into the index: upwards from where it stands, page by page, each with its place in one step.

use app_core::ToolResult;
use telegram::{Chat, Telegram};

use crate::store::{Standing, Store, Tally};

/// Brings the index up to date with a chat. A chat that is new to it begins at the newest `limit` messages.
pub async fn chat(telegram: &Telegram, chat: &Chat, store: &mut Store, limit: usize) -> ToolResult<Tally> {
    let ctx = telegram.context();
    let mut tally = Tally::default();
    let mut standing = match store.standing(chat.id().0)? {
        Some(known) => {
            tally.add(changes(telegram, chat, store, known).await?);
            store.standing(chat.id().0)?.unwrap_or(known)
        }
        None => {
            let mark = Some(telegram.mark(chat).await?);
            Standing {
                reached: beginning(telegram, chat, limit).await?,
                mark,
            }
        }
    };
    // Written at once, so that a run that is cut off begins at the same message again.
    store.store(chat, &[], standing)?;
    let bar = ctx.progress("messages", "messages", None);
    let mut pages = telegram.after(chat, standing.reached);
    while let Some(page) = pages.next().await? {
        ctx.check_cancelled()?;
        standing.reached = page
            .messages
            .first()
            .map_or(standing.reached, |message| message.id);
        tally.add(store.store(chat, &page.messages, standing)?);
        bar.inc(page.messages.len() as u64);
        ctx.count_items(page.messages.len() as u64);
    }
    bar.finish();
    Ok(tally)
}

/// The number before the newest `limit` messages.
async fn beginning(telegram: &Telegram, chat: &Chat, limit: usize) -> ToolResult<i32> {
    if limit == 0 {
        return Ok(0);
    }
    // A chat that is shorter is read from its beginning.
    Ok(telegram.nth_newest(chat, limit).await?.map_or(0, |id| id - 1))
}

/// Takes over what was edited and deleted since. Where Telegram no longer tells, only new messages are read.
async fn changes(telegram: &Telegram, chat: &Chat, store: &mut Store, known: Standing) -> ToolResult<Tally> {
    let told = match known.mark {
        Some(mark) => telegram.changes(chat, mark).await?,
        None => None,
    };
    let Some(told) = told else {
        telegram
            .context()
            .info("Telegram no longer tells what was edited or deleted; `--rebuild` reads the chat again");
        let mark = Some(telegram.mark(chat).await?);
        return store.store(chat, &[], Standing { mark, ..known });
    };
    let mut tally = Tally::default();
    let after = Standing {
        mark: Some(told.mark),
        ..known
    };
    // New messages are read in their order afterwards; what is older than all that was asked for stays out.
    let lowest = store.lowest(chat.id().0)?.unwrap_or(i32::MAX);
    let edited: Vec<_> = told
        .edited
        .into_iter()
        .filter(|message| (lowest..=known.reached).contains(&message.id))
        .collect();
    tally.removed += store.remove(chat.id().0, &told.deleted)?;
    tally.add(store.store(chat, &edited, after)?);
    Ok(tally)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.new += other.new;
        self.changed += other.changed;
        self.removed += other.removed;
    }
}
