//! The delivery book: who gets which letter, on disk before a byte leaves.
//!
//! It is the host's outbox under the name `mail`. A message's key is the campaign's key and the address as it is
//! compared, so that an address gets the letter of a campaign once, whatever program sends it and however often it is
//! started. What a killed program had in hand is undecided, and is never sent again by itself.

use std::{fmt, path::Path, time::Duration};

use app_core::{
    ErrorKind, ToolError, ToolResult,
    state::{Claim, Delivery, Message, MessageState, NewMessage, Outbox, Pace, Principal, Settled},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::address::Address;

/// First wait before an address is tried again, as servers that ask for patience want it; doubles each time.
const BACKOFF: Duration = Duration::from_secs(300);

/// What names a campaign: letters, digits, `.`, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignKey(String);

impl CampaignKey {
    /// Takes a key.
    pub fn new(text: &str) -> ToolResult<Self> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if text.is_empty() || text.len() > 100 || !text.chars().all(fits) {
            return Err(ToolError::invalid(
                "key",
                format!(
                    "`{}` is no key: letters, digits, `.`, `_`, `-`",
                    text.escape_debug()
                ),
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The key.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(&self, address: &Address) -> String {
        format!("{}/{}", self.0, address.key())
    }
}

impl fmt::Display for CampaignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// To be sent.
    Planned,
    /// A program has it in hand.
    Sending,
    /// The server took it.
    Sent,
    /// It will not be sent.
    Failed,
    /// Nobody knows whether the server has it: `resolve` settles it.
    Undecided,
    /// The address gets nothing any more.
    Suppressed,
}

/// One row of the book.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// The address as it is compared.
    pub address: String,
    /// Where the delivery is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was sent, failed, or became undecided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Not to be tried before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What the server said, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// Who settled it, when somebody had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
}

/// How errors begin that say that an address is suppressed.
const SUPPRESSED: &str = "suppressed: ";

impl Entry {
    fn of(message: &Message) -> Self {
        let suppressed = message
            .error
            .as_deref()
            .is_some_and(|e| e.starts_with(SUPPRESSED));
        let state = match message.state {
            MessageState::Ready => DeliveryState::Planned,
            MessageState::Sending => DeliveryState::Sending,
            MessageState::Sent => DeliveryState::Sent,
            MessageState::Undecided => DeliveryState::Undecided,
            MessageState::Refused if suppressed => DeliveryState::Suppressed,
            MessageState::Refused => DeliveryState::Failed,
        };
        let waits = message.state == MessageState::Ready && message.not_before > Timestamp::UNIX_EPOCH;
        Self {
            address: message.key.split_once('/').map_or("", |(_, a)| a).to_owned(),
            state,
            attempts: message.attempts,
            at: message.ended_at,
            not_before: waits.then_some(message.not_before),
            said: message.receipt.clone().or_else(|| message.error.clone()),
            settled_by: message.settled_by.clone(),
        }
    }
}

/// A delivery that is in this process's hands; it must be finished.
#[derive(Debug)]
#[must_use]
pub struct Taken(Box<Message>);

/// What became of asking for a delivery.
#[derive(Debug)]
pub enum Asked {
    /// It is in this process's hands.
    Taken(Taken),
    /// It is to wait until then.
    Held(Timestamp),
    /// It is not there to be sent.
    Not(Entry),
}

/// The delivery book of the host.
#[derive(Debug)]
pub struct Book {
    outbox: Outbox,
}

impl Book {
    /// Opens it. `between`: shortest time between two messages to one server, over all programs of the host.
    pub fn open(state_dir: &Path, between: Duration) -> ToolResult<Self> {
        let pace = Pace {
            between,
            attempts: 5,
            backoff: BACKOFF,
        };
        Ok(Self {
            outbox: Outbox::open(state_dir, "mail", pace)?,
        })
    }

    /// Puts deliveries in; what is there already stays as it is. `letter` is the hash of what will be sent, `server` whom
    /// it is given to. Returns how many were there.
    ///
    /// Fails with kind `conflict` when the key names another letter.
    pub fn plan<'a>(
        &self,
        key: &CampaignKey,
        letter: &str,
        server: &str,
        addresses: impl IntoIterator<Item = &'a Address>,
        now: Timestamp,
    ) -> ToolResult<usize> {
        let body = json!({ "letter": letter });
        let keys: Vec<String> = addresses.into_iter().map(|address| key.of(address)).collect();
        let messages = keys.iter().map(|key| NewMessage {
            key,
            lane: server,
            body: &body,
            not_before: None,
        });
        self.outbox.put_all(messages, now).map_err(|error| {
            if error.code != "says_something_else" {
                return error;
            }
            let what = format!("key `{key}` names another letter, or another server, already");
            ToolError::new(ErrorKind::Conflict, what)
                .code("another_letter")
                .field("key")
                .hint("take another key; one key is one letter")
        })
    }

    /// Asks for one delivery. Taken, it is noted as being sent, on disk.
    pub fn take(&self, key: &CampaignKey, address: &Address, now: Timestamp) -> ToolResult<Asked> {
        Ok(match self.outbox.claim_key(&key.of(address), now)? {
            Claim::Taken(message) => Asked::Taken(Taken(message)),
            Claim::Held(until) => Asked::Held(until),
            Claim::Not(message) => Asked::Not(Entry::of(&message)),
        })
    }

    /// Notes how a delivery ended.
    pub fn finish(&self, taken: Taken, delivery: Delivery, now: Timestamp) -> ToolResult<Entry> {
        self.outbox.finish(&taken.0, delivery, now).map(|m| Entry::of(&m))
    }

    /// Notes that an address gets nothing any more.
    pub fn finish_suppressed(&self, taken: Taken, reason: &str, now: Timestamp) -> ToolResult<Entry> {
        let error = ToolError::new(ErrorKind::ProviderRejected, format!("{SUPPRESSED}{reason}"));
        self.finish(taken, Delivery::Refused(Box::new(error)), now)
    }

    /// All deliveries of a campaign, in the order they were planned, given to `act` one by one.
    pub fn each(&self, key: &CampaignKey, mut act: impl FnMut(Entry)) -> ToolResult<()> {
        self.outbox.each_under(&format!("{key}/"), |message| {
            act(Entry::of(&message));
            Ok(())
        })
    }

    /// Notes what somebody found out about an undecided delivery.
    pub fn resolve(
        &self,
        key: &CampaignKey,
        address: &Address,
        sent: bool,
        by: &Principal,
        now: Timestamp,
    ) -> ToolResult<Entry> {
        let settled = if sent { Settled::Sent } else { Settled::Dropped };
        self.outbox
            .settle(&key.of(address), settled, by, now)
            .map(|m| Entry::of(&m))
    }

    /// One delivery. Fails with kind `not_found` when there is none.
    pub fn get(&self, key: &CampaignKey, address: &Address) -> ToolResult<Entry> {
        self.outbox.get(&key.of(address)).map(|m| Entry::of(&m))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Rules;

    #[test]
    fn an_address_gets_the_letter_of_a_key_once() {
        let dir = tempfile::tempdir().unwrap();
        let book = Book::open(dir.path(), Duration::ZERO).unwrap();
        let key = CampaignKey::new("spring-1").unwrap();
        let address = |text| Address::parse(text, Rules::default()).unwrap();
        let (ina, same) = (
            address("ina@bücher.example"),
            address("INA@xn--bcher-kva.example"),
        );
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(book.plan(&key, "aa", "smtp:25", [&ina, &same], now).unwrap(), 1);
        assert_eq!(
            book.plan(&key, "bb", "smtp:25", [&ina], now).unwrap_err().code,
            "another_letter"
        );
        let Asked::Taken(taken) = book.take(&key, &ina, now).unwrap() else {
            panic!("not taken")
        };
        assert!(
            matches!(book.take(&key, &same, now).unwrap(), Asked::Not(e) if e.state == DeliveryState::Sending)
        );
        let lost = ToolError::new(ErrorKind::Network, "lost after the dot");
        book.finish(taken, Delivery::Undecided(Box::new(lost)), now)
            .unwrap();
        assert!(
            matches!(book.take(&key, &ina, now).unwrap(), Asked::Not(e) if e.state == DeliveryState::Undecided)
        );
        let by = Principal::os_user("cli");
        let settled = book.resolve(&key, &ina, true, &by, now).unwrap();
        assert_eq!(
            (settled.state, settled.address.as_str()),
            (DeliveryState::Sent, "ina@xn--bcher-kva.example")
        );
        assert_eq!(
            book.resolve(&key, &ina, true, &by, now).unwrap_err().kind,
            ErrorKind::Conflict
        );
        for wrong in ["", "a/b", "a b", "ü"] {
            assert!(CampaignKey::new(wrong).is_err());
        }
    }
}
