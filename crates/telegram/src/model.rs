//! What the tools know of Telegram: chats, people and messages as plain data, free of wire types.

use crate::facts::Fact;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A marked (Bot-API style) id: users keep their number, basic groups are negated, channels and
/// supergroups are `-(1000000000000 + id)`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct MarkedId(pub i64);

/// What marks an id as one of a channel or supergroup.
const CHANNEL_MARK: i64 = 1_000_000_000_000;

impl MarkedId {
    /// The id of a user with this bare id.
    pub const fn user(bare: i64) -> Self {
        Self(bare)
    }

    /// The id of a basic group with this bare id.
    pub const fn group(bare: i64) -> Self {
        Self(-bare)
    }

    /// The id of a channel or supergroup with this bare id.
    pub const fn channel(bare: i64) -> Self {
        Self(-(CHANNEL_MARK + bare))
    }

    /// The positive number Telegram stores inside its objects.
    pub const fn bare(self) -> i64 {
        if self.0 >= 0 {
            self.0
        } else if self.0 < -CHANNEL_MARK {
            -self.0 - CHANNEL_MARK
        } else {
            -self.0
        }
    }

    /// Whether this is a channel or supergroup.
    pub const fn is_channel(self) -> bool {
        self.0 < -CHANNEL_MARK
    }

    /// Whether this is a basic group.
    pub const fn is_group(self) -> bool {
        self.0 < 0 && !self.is_channel()
    }

    /// Whether this is a user or bot.
    pub const fn is_user(self) -> bool {
        self.0 > 0
    }
}

impl fmt::Display for MarkedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What sort of chat it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// A private chat with a person.
    User,
    /// A private chat with a bot.
    Bot,
    /// A basic group.
    Group,
    /// A supergroup, with or without topics.
    Supergroup,
    /// A broadcast channel.
    Channel,
}

impl ChatKind {
    /// The word the database and the listings use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Group => "group",
            Self::Supergroup => "supergroup",
            Self::Channel => "channel",
        }
    }
}

/// A user, group or channel: a chat in a listing, or the sender of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Peer {
    /// Marked id.
    pub id: MarkedId,
    /// What it is.
    pub kind: ChatKind,
    /// First name of a person or bot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name of a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Title of a group or channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Public name, without `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Number of members where the server tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<i32>,
    /// Facts about the peer.
    #[serde(flatten)]
    pub flags: PeerFlags,
}

/// Yes-or-no facts about a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PeerFlags {
    /// The account itself.
    pub is_self: bool,
    /// A deleted account.
    pub deleted: bool,
    /// Verified by Telegram.
    pub verified: bool,
    /// Restricted by Telegram.
    pub restricted: bool,
    /// This account created it.
    pub creator: bool,
    /// This account has administrator rights in it.
    pub admin: bool,
    /// A supergroup with topics.
    pub forum: bool,
    /// This account was removed from it or may not see it.
    pub forbidden: bool,
    /// This account left it.
    pub left: bool,
}

impl Peer {
    /// First and last name, else the title, else `@username`, else nothing.
    pub fn name(&self) -> Option<String> {
        let full = [self.first_name.as_deref(), self.last_name.as_deref()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ");
        let full = full.trim();
        if !full.is_empty() {
            return Some(full.to_owned());
        }
        let title = self.title.as_deref().map(str::trim).filter(|t| !t.is_empty());
        title
            .map(str::to_owned)
            .or_else(|| self.username.as_ref().map(|name| format!("@{name}")))
    }
}

/// One message, or one service entry such as "joined the group".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// Number of the message within its chat.
    pub id: i32,
    /// The chat it stands in.
    pub chat: MarkedId,
    /// When it was sent (UTC).
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub date: Timestamp,
    /// When it was last edited, unless the edit is hidden.
    #[serde(with = "jiff::fmt::serde::timestamp::second::optional")]
    pub edited: Option<Timestamp>,
    /// Who sent it: a person, or the channel or group itself. `None` when the server does not say.
    #[serde(skip)]
    pub sender: Option<Arc<Peer>>,
    /// Marked id of the sender, also when nothing else is known of them.
    pub sender_id: Option<MarkedId>,
    /// Sent by this account.
    pub out: bool,
    /// A post of a channel.
    pub post: bool,
    /// Pinned in its chat.
    pub pinned: bool,
    /// Raw text or caption; empty when there is none.
    pub text: String,
    /// Formatting of the text; offsets and lengths in UTF-16 units, as Telegram counts.
    pub entities: Vec<Entity>,
    /// What is attached.
    pub media: Option<Media>,
    /// Reactions in the server's order.
    pub reactions: Vec<Reaction>,
    /// Who reacted last, where the server tells it.
    pub recent_reactions: Vec<RecentReaction>,
    /// Views of a channel post.
    pub views: Option<i32>,
    /// How often it was forwarded.
    pub forwards: Option<i32>,
    /// Number of comments or replies in its thread.
    pub replies: Option<i32>,
    /// What it answers.
    pub reply_to: Option<Reply>,
    /// The forum topic it stands in (the id of the topic's first message).
    pub topic: Option<i32>,
    /// Where it was forwarded from.
    pub forwarded: Option<Forward>,
    /// Shared by the messages of one album.
    pub grouped_id: Option<i64>,
    /// The inline bot it came through.
    #[serde(skip)]
    pub via_bot: Option<Arc<Peer>>,
    /// Marked id of that bot.
    pub via_bot_id: Option<MarkedId>,
    /// Signature of a channel post, or title of an anonymous administrator.
    pub author: Option<String>,
    /// Set for a service entry; such a message has no text.
    pub service: Option<Service>,
    /// What it tells beside all this.
    pub facts: Vec<Fact>,
}

