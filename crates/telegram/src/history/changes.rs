//! What happened in a chat since a moment: new, edited and deleted messages, as the service's event log tells them.

use app_core::ToolResult;
use grammers_client::tl::{self, enums};

use super::{Mark, PAGE};
use crate::client::{Repeat, Telegram};
use crate::convert;
use crate::model::Message;
use crate::pace::Pace;
use crate::peers::Chat;

/// What happened in a chat since some moment.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// New messages.
    pub new: Vec<Message>,
    /// Messages in their new form.
    pub edited: Vec<Message>,
    /// Ids of messages that are gone.
    pub deleted: Vec<i32>,
    /// Where to go on next time.
    pub mark: Mark,
}

impl Telegram {
    /// What happened in a chat since a moment; `None` when that was too long ago for the service to tell.
    pub async fn changes(&self, chat: &Chat, since: Mark) -> ToolResult<Option<Changes>> {
        match chat.input_channel() {
            Some(channel) => self.channel_changes(channel, since).await,
            None => self.account_changes(chat, since).await,
        }
    }

    async fn channel_changes(
        &self,
        channel: enums::InputChannel,
        since: Mark,
    ) -> ToolResult<Option<Changes>> {
        let mut changes = Changes {
            mark: since,
            ..Changes::default()
        };
        loop {
            let request = tl::functions::updates::GetChannelDifference {
                force: true,
                channel: channel.clone(),
                filter: enums::ChannelMessagesFilter::Empty,
                pts: changes.mark.pts,
                limit: PAGE as i32,
            };
            let answer = match self.call_raw(Pace::Reads, Repeat::Safe, &request).await {
                Err(failed) if failed.is("PERSISTENT_TIMESTAMP_*") => return Ok(None),
                other => other.map_err(crate::client::Failed::told)?,
            };
            match answer {
                enums::updates::ChannelDifference::Empty(empty) => {
                    changes.mark.pts = empty.pts;
                    return Ok(Some(changes));
                }
                enums::updates::ChannelDifference::TooLong(_) => return Ok(None),
                enums::updates::ChannelDifference::Difference(part) => {
                    let people = self.meet(&part.users, &part.chats);
                    changes.new.extend(
                        part.new_messages
                            .iter()
                            .filter_map(|m| convert::message(m, &people)),
                    );
                    apply(&mut changes, &part.other_updates, &people);
                    changes.mark.pts = part.pts;
                    if part.r#final {
                        return Ok(Some(changes));
                    }
                }
            }
        }
    }

    async fn account_changes(&self, chat: &Chat, since: Mark) -> ToolResult<Option<Changes>> {
        let mut changes = Changes {
            mark: since,
            ..Changes::default()
        };
        loop {
            let request = tl::functions::updates::GetDifference {
                pts: changes.mark.pts,
                pts_limit: None,
                pts_total_limit: None,
                date: changes.mark.date,
                qts: changes.mark.qts,
                qts_limit: None,
            };
            let (new, other, users, chats, state, last) =
                match self.call(Pace::Reads, Repeat::Safe, &request).await? {
                    enums::updates::Difference::Empty(empty) => {
                        changes.mark.date = empty.date;
                        break;
                    }
                    enums::updates::Difference::TooLong(_) => return Ok(None),
                    enums::updates::Difference::Difference(d) => {
                        (d.new_messages, d.other_updates, d.users, d.chats, d.state, true)
                    }
                    enums::updates::Difference::Slice(d) => (
                        d.new_messages,
                        d.other_updates,
                        d.users,
                        d.chats,
                        d.intermediate_state,
                        false,
                    ),
                };
            let people = self.meet(&users, &chats);
            changes.new.extend(
                new.iter()
                    .filter_map(|message| convert::message(message, &people)),
            );
            apply(&mut changes, &other, &people);
            let enums::updates::State::State(state) = state;
            changes.mark = Mark {
                pts: state.pts,
                qts: state.qts,
                date: state.date,
            };
            if last {
                break;
            }
        }
        // The account's events are those of all its private chats and basic groups. Deletions name no chat.
        changes.new.retain(|message| message.chat == chat.id());
        changes.edited.retain(|message| message.chat == chat.id());
        Ok(Some(changes))
    }
}

/// Sorts updates into what they change.
fn apply(changes: &mut Changes, updates: &[enums::Update], people: &convert::People) {
    for update in updates {
        match update {
            enums::Update::NewMessage(u) => changes.new.extend(convert::message(&u.message, people)),
            enums::Update::NewChannelMessage(u) => changes.new.extend(convert::message(&u.message, people)),
            enums::Update::EditMessage(u) => changes.edited.extend(convert::message(&u.message, people)),
            enums::Update::EditChannelMessage(u) => {
                changes.edited.extend(convert::message(&u.message, people));
            }
            enums::Update::DeleteMessages(u) => changes.deleted.extend(&u.messages),
            enums::Update::DeleteChannelMessages(u) => changes.deleted.extend(&u.messages),
            _ => {}
        }
    }
}
