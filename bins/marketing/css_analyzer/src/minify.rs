//! Safe minification: the same meaning in fewer bytes.
//!
//! Values, selectors and blanks are shortened; declarations are not merged or weighed against each other. A second
//! declaration of a property is very often there for browsers that do not know the first (`100vh` before `100dvh`,
//! `-webkit-backdrop-filter` beside `backdrop-filter`, a colour before a gradient), and no list of browsers is at hand
//! that would say when it is not.

use app_core::{ErrorKind, ToolError, ToolResult};
use lightningcss::{
    error::{ParserError, SelectorError},
    printer::PrinterOptions,
    rules::{CssRule, CssRuleList},
    stylesheet::{ParserOptions, StyleSheet},
};

use crate::{
    lex::{Kind, Lexer},
    sheet::{self, Declaration, Item, Range},
    text::Text,
    words,
};

/// Brackets nested deeper than this are refused: the parser below recurses.
const MAX_DEPTH: usize = 200;

/// Room for the recursion of the parser at [`MAX_DEPTH`], also in a debug build.
const STACK_BYTES: usize = 128 << 20;

/// Bytes that are minified at a time: the parsed form of a sheet is more than a hundred times as large as its text.
const PART_BYTES: usize = 500_000;

/// A minified sheet, and what in it browsers will not understand.
#[derive(Debug)]
pub struct Minified {
    /// The sheet.
    pub css: String,
    /// What is odd.
    pub warnings: Vec<Warning>,
}

/// Something that browsers do not understand.
#[derive(Debug, PartialEq, Eq)]
pub struct Warning {
    /// Number of the sheet and line in it, counted from 1, where known.
    pub place: Option<(usize, usize)>,
    /// Whether it is in the result all the same.
    pub kept: bool,
    /// What it is.
    pub text: String,
}

/// Minifies a sheet. What browsers would skip is dropped and reported.
pub fn minify(text: &Text) -> ToolResult<Minified> {
    if nesting(&text.css) > MAX_DEPTH {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("brackets are nested deeper than {MAX_DEPTH} levels"),
        )
        .hint("check the sheet for unclosed brackets"));
    }
    let sheet = sheet::parse(&text.css)?;
    let css = without_idle_parts(&text.css, &sheet)?;
    let parts = parts(&text.css, &sheet);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || on_big_stack(&css, &parts, text))
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot start a thread: {e}")))?
            .join()
            .map_err(|_| ToolError::internal("the minifier failed on this sheet"))?
    })
}

/// Ranges of the sheet that can be minified one by one: whole rules, about [`PART_BYTES`] each.
fn parts(css: &str, sheet: &sheet::Sheet) -> Vec<Range> {
    let starts = sheet.items.iter().filter_map(|item| match item {
        Item::Rule(rule) => Some(rule.prelude.0),
        Item::AtRule(rule) => Some(rule.range.0),
        Item::Declaration(_) => None,
    });
    // The rules behind a namespace can be read only together with it.
    let namespaces = sheet.items.iter().any(|item| match item {
        Item::AtRule(rule) => css[rule.name.0..rule.name.1].eq_ignore_ascii_case("namespace"),
        _ => false,
    });
    let mut parts = Vec::new();
    let mut from = 0;
    for start in starts.filter(|_| !namespaces) {
        if start - from > PART_BYTES {
            parts.push((from, start));
            from = start;
        }
    }
    parts.push((from, css.len()));
    parts
}

fn on_big_stack(css: &str, parts: &[Range], text: &Text) -> ToolResult<Minified> {
    let mut out = Minified {
        css: String::new(),
        warnings: Vec::new(),
    };
    for part in parts {
        let minified = one_part(css, *part, text)?;
        out.css.push_str(&minified.css);
        out.warnings.extend(minified.warnings);
    }
    Ok(out)
}