/// A stretch of formatted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// Where it begins, in UTF-16 units.
    pub offset: usize,
    /// How long it is, in UTF-16 units.
    pub length: usize,
    /// What it is.
    pub kind: EntityKind,
}

/// The sorts of formatting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// Bold.
    Bold,
    /// Italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck out.
    Strike,
    /// Hidden until touched.
    Spoiler,
    /// Code within a line.
    Code,
    /// A block of code.
    Pre {
        /// Its language, or empty.
        language: String,
    },
    /// A quotation.
    Blockquote {
        /// Shown folded.
        collapsed: bool,
    },
    /// A label with a link behind it.
    TextUrl {
        /// The link.
        url: String,
    },
    /// An address written out.
    Url,
    /// `@name`.
    Mention,
    /// A person named without a public name.
    MentionName {
        /// Their id.
        user_id: i64,
    },
    /// `#word`.
    Hashtag,
    /// `$WORD`.
    Cashtag,
    /// `/command`.
    BotCommand,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A bank card number.
    BankCard,
    /// A custom emoji.
    CustomEmoji {
        /// The document that draws it.
        document_id: i64,
    },
    /// Anything newer.
    Unknown,
}

/// What a message carries beside its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// A photograph.
    Photo {
        /// Width of the largest size in pixels.
        width: i32,
        /// Height of the largest size in pixels.
        height: i32,
        /// The file; none once it has expired.
        file: Option<File>,
    },
    /// Any file: video, voice, music, sticker, document.
    Document {
        /// What sort of file.
        kind: DocumentKind,
        /// Name given by the sender.
        file_name: Option<String>,
        /// Media type.
        mime: String,
        /// Width in pixels.
        width: Option<i32>,
        /// Height in pixels.
        height: Option<i32>,
        /// Length in seconds.
        duration: Option<f64>,
        /// Artist of a piece of music.
        performer: Option<String>,
        /// Title of a piece of music.
        title: Option<String>,
        /// Emoji a sticker stands for.
        emoji: Option<String>,
        /// The file; none once it has expired.
        file: Option<File>,
    },
    /// The preview of a link.
    WebPage {
        /// The link.
        url: Option<String>,
        /// Title of the page.
        title: Option<String>,
        /// Whether the preview has a picture.
        image: bool,
    },
    /// A poll or quiz.
    Poll {
        /// What is asked.
        question: String,
        /// Voting has ended.
        closed: bool,
        /// Number of voters, where known.
        total_voters: Option<i32>,
        /// The choices.
        answers: Vec<PollAnswer>,
    },
    /// A place on the map.
    Geo {
        /// Degrees north and east; none where nobody named a place.
        place: Option<(f64, f64)>,
        /// How long a moving place is shared, in seconds.
        live_period: Option<i32>,
    },
    /// A named place.
    Venue {
        /// Degrees north and east; none where nobody named a place.
        place: Option<(f64, f64)>,
        /// Name.
        title: String,
        /// Street address.
        address: String,
    },
    /// Someone's contact.
    Contact {
        /// Telephone number.
        phone: String,
        /// First name.
        first_name: String,
        /// Last name.
        last_name: String,
        /// Id of the person, 0 if they are not on Telegram.
        user_id: i64,
    },
    /// An animated die, dart or the like.
    Dice {
        /// Which.
        emoji: String,
        /// What it showed.
        value: i32,
    },
    /// A bill.
    Invoice {
        /// Title.
        title: String,
        /// Description.
        description: String,
        /// Currency code.
        currency: String,
        /// Amount in the currency's smallest unit.
        amount: i64,
    },
    /// A game.
    Game {
        /// Title.
        title: String,
    },
    /// Anything else, named as Telegram's schema names it.
    Other {
        /// Name of the type.
        name: String,
    },
}

