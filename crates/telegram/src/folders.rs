//! Folders of the dialog list, which Telegram calls filters: a rule and chats named one by one.

use std::collections::HashSet;

use app_core::text::visible_line;
use app_core::{ToolError, ToolResult};
use grammers_client::tl::{self, enums, types};

use crate::client::{Repeat, Telegram};
use crate::dialogs::Dialog;
use crate::model::{ChatKind, MarkedId};
use crate::pace::Pace;

/// A folder.
#[derive(Debug, Clone, Default)]
struct Folder {
    title: String,
    rule: Rule,
    /// Chats that are in it whatever the rule says.
    named: HashSet<MarkedId>,
    /// Chats that the rule does not take in.
    excluded: HashSet<MarkedId>,
}

/// Which sorts of chats a folder takes in, and which of those it leaves out.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "Telegram's own flags")]
struct Rule {
    contacts: bool,
    strangers: bool,
    groups: bool,
    channels: bool,
    bots: bool,
    not_muted: bool,
    not_read: bool,
    not_archived: bool,
}

/// The chats of a folder.
#[derive(Debug)]
pub struct Filed {
    /// They, in the order of the dialog list.
    pub dialogs: Vec<Dialog>,
    /// Chats that the folder names and the dialog list lacks.
    pub lacking: usize,
    /// The folder leaves out what is muted, and so many chats follow the general settings, which were not asked for: they
    /// are in.
    pub unsure: usize,
}

impl Telegram {
    /// The chats of the folder of this title; upper and lower case do not matter.
    ///
    /// # Errors
    /// `not_found`, naming the folders that there are, and `invalid_input` where several have this title.
    pub async fn folder(&self, title: &str) -> ToolResult<Filed> {
        let request = tl::functions::messages::GetDialogFilters {};
        let enums::messages::DialogFilters::Filters(answer) =
            self.call(Pace::Dialogs, Repeat::Safe, &request).await?;
        let own = self.me()?.id;
        let folders: Vec<Folder> = answer
            .filters
            .into_iter()
            .filter_map(|f| folder(f, own))
            .collect();
        let same = |folder: &&Folder| folder.title.trim().to_lowercase() == title.trim().to_lowercase();
        let mut found = folders.iter().filter(same);
        let Some(folder) = found.next() else {
            return Err(unknown(title, &folders));
        };
        if found.next().is_some() {
            return Err(ToolError::invalid(
                "folder",
                format!("several folders are called `{title}`"),
            ));
        }
        let now = self.context().now().as_second();
        let all = self.dialogs(None, |_| true).await?;
        let there: HashSet<MarkedId> = all.iter().map(|dialog| dialog.chat.id()).collect();
        let lacking = folder.named.difference(&there).count();
        let dialogs: Vec<Dialog> = all
            .into_iter()
            .filter(|dialog| folder.holds(dialog, now))
            .collect();
        let by_rule = |dialog: &&Dialog| {
            dialog.standing.muted_until.is_none() && !folder.named.contains(&dialog.chat.id())
        };
        let unsure = if folder.rule.not_muted {
            dialogs.iter().filter(by_rule).count()
        } else {
            0
        };
        Ok(Filed {
            dialogs,
            lacking,
            unsure,
        })
    }
}

fn unknown(title: &str, folders: &[Folder]) -> ToolError {
    let names: Vec<String> = folders
        .iter()
        .map(|folder| format!("`{}`", visible_line(&folder.title)))
        .collect();
    let hint = if names.is_empty() {
        "the account has no folders".to_owned()
    } else {
        format!("there are {}", names.join(", "))
    };
    ToolError::not_found(format!("no folder is called `{title}`")).hint(hint)
}

/// A folder of the service; none for the list of all chats, which is no folder.
fn folder(filter: enums::DialogFilter, own: MarkedId) -> Option<Folder> {
    let ids = |peers: &[enums::InputPeer]| peers.iter().filter_map(|p| marked(p, own)).collect::<Vec<_>>();
    let text = |title: enums::TextWithEntities| {
        let enums::TextWithEntities::Entities(types::TextWithEntities { text, .. }) = title;
        text
    };
    match filter {
        enums::DialogFilter::Filter(f) => Some(Folder {
            rule: Rule {
                contacts: f.contacts,
                strangers: f.non_contacts,
                groups: f.groups,
                channels: f.broadcasts,
                bots: f.bots,
                not_muted: f.exclude_muted,
                not_read: f.exclude_read,
                not_archived: f.exclude_archived,
            },
            named: [ids(&f.pinned_peers), ids(&f.include_peers)]
                .concat()
                .into_iter()
                .collect(),
            excluded: ids(&f.exclude_peers).into_iter().collect(),
            title: text(f.title),
        }),
        enums::DialogFilter::Chatlist(f) => Some(Folder {
            named: [ids(&f.pinned_peers), ids(&f.include_peers)]
                .concat()
                .into_iter()
                .collect(),
            title: text(f.title),
            ..Folder::default()
        }),
        enums::DialogFilter::Default => None,
    }
}

fn marked(peer: &enums::InputPeer, own: MarkedId) -> Option<MarkedId> {
    match peer {
        enums::InputPeer::PeerSelf => Some(own),
        enums::InputPeer::User(user) => Some(MarkedId::user(user.user_id)),
        enums::InputPeer::Chat(chat) => Some(MarkedId::group(chat.chat_id)),
        enums::InputPeer::Channel(channel) => Some(MarkedId::channel(channel.channel_id)),
        _ => None,
    }
}

impl Folder {
    /// Whether a chat is in it. What is named is in, also when it is muted, read or archived.
    fn holds(&self, dialog: &Dialog, now: i64) -> bool {
        let (peer, standing) = (&dialog.chat.peer, dialog.standing);
        if self.named.contains(&peer.id) {
            return true;
        }
        let rule = self.rule;
        let taken = match peer.kind {
            ChatKind::Bot => rule.bots,
            ChatKind::User if standing.contact => rule.contacts,
            ChatKind::User => rule.strangers,
            ChatKind::Channel => rule.channels,
            _ => rule.groups,
        };
        let muted = standing.muted_until.is_some_and(|until| i64::from(until) > now);
        let read = dialog.unread == 0 && !standing.marked;
        let left_out = self.excluded.contains(&peer.id)
            || (rule.not_muted && muted)
            || (rule.not_read && read)
            || (rule.not_archived && standing.archived);
        taken && !left_out
    }
}