fn one_part(css: &str, part: Range, text: &Text) -> ToolResult<Minified> {
    let warnings = std::sync::Arc::new(std::sync::RwLock::new(Vec::new()));
    let options = ParserOptions {
        error_recovery: true,
        warnings: Some(std::sync::Arc::clone(&warnings)),
        ..ParserOptions::default()
    };
    let failed = |what: &str, text: String| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("cannot {what} the sheet: {text}"),
        )
        .code("invalid_css")
    };
    let mut sheet =
        StyleSheet::parse(&css[part.0..part.1], options).map_err(|e| failed("read", e.to_string()))?;
    prune(&mut sheet.rules);
    let printed = sheet
        .to_css(PrinterOptions {
            minify: true,
            ..PrinterOptions::default()
        })
        .map_err(|e| failed("print", e.to_string()))?;
    let warnings = warnings.read().map_or_else(
        |_| Vec::new(),
        |list| list.iter().map(|error| warning(error, part, text)).collect(),
    );
    Ok(Minified {
        css: printed.code,
        warnings,
    })
}

/// Takes out rules that say nothing. Layers stay: their order is what they say.
fn prune(rules: &mut CssRuleList<'_>) {
    rules.0.retain_mut(|rule| match rule {
        CssRule::Style(style) => {
            prune(&mut style.rules);
            !style.declarations.is_empty() || !style.rules.0.is_empty()
        }
        CssRule::Media(media) => {
            prune(&mut media.rules);
            !media.rules.0.is_empty()
        }
        CssRule::Supports(supports) => {
            prune(&mut supports.rules);
            !supports.rules.0.is_empty()
        }
        CssRule::LayerBlock(layer) => {
            prune(&mut layer.rules);
            true
        }
        _ => true,
    });
}

fn warning(error: &lightningcss::error::Error<ParserError<'_>>, part: Range, text: &Text) -> Warning {
    let place = error.loc.as_ref().and_then(|at| {
        // The parser counts lines from 0 and columns from 1, both within the part.
        let (line, column) = (at.line as usize, (at.column as usize).saturating_sub(1));
        let before = &text.css[..part.0];
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        let beside = match line {
            0 => before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .encode_utf16()
                .count(),
            _ => 0,
        };
        text.place(lines + line, beside + column)
    });
    Warning {
        place,
        kept: kept(&error.kind),
        text: error.kind.to_string(),
    }
}

/// Whether the parser keeps what it warns about.
fn kept(kind: &ParserError<'_>) -> bool {
    matches!(
        kind,
        ParserError::AtRuleInvalid(_)
            | ParserError::DeprecatedNestRule
            | ParserError::SelectorError(
                SelectorError::UnsupportedPseudoClass(_) | SelectorError::UnsupportedPseudoElement(_)
            )
    )
}

/// The sheet with blanks in place of what has no effect in any browser: declarations without a value, which the parser
/// below would take for values of its own, and repetitions of the very same declaration in one block.
fn without_idle_parts(css: &str, sheet: &sheet::Sheet) -> ToolResult<String> {
    let mut idle = Vec::new();
    for item in &sheet.items {
        idle_in(css, item, &mut idle);
    }
    let mut bytes = css.as_bytes().to_vec();
    for (start, end) in idle {
        for byte in &mut bytes[start..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| ToolError::internal("a declaration does not end at a character"))
}

fn idle_in(css: &str, item: &Item, idle: &mut Vec<Range>) {
    let items = match item {
        Item::Rule(rule) => &rule.items,
        Item::AtRule(rule) => match &rule.items {
            Some(items) => items,
            None => return,
        },
        Item::Declaration(_) => return,
    };
    let mut seen = std::collections::HashSet::new();
    for item in items.iter().rev() {
        let Item::Declaration(found) = item else {
            idle_in(css, item, idle);
            continue;
        };
        let custom = words::is_custom(&css[found.property.0..found.property.1]);
        let empty = found.value.0 == found.value.1 && !custom;
        if empty || !seen.insert(said(css, found)) {
            idle.push(found.range);
        }
    }
}

/// What a declaration says, as far as that is plain from its text.
fn said<'a>(css: &'a str, found: &Declaration) -> (&'a str, &'a str, bool) {
    let (property, value) = (found.property, found.value);
    (
        &css[property.0..property.1],
        &css[value.0..value.1],
        found.important,
    )
}

