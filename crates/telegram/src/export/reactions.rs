//! Reactions in one line: how many, which, and how many of each.

use serde::Serialize;

use crate::model::{Reaction, ReactionKind};

/// One sort of reaction and its count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The emoji, or how a reaction without one is written.
    pub emoji: String,
    /// How many gave it.
    pub count: i32,
}

/// Sum of the counts, including those of reactions that are not shown.
pub fn total(reactions: &[Reaction]) -> i64 {
    reactions.iter().map(|reaction| i64::from(reaction.count)).sum()
}

/// Every sort once, in the server's order, without separators.
pub fn emojis(reactions: &[Reaction]) -> String {
    reactions.iter().map(|reaction| reaction.kind.text()).collect()
}

/// Every shown sort with its count.
pub fn breakdown(reactions: &[Reaction]) -> Vec<Count> {
    reactions
        .iter()
        .filter(|reaction| reaction.kind != ReactionKind::Empty)
        .map(|reaction| Count {
            emoji: reaction.kind.text(),
            count: reaction.count,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(kind: ReactionKind, count: i32) -> Reaction {
        Reaction {
            kind,
            count,
            chosen: false,
        }
    }

    #[test]
    fn custom_paid_and_empty_reactions_have_their_own_words() {
        let reactions = [
            given(ReactionKind::Emoji("🔥".to_owned()), 2),
            given(ReactionKind::Custom(42), 3),
            given(ReactionKind::Paid, 1),
            given(ReactionKind::Empty, 4),
        ];
        assert_eq!(total(&reactions), 10);
        assert_eq!(emojis(&reactions), "🔥CustomEmoji(42)💎");
        assert_eq!(breakdown(&reactions).len(), 3);
        assert_eq!(
            (total(&[]), emojis(&[]), breakdown(&[])),
            (0, String::new(), vec![])
        );
    }
}
