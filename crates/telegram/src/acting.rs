//! Acting: sending, reacting, deleting.

use app_core::{ErrorKind, ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};
use jiff::Timestamp;

use crate::client::{Failed, Repeat, Telegram};
use crate::convert::moment;
use crate::pace::Pace;
use crate::peers::Chat;

/// The longest text of a message, in UTF-16 units.
pub const LONGEST_TEXT: usize = 4096;

/// Messages that can be deleted at once.
pub const DELETED_AT_ONCE: usize = 100;

/// A message to send.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Text.
    pub text: String,
    /// Whether `**bold**`, `` `code` `` and links in the text become formatting.
    pub markdown: bool,
    /// Message answered.
    pub reply_to: Option<i32>,
    /// Without a sound at the other side.
    pub silent: bool,
    /// Without the preview of a link.
    pub no_preview: bool,
    /// The same number means the same message: the service refuses a second one. 0 picks one.
    pub random_id: i64,
}

impl Outgoing {
    /// The text as it will stand in the chat, and its formatting.
    fn formatted(&self) -> (String, Vec<enums::MessageEntity>) {
        if self.markdown {
            grammers_client::parsers::parse_markdown_message(&self.text)
        } else {
            (self.text.clone(), Vec::new())
        }
    }

    /// The text as it will stand in the chat.
    pub fn shown(&self) -> String {
        self.formatted().0
    }
}

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Its number; 0 when the service says only that it had been sent before.
    pub id: i32,
    /// When.
    pub date: Timestamp,
}

/// A number that has not been used.
pub fn fresh_random_id() -> i64 {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = (app_core::Clock::System.now().as_nanosecond() as i64).to_le_bytes();
    }
    i64::from_le_bytes(bytes) | 1
}

impl Telegram {
    /// Sends a text.
    ///
    /// # Errors
    /// `invalid_input` for an empty or too long text, `rate_limited` under slow mode, `provider_rejected` where the
    /// account may not write.
    pub async fn send_text(&self, chat: &Chat, message: &Outgoing) -> ToolResult<Sent> {
        if message.text.trim().is_empty() {
            return Err(ToolError::invalid("message", "the text is empty"));
        }
        let (text, entities) = message.formatted();
        let length = text.encode_utf16().count();
        if length > LONGEST_TEXT {
            return Err(ToolError::invalid(
                "message",
                format!("the text has {length} characters; Telegram takes {LONGEST_TEXT}"),
            )
            .hint("split it into several messages"));
        }
        let random_id = if message.random_id == 0 {
            fresh_random_id()
        } else {
            message.random_id
        };
        let request = tl::functions::messages::SendMessage {
            no_webpage: message.no_preview,
            silent: message.silent,
            background: false,
            clear_draft: false,
            noforwards: false,
            update_stickersets_order: false,
            invert_media: false,
            allow_paid_floodskip: false,
            peer: chat.input(),
            reply_to: message.reply_to.map(|reply_to_msg_id| {
                types::InputReplyToMessage {
                    reply_to_msg_id,
                    top_msg_id: None,
                    reply_to_peer_id: None,
                    quote_text: None,
                    quote_entities: None,
                    quote_offset: None,
                    monoforum_peer_id: None,
                    todo_item_id: None,
                    poll_option: None,
                }
                .into()
            }),
            message: text,
            random_id,
            reply_markup: None,
            entities: (!entities.is_empty()).then_some(entities),
            schedule_date: None,
            schedule_repeat_period: None,
            send_as: None,
            quick_reply_shortcut: None,
            effect: None,
            allow_paid_stars: None,
            suggested_post: None,
            rich_message: None,
        };
        // The service recognises a repeated number, so a lost answer can be asked for again.
        let updates = match self.call_raw(Pace::Sends, Repeat::Safe, &request).await {
            Ok(updates) => updates,
            Err(failed) if failed.is("RANDOM_ID_DUPLICATE") => {
                return Ok(Sent {
                    id: 0,
                    date: app_core::Clock::System.now(),
                });
            }
            Err(failed) if failed.is("CHAT_WRITE_FORBIDDEN") || failed.is("CHAT_ADMIN_REQUIRED") => {
                return Err(failed
                    .told()
                    .hint(format!("the account may not write in `{}`", chat.title())));
            }
            Err(failed) if failed.is("SLOWMODE_WAIT") => {
                return Err(failed.told().hint(format!(
                    "`{}` is in slow mode: one message of a person in so many seconds",
                    chat.title()
                )));
            }
            Err(failed) => return Err(failed.told()),
        };
        Ok(sent(&updates, random_id))
    }