/// Deepest nesting of brackets of any kind.
fn nesting(css: &str) -> usize {
    let mut lexer = Lexer::new(css, 0, css.len());
    let (mut depth, mut deepest) = (0_usize, 0);
    loop {
        match lexer.next().kind {
            Kind::End => return deepest,
            Kind::LeftBrace | Kind::LeftBracket | Kind::LeftParen | Kind::Function => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            Kind::RightBrace | Kind::RightBracket | Kind::RightParen => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(css: &str) -> Minified {
        minify(&css.into()).unwrap()
    }

    #[test]
    fn the_meaning_stays_and_the_bytes_go() {
        let small = small("a { color: #ff0000; margin: 0px }\n\nb { color: red; }");
        assert_eq!(small.css, "a{color:red;margin:0}b{color:red}");
        assert!(small.warnings.is_empty());
    }

    #[test]
    fn fallbacks_stay() {
        for css in [
            ".g{backdrop-filter:blur(16px);-webkit-backdrop-filter:blur(16px)}",
            ".h{height:100vh;height:100dvh}",
            ".h{height:100vh}.h{height:100dvh}",
            ".c{color:#000;color:lab(50% 40 30)}",
            ".b{background:red;background-image:linear-gradient(red,#00f)}",
            ".d{display:block;display:flex;display:grid}",
            ".w{width:300px;width:calc(100% - 3px)}",
            ".m{-webkit-mask-image:none;mask-image:none}",
            ".p{padding-left:1px;padding:0;padding-left:env(safe-area-inset-left)}",
        ] {
            let made = small(css).css;
            assert_eq!(
                made.matches([':']).count(),
                css.matches([':']).count(),
                "{css} became {made}"
            );
        }
        assert_eq!(
            small("a{color:red;margin:0;color:red}").css,
            "a{margin:0;color:red}"
        );
    }

    #[test]
    fn a_declaration_without_a_value_says_nothing() {
        let css = ".hero{background:;}.row{flex:/**/}.nav{text-decoration: ;color:red}.x{margin:!important}";
        let made = small(css).css;
        assert_eq!(made.matches(':').count(), 1, "{made}");
        assert!(small(":root{--empty:;--blank: ;}").css.contains("--empty:"));
    }

    #[test]
    fn oddities_are_told_with_their_line_and_fate() {
        let made = small(".a{color:red}\n\n.b{*zoom:1;color:blue}\n.i:hover,.i:unknown-thing{color:red}");
        let told: Vec<_> = made.warnings.iter().map(|w| (w.place, w.kept)).collect();
        assert_eq!(told, [(Some((0, 3)), false), (Some((0, 4)), true)]);
        assert!(made.css.contains(":unknown-thing") && !made.css.contains("zoom"));
        assert!(!small("a{b:c} }} d{color:red}").warnings.is_empty());
    }

    #[test]
    fn a_large_sheet_is_minified_in_parts_with_the_same_result() {
        let rules: Vec<_> = (0..60_000).map(|n| format!(".r{n} {{ color : red }} ")).collect();
        let css = format!("{}\n.x{{*zoom:1;color:red}}", rules.concat());
        let made = small(&css);
        assert_eq!(made.css.matches("{color:red}").count(), 60_001);
        assert_eq!(made.warnings[0].place, Some((0, 2)));
        let spaced = format!("@namespace s url(x);{css} s|a{{color:red}}");
        assert!(small(&spaced).css.ends_with("s|a{color:red}"));
    }

    #[test]
    fn rules_that_say_nothing_go() {
        assert_eq!(
            small("a{} @media x{b{color:;}} @layer l{c{}} d{color:red;e{}}").css,
            "@layer l{}d{color:red}"
        );
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let css = format!("a{{b:{}", "(".repeat(100_000));
        assert_eq!(
            minify(&css.as_str().into()).unwrap_err().kind,
            ErrorKind::InvalidInput
        );
    }
}
