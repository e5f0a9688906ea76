//! Gather the messages, decide what is to do, do it.

use std::collections::HashMap;
use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use telegram::acting::plain_emoji;
use telegram::bulk::{self, Item, State, Token};
use telegram::model::{Message, ReactionKind};
use telegram::{ByTitle, Chat, Pace, Reacted, Telegram};

use crate::{Input, Output};

/// Largest file of message numbers.
const LARGEST_FILE: u64 = 10_000_000;

/// The chat that is meant; an empty or zero setting names none.
fn chat_named(input: &Input, ctx: &Context) -> ToolResult<String> {
    let given = input
        .chat
        .clone()
        .or_else(|| ctx.env("BULK_REACTIONS_CHAT"))
        .or_else(|| ctx.env("LIKE_CHAT_ID"));
    given
        .map(|chat| chat.trim().to_owned())
        .filter(|chat| !chat.is_empty() && chat != "0")
        .ok_or_else(|| {
            ToolError::invalid("chat", "no chat is named")
                .hint("give `--chat`, or set `BULK_REACTIONS_CHAT` to an alias, id or @username")
        })
}

pub async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
    let named = chat_named(&input, ctx)?;
    let mut tokens = bulk::tokens(ctx, input.ids.iter().map(String::as_str));
    if let Some(file) = &input.file {
        let text = String::from_utf8_lossy(&ctx.read(file, LARGEST_FILE)?).into_owned();
        for token in bulk::tokens(ctx, [text.as_str()]) {
            if !tokens.iter().any(|known| known.id == token.id) {
                tokens.push(token);
            }
        }
    }
    if tokens.is_empty() && input.recent == 0 {
        return Err(
            ToolError::invalid("ids", "no message is named").hint("give `--ids`, `--file` or `--recent`")
        );
    }
    let output = Telegram::session(ctx, async |telegram| {
        act(&input, &named, tokens, telegram, ctx).await
    })
    .await?;
    let left = output
        .items
        .iter()
        .filter(|item| item.state == State::Left)
        .count();
    if output.errors > 0 || left > 0 {
        let message = format!(
            "{} of {} messages failed, {left} are left",
            output.errors,
            output.items.len()
        );
        return Err(ToolError::partial(message, &output).hint("run it again: what is done is not done twice"));
    }
    Ok(output)
}

async fn act(
    input: &Input,
    named: &str,
    tokens: Vec<Token>,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Output> {
    let chat = telegram.resolve(named, ByTitle::No).await?;
    bulk::check_places(&tokens, &chat)?;
    let mut ids: Vec<i32> = tokens.iter().map(|token| token.id).collect();
    let mut known: HashMap<i32, Message> = HashMap::new();
    if input.recent > 0 {
        for message in telegram.newest_list(&chat, input.recent).await? {
            let wanted = input.user_id == 0 || message.sender_id.is_some_and(|id| id.0 == input.user_id);
            if wanted && message.service.is_none() {
                if !ids.contains(&message.id) {
                    ids.push(message.id);
                }
                known.insert(message.id, message);
            }
        }
    }
    if ids.len() > input.max {
        return Err(ToolError::invalid(
            "max",
            format!("{} messages are more than the {} allowed", ids.len(), input.max),
        )
        .hint("split them, or raise `--max` if this is really meant"));
    }
    let unread: Vec<i32> = ids.iter().copied().filter(|id| !known.contains_key(id)).collect();
    for message in telegram.by_ids(&chat, &unread).await?.into_iter().flatten() {
        known.insert(message.id, message);
    }
    let emoji = plain_emoji(&input.emoji);
    let mut output = Output {
        chat: match &chat.alias {
            Some(alias) => format!("{alias} ({})", chat.title()),
            None => named.to_owned(),
        },
        chat_id: chat.id().0,
        emoji: input.emoji.clone(),
        items: ids.iter().map(|id| item(*id, known.get(id), &emoji)).collect(),
        sent: 0,
        already: 0,
        errors: 0,
        planned: ctx.dry_run(),
        undo_list: None,
    };
    output.already = output
        .items
        .iter()
        .filter(|item| item.state == State::Already)
        .count();
    if ctx.dry_run() || output.items.is_empty() {
        return Ok(output);
    }
    output.undo_list = Some(write_undo(ctx, &chat, &ids, &known)?);
    give(input, &chat, &emoji, &mut output, telegram, ctx).await?;
    Ok(output)
}

/// What is to do with a message.
fn item(id: i32, message: Option<&Message>, emoji: &str) -> Item {
    let preview = match message {
        None => "[message not found]".to_owned(),
        Some(message) => match bulk::preview(message, 80, "…") {
            text if text.is_empty() => "[no text]".to_owned(),
            text => text,
        },
    };
    let standing =
        message.is_some_and(|message| own_reactions(message).any(|own| plain_emoji(&own) == emoji));
    Item {
        id,
        preview,
        state: if standing { State::Already } else { State::Planned },
        error: None,
    }
}

/// The emoji this account has given a message.
fn own_reactions(message: &Message) -> impl Iterator<Item = String> + '_ {
    message
        .reactions
        .iter()
        .filter(|reaction| reaction.chosen)
        .filter_map(|reaction| match &reaction.kind {
            ReactionKind::Emoji(emoji) => Some(emoji.clone()),
            _ => None,
        })
}

