//! Which chats, whose messages, and the rights that takes.

use std::collections::HashMap;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use telegram::clean::{Cleaning, Found, Sweep};
use telegram::model::{MarkedId, Message};
use telegram::{ByTitle, Chat, Telegram};

use crate::invitation::matches;
use crate::{Input, Output};

/// The chats that are meant; an empty or zero setting names none.
fn named(input: &Input, ctx: &Context) -> ToolResult<Vec<String>> {
    let mut names: Vec<String> = input.chats.iter().map(|name| name.trim().to_owned()).collect();
    if names.is_empty() {
        let setting = ctx.env("ZOOM_CLEANUP_CHATS").unwrap_or_default();
        names = setting
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
    }
    if names.is_empty() {
        return Err(ToolError::invalid("chats", "no chat is named")
            .hint("name them, or set `ZOOM_CLEANUP_CHATS`; there is no default"));
    }
    if let Some(wrong) = names
        .iter()
        .find(|name| name.is_empty() || name.parse() == Ok(0_i64))
    {
        return Err(ToolError::invalid("chats", format!("`{wrong}` is no chat")));
    }
    Ok(names)
}

/// Whose messages go.
#[derive(Clone, Copy)]
enum Whose {
    Own,
    Sender(MarkedId),
    Anyone,
}

impl Whose {
    fn fits(self, message: &Message) -> bool {
        match self {
            Self::Own => message.out,
            Self::Sender(id) => message.sender_id == Some(id),
            Self::Anyone => true,
        }
    }
}

pub async fn run(input: &Input, ctx: &Context) -> ToolResult<Output> {
    let names = named(input, ctx)?;
    if input.anyone && input.sender != 0 {
        return Err(ToolError::invalid(
            "anyone",
            "either one sender's messages go or everybody's, not both",
        ));
    }
    Telegram::session(ctx, async |telegram| all(input, &names, telegram, ctx).await).await
}

async fn all(input: &Input, names: &[String], telegram: &Telegram, ctx: &Context) -> ToolResult<Output> {
    let me = telegram.me()?.id;
    let whose = match (input.anyone, input.sender) {
        (true, _) => Whose::Anyone,
        (false, 0) => Whose::Own,
        (false, id) if id == me.0 => Whose::Own,
        (false, id) => Whose::Sender(MarkedId(id)),
    };
    // All of them are known before the first is touched.
    let mut chats: Vec<Chat> = Vec::new();
    for name in names {
        let chat = telegram.resolve(name, ByTitle::No).await?;
        if !matches!(whose, Whose::Own) {
            may_delete_others(&chat)?;
        }
        if !chats.iter().any(|known| known.id() == chat.id()) {
            chats.push(chat);
        }
    }
    let mut output = Output {
        chats: Vec::new(),
        deleted: 0,
    };
    let mut left = input.max;
    for chat in &chats {
        let sweep = one(input, chat, whose, left, telegram).await?;
        left = left.saturating_sub(if ctx.dry_run() {
            sweep.items.len()
        } else {
            sweep.deleted
        });
        output.deleted += sweep.deleted;
        let stopped = sweep.left() > 0;
        output.chats.push(sweep);
        if stopped {
            break;
        }
    }
    Ok(output)
}

/// In a private chat everything may be deleted; elsewhere that takes rights.
fn may_delete_others(chat: &Chat) -> ToolResult<()> {
    let flags = chat.peer.flags;
    if chat.id().is_user() || flags.creator || flags.admin {
        return Ok(());
    }
    Err(ToolError::new(
        ErrorKind::ProviderRejected,
        format!(
            "this account may not delete others' messages in `{}`",
            chat.title()
        ),
    )
    .code("no_rights")
    .hint("leave `--anyone` and `--sender` out to delete its own"))
}

async fn one(input: &Input, chat: &Chat, whose: Whose, max: usize, telegram: &Telegram) -> ToolResult<Sweep> {
    let cleaning = Cleaning {
        action: "delete_zoom_messages",
        request: format!(
            "limit {} pattern {} sender {} anyone {}",
            input.limit, input.pattern, input.sender, input.anyone
        ),
        max,
        preview: 50,
        more: "...",
    };
    let fits = |message: &Message| {
        message.service.is_none() && whose.fits(message) && matches(message, &input.pattern)
    };
    let scan = async || {
        let mut messages = Vec::new();
        let scanned = telegram
            .newest(chat, Some(input.limit), |message| {
                if fits(&message) {
                    messages.push(message);
                }
                Ok(true)
            })
            .await?;
        Ok(Found { scanned, messages })
    };
    let spare = async |fresh: &[Message]| -> ToolResult<HashMap<i32, String>> {
        Ok(fresh
            .iter()
            .filter(|message| !fits(message))
            .map(|message| (message.id, "it was edited and has no such link now".to_owned()))
            .collect())
    };
    cleaning.run(telegram, chat, scan, spare).await
}