/// What sort of file a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A video with sound.
    Video,
    /// A round video message.
    RoundVideo,
    /// A silent looping video.
    Animation,
    /// A voice message.
    Voice,
    /// Music.
    Audio,
    /// A still or vector sticker.
    Sticker,
    /// A moving sticker.
    VideoSticker,
    /// Anything else.
    File,
}

/// Where a file can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Telegram's number for it.
    pub id: i64,
    /// Size in bytes.
    pub size: u64,
    /// Data centre that keeps it.
    pub dc: i32,
    /// Proof that this account may see it.
    pub access_hash: i64,
    /// Reference that allows the download for some time.
    pub reference: Vec<u8>,
    /// Size letter of a photograph, empty for documents.
    pub thumb: String,
    /// Whether it is a photograph.
    pub photo: bool,
}

/// One choice of a poll.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollAnswer {
    /// The text.
    pub text: String,
    /// How many chose it, where known.
    pub voters: Option<i32>,
    /// Chosen by this account.
    pub chosen: bool,
}

/// One sort of reaction on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// Which.
    pub kind: ReactionKind,
    /// How many.
    pub count: i32,
    /// Whether this account gave it.
    pub chosen: bool,
}

/// Which reaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReactionKind {
    /// A plain emoji.
    Emoji(String),
    /// A custom emoji, by document id.
    Custom(i64),
    /// A paid star.
    Paid,
    /// Nothing: counted by the server, but not shown.
    Empty,
}

impl ReactionKind {
    /// How it is written in an export.
    pub fn text(&self) -> String {
        match self {
            Self::Emoji(emoji) => emoji.clone(),
            Self::Custom(id) => format!("CustomEmoji({id})"),
            Self::Paid => "💎".to_owned(),
            Self::Empty => String::new(),
        }
    }
}

/// Someone's reaction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecentReaction {
    /// Who reacted.
    #[serde(skip)]
    pub from: Option<Arc<Peer>>,
    /// Their marked id.
    pub from_id: MarkedId,
    /// When.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub date: Timestamp,
    /// With what.
    pub kind: ReactionKind,
    /// Whether it was this account.
    pub mine: bool,
}

/// What a message answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The message answered.
    pub message_id: Option<i32>,
    /// The chat it stands in, if another one.
    pub chat: Option<MarkedId>,
    /// The part that is quoted.
    pub quote: Option<String>,
}

/// Where a message was forwarded from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forward {
    /// Original author, where shown.
    #[serde(skip)]
    pub from: Option<Arc<Peer>>,
    /// Their marked id.
    pub from_id: Option<MarkedId>,
    /// Name of an author who hides their account.
    pub name: Option<String>,
    /// When the original was sent.
    #[serde(with = "jiff::fmt::serde::timestamp::second::required")]
    pub date: Timestamp,
    /// Number of the original in its channel.
    pub channel_post: Option<i32>,
    /// Signature of the original post.
    pub author: Option<String>,
}

/// A service entry.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Service {
    /// What happened, in the words of the Telegram Desktop export (`pin_message`, `invite_members`, ...).
    pub action: String,
    /// New title of a chat or topic.
    pub title: Option<String>,
    /// Marked ids of the people concerned.
    pub member_ids: Vec<i64>,
    /// Their names, in the same order; empty when unknown.
    pub members: Vec<String>,
    /// Length of a call in seconds.
    pub duration: Option<i32>,
    /// Why a call ended.
    pub discard_reason: Option<String>,
    /// Other text of the entry.
    pub text: Option<String>,
    /// Bare id of the group that a supergroup was before its upgrade.
    pub from_group: Option<i64>,
}