/// Keeps what the account's reactions were: a new one takes the place of an earlier one.
fn write_undo(
    ctx: &Context,
    chat: &Chat,
    ids: &[i32],
    known: &HashMap<i32, Message>,
) -> ToolResult<std::path::PathBuf> {
    let before: Vec<serde_json::Value> = ids
        .iter()
        .map(|id| {
            let own: Vec<String> = known
                .get(id)
                .map(|message| own_reactions(message).collect())
                .unwrap_or_default();
            serde_json::json!({"id": id, "reactions_before": own})
        })
        .collect();
    bulk::write_undo(ctx, "react", chat, &before)
}

async fn give(
    input: &Input,
    chat: &Chat,
    emoji: &str,
    output: &mut Output,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<()> {
    let total = output
        .items
        .iter()
        .filter(|item| item.state == State::Planned)
        .count();
    let bar = ctx.progress("reactions", "messages", Some(total as u64));
    let mut left = total;
    for n in 0..output.items.len() {
        if output.items[n].state != State::Planned {
            continue;
        }
        let paced = Pace::Reactions
            .estimate(ctx, left)?
            .max(Duration::from_secs_f64(input.delay * left as f64));
        bar.message(format!("about {} s left", paced.as_secs()));
        let outcome = telegram.react(chat, output.items[n].id, emoji).await;
        left -= 1;
        let state = match &outcome {
            Ok(Reacted::Given) => State::Done,
            Ok(Reacted::Standing) => State::Already,
            Err(error) if stops(error) => {
                // What was not reached stays for the next run, and that is told.
                for item in &mut output.items[n..] {
                    if item.state == State::Planned {
                        item.state = State::Left;
                    }
                }
                output.items[n].error = Some(bulk::reason(error));
                ctx.warn(format!("stopped: {}", error.message));
                return Ok(());
            }
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error.clone()),
            Err(_) => State::Failed,
        };
        let item = &mut output.items[n];
        item.state = state;
        item.error = outcome.as_ref().err().map(bulk::reason);
        match state {
            State::Done => output.sent += 1,
            State::Already => output.already += 1,
            _ => output.errors += 1,
        }
        ctx.count_items(1);
        bar.inc(1);
        if state == State::Done && left > 0 && input.delay > 0.0 {
            telegram.sleep(Duration::from_secs_f64(input.delay)).await?;
        }
    }
    bar.finish();
    Ok(())
}

/// Errors after which going on makes no sense.
fn stops(error: &ToolError) -> bool {
    matches!(
        error.kind,
        ErrorKind::RateLimited
            | ErrorKind::Unauthorised
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::ProviderUnavailable
    )
}
