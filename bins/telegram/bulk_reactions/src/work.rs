//! Gather the messages, decide what is to do, do it.

use std::collections::HashMap;
use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use telegram::acting::plain_emoji;
use telegram::bulk::{self, Item, State, Token};
use telegram::many::{self, Many};
use telegram::model::{MarkedId, Message};
use telegram::undo::{self, Changed};
use telegram::{ByTitle, Given, Pace, Reacted, Telegram};

use crate::{Input, Output, Reactions};

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
    if let Some(list) = &input.undo {
        if input.recent > 0 || input.file.is_some() || !input.ids.is_empty() {
            return Err(ToolError::invalid(
                "undo",
                "`undo` takes back what its list names, and nothing else",
            ));
        }
        let delay = Duration::from_secs_f64(input.delay);
        return undo::reactions(list, delay, ctx).await.map(Output::Undo);
    }
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
    let mut output = None;
    let outcome = Telegram::session(ctx, async |telegram| {
        act(
            &input,
            &named,
            tokens,
            telegram,
            output.insert(Reactions::default()),
        )
        .await
    })
    .await;
    let mut output = output.unwrap_or_default();
    let tally = many::Tally::of(&output.items);
    (output.sent, output.already, output.errors) = (tally.done, tally.already, tally.failed);
    match outcome {
        Err(error) if error.kind != ErrorKind::Cancelled || output.items.is_empty() => Err(error),
        _ => many::told(ctx, &output.items, &output).map(|()| Output::Reactions(output)),
    }
}

async fn act(
    input: &Input,
    named: &str,
    tokens: Vec<Token>,
    telegram: &Telegram,
    output: &mut Reactions,
) -> ToolResult<()> {
    let ctx = telegram.context();
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
    *output = Reactions {
        chat: match &chat.alias {
            Some(alias) => format!("{alias} ({})", chat.title()),
            None => named.to_owned(),
        },
        chat_id: chat.id().0,
        emoji: input.emoji.clone(),
        items: ids
            .iter()
            .map(|id| item(*id, chat.id(), known.get(id), &emoji))
            .collect(),
        planned: ctx.dry_run(),
        ..Reactions::default()
    };
    let delay = Duration::from_secs_f64(input.delay);
    let many = Many::new(telegram, "react", "messages").paced(Pace::Reactions, delay);
    many.ask(&mut output.items);
    if ctx.dry_run() || !output.items.iter().any(|item| item.state == State::Planned) {
        return Ok(());
    }
    let changed = |item: &Item| Changed {
        id: item.id,
        before: known.get(&item.id).map(Given::own).unwrap_or_default(),
        set: Given::Emoji(emoji.clone()),
    };
    let planned = output.items.iter().filter(|item| item.state == State::Planned);
    let changes: Vec<Changed> = planned.map(changed).collect();
    output.undo_list = Some(undo::write_reactions(telegram, &chat, &changes)?);
    let act = async |item: &mut Item| match telegram.react(&chat, item.id, &emoji).await? {
        Reacted::Given => Ok(State::Done),
        Reacted::Standing => Ok(State::Already),
    };
    many.run(&mut output.items, act, |_| delay).await
}

/// What is to do with a message.
fn item(id: i32, chat: MarkedId, message: Option<&Message>, emoji: &str) -> Item {
    let preview = match message {
        None => "[message not found]".to_owned(),
        Some(message) => match bulk::preview(message, 80, "…") {
            text if text.is_empty() => "[no text]".to_owned(),
            text => text,
        },
    };
    let standing =
        message.is_some_and(|message| Given::own(message).contains(&Given::Emoji(emoji.to_owned())));
    Item {
        id,
        preview,
        state: if standing { State::Already } else { State::Planned },
        error: None,
        chat,
    }
}
