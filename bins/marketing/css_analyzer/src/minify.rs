//! Safe minification: the same meaning in fewer bytes.

use app_core::{ErrorKind, ToolError, ToolResult};
use lightningcss::{
    printer::PrinterOptions,
    stylesheet::{MinifyOptions, ParserOptions, StyleSheet},
};

use crate::lex::{Kind, Lexer};

/// Brackets nested deeper than this are refused: the parser below recurses.
const MAX_DEPTH: usize = 200;

/// Room for the recursion of the parser at [`MAX_DEPTH`], also in a debug build.
const STACK_BYTES: usize = 128 << 20;

/// A minified sheet, and what had to be left out because it cannot be read.
#[derive(Debug)]
pub struct Minified {
    /// The sheet.
    pub css: String,
    /// Messages with line numbers.
    pub warnings: Vec<String>,
}

/// Minifies a sheet. What browsers would skip is dropped and reported.
pub fn minify(css: &str) -> ToolResult<Minified> {
    if nesting(css) > MAX_DEPTH {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("brackets are nested deeper than {MAX_DEPTH} levels"),
        )
        .hint("check the sheet for unclosed brackets"));
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || on_big_stack(css))
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot start a thread: {e}")))?
            .join()
            .map_err(|_| ToolError::internal("the minifier failed on this sheet"))?
    })
}

fn on_big_stack(css: &str) -> ToolResult<Minified> {
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
    let mut sheet = StyleSheet::parse(css, options).map_err(|e| failed("read", e.to_string()))?;
    sheet
        .minify(MinifyOptions::default())
        .map_err(|e| failed("minify", e.to_string()))?;
    let printed = sheet
        .to_css(PrinterOptions {
            minify: true,
            ..PrinterOptions::default()
        })
        .map_err(|e| failed("print", e.to_string()))?;
    let warnings = warnings.read().map_or_else(
        |_| Vec::new(),
        |list| list.iter().map(ToString::to_string).collect(),
    );
    Ok(Minified {
        css: printed.code,
        warnings,
    })
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

    #[test]
    fn the_meaning_stays_and_the_bytes_go() {
        let small = minify("a { color: #ff0000; margin: 0px }\n\nb { color: red; }").unwrap();
        assert_eq!(small.css, "a{color:red;margin:0}b{color:red}");
        assert!(small.warnings.is_empty());
    }

    #[test]
    fn unreadable_parts_are_reported() {
        let small = minify("a{b:c} }} d{color:red}").unwrap();
        assert!(!small.warnings.is_empty());
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let text = format!("a{{b:{}", "(".repeat(100_000));
        assert_eq!(minify(&text).unwrap_err().kind, ErrorKind::InvalidInput);
    }
}
