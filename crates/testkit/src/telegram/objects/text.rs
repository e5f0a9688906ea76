//! Formatting and reactions.

use grammers_tl_types::{enums, types};

use super::peer;
use crate::telegram::world::{Stretch, Tally};

/// Formatting.
pub(super) fn entity(stretch: &Stretch) -> enums::MessageEntity {
    let (offset, length) = (stretch.offset, stretch.length);
    match stretch.kind.as_str() {
        "bold" => types::MessageEntityBold { offset, length }.into(),
        "italic" => types::MessageEntityItalic { offset, length }.into(),
        "code" => types::MessageEntityCode { offset, length }.into(),
        "strike" => types::MessageEntityStrike { offset, length }.into(),
        "underline" => types::MessageEntityUnderline { offset, length }.into(),
        "spoiler" => types::MessageEntitySpoiler { offset, length }.into(),
        "pre" => {
            let language = stretch.language.clone().unwrap_or_default();
            types::MessageEntityPre {
                offset,
                length,
                language,
            }
            .into()
        }
        "blockquote" => types::MessageEntityBlockquote {
            collapsed: false,
            offset,
            length,
        }
        .into(),
        "text_url" => {
            let url = stretch.url.clone().unwrap_or_default();
            types::MessageEntityTextUrl { offset, length, url }.into()
        }
        "mention_name" => {
            let user_id = stretch.user_id.unwrap_or_default();
            types::MessageEntityMentionName {
                offset,
                length,
                user_id,
            }
            .into()
        }
        "custom_emoji" => {
            let document_id = stretch.document_id.unwrap_or_default();
            types::MessageEntityCustomEmoji {
                offset,
                length,
                document_id,
            }
            .into()
        }
        "mention" => types::MessageEntityMention { offset, length }.into(),
        "hashtag" => types::MessageEntityHashtag { offset, length }.into(),
        "bot_command" => types::MessageEntityBotCommand { offset, length }.into(),
        "url" => types::MessageEntityUrl { offset, length }.into(),
        "email" => types::MessageEntityEmail { offset, length }.into(),
        _ => types::MessageEntityUnknown { offset, length }.into(),
    }
}

/// Formatting that a client sent, as a scenario writes it.
pub(in crate::telegram) fn stretches(entities: &[enums::MessageEntity]) -> Vec<Stretch> {
    let stretch = |kind: &str, offset, length| Stretch {
        kind: kind.to_owned(),
        offset,
        length,
        ..Stretch::default()
    };
    let read = |entity: &enums::MessageEntity| {
        Some(match entity {
            enums::MessageEntity::Bold(e) => stretch("bold", e.offset, e.length),
            enums::MessageEntity::Italic(e) => stretch("italic", e.offset, e.length),
            enums::MessageEntity::Code(e) => stretch("code", e.offset, e.length),
            enums::MessageEntity::Strike(e) => stretch("strike", e.offset, e.length),
            enums::MessageEntity::TextUrl(e) => Stretch {
                url: Some(e.url.clone()),
                ..stretch("text_url", e.offset, e.length)
            },
            enums::MessageEntity::Pre(e) => stretch("pre", e.offset, e.length),
            _ => return None,
        })
    };
    entities.iter().filter_map(read).collect()
}

fn reaction(tally: &Tally) -> enums::Reaction {
    match (&tally.emoji, tally.custom_emoji_id) {
        (Some(emoji), _) => types::ReactionEmoji {
            emoticon: emoji.clone(),
        }
        .into(),
        (None, Some(document_id)) => types::ReactionCustomEmoji { document_id }.into(),
        (None, None) if tally.paid => enums::Reaction::Paid,
        (None, None) => enums::Reaction::Empty,
    }
}

/// The reactions on a message.
pub(in crate::telegram) fn reactions(tallies: &[Tally], account: i64, date: i32) -> types::MessageReactions {
    let counts = tallies.iter().enumerate().map(|(order, tally)| {
        types::ReactionCount {
            chosen_order: tally.chosen.then_some(order as i32),
            reaction: reaction(tally),
            count: tally.count,
        }
        .into()
    });
    let mine = tallies.iter().filter(|tally| tally.chosen).map(|tally| {
        types::MessagePeerReaction {
            big: false,
            unread: false,
            my: true,
            peer_id: peer(account),
            date,
            reaction: reaction(tally),
        }
        .into()
    });
    let recent: Vec<enums::MessagePeerReaction> = mine.collect();
    types::MessageReactions {
        min: false,
        can_see_list: true,
        reactions_as_tags: false,
        results: counts.collect(),
        recent_reactions: (!recent.is_empty()).then_some(recent),
        top_reactors: None,
    }
}
