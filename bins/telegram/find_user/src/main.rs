//! Finds people of a chat by a part of their name, among the authors of the newest messages. Replaces `find_user`.

use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use telegram::model::{MarkedId, Peer};
use telegram::{ByTitle, Telegram};

const fn a_thousand() -> usize {
    1000
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// The chat: alias of config.yml, id, @username, t.me link, or a part of its title; else `FIND_USER_CHAT_ID`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    chat: Option<String>,
    /// Part of the name or username; a single argument is the name
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    name: Option<String>,
    /// The newest so many messages are looked through
    #[garde(range(min = 1))]
    #[serde(default = "a_thousand")]
    #[schemars(extend("x-cli" = {"short": "l"}))]
    limit: usize,
    /// Look through the member list as well, for those who wrote nothing
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    members: bool,
}

/// Somebody who was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
struct Found {
    /// Marked id.
    id: MarkedId,
    /// First and last name, else title, else `@username`.
    name: String,
    /// Public name.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// Their messages among those looked through.
    messages: u64,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Marked id of the chat.
    chat_id: i64,
    /// What was searched for.
    name: String,
    /// Messages looked through.
    scanned: usize,
    /// Who was found: most messages first, then by id.
    users: Vec<Found>,
}

struct FindUser;

impl Tool for FindUser {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .known_gap("no recorded case: the script was gone when the recordings were made")
            .reaches(&["telegram"])
            .replaces(1, &["find_user"])
            .effects(&[Effect::Reads])
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "looking through many chats is paced, and flood waits add up",
            )
            .env(
                "FIND_USER_CHAT_ID",
                "Chat, where none is given; 0 counts as unset",
            )
            .example(
                "who is called so, and how much they wrote",
                &["river_club", "ali"],
            )
            .example(
                "those who wrote nothing as well",
                &["Workshop forum", "бор", "--members"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let (place, name) = match (input.chat, input.name) {
            (Some(chat), Some(name)) => (Some(chat), name),
            (None, Some(name)) | (Some(name), None) => (None, name),
            (None, None) => return Err(ToolError::invalid("name", "no name to search for")),
        };
        let needle = name.trim().trim_start_matches('@').to_lowercase();
        if needle.is_empty() {
            return Err(ToolError::invalid("name", "no name to search for"));
        }
        let place = place
            .or_else(|| ctx.env("FIND_USER_CHAT_ID").filter(|id| id.trim() != "0"))
            .ok_or_else(|| {
                ToolError::invalid("chat", "no chat is named")
                    .hint("name one before the name, or set `FIND_USER_CHAT_ID`")
            })?;
        let mut found: HashMap<MarkedId, Found> = HashMap::new();
        let bar = ctx.progress("messages", "messages", None);
        let (chat, scanned) = Telegram::session(ctx, async |telegram| {
            let chat = telegram.resolve(&place, ByTitle::Unique).await?;
            let scanned = telegram
                .newest(&chat, Some(input.limit), |message| {
                    ctx.check_cancelled()?;
                    bar.inc(1);
                    if let Some(sender) = message.sender.as_deref().filter(|peer| fits(peer, &needle)) {
                        found.entry(sender.id).or_insert_with(|| new(sender)).messages += 1;
                    }
                    Ok(true)
                })
                .await?;
            if input.members {
                for member in telegram.members(&chat, None).await? {
                    if fits(&member, &needle) {
                        found.entry(member.id).or_insert_with(|| new(&member));
                    }
                }
            }
            Ok((chat, scanned))
        })
        .await?;
        bar.finish();
        ctx.count_items(scanned as u64);
        let mut users: Vec<Found> = found.into_values().collect();
        users.sort_by_key(|user| (std::cmp::Reverse(user.messages), user.id));
        Ok(Output {
            chat_id: chat.id().0,
            name,
            scanned,
            users,
        })
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        if output.users.is_empty() {
            return writeln!(out, "No users found matching '{}'", output.name);
        }
        writeln!(
            out,
            "Found {} users matching '{}':\n",
            output.users.len(),
            output.name
        )?;
        writeln!(out, "{:<15} {:<30} {:>10}", "User ID", "Name", "Messages")?;
        writeln!(out, "{}", "-".repeat(58))?;
        for user in &output.users {
            writeln!(
                out,
                "{:<15} {:<30} {:>10}",
                user.id.0,
                shortened(&user.name),
                user.messages
            )?;
        }
        Ok(())
    }
}

fn new(peer: &Peer) -> Found {
    Found {
        id: peer.id,
        name: peer.name().unwrap_or_else(|| peer.id.to_string()),
        username: peer.username.clone(),
        messages: 0,
    }
}

/// Whether a part of the full name, the title or the username is this text (in lower case).
fn fits(peer: &Peer, needle: &str) -> bool {
    [peer.name().as_deref(), peer.username.as_deref()]
        .into_iter()
        .flatten()
        .any(|name| name.to_lowercase().contains(needle))
}

/// A name of at most 29 characters.
fn shortened(name: &str) -> String {
    let name = visible_line(name);
    if name.chars().count() <= 29 {
        return name.into_owned();
    }
    let begin: String = name.chars().take(26).collect();
    format!("{begin}...")
}

fn main() -> ExitCode {
    app_core::main::<FindUser>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        assert_eq!(shortened(&"я".repeat(29)), "я".repeat(29));
        assert_eq!(shortened(&"я".repeat(30)), format!("{}...", "я".repeat(26)));
    }
}
