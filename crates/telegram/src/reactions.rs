//! Reactions: giving them, and naming those of this account.

use app_core::{ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};
use serde::{Deserialize, Serialize};

use crate::acting::plain_emoji;
use crate::client::{Repeat, Telegram};
use crate::model::{Message, ReactionKind};
use crate::pace::Pace;
use crate::peers::Chat;

/// What became of a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reacted {
    /// It was given.
    Given,
    /// It stood there already.
    Standing,
}

/// A reaction in a form that a program can give again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Given {
    /// A plain emoji.
    Emoji(String),
    /// A custom emoji: its document id, as text, since JavaScript loses digits of large numbers.
    CustomEmoji(String),
}

impl Given {
    /// The reaction, where it is one that can be given.
    pub fn of(kind: &ReactionKind) -> Option<Self> {
        match kind {
            ReactionKind::Emoji(emoji) => Some(Self::Emoji(plain_emoji(emoji))),
            ReactionKind::Custom(id) => Some(Self::CustomEmoji(id.to_string())),
            // A star was paid for and stays; an empty one is none.
            ReactionKind::Paid | ReactionKind::Empty => None,
        }
    }

    /// The reactions of this account on a message, in a fixed order.
    pub fn own(message: &Message) -> Vec<Self> {
        let mut own: Vec<Self> = message
            .reactions
            .iter()
            .filter(|reaction| reaction.chosen)
            .filter_map(|reaction| Self::of(&reaction.kind))
            .collect();
        own.sort_by_key(Self::label);
        own
    }

    /// For people and plans.
    pub fn label(&self) -> String {
        match self {
            Self::Emoji(emoji) => emoji.clone(),
            Self::CustomEmoji(id) => format!("custom emoji {id}"),
        }
    }
}

impl Telegram {
    /// Reacts with one emoji, in place of an earlier reaction of this account.
    ///
    /// # Errors
    /// `not_found` when the message is gone, `invalid_input` when the emoji is no reaction here.
    pub async fn react(&self, chat: &Chat, message: i32, emoji: &str) -> ToolResult<Reacted> {
        self.set_reactions(chat, message, &[Given::Emoji(plain_emoji(emoji))])
            .await
    }

    /// Makes these the reactions of this account on a message; none takes its reactions away.
    ///
    /// # Errors
    /// As [`Telegram::react`].
    pub async fn set_reactions(&self, chat: &Chat, message: i32, given: &[Given]) -> ToolResult<Reacted> {
        let reactions = given
            .iter()
            .map(|given| match given {
                Given::Emoji(emoji) => Ok(types::ReactionEmoji {
                    emoticon: emoji.clone(),
                }
                .into()),
                Given::CustomEmoji(id) => id
                    .parse()
                    .map(|document_id| types::ReactionCustomEmoji { document_id }.into())
                    .map_err(|_| ToolError::invalid("undo", format!("`{id}` is no document id"))),
            })
            .collect::<ToolResult<Vec<enums::Reaction>>>()?;
        let request = tl::functions::messages::SendReaction {
            big: false,
            add_to_recent: false,
            peer: chat.input(),
            msg_id: message,
            reaction: Some(reactions),
        };
        match self.call_raw(Pace::Reactions, Repeat::Safe, &request).await {
            Ok(_) => Ok(Reacted::Given),
            Err(failed) if failed.is("MESSAGE_NOT_MODIFIED") => Ok(Reacted::Standing),
            Err(failed) if failed.is("REACTION_INVALID") => Err(failed
                .told()
                .hint("the chat does not allow this emoji as a reaction")),
            Err(failed) => Err(failed.told()),
        }
    }
}
