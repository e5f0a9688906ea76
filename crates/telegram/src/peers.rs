//! Which chat is meant: alias, id of either space, username, link, and (where a tool says so) part of a title.

use std::collections::HashMap;
use std::sync::Arc;

use app_core::state::Checkpoint;
use app_core::{Context, ErrorKind, ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};

use crate::aliases::{AliasFile, ChatEntry, ChatKind as AliasKind};
use crate::client::{Repeat, Telegram, guard};
use crate::convert::{self, People};
use crate::dialogs::Dialog;
use crate::model::{MarkedId, Peer};
use crate::pace::Pace;

/// A chat that requests can be addressed to.
#[derive(Debug, Clone)]
pub struct Chat {
    /// What is known of it.
    pub peer: Arc<Peer>,
    /// The alias it was named by.
    pub alias: Option<String>,
    pub(crate) access_hash: i64,
}

impl Chat {
    /// Marked id.
    pub fn id(&self) -> MarkedId {
        self.peer.id
    }

    /// Title of a group or channel, name of a person, else the id.
    pub fn title(&self) -> String {
        self.peer.name().unwrap_or_else(|| self.peer.id.to_string())
    }

    /// How requests name it.
    pub(crate) fn input(&self) -> enums::InputPeer {
        let id = self.peer.id;
        let access_hash = self.access_hash;
        if id.is_user() {
            types::InputPeerUser {
                user_id: id.bare(),
                access_hash,
            }
            .into()
        } else if id.is_channel() {
            types::InputPeerChannel {
                channel_id: id.bare(),
                access_hash,
            }
            .into()
        } else {
            types::InputPeerChat { chat_id: id.bare() }.into()
        }
    }

    /// How requests for channels name it.
    pub(crate) fn input_channel(&self) -> Option<enums::InputChannel> {
        let id = self.peer.id;
        id.is_channel().then(|| {
            types::InputChannel {
                channel_id: id.bare(),
                access_hash: self.access_hash,
            }
            .into()
        })
    }
}

/// Seconds for which a resolved name is believed by programs that only read.
const REMEMBERED_FOR: i64 = 3600;

/// Who had a username, and when that was asked.
#[derive(serde::Serialize, serde::Deserialize)]
struct Remembered {
    at: jiff::Timestamp,
    peer: Peer,
}

/// Whether a part of a title may name a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByTitle {
    /// Only aliases, ids, usernames and links.
    No,
    /// Also a part of the title, if exactly one chat has it; tools that only read may allow it.
    Unique,
}

/// What a text says about a chat, before anybody is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The account itself.
    Me,
    /// A marked id, or a bare one that may be of any kind.
    Id(i64),
    /// A public name.
    Username(String),
    /// Something that can only be a title.
    Title(String),
}

/// Reads what a user wrote: `me`, `-1001234`, `1234`, `@name`, `name`, `https://t.me/name`, `t.me/c/1234/5`.
///
/// # Errors
/// `invalid_input` for nothing, for id 0, and for links that name no chat.
pub fn parse(text: &str) -> ToolResult<Named> {
    let text = text.trim();
    let refuse = |message: String| Err(ToolError::invalid("chat", message));
    if text.is_empty() {
        return refuse("no chat is named".to_owned());
    }
    if matches!(text, "me" | "self") {
        return Ok(Named::Me);
    }
    if let Ok(id) = text.parse::<i64>() {
        if id == 0 {
            return refuse("`0` is no chat; it is what an empty setting looks like".to_owned());
        }
        return Ok(Named::Id(id));
    }
    let link = [
        "https://t.me/",
        "http://t.me/",
        "t.me/",
        "https://telegram.me/",
        "tg://resolve?domain=",
    ]
    .iter()
    .find_map(|prefix| text.strip_prefix(prefix));
    if let Some(rest) = link {
        let mut parts = rest.split(['/', '?', '#']).filter(|part| !part.is_empty());
        return match (parts.next(), parts.next()) {
            (Some("c"), Some(id)) => match id.parse::<i64>() {
                Ok(id) if id > 0 => Ok(Named::Id(MarkedId::channel(id).0)),
                _ => refuse(format!("`{text}` is no link to a chat")),
            },
            (Some(name), _) if is_username(name) => Ok(Named::Username(name.to_owned())),
            _ => refuse(format!("`{text}` is no link to a chat")),
        };
    }
    let name = text.trim_start_matches('@');
    if is_username(name) {
        return Ok(Named::Username(name.to_owned()));
    }
    if text.starts_with('@') {
        return refuse(format!("`{text}` is no username"));
    }
    Ok(Named::Title(text.to_owned()))
}

