//! Who is meant, among those who wrote.

use std::sync::Arc;

use app_core::{ToolError, ToolResult};
use telegram::model::{Message, Peer};

/// Finds the one writer that a text names: exactly, or by a part of the name that nobody else has.
pub fn find(text: &str, messages: &[Message]) -> ToolResult<Arc<Peer>> {
    let text = text.trim();
    let mut writers: Vec<&Arc<Peer>> = Vec::new();
    for sender in messages.iter().filter_map(|message| message.sender.as_ref()) {
        if !writers.iter().any(|known| known.id == sender.id) {
            writers.push(sender);
        }
    }
    let wanted = text.to_lowercase();
    let username = |peer: &Peer| {
        peer.username
            .as_deref()
            .map(str::to_lowercase)
            .unwrap_or_default()
    };
    let name = |peer: &Peer| peer.name().unwrap_or_default().to_lowercase();
    let fitting = |test: &dyn Fn(&Peer) -> bool| -> Vec<&Arc<Peer>> {
        writers.iter().copied().filter(|peer| test(peer)).collect()
    };
    let found = if let Some(exact) = wanted.strip_prefix('@') {
        fitting(&|peer| !exact.is_empty() && username(peer) == exact)
    } else if let Ok(id) = wanted.parse::<i64>() {
        if id == 0 {
            return Err(ToolError::invalid(
                "user",
                "`0` is nobody; it is what an empty setting looks like",
            ));
        }
        fitting(&|peer| peer.id.0 == id || peer.id.bare() == id)
    } else {
        let exact = fitting(&|peer| name(peer) == wanted || username(peer) == wanted);
        if exact.len() == 1 {
            exact
        } else {
            fitting(&|peer| name(peer).contains(&wanted) || username(peer).contains(&wanted))
        }
    };
    match found.as_slice() {
        [one] => Ok(Arc::clone(one)),
        [] => Err(ToolError::not_found(format!(
            "nobody called `{text}` wrote among the newest {} messages",
            messages.len()
        ))
        .code("user_not_found")
        .field("user")
        .hint("raise `--limit`, or use the @username or id")),
        several => {
            let names: Vec<String> = several
                .iter()
                .map(|peer| format!("{} [{}]", peer.name().unwrap_or_default(), peer.id))
                .collect();
            Err(ToolError::invalid(
                "user",
                format!("`{text}` fits {} people: {}", several.len(), names.join("; ")),
            )
            .code("user_ambiguous")
            .hint("use the id in brackets"))
        }
    }
}

#[cfg(test)]
mod tests {
    use telegram::model::{ChatKind, MarkedId, PeerFlags};

    use super::*;

    fn from(id: i64, first: &str, last: &str, username: &str) -> Message {
        Message {
            sender: Some(Arc::new(Peer {
                id: MarkedId(id),
                kind: ChatKind::User,
                first_name: Some(first.into()),
                last_name: (!last.is_empty()).then(|| last.into()),
                title: None,
                username: (!username.is_empty()).then(|| username.into()),
                members: None,
                flags: PeerFlags::default(),
            })),
            ..Message::default()
        }
    }

    #[test]
    fn a_name_is_exact_or_unique() {
        let all = [
            from(1, "Ann", "", "ann"),
            from(2, "Annette", "Moss", ""),
            from(3, "Борис", "Лесной", "boris_l"),
            Message::default(),
        ];
        let id = |text: &str| find(text, &all).map(|peer| peer.id.0).map_err(|error| error.code);
        assert_eq!(id("ann"), Ok(1));
        assert_eq!(id("moss"), Ok(2));
        assert_eq!(id("ЛЕСН"), Ok(3));
        assert_eq!(id("@BORIS_L"), Ok(3));
        assert_eq!(id("3"), Ok(3));
        assert_eq!(id("an"), Err("user_ambiguous".into()));
        assert_eq!(id("@boris"), Err("user_not_found".into()));
        assert_eq!(id("@"), Err("user_not_found".into()));
        assert!(id("0").is_err());
    }
}
