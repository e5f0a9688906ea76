//! What counts as an answer.

use std::collections::HashSet;

use jiff::Timestamp;
use telegram::model::{Media, Message};

/// What was seen in a chat so far.
#[derive(Debug, Default)]
pub struct Answers {
    /// Messages that a reply names.
    replied: HashSet<i32>,
    /// The newest message of somebody else; only private chats take it for an answer to everything before.
    newest_of_others: i32,
    /// The newest message of all.
    pub newest: i32,
    /// Whether this is a private chat.
    private: bool,
}

impl Answers {
    /// Of a chat of which nothing was seen yet.
    pub fn of(private: bool) -> Self {
        Self {
            private,
            ..Self::default()
        }
    }

    /// Takes messages in.
    pub fn see_all(&mut self, messages: &[Message]) {
        for message in messages {
            self.see(message);
        }
    }

    fn see(&mut self, message: &Message) {
        self.newest = self.newest.max(message.id);
        if let Some(reply) = &message.reply_to
            && reply.chat.is_none_or(|chat| chat == message.chat)
            && let Some(id) = reply.message_id
        {
            self.replied.insert(id);
        }
        if !message.out && message.service.is_none() {
            self.newest_of_others = self.newest_of_others.max(message.id);
        }
    }

    /// What answer a message got, if any.
    pub fn to(&self, message: &Message) -> Option<&'static str> {
        if self.replied.contains(&message.id) || message.replies.is_some_and(|count| count > 0) {
            return Some("it was answered");
        }
        if self.private && self.newest_of_others > message.id {
            return Some("the other side wrote after it");
        }
        if message.reactions.iter().any(|reaction| reaction.count > 0) {
            return Some("it has reactions");
        }
        if let Some(Media::Poll {
            total_voters,
            answers,
            ..
        }) = &message.media
            && (total_voters.is_some_and(|voters| voters > 0)
                || answers
                    .iter()
                    .any(|answer| answer.voters.is_some_and(|voters| voters > 0)))
        {
            return Some("it has votes");
        }
        None
    }
}

/// Whether a message may be among those deleted at all.
pub fn own_and_old(message: &Message, before: Timestamp) -> bool {
    message.out && message.service.is_none() && message.date <= before
}

/// Own, old and unanswered messages, in the order given. An album stands and falls as a whole.
pub fn unanswered(messages: &[Message], answers: &Answers, before: Timestamp) -> Vec<Message> {
    let kept_albums: HashSet<i64> = messages
        .iter()
        .filter(|message| answers.to(message).is_some())
        .filter_map(|message| message.grouped_id)
        .collect();
    messages
        .iter()
        .filter(|message| own_and_old(message, before) && answers.to(message).is_none())
        .filter(|message| {
            message
                .grouped_id
                .is_none_or(|album| !kept_albums.contains(&album))
        })
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use telegram::model::{Reaction, ReactionKind, Reply};

    use super::*;

    fn message(id: i32, out: bool) -> Message {
        Message {
            id,
            out,
            ..Message::default()
        }
    }

    fn seen(messages: &[Message], private: bool) -> Answers {
        let mut answers = Answers::of(private);
        answers.see_all(messages);
        answers
    }

    #[test]
    fn replies_reactions_and_threads_are_answers() {
        let reply = Message {
            reply_to: Some(Reply {
                message_id: Some(1),
                chat: None,
                quote: None,
            }),
            ..message(9, true)
        };
        let reacted = Message {
            reactions: vec![Reaction {
                kind: ReactionKind::Emoji("👍".into()),
                count: 1,
                chosen: false,
            }],
            ..message(2, true)
        };
        let thread = Message {
            replies: Some(1),
            ..message(3, true)
        };
        let all = [
            message(1, true),
            reacted,
            thread,
            message(4, true),
            message(5, false),
            reply,
        ];
        let left = |private| -> Vec<i32> {
            unanswered(&all, &seen(&all, private), Timestamp::MAX)
                .iter()
                .map(|message| message.id)
                .collect()
        };
        assert_eq!(left(false), [4, 9]);
        assert_eq!(
            left(true),
            [9],
            "in a private chat whatever follows is the answer"
        );
    }

    #[test]
    fn an_album_stays_whole() {
        let part = |id, replies| Message {
            grouped_id: Some(7),
            replies,
            ..message(id, true)
        };
        let all = [part(1, None), part(2, Some(1)), message(3, true)];
        let left = unanswered(&all, &seen(&all, false), Timestamp::MAX);
        assert_eq!(left.iter().map(|message| message.id).collect::<Vec<_>>(), [3]);
    }
}
