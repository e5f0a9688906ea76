//! A guard for HTML parsers: pages that would keep a tree builder busy for minutes are refused beforehand.
//!
//! The HTML standard lets a parser walk its stack of open elements for most tags, compare each attribute of a tag with
//! all others, and open unclosed formatting elements anew in every paragraph; each of these costs the square of what a
//! small page can hold. Attributes and formats are counted beforehand; how deep the page gets, a tree builder tells that
//! keeps nothing and stops at the limit.

mod depth;
mod formats;
mod tags;

use app_core::contract::{ErrorKind, ToolError, ToolResult};

use depth::Depth;

/// Elements a page may have open at once. Browsers flatten what is nested deeper than 512.
const MAX_DEPTH: usize = 10_000;

/// Steps that a parser may need for a page: about a second. Real pages need a hundredth of it.
const MAX_WORK: u64 = 200_000_000;

/// Fails with `invalid_input` when more than ten thousand elements are open at once, or when parsing would cost far
/// more than the length of the page explains. `what` names the page.
pub fn check_depth(html: &str, what: &str) -> ToolResult<()> {
    let refused = |text: String, code: &str| ToolError::new(ErrorKind::InvalidInput, text).code(code);
    let too_much = || {
        refused(
            format!("`{what}` is built so that parsing it would take minutes"),
            "too_much_work",
        )
        .hint("too many elements, formats or attributes are open at once")
    };
    let mut work = 0_u64;
    let mut formats = formats::Formats::default();
    let mut tags = tags::Tags::new(html);
    while let Some(tag) = tags.next() {
        // A tag that ends nothing in a picture may count too much here, which only makes the limit nearer.
        work = work.saturating_add(formats.take(&tag) + tag.count.saturating_mul(tag.count) / 2);
        if work > MAX_WORK {
            return Err(too_much());
        }
    }
    let limits = Depth {
        deepest: MAX_DEPTH,
        work: MAX_WORK - work,
    };
    let found = depth::measure(html, limits);
    if found.deepest > limits.deepest {
        let text = format!("`{what}` has more than {MAX_DEPTH} elements open at once");
        return Err(refused(text, "nested_too_deeply"));
    }
    if found.work > limits.work {
        return Err(too_much());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(page: &str) -> bool {
        check_depth(page, "x").is_err()
    }

    #[test]
    fn only_absurd_nesting_is_refused() {
        assert!(refused(&"<div>".repeat(20_001)));
        for harmless in [
            "<div></div>",
            "<p>text<br><li>",
            "<div><span>unclosed</div>",
            "<b><i>wrongly</b> nested</i>",
            "<table><tr><td><font color=red>x<td>y</table>",
            "<svg><path d='M0 0'/><g><circle/></g></svg>",
            "<ul><li>one<li>two</ul>",
            "<select><option>a<option>b</select>",
            "<script>if (a<b) '<div><div>'</script>",
            "<style>a>b{c:'<div>'}</style><!-- <div> --><textarea><div></textarea>",
            "<p><b>same unclosed format",
            "<",
            "</",
            "<ж>",
        ] {
            assert!(!refused(&harmless.repeat(10_500)), "{harmless}");
        }
    }

    #[test]
    fn end_tags_that_close_nothing_do_not_count() {
        for evasion in [
            "<div></x>",
            "<div></span>",
            "<b><div></x>",
            "<span><div></span>",
            "<div><!--</div>-->",
            "<div title='</div>'>",
            "<div><script>'</div>'</script>",
            "<div><textarea></div></textarea>",
            "<rp>",
            "<optgroup>",
            "<svg><div/>",
            "<div/>",
            "<h1><option>",
            "<form><div></form>",
            "<desc><b></desc>",
            "<font><a>",
            "<table><td>",
            "<math><mi>",
        ] {
            assert!(refused(&evasion.repeat(10_500)), "{evasion}");
        }
        let svg = format!("<svg>{}", "<div/>".repeat(40_000));
        assert!(refused(&svg));
        let template = "<div><template></div></template>".repeat(40_000);
        assert!(refused(&template));
    }

    #[test]
    fn other_squares_are_refused_too() {
        let formats: Vec<_> = (0..40_000).map(|n| format!("<p><b id={n}>x")).collect();
        assert!(refused(&formats.concat()));
        let attributes: Vec<_> = (0..60_000).map(|n| format!(" a{n}")).collect();
        assert!(refused(&format!("<a{}>", attributes.concat())));
        let deep = format!("{}{}", "<div>".repeat(9_000), "<p>".repeat(100_000));
        assert!(refused(&deep));
    }

    #[test]
    fn the_guard_is_quick_on_what_it_refuses_and_on_what_it_takes() {
        let began = std::time::Instant::now();
        for piece in [
            "<div><table></div>",
            "<div></x>",
            "<p>x</p>",
            "<!--",
            "<a '",
            "<script>",
        ] {
            let _ = check_depth(&piece.repeat(200_000), "x");
        }
        assert!(
            began.elapsed() < std::time::Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
    }
}
