//! Which chat a file that nobody named belongs to, so that two chats of one title do not share one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use app_core::state::Checkpoint;
use app_core::{ToolError, ToolResult};
use serde::{Deserialize, Serialize};

use crate::client::Telegram;
use crate::export::Format;
use crate::model::MarkedId;
use crate::peers::Chat;

/// Most of a file's head that is looked at.
const HEAD: u64 = 64 * 1024;

/// Whose export a file is.
#[derive(Debug, Serialize, Deserialize)]
struct Claim {
    chat: MarkedId,
}

/// The file, or where it may hold anything but this chat, one of that name with the id appended: what nobody can show to
/// be this chat's export is not overwritten.
///
/// # Errors
/// `io` when a file that is there cannot be read.
pub fn free(telegram: &Telegram, path: &Path, chat: &Chat, format: Format) -> ToolResult<PathBuf> {
    if !path.is_file() {
        return Ok(path.to_owned());
    }
    let ours = match memory(telegram, path)?.load::<Claim>()? {
        Some(claim) => claim.chat == chat.id(),
        None => names_this(path, chat.id(), format)?,
    };
    Ok(if ours {
        path.to_owned()
    } else {
        with_id(path, chat.id())
    })
}

/// Remembers whose file it is.
///
/// # Errors
/// `io` when the state cannot be written.
pub fn keep(telegram: &Telegram, path: &Path, chat: &Chat) -> ToolResult<()> {
    if telegram.context().dry_run() {
        return Ok(());
    }
    memory(telegram, path)?.save(&Claim { chat: chat.id() })
}

fn memory(telegram: &Telegram, path: &Path) -> ToolResult<Checkpoint> {
    let whole = path
        .canonicalize()
        .or_else(|_| std::path::absolute(path))
        .map_err(|e| ToolError::file("find", path, &e))?;
    let key = format!("output:{}", whole.display());
    Checkpoint::open(telegram.context().state_dir()?, "telegram", &key)
}

/// The name of a file with the id of its chat.
pub fn with_id(path: &Path, id: MarkedId) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}_{}.{extension}", id.0.unsigned_abs()))
}

/// Whether a file of which nothing is remembered says itself that it is this chat's.
fn names_this(path: &Path, id: MarkedId, format: Format) -> ToolResult<bool> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(HEAD).read_to_end(&mut head))
        .map_err(|e| ToolError::file("read", path, &e))?;
    let head = String::from_utf8_lossy(&head);
    // A page of a longer export names its chat too, but is not the export of this name.
    let page = format == Format::Html && crate::export::html::pages::part_of_another(&head, path);
    Ok(head.is_empty() || (!page && is_of(&head, id, format)))
}

/// Whether the head of an export names this chat.
fn is_of(head: &str, id: MarkedId, format: Format) -> bool {
    let (mark, number) = match format {
        Format::Markdown => ("Chat ID: ", id.0),
        Format::Json => ("\"id\": ", id.bare()),
        Format::Ndjson => ("\"id\":", id.0),
        Format::Html => ("<p dir=\"auto\">Chat ID: ", id.0),
        // This format names no ids.
        Format::Text => return false,
    };
    let Some((_, rest)) = head.split_once(mark) else {
        return false;
    };
    let found: String = rest
        .chars()
        .take_while(|c| *c == '-' || c.is_ascii_digit())
        .collect();
    found.parse() == Ok(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_this_chat_is_recognised_by_its_head() {
        let head = "# News\nChat ID: -1001\nMessages: 2\n";
        assert!(!is_of(head, MarkedId(-1002), Format::Markdown));
        assert!(is_of(head, MarkedId(-1001), Format::Markdown));
        assert!(!is_of("no head at all", MarkedId(-1001), Format::Markdown));
        assert!(!is_of(head, MarkedId(-1001), Format::Text));
        let json =
            "{\n \"name\": \"News\",\n \"type\": \"private_channel\",\n \"id\": 1002,\n \"messages\": [";
        assert!(is_of(json, MarkedId::channel(1002), Format::Json));
        assert!(!is_of(json, MarkedId::channel(1003), Format::Json));
        let html = format!(
            "<style>{}</style><p dir=\"auto\">Chat ID: -1001</p>",
            " ".repeat(6400)
        );
        assert!(!is_of(&html, MarkedId(-1002), Format::Html));
    }

    #[test]
    fn the_id_goes_before_the_extension() {
        let path = with_id(Path::new("chats/River.Club.html"), MarkedId::channel(5));
        assert_eq!(path, Path::new("chats/River.Club_1000000000005.html"));
    }
}
