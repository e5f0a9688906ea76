//! Which chats, what in them, and the last look before it goes.

use std::cell::RefCell;
use std::collections::HashMap;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use jiff::{SignedDuration, Timestamp};
use telegram::clean::{Cleaning, Found, Sweep};
use telegram::many;
use telegram::model::Message;
use telegram::{ByTitle, Chat, Telegram};

use crate::answers::{Answers, own_and_old, unanswered};
use crate::{Input, Output, Skipped};

/// The chats that are meant.
fn named(input: &Input, ctx: &Context) -> ToolResult<Vec<String>> {
    let ways =
        usize::from(input.chat.is_some()) + usize::from(input.chat_id.is_some()) + usize::from(input.all);
    if ways != 1 {
        return Err(ToolError::invalid(
            "chat",
            "one of `--chat`, `--chat-id` and `--all` is needed, not several",
        )
        .hint("`list_chats` shows the chats"));
    }
    if input.all {
        if !ctx.dry_run() && input.confirm.as_deref() != Some("all") {
            return Err(ToolError::invalid(
                "confirm",
                "deleting from every chat of config.yml must be confirmed",
            )
            .code("not_confirmed")
            .hint("look at the plan first, then add `--confirm all` to `--apply`"));
        }
        let (file, _) = telegram::AliasFile::read(ctx)?;
        if file.chats.is_empty() {
            return Err(ToolError::invalid("all", "config.yml names no chat")
                .hint("name them below `chats:`, or give `--chat`"));
        }
        return Ok(file.chats.keys().cloned().collect());
    }
    let one = input
        .chat
        .clone()
        .or_else(|| input.chat_id.map(|id| id.to_string()))
        .unwrap_or_default();
    if one.trim().is_empty() || one.trim() == "0" {
        return Err(ToolError::invalid("chat", "no chat is named"));
    }
    Ok(vec![one])
}

pub async fn run(input: &Input, ctx: &Context) -> ToolResult<Output> {
    let names = named(input, ctx)?;
    Telegram::session(ctx, async |telegram| all(input, &names, telegram, ctx).await).await
}

async fn all(input: &Input, names: &[String], telegram: &Telegram, ctx: &Context) -> ToolResult<Output> {
    let mut output = Output {
        chats: Vec::new(),
        skipped: Vec::new(),
        deleted: 0,
        all: input.all,
    };
    let mut left = input.max;
    let mut seen = Vec::new();
    for name in names {
        let outcome = match telegram.resolve(name, ByTitle::No).await {
            // Two aliases may lead to the same chat.
            Ok(chat) if seen.contains(&chat.id()) => continue,
            Ok(chat) if chat.id().is_user() && !input.private => Err(ToolError::invalid(
                "private",
                "a private chat is only cleaned with `--private`",
            )
            .code("private_chat")),
            Ok(chat) => {
                seen.push(chat.id());
                one(input, &chat, left, telegram, ctx).await
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(sweep) => {
                left = left.saturating_sub(if ctx.dry_run() {
                    sweep.items.len()
                } else {
                    sweep.deleted
                });
                output.deleted += sweep.deleted;
                output.chats.push(sweep);
            }
            // What was done in earlier chats is told all the same.
            Err(error) if error.kind == ErrorKind::Cancelled && !output.chats.is_empty() => break,
            Err(error) if !input.all || error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => {
                let failed = error.code != "private_chat";
                if failed {
                    ctx.warn(format!("{name}: {}", error.message));
                }
                output.skipped.push(Skipped {
                    chat: name.clone(),
                    reason: error.message.clone(),
                    failed,
                });
                if many::ends(ctx, &error) {
                    break;
                }
            }
        }
    }
    Ok(output)
}

async fn one(
    input: &Input,
    chat: &Chat,
    max: usize,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Sweep> {
    let back = SignedDuration::from_hours(i64::from(input.hours));
    // Before the beginning of the calendar, nothing is old enough.
    let before = ctx.now().checked_sub(back).unwrap_or(Timestamp::MIN);
    let answers = RefCell::new(Answers::of(chat.id().is_user()));
    let cleaning = Cleaning {
        action: "delete_unanswered",
        request: format!("limit {} hours {}", input.limit, input.hours),
        max,
        preview: 50,
        more: "...",
    };
    let scan = async || {
        let messages = telegram.newest_list(chat, input.limit).await?;
        let mut answers = answers.borrow_mut();
        answers.see_all(&messages);
        Ok(Found {
            scanned: messages.len(),
            messages: unanswered(&messages, &answers, before),
        })
    };
    let spare = async |fresh: &[Message]| -> ToolResult<HashMap<i32, String>> {
        // What was written since the look: beyond the newest message seen, or since the oldest candidate of a plan
        // that is finished by another run.
        let mut after = answers.borrow().newest;
        if after == 0 {
            after = fresh.iter().map(|message| message.id).min().unwrap_or_default();
        }
        see_after(chat, after, &answers, telegram, ctx).await?;
        Ok(spared(fresh, &answers.borrow(), before))
    };
    cleaning.run(telegram, chat, scan, spare).await
}

/// Takes in everything that was written after a message.
async fn see_after(
    chat: &Chat,
    after: i32,
    answers: &RefCell<Answers>,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<()> {
    let mut pages = telegram.after(chat, after);
    while let Some(page) = pages.next().await? {
        ctx.check_cancelled()?;
        answers.borrow_mut().see_all(&page.messages);
    }
    Ok(())
}

fn spared(fresh: &[Message], answers: &Answers, before: Timestamp) -> HashMap<i32, String> {
    let standing = unanswered(fresh, answers, before);
    fresh
        .iter()
        .filter(|message| !standing.iter().any(|one| one.id == message.id))
        .map(|message| {
            let reason = match answers.to(message) {
                Some(reason) => reason,
                None if own_and_old(message, before) => "another part of its album was answered",
                None => "it is not an own message of that age",
            };
            (message.id, reason.to_owned())
        })
        .collect()
}