    /// Looks for a message that this account may have sent after `after`: what became of a request whose answer nobody
    /// got. Looks at the newest messages of the chat only.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn find_sent(&self, chat: &Chat, message: &Outgoing, after: i32) -> ToolResult<Option<i32>> {
        let shown = message.shown();
        let list = self.newest_list(chat, crate::history::PAGE).await?;
        Ok(list
            .iter()
            .filter(|found| found.out && found.id > after && found.service.is_none())
            .find(|found| found.text.trim() == shown.trim())
            .map(|found| found.id))
    }

    /// Number of the newest message of a chat, 0 in an empty one.
    ///
    /// # Errors
    /// Those of reading.
    pub async fn newest_id(&self, chat: &Chat) -> ToolResult<i32> {
        let list = self.newest_list(chat, 1).await?;
        Ok(list.first().map_or(0, |message| message.id))
    }

    /// Deletes messages for everyone; returns how many the service really deleted.
    ///
    /// # Errors
    /// As the service refuses; at most [`DELETED_AT_ONCE`] ids.
    pub async fn delete(&self, chat: &Chat, ids: &[i32]) -> ToolResult<u32> {
        if ids.len() > DELETED_AT_ONCE {
            return Err(ToolError::internal("more messages at once than can be deleted"));
        }
        let answer = match chat.input_channel() {
            Some(channel) => {
                let request = tl::functions::channels::DeleteMessages {
                    channel,
                    id: ids.to_vec(),
                };
                self.call(Pace::Deletes, Repeat::Safe, &request).await?
            }
            None => {
                let request = tl::functions::messages::DeleteMessages {
                    revoke: true,
                    id: ids.to_vec(),
                };
                self.call(Pace::Deletes, Repeat::Safe, &request).await?
            }
        };
        let enums::messages::AffectedMessages::Messages(affected) = answer;
        Ok(u32::try_from(affected.pts_count).unwrap_or_default())
    }
}

/// Emoji as the service names reactions: without the selector that asks for a coloured picture.
pub fn plain_emoji(emoji: &str) -> String {
    emoji.replace('\u{fe0f}', "")
}

/// Finds the number of the message that was sent.
fn sent(updates: &enums::Updates, random_id: i64) -> Sent {
    match updates {
        enums::Updates::UpdateShortSentMessage(short) => Sent {
            id: short.id,
            date: moment(short.date),
        },
        enums::Updates::Updates(all) => {
            let id = all.updates.iter().find_map(|update| match update {
                enums::Update::MessageId(update) if update.random_id == random_id => Some(update.id),
                _ => None,
            });
            Sent {
                id: id.unwrap_or_default(),
                date: moment(all.date),
            }
        }
        _ => Sent {
            id: 0,
            date: app_core::Clock::System.now(),
        },
    }
}

impl Failed {
    /// The data centre that the service points to.
    pub(crate) fn migrate_to(&self) -> Option<i32> {
        match self {
            Self::Invocation(error) => match error.as_ref() {
                grammers_client::InvocationError::Rpc(rpc) if rpc.code == 303 => {
                    rpc.value.and_then(|dc| i32::try_from(dc).ok())
                }
                _ => None,
            },
            Self::Tool(_) => None,
        }
    }
}

/// The error of an action that makes no sense in this chat.
pub fn wrong_chat(chat: &Chat, what: &str) -> ToolError {
    ToolError::new(ErrorKind::InvalidInput, format!("`{}` {what}", chat.title())).field("chat")
}