/// Refuses a text that can name no chat, before anybody is asked; an alias of `config.yml` may be any text.
pub(crate) fn parse_unless_alias(ctx: &Context, text: &str) -> ToolResult<()> {
    let (file, _) = AliasFile::read(ctx)?;
    if !file.chats.contains_key(text.trim()) {
        parse(text)?;
    }
    Ok(())
}

fn is_username(name: &str) -> bool {
    (3..=32).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl Telegram {
    /// Finds the chat that a text names.
    ///
    /// An alias wins. A bare positive number is looked for among users, groups and channels; when more than one of them
    /// has it, nothing is guessed.
    ///
    /// # Errors
    /// `invalid_input` when the text names no chat or is ambiguous (with the candidates), `not_found` otherwise.
    pub async fn resolve(&self, text: &str, by_title: ByTitle) -> ToolResult<Chat> {
        let (file, _) = AliasFile::read(&self.ctx)?;
        if let Some(entry) = file.chats.get(text.trim()) {
            let mut chat = self.resolve_alias(text.trim(), entry).await?;
            chat.alias = Some(text.trim().to_owned());
            return Ok(chat);
        }
        if file.skipped.contains(text.trim()) {
            return Err(ToolError::config(format!(
                "the alias `{}` of config.yml points to no chat",
                text.trim()
            ))
            .code("alias_unusable")
            .field("chat")
            .hint("correct its entry; `@name` means the public name"));
        }
        match parse(text)? {
            Named::Me => Ok(self.own_chat()?),
            Named::Id(id) => self.resolve_id(id, None).await,
            Named::Username(name) => match self.resolve_username(&name, by_title == ByTitle::Unique).await {
                Err(error)
                    if error.kind == ErrorKind::NotFound
                        && by_title == ByTitle::Unique
                        && !text.starts_with('@') =>
                {
                    self.resolve_title(text).await.map_err(|by_title| {
                        if by_title.kind == ErrorKind::NotFound {
                            error
                        } else {
                            by_title
                        }
                    })
                }
                other => other,
            },
            Named::Title(title) if by_title == ByTitle::Unique => self.resolve_title(&title).await,
            Named::Title(title) => Err(ToolError::not_found(format!("`{title}` names no chat"))
                .code("chat_not_found")
                .field("chat")
                .hint(
                    "use an alias of config.yml, an id, a @username or a t.me link; `list_chats` shows ids",
                )),
        }
    }

    /// The chat with oneself.
    fn own_chat(&self) -> ToolResult<Chat> {
        let me = self.me()?;
        let access_hash = self.storage.hash(me.id.0).unwrap_or_default();
        Ok(Chat {
            peer: Arc::clone(me),
            alias: None,
            access_hash,
        })
    }

    async fn resolve_alias(&self, alias: &str, entry: &ChatEntry) -> ToolResult<Chat> {
        let found = match &entry.kind {
            AliasKind::Username(name) => self.resolve_username(name, false).await,
            // The sides disagreed on what is a group and what a channel, so the type only decides between several.
            AliasKind::Channel(id) => self.resolve_id(*id, Some("channel")).await,
            AliasKind::Group(id) => self.resolve_id(*id, Some("group")).await,
            AliasKind::User(id) => self.resolve_id(*id, Some("user")).await,
        };
        found.map_err(|error| {
            if error.kind == ErrorKind::NotFound {
                error.hint(format!("the alias `{alias}` of config.yml points there"))
            } else {
                error
            }
        })
    }

    /// Asks who has a username. An answer is good for an hour for programs that only read: mass resolving is what
    /// accounts were blocked for. Who acts asks anew, since names change hands.
    async fn resolve_username(&self, name: &str, may_remember: bool) -> ToolResult<Chat> {
        let memory = self.name_memory(name)?;
        if may_remember
            && let Some(known) = memory.load::<Remembered>()?
            && self.ctx.now().duration_since(known.at).as_secs() < REMEMBERED_FOR
        {
            let peer = Arc::new(known.peer);
            if let Some(chat) = self.addressable(&peer) {
                self.remember(&peer);
                return Ok(chat);
            }
        }
        let chat = self.ask_username(name).await?;
        memory.save(&Remembered {
            at: self.ctx.now(),
            peer: (*chat.peer).clone(),
        })?;
        Ok(chat)
    }

    /// Where the answer for a name is kept, for all programs of the host.
    fn name_memory(&self, name: &str) -> ToolResult<Checkpoint> {
        let key = format!("username:{}:{}", self.me()?.id, name.to_lowercase());
        Checkpoint::open(self.ctx.state_dir()?, "telegram", &key)
    }

    async fn ask_username(&self, name: &str) -> ToolResult<Chat> {
        if let Some(peer) = self.known(|peer| {
            peer.username
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(name))
        }) && let Some(chat) = self.addressable(&peer)
        {
            return Ok(chat);
        }
        let request = tl::functions::contacts::ResolveUsername {
            username: name.to_owned(),
            referer: None,
        };
        let answer = self
            .call_raw(Pace::Resolves, Repeat::Safe, &request)
            .await
            .map_err(|failed| {
                if failed.is("USERNAME_*") {
                    ToolError::not_found(format!("nobody has the username `@{name}`"))
                        .code("chat_not_found")
                        .field("chat")
                } else {
                    failed.told()
                }
            })?;
        let enums::contacts::ResolvedPeer::Peer(found) = answer;
        let people = self.meet(&found.users, &found.chats);
        let peer = people.get(&convert::marked(&found.peer)).ok_or_else(|| {
            ToolError::not_found(format!("nobody has the username `@{name}`"))
                .code("chat_not_found")
                .field("chat")
        })?;
        self.addressable(peer).ok_or_else(|| not_addressable(peer))
    }

    /// Finds an id of either space.
    async fn resolve_id(&self, id: i64, kind: Option<&str>) -> ToolResult<Chat> {
        let candidates: Vec<MarkedId> = match (id, kind) {
            (id, _) if id < 0 => {
                // A marked id given for an alias keeps its meaning.
                vec![MarkedId(id)]
            }
            (id, Some("user")) => vec![MarkedId::user(id)],
            (id, Some("channel")) => vec![MarkedId::channel(id), MarkedId::group(id)],
            (id, Some("group")) => vec![MarkedId::group(id), MarkedId::channel(id)],
            (id, _) => vec![MarkedId::user(id), MarkedId::channel(id), MarkedId::group(id)],
        };
        let dialogs = self.all_dialogs(candidates.as_slice()).await?;
        let found: Vec<&Dialog> = candidates
            .iter()
            .filter_map(|id| dialogs.iter().find(|dialog| dialog.chat.id() == *id))
            .collect();
        match (found.as_slice(), kind) {
            ([one], _) | ([one, ..], Some(_)) => Ok(one.chat.clone()),
            ([], _) => {
                // Not in the list, but met before: the session remembers how to address it.
                for id in &candidates {
                    let known = guard(&self.people).get(id).cloned();
                    if let Some(chat) = known.as_ref().and_then(|peer| self.addressable(peer)) {
                        return Ok(chat);
                    }
                }
                // A group that became a supergroup is in no list any more, but can be read.
                if let Some(group) = candidates.iter().find(|id| id.is_group()) {
                    match self.group(*group).await {
                        Err(error) if error.kind == ErrorKind::NotFound => {}
                        other => return other,
                    }
                }
                Err(
                    ToolError::not_found(format!("no chat with the id `{id}` is in the dialog list"))
                        .code("chat_not_found")
                        .field("chat")
                        .hint("`list_chats` and `dialogs` show the ids"),
                )
            }
            (several, None) => Err(ToolError::invalid(
                "chat",
                format!(
                    "`{id}` could be any of {}",
                    candidates_text(several.iter().map(|dialog| &dialog.chat))
                ),
            )
            .code("chat_ambiguous")
            .hint("use the marked id, which says what it is")),
        }
    }

    /// A basic group by its id, whether or not it is in the dialog list: it needs no proof to be addressed.
    pub(crate) async fn group(&self, id: MarkedId) -> ToolResult<Chat> {
        let request = tl::functions::messages::GetChats { id: vec![id.bare()] };
        let enums::messages::Chats::Chats(answer) = self.call(Pace::Reads, Repeat::Safe, &request).await?
        else {
            return Err(not_found_group(id));
        };
        let people = self.meet(&[], &answer.chats);
        let peer = people.get(&id).ok_or_else(|| not_found_group(id))?;
        self.addressable(peer).ok_or_else(|| not_addressable(peer))
    }

    async fn resolve_title(&self, title: &str) -> ToolResult<Chat> {
        let needle = title.to_lowercase();
        let dialogs = self.all_dialogs(&[]).await?;
        let exact: Vec<&Dialog> = dialogs
            .iter()
            .filter(|dialog| dialog.chat.title().to_lowercase() == needle)
            .collect();
        let part: Vec<&Dialog> = dialogs
            .iter()
            .filter(|dialog| dialog.chat.title().to_lowercase().contains(&needle))
            .collect();
        let found = if exact.len() == 1 { exact } else { part };
        match found.as_slice() {
            [one] => Ok(one.chat.clone()),
            [] => Err(
                ToolError::not_found(format!("no chat in the dialog list has `{title}` in its title"))
                    .code("chat_not_found")
                    .field("chat")
                    .hint("`list_chats` shows the titles"),
            ),
            several => Err(ToolError::invalid(
                "chat",
                format!(
                    "`{title}` fits {} chats: {}",
                    several.len(),
                    candidates_text(several.iter().map(|dialog| &dialog.chat))
                ),
            )
            .code("chat_ambiguous")
            .hint("use the id in brackets")),
        }
    }

    fn known(&self, test: impl Fn(&Peer) -> bool) -> Option<Arc<Peer>> {
        guard(&self.people).values().find(|peer| test(peer)).cloned()
    }

    /// A chat from a peer whose access hash is known.
    pub(crate) fn addressable(&self, peer: &Arc<Peer>) -> Option<Chat> {
        let access_hash = if peer.id.is_group() {
            0
        } else {
            self.storage.hash(peer.id.0)?
        };
        Some(Chat {
            peer: Arc::clone(peer),
            alias: None,
            access_hash,
        })
    }

    /// Remembers a peer for this run.
    pub(crate) fn remember(&self, peer: &Arc<Peer>) {
        guard(&self.people).insert(peer.id, Arc::clone(peer));
    }

    /// Takes in the people and chats of an answer: for this run, and how to address them for later ones.
    pub(crate) fn meet(&self, users: &[enums::User], chats: &[enums::Chat]) -> People {
        let mut met: People = HashMap::with_capacity(users.len() + chats.len());
        let mut known = guard(&self.people);
        let mut fresh = false;
        let mut take = |id: MarkedId, same: &dyn Fn(&Peer) -> bool, make: &dyn Fn() -> Option<Peer>| {
            // Most answers bring the same people again.
            let peer = match known.get(&id) {
                Some(peer) if same(peer) => Arc::clone(peer),
                _ => {
                    let Some(peer) = make().map(Arc::new) else { return };
                    fresh = true;
                    known.insert(id, Arc::clone(&peer));
                    peer
                }
            };
            met.insert(id, peer);
        };
        for user in users {
            if let enums::User::User(user) = user {
                let same = |peer: &Peer| convert::is_same_user(peer, user);
                take(MarkedId::user(user.id), &same, &|| Some(convert::user(user)));
            }
        }
        for chat in chats {
            if let Some(peer) = convert::chat(chat) {
                take(peer.id, &|known| *known == peer, &|| Some(peer.clone()));
            }
        }
        drop(known);
        if fresh && let Err(error) = self.storage.keep_hashes(&convert::hashes(users, chats)) {
            tracing::debug!(%error, "access hashes were not kept");
        }
        if let Ok(me) = self.me() {
            met.entry(me.id).or_insert_with(|| Arc::clone(me));
        }
        met
    }
}

