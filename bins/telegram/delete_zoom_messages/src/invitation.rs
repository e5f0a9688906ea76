//! Which messages carry a link that matches.

use telegram::model::{EntityKind, Media, Message};

/// Whether a link of the message contains the pattern, in whatever case.
pub fn matches(message: &Message, pattern: &str) -> bool {
    let pattern = pattern.to_lowercase();
    let hidden = message.entities.iter().filter_map(|entity| match &entity.kind {
        EntityKind::TextUrl { url } => Some(url.as_str()),
        _ => None,
    });
    let shown = match &message.media {
        Some(Media::WebPage { url, .. }) => url.as_deref(),
        _ => None,
    };
    std::iter::once(message.text.as_str())
        .chain(hidden)
        .chain(shown)
        .any(|text| in_link(&text.to_lowercase(), &pattern))
}

/// Whether the pattern stands in a link: a bare mention of the name is no invitation, `notzoom.us` another host.
fn in_link(text: &str, pattern: &str) -> bool {
    text.split(char::is_whitespace).any(|word| {
        let Some(at) = word.match_indices(pattern).map(|(at, _)| at).find(|at| {
            let before = word[..*at].chars().next_back();
            !pattern.starts_with(char::is_alphanumeric)
                || before.is_none_or(|c| !c.is_alphanumeric() && c != '-' && c != '@')
        }) else {
            return false;
        };
        word.contains("://") || word[at + pattern.len()..].starts_with('/') || pattern.contains('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_zoom_host_match_and_words_do_not() {
        for (text, expected) in [
            ("join https://us06web.zoom.us/j/1?pwd=x", true),
            ("(https://ZOOM.us/j/1)", true),
            ("us02web.zoom.us/j/5", true),
            ("встреча:\nhttps://company.zoom.us/my/room", true),
            ("https://notzoom.us/j/1", false),
            ("write to help@zoom.us", false),
            ("zoom.us is down", false),
            ("", false),
        ] {
            assert_eq!(in_link(&text.to_lowercase(), "zoom.us"), expected, "{text}");
        }
        assert!(in_link("https://us06web.zoom.us/j/1", "https://us06web.zoom.us/"));
        assert!(!in_link(
            "https://us05web.zoom.us/j/1",
            "https://us06web.zoom.us/"
        ));
    }
}
