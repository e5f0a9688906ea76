//! Gather the person's messages, decide the reactions, give them.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use jiff::tz::TimeZone;
use telegram::acting::plain_emoji;
use telegram::bulk::{self, State};
use telegram::many::{self, Many};
use telegram::model::{MarkedId, Message};
use telegram::undo::{self, Changed};
use telegram::{ByTitle, Chat, Given, Pace, Reacted, Telegram};

use crate::human::Rhythm;
use crate::{Input, Like, Likes, Output, choice, person};

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
    if let Some(list) = &input.undo {
        if [&input.chat, &input.target, &input.user, &input.person]
            .iter()
            .any(|named| named.is_some())
        {
            return Err(ToolError::invalid(
                "undo",
                "`undo` takes back what its list names, and nothing else",
            ));
        }
        let pause = Duration::from_millis(input.pause_ms);
        return undo::reactions(list, pause, ctx).await.map(Output::Undo);
    }
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
    let mut output = Likes::default();
    let outcome = Telegram::session(ctx, async |telegram| {
        act(input, &chat, &user, telegram, &mut output).await
    })
    .await;
    let tally = many::Tally::of(&output.items);
    (output.liked, output.already, output.errors) = (tally.done, tally.already, tally.failed);
    match outcome {
        Err(error) if error.kind != ErrorKind::Cancelled || output.items.is_empty() => Err(error),
        _ => many::told(ctx, &output.items, &output).map(|()| Output::Likes(output)),
    }
}

async fn act(
    input: &Input,
    chat: &str,
    user: &str,
    telegram: &Telegram,
    output: &mut Likes,
) -> ToolResult<()> {
    let ctx = telegram.context();
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
    let mut items: Vec<Like> = theirs
        .iter()
        .map(|message| like(input, chat.id(), message))
        .collect();
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
    *output = Likes {
        chat: chat.title(),
        chat_id: chat.id().0,
        user: person.name().unwrap_or_default(),
        user_id: person.id.0,
        reaction: input.reaction.as_deref().map(choice::reaction),
        scanned: messages.len(),
        filtered: messages.len() - theirs.len(),
        items,
        beyond_cap,
        planned: ctx.dry_run(),
        ..Likes::default()
    };
    // Irregular pauses are a tenth longer than the usual one on average, and a rest comes after a few.
    let usual = Duration::from_millis(input.pause_ms * 13 / 10);
    let many = Many::new(telegram, "react", "messages").paced(Pace::Reactions, usual);
    many.ask(&mut output.items);
    if ctx.dry_run() || output.items.iter().all(|item| item.state != State::Planned) {
        return Ok(());
    }
    let before = |id: i32| theirs.iter().find(|message| message.id == id).map(Given::own);
    let planned = output.items.iter().filter(|item| item.state == State::Planned);
    let changes: Vec<Changed> = planned
        .map(|item| Changed {
            id: item.id,
            before: before(item.id).unwrap_or_default(),
            set: Given::Emoji(plain_emoji(&item.emoji)),
        })
        .collect();
    output.undo_list = Some(undo::write_reactions(telegram, &chat, &changes)?);
    give(input, &chat, output, &many, telegram).await
}

/// What is to do with a message.
fn like(input: &Input, chat: MarkedId, message: &Message) -> Like {
    let emoji = input
        .reaction
        .as_deref()
        .map_or_else(|| choice::for_text(&message.text), choice::reaction);
    let stands = if input.replace {
        Given::own(message).contains(&Given::Emoji(plain_emoji(&emoji)))
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
        chat,
    }
}

async fn give(
    input: &Input,
    chat: &Chat,
    output: &mut Likes,
    many: &Many<'_>,
    telegram: &Telegram,
) -> ToolResult<()> {
    let rhythm = RefCell::new(Rhythm::new(input.pause_ms));
    let act = async |item: &mut Like| {
        let asked = Instant::now();
        // A flood wait is sat out and the same message tried again below this call.
        let outcome = telegram.react(chat, item.id, &item.emoji).await;
        if asked.elapsed() > WAITED {
            rhythm.borrow_mut().slow_down();
        }
        outcome.map(|reacted| match reacted {
            Reacted::Given => State::Done,
            Reacted::Standing => State::Already,
        })
    };
    many.run(&mut output.items, act, |_| rhythm.borrow_mut().pause())
        .await
}