fn not_found_group(id: MarkedId) -> ToolError {
    ToolError::not_found(format!("Telegram knows no group with the id `{id}`"))
        .code("chat_not_found")
        .field("chat")
}

fn not_addressable(peer: &Peer) -> ToolError {
    ToolError::not_found(format!("the session cannot address `{}`", peer.id))
        .code("chat_not_found")
        .field("chat")
}

fn candidates_text<'a>(chats: impl Iterator<Item = &'a Chat>) -> String {
    chats
        .map(|chat| format!("{} ({}, [{}])", chat.title(), chat.peer.kind.word(), chat.id()))
        .collect::<Vec<_>>()
        .join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_write_is_understood() {
        let cases = [
            ("me", Named::Me),
            ("-1001234567890", Named::Id(-1_001_234_567_890)),
            ("  1234 ", Named::Id(1234)),
            ("@river_club", Named::Username("river_club".into())),
            ("@@double", Named::Username("double".into())),
            ("river_club", Named::Username("river_club".into())),
            (
                "https://t.me/river_club/12?single",
                Named::Username("river_club".into()),
            ),
            ("t.me/c/1002/55", Named::Id(-1_000_000_001_002)),
            ("River Club", Named::Title("River Club".into())),
            ("Новости", Named::Title("Новости".into())),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for text in ["", "  ", "0", "@", "@-", "https://t.me/", "https://t.me/c/x"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
