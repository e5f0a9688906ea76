//! A guard for HTML parsers: pages nested so deeply that a tree builder would take minutes are refused beforehand.
//!
//! The HTML standard lets a parser walk its stack of open elements for each tag, so unclosed tags cost their square.

use app_core::contract::{ErrorKind, ToolError, ToolResult};

/// Open elements a page may have at once. Browsers flatten what is nested deeper than 512.
const MAX_DEPTH: i64 = 20_000;

/// Elements that have no end tag, or whose end tag may be left out.
const OPEN_ENDED: [&str; 32] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr", "li", "p", "dt", "dd", "tr", "td", "th", "option", "optgroup", "thead", "tbody", "tfoot",
    "colgroup", "caption", "html", "head", "body", "rp",
];

/// Fails with `invalid_input` when more than twenty thousand elements are open at once. `what` names the page.
///
/// Counts tags without building anything: linear in the text, and blind to comments and scripts, which at most makes
/// it count too many.
pub fn check_depth(html: &str, what: &str) -> ToolResult<()> {
    let (mut depth, mut deepest) = (0_i64, 0_i64);
    for (at, _) in html.match_indices('<') {
        let rest = &html[at + 1..];
        let (closing, name) = rest.strip_prefix('/').map_or((false, rest), |name| (true, name));
        let length = name.bytes().take_while(u8::is_ascii_alphanumeric).count().min(16);
        let name = &name[..length];
        if name.is_empty() || OPEN_ENDED.iter().any(|open| open.eq_ignore_ascii_case(name)) {
            continue;
        }
        depth = (depth + if closing { -1 } else { 1 }).max(0);
        deepest = deepest.max(depth);
    }
    if deepest <= MAX_DEPTH {
        return Ok(());
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!("`{what}` has more than {MAX_DEPTH} elements open at once"),
    )
    .code("nested_too_deeply"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absurd_nesting_is_refused() {
        assert!(check_depth(&"<div>".repeat(20_001), "x").is_err());
        assert!(check_depth(&"<div></div>".repeat(50_000), "x").is_ok());
        assert!(check_depth(&"<p>text<br><li>".repeat(50_000), "x").is_ok());
        assert!(
            check_depth("<", "x").is_ok()
                && check_depth("</", "x").is_ok()
                && check_depth("<ж>", "x").is_ok()
        );
    }
}
