//! Gather the person's messages, decide the reactions, give them.

use std::time::{Duration, Instant};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use jiff::tz::TimeZone;
use telegram::acting::plain_emoji;
use telegram::bulk::{self, State};
use telegram::clean::stops;
use telegram::model::{Message, ReactionKind};
use telegram::{ByTitle, Chat, Reacted, Telegram};

use crate::human::Rhythm;
use crate::{Input, Like, Output, choice, person};

/// A reaction that took so long was made to wait by Telegram.
const WAITED: Duration = Duration::from_secs(1);

/// The one of two arguments that was given, else the setting; empty and 0 name nothing.
fn named(
    what: &str,
    first: Option<&String>,
    second: Option<&String>,
    setting: Option<String>,
) -> ToolResult<String> {
    if let (Some(first), Some(second)) = (first, second)
        && first != second
    {
        return Err(ToolError::invalid(
            what,
            format!("`--{what}` and the argument name different ones"),
        ));
    }
    let given = first
        .or(second)
        .cloned()
        .or_else(|| setting.filter(|text| text.trim() != "0"));
    given
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty() && text != "0")
        .ok_or_else(|| {
            ToolError::invalid(what, format!("no {what} is named")).hint("like_messages CHAT PERSON")
        })
}

pub async fn run(input: &Input, ctx: &Context) -> ToolResult<Output> {
    let chat = named(
        "chat",
        input.chat.as_ref(),
        input.target.as_ref(),
        ctx.env("LIKE_CHAT_ID"),
    )?;
    let user = named(
        "user",
        input.user.as_ref(),
        input.person.as_ref(),
        ctx.env("LIKE_TARGET_USER_ID"),
    )?;
    let output = Telegram::session(ctx, async |telegram| {
        act(input, &chat, &user, telegram, ctx).await
    })
    .await?;
    let left = output
        .items
        .iter()
        .filter(|item| item.state == State::Left)
        .count();
    if output.errors > 0 || left > 0 {
        let message = format!("{} messages failed, {left} are left", output.errors);
        return Err(ToolError::partial(message, &output).hint("run it again: what is done is not done twice"));
    }
    Ok(output)
}

async fn act(
    input: &Input,
    chat: &str,
    user: &str,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Output> {
    let chat = telegram.resolve(chat, ByTitle::No).await?;
    let messages = telegram.newest_list(&chat, input.limit).await?;
    let person = person::find(user, &messages)?;
    let today = ctx.now().to_zoned(TimeZone::UTC).date();
    let wanted = |message: &&Message| {
        message.sender_id == Some(person.id)
            && message.service.is_none()
            && (!input.today || message.date.to_zoned(TimeZone::UTC).date() == today)
    };
    let theirs: Vec<Message> = messages.iter().filter(wanted).cloned().collect();
    let mut items: Vec<Like> = theirs.iter().map(|message| like(input, message)).collect();
    let already = items.iter().filter(|item| item.state == State::Already).count();
    let mut beyond_cap = 0;
    let mut planned = 0;
    items.retain(|item| {
        planned += usize::from(item.state == State::Planned);
        let kept = item.state != State::Planned || planned <= input.max;
        beyond_cap += usize::from(!kept);
        kept
    });
    if beyond_cap > 0 {
        ctx.warn(format!(
            "{beyond_cap} messages are beyond the {} of one run",
            input.max
        ));
    }
    let mut output = Output {
        chat: chat.title(),
        chat_id: chat.id().0,
        user: person.name().unwrap_or_default(),
        user_id: person.id.0,
        reaction: input.reaction.as_deref().map(choice::reaction),
        scanned: messages.len(),
        filtered: messages.len() - theirs.len(),
        items,
        liked: 0,
        already,
        errors: 0,
        beyond_cap,
        planned: ctx.dry_run(),
        undo_list: None,
    };
    if ctx.dry_run() || output.items.iter().all(|item| item.state != State::Planned) {
        return Ok(output);
    }
    let before: Vec<serde_json::Value> = theirs
        .iter()
        .map(|message| {
            let own: Vec<String> = own_reactions(message).collect();
            serde_json::json!({"id": message.id, "reactions_before": own})
        })
        .collect();
    output.undo_list = Some(bulk::write_undo(ctx, "react", &chat, &before)?);
    give(input, &chat, &mut output, telegram, ctx).await?;
    Ok(output)
}

/// What is to do with a message.
fn like(input: &Input, message: &Message) -> Like {
    let emoji = input
        .reaction
        .as_deref()
        .map_or_else(|| choice::for_text(&message.text), choice::reaction);
    let stands = if input.replace {
        own_reactions(message).any(|own| plain_emoji(&own) == emoji)
    } else {
        message.reactions.iter().any(|reaction| reaction.chosen)
    };
    let preview = match bulk::preview(message, 50, "...") {
        text if text.is_empty() => "[media]".to_owned(),
        text => text,
    };
    Like {
        id: message.id,
        date: message.date,
        preview,
        emoji,
        state: if stands { State::Already } else { State::Planned },
        error: None,
    }
}

/// The emoji this account has given a message.
fn own_reactions(message: &Message) -> impl Iterator<Item = String> + '_ {
    message
        .reactions
        .iter()
        .filter(|reaction| reaction.chosen)
        .map(|reaction| match &reaction.kind {
            ReactionKind::Emoji(emoji) => emoji.clone(),
            other => other.text(),
        })
}

async fn give(
    input: &Input,
    chat: &Chat,
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
    let mut rhythm = Rhythm::new(input.pause_ms);
    let mut left = total;
    for n in 0..output.items.len() {
        if output.items[n].state != State::Planned {
            continue;
        }
        bar.message(format!(
            "about {} s left",
            left as u64 * (input.pause_ms * 13 / 10 + 600) / 1000
        ));
        let asked = Instant::now();
        // A flood wait is sat out and the same message tried again below this call.
        let outcome = telegram
            .react(chat, output.items[n].id, &output.items[n].emoji)
            .await;
        left -= 1;
        if asked.elapsed() > WAITED {
            rhythm.slow_down();
        }
        let state = match &outcome {
            Ok(Reacted::Given) => State::Done,
            Ok(Reacted::Standing) => State::Already,
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error.clone()),
            Err(error) if stops(error) => {
                for item in &mut output.items[n..] {
                    if item.state == State::Planned {
                        item.state = State::Left;
                        item.error = Some(bulk::reason(error));
                    }
                }
                ctx.warn(format!("stopped: {}", error.message));
                return Ok(());
            }
            Err(_) => State::Failed,
        };
        let item = &mut output.items[n];
        item.state = state;
        item.error = outcome.as_ref().err().map(bulk::reason);
        match state {
            State::Done => output.liked += 1,
            State::Already => output.already += 1,
            _ => output.errors += 1,
        }
        ctx.count_items(1);
        bar.inc(1);
        if state == State::Done && left > 0 {
            telegram.sleep(rhythm.pause()).await?;
        }
    }
    bar.finish();
    Ok(())
}
