//! Names of files and of senders.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use unicode_general_category::{GeneralCategory, get_general_category};

use super::Options;
use crate::model::{MarkedId, Message, Peer};

/// File name of a chat without a usable title.
pub const UNKNOWN_CHAT: &str = "unknown_chat";

/// Name of a sender of whom nothing is known, in the Markdown export.
pub const UNKNOWN_SENDER: &str = "Неизвестный отправитель";

/// Longest file name without its extension, in code points.
const LONGEST: usize = 50;

/// A file name made of a title: punctuation, marks and emoji dropped, runs of blanks joined to one `_`,
/// at most 50 code points; `fallback` (cut alike) when nothing is left.
pub fn file_name(title: Option<&str>, fallback: &str) -> String {
    let kept: String = title
        .unwrap_or_default()
        .chars()
        .filter(|&c| c == '-' || is_blank(c) || is_word(c))
        .collect();
    let parts: Vec<&str> = kept.split(is_blank).filter(|part| !part.is_empty()).collect();
    let name = parts.join("_");
    let name = if name.is_empty() { fallback } else { &name };
    name.chars().take(LONGEST).collect()
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Letters, numbers and `_`: the general categories L* and N*. `char::is_alphanumeric` would let some marks through.
fn is_word(c: char) -> bool {
    use GeneralCategory as C;
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    matches!(
        get_general_category(c),
        C::UppercaseLetter
            | C::LowercaseLetter
            | C::TitlecaseLetter
            | C::ModifierLetter
            | C::OtherLetter
            | C::DecimalNumber
            | C::LetterNumber
            | C::OtherNumber
    )
}

/// File names of one run: a second chat whose title gives a name already taken has its id appended.
#[derive(Debug, Default)]
pub struct FileNames {
    taken: HashSet<String>,
}

impl FileNames {
    /// The name for a chat, never given before by this value (case does not tell names apart).
    pub fn of(&mut self, title: Option<&str>, id: MarkedId, fallback: &str) -> String {
        let name = file_name(title, fallback);
        if self.taken.insert(name.to_lowercase()) {
            return name;
        }
        let name = format!("{name}_{}", id.0.unsigned_abs());
        self.taken.insert(name.to_lowercase());
        name
    }
}

/// What people without a name are called.
#[derive(Debug, Clone, Copy)]
enum Nameless {
    /// All the same, as the replaced scripts had it.
    Fallback,
    /// What is known of each.
    Told,
}

/// What somebody without a name is called: only Telegram says that an account was deleted.
pub fn nameless(peer: Option<&Peer>, id: MarkedId) -> String {
    match peer {
        Some(peer) if peer.flags.deleted => format!("Deleted account (id {id})"),
        _ => format!("Unknown (id {id})"),
    }
}

/// Names of senders, looked up once per id.
#[derive(Debug)]
pub struct Senders {
    fallback: Arc<str>,
    nameless: Nameless,
    known: HashMap<MarkedId, Arc<str>>,
}

impl Senders {
    /// Starts with the names the caller gives; `fallback` when the options name none.
    pub fn new(options: &Options, fallback: &str) -> Self {
        let fallback = options.unknown_sender.as_deref().unwrap_or(fallback);
        Self {
            fallback: Arc::from(fallback),
            nameless: Nameless::Fallback,
            known: options
                .names
                .iter()
                .map(|(id, name)| (*id, Arc::from(name.as_str())))
                .collect(),
        }
    }

    /// Lets posts that name no sender carry the name of the chat they stand in.
    pub fn learn(&mut self, peer: &Peer) {
        if let Some(name) = peer.name() {
            self.known.entry(peer.id).or_insert_with(|| Arc::from(name));
        }
    }

    /// First and last name, else title, else `@username`, else the fallback. The answer is kept under the
    /// sender's id, so that one sender has one name throughout.
    pub fn name(&mut self, message: &Message) -> Arc<str> {
        let Some(id) = sender_id(message) else {
            let name = message.sender.as_ref().and_then(|sender| sender.name());
            return name.map_or_else(|| Arc::clone(&self.fallback), Arc::from);
        };
        if let Some(name) = self.known.get(&id) {
            return Arc::clone(name);
        }
        let name = message.sender.as_ref().and_then(|sender| sender.name());
        let name = match (name, &self.nameless) {
            (Some(name), _) => Arc::from(name),
            (None, Nameless::Fallback) => Arc::clone(&self.fallback),
            (None, Nameless::Told) => Arc::from(nameless(message.sender.as_deref(), id)),
        };
        self.known.insert(id, Arc::clone(&name));
        name
    }

    /// Tells people without a name apart: deleted accounts, and those of whom nothing is known, each with its id.
    pub fn telling(mut self) -> Self {
        self.nameless = Nameless::Told;
        self
    }

    /// What has been learnt, by id.
    pub fn known(&self) -> impl Iterator<Item = (MarkedId, &str)> {
        self.known.iter().map(|(id, name)| (*id, &**name))
    }
}

/// Marked id of the sender; a channel post without one is the channel's own.
pub fn sender_id(message: &Message) -> Option<MarkedId> {
    message
        .sender_id
        .or_else(|| message.sender.as_ref().map(|sender| sender.id))
        .or_else(|| message.post.then_some(message.chat))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::samples;

    #[test]
    fn file_names_are_those_of_the_contract() {
        let long = "a".repeat(55);
        let table = [
            ("My Chat! @Test", "My_Chat_Test"),
            ("  spaces  ", "spaces"),
            ("Тест чат 😀", "Тест_чат"),
            ("a/b\\c:d", "abcd"),
            ("tab\tnew\nline", "tab_new_line"),
            ("...", "unknown_chat"),
            ("❤\u{fe0f} love", "love"),
            ("e\u{301}", "e"),
            ("v2.0 | beta", "v20_beta"),
            ("Q&A (2024)", "QA_2024"),
            ("a - b", "a_-_b"),
            ("½ ² Ⅷ", "½_²_Ⅷ"),
            ("@exampleuser", "exampleuser"),
            (long.as_str(), &long[..50]),
            ("", "unknown_chat"),
            ("   ", "unknown_chat"),
            ("--", "--"),
            ("_", "_"),
            ("👩\u{200d}💻", "unknown_chat"),
        ];
        for (title, name) in table {
            assert_eq!(file_name(Some(title), UNKNOWN_CHAT), name, "{title:?}");
        }
        assert_eq!(file_name(None, "fallback"), "fallback");
        assert_eq!(file_name(Some("!!!"), &"f".repeat(60)), "f".repeat(50));
    }

    #[test]
    fn chats_with_one_name_do_not_share_a_file() {
        let mut names = FileNames::default();
        assert_eq!(
            names.of(Some("News!"), MarkedId::channel(1), UNKNOWN_CHAT),
            "News"
        );
        assert_eq!(
            names.of(Some("news"), MarkedId::channel(2), UNKNOWN_CHAT),
            "news_1000000000002"
        );
    }

    #[test]
    fn a_sender_is_named_once_and_a_post_is_the_channels_own() {
        let mut message = samples::text(1, "x");
        let mut senders = Senders::new(&Options::default(), UNKNOWN_SENDER);
        assert_eq!(&*senders.name(&message), "Alice Doe");
        message.sender = None;
        assert_eq!(&*senders.name(&message), "Alice Doe");
        message.sender_id = None;
        assert_eq!(&*senders.name(&message), UNKNOWN_SENDER);
        message.post = true;
        senders.learn(&samples::chat());
        assert_eq!(&*senders.name(&message), "Demo group");
        assert_eq!(senders.known().count(), 2);
    }

    #[test]
    fn a_configured_name_wins() {
        let options = Options {
            names: vec![(MarkedId::user(111), "Me".to_owned())],
            ..Options::default()
        };
        let mut senders = Senders::new(&options, UNKNOWN_SENDER);
        assert_eq!(&*senders.name(&samples::text(1, "x")), "Me");
    }
}
