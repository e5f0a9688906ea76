//! One chat: its newest messages page by page, each page stored in one transaction.

use app_core::ToolResult;
use jiff::Timestamp;
use sql::Database;
use sql::telegram::MessageRow;
use telegram::export::{Options, Senders};
use telegram::{Chat, PAGE, Telegram};

use crate::{Loaded, Refused, row};

/// Name of a sender of whom nothing is known.
const UNKNOWN: &str = "Unknown";

/// Loads at most `limit` messages. Those older than `since` are counted as skipped, and no page behind them is asked for.
pub async fn chat(
    telegram: &Telegram,
    database: &Database,
    chat: &Chat,
    limit: usize,
    since: Option<Timestamp>,
    loaded: &mut Loaded,
) -> ToolResult<()> {
    let ctx = telegram.context();
    let own = telegram
        .own_name()
        .map(|name| Ok::<_, app_core::ToolError>((telegram.me()?.id, name.to_owned())));
    let options = Options {
        names: own.transpose()?.into_iter().collect(),
        ..Options::default()
    };
    let mut senders = Senders::new(&options, UNKNOWN);
    senders.learn(&chat.peer);
    let progress = ctx.progress("messages", "messages", None);
    let (mut pages, mut seen) = (telegram.pages(chat, 0), 0);
    while seen < limit
        && let Some(page) = pages.next(PAGE.min(limit - seen)).await?
    {
        seen += page.messages.len();
        let fresh = page
            .messages
            .iter()
            .filter(|message| since.is_none_or(|since| message.date >= since));
        let rows: Vec<MessageRow> = fresh
            .map(|message| row::of(message, &senders.name(message)))
            .collect();
        let old = page.messages.len() - rows.len();
        let stored = database.upsert_messages(&rows).await?;
        loaded.stored += stored.inserted + stored.updated;
        loaded.inserted += stored.inserted;
        loaded.skipped += (old + stored.failed.len()) as u64;
        for failure in stored.failed {
            let id = rows.get(failure.row).map_or(0, |row| row.id);
            ctx.warn(format!(
                "message {id} of `{}` is not stored: {}",
                loaded.title, failure.message
            ));
            loaded.refused.push(Refused {
                id,
                reason: failure.message,
            });
        }
        progress.inc(page.messages.len() as u64);
        if old > 0 {
            break;
        }
    }
    progress.finish();
    Ok(())
}
