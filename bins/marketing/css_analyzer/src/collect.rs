//! The CSS of a page: its style elements, linked sheets and everything they import, in one text.

use app_core::{ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::Serialize;

use crate::{
    fetch::{Location, Reader},
    lex::{Kind, Lexer},
    prelude::{self, Import},
    sheet::{self, Item},
    words,
};

/// Sheets read for one page at most.
const MAX_SHEETS: usize = 500;

/// Imports followed in a row at most.
const MAX_IMPORT_DEPTH: usize = 20;

/// One sheet that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SheetInfo {
    /// Address, path, or `style element N`.
    pub name: String,
    /// Bytes as read.
    pub bytes: usize,
    /// Media queries it applies to; empty for all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub media: String,
}

/// One sheet that was not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// Address or path.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// How to collect.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether `@import` is followed.
    pub imports: bool,
    /// Style elements before linked sheets, as the replaced script had it; else in document order.
    pub styles_first: bool,
}

/// All CSS of a page or sheet.
#[derive(Debug, Default)]
pub struct Collected {
    /// The CSS.
    pub css: String,
    /// The page, when the target was one.
    pub html: Option<String>,
    /// Sheets it was made from.
    pub sheets: Vec<SheetInfo>,
    /// Sheets that are missing.
    pub skipped: Vec<Skipped>,
}

/// One style element or link of a page.
enum Found {
    Style(String),
    Link(String),
}

/// Reads a page or sheet and everything it refers to.
pub async fn collect(reader: &Reader<'_>, target: &Location, options: Options) -> ToolResult<Collected> {
    let loaded = reader.read(target).await?;
    let by_name = match &loaded.location {
        Location::Web(url) => words::ends_with(url.path(), ".css"),
        Location::File { path, .. } => path
            .extension()
            .is_some_and(|ext| ext.eq_ignore_ascii_case("css")),
        Location::Text => false,
    };
    let is_css = match loaded.media_type.as_deref() {
        Some("text/css") => true,
        Some("text/html" | "application/xhtml+xml") => false,
        _ => by_name,
    };
    if !is_css {
        return page(reader, loaded.text, loaded.location, options).await;
    }
    let mut run = Run {
        reader,
        options,
        base: loaded.location.clone(),
        out: Collected::default(),
    };
    let info = SheetInfo {
        name: loaded.location.name(),
        bytes: loaded.text.len(),
        media: String::new(),
    };
    run.out.sheets.push(info);
    run.out.css = run.expand(loaded.text, loaded.location, Vec::new()).await?;
    Ok(run.out)
}

/// Collects the CSS of a page whose text is at hand.
pub async fn page(
    reader: &Reader<'_>,
    html: String,
    base: Location,
    options: Options,
) -> ToolResult<Collected> {
    web::html::check_depth(&html, "the page")?;
    let (base, mut found) = references(&html, base);
    if options.styles_first {
        found.sort_by_key(|(kind, _)| matches!(kind, Found::Link(_)));
    }
    let mut run = Run {
        reader,
        options,
        base: base.clone(),
        out: Collected::default(),
    };
    let mut parts = Vec::new();
    for (at, (kind, media)) in found.into_iter().enumerate() {
        reader.ctx.check_cancelled()?;
        let css = match kind {
            Found::Style(css) => {
                let name = format!("style element {}", at + 1);
                run.out.sheets.push(SheetInfo {
                    name,
                    bytes: css.len(),
                    media: media.clone(),
                });
                run.expand(css, base.clone(), Vec::new()).await?
            }
            Found::Link(href) => run
                .linked(&href, &media, base.clone(), Vec::new())
                .await?
                .unwrap_or_default(),
        };
        if !css.is_empty() {
            parts.push(if media.is_empty() {
                css
            } else {
                format!("@media {media} {{\n{css}\n}}")
            });
        }
    }
    run.out.css = parts.join("\n");
    run.out.html = Some(html);
    Ok(run.out)
}

/// Style elements and linked sheets in document order with their media, and the page's base address.
fn references(html: &str, location: Location) -> (Location, Vec<(Found, String)>) {
    let document = Html::parse_document(html);
    let Ok(selector) = Selector::parse("style, link[href], base[href]") else {
        return (location, Vec::new());
    };
    let mut base = None;
    let mut found = Vec::new();
    for element in document.select(&selector) {
        let media = element.attr("media").unwrap_or("").trim();
        let media = if media.eq_ignore_ascii_case("all") {
            ""
        } else {
            media
        }
        .to_owned();
        let href = element.attr("href").unwrap_or("");
        match element.value().name() {
            "style" => found.push((Found::Style(element.text().collect()), media)),
            "base" if base.is_none() => base = location.join(href),
            "link" => {
                let rel = element.attr("rel").unwrap_or("");
                if rel
                    .split_ascii_whitespace()
                    .any(|word| word.eq_ignore_ascii_case("stylesheet"))
                {
                    found.push((Found::Link(href.to_owned()), media));
                }
            }
            _ => {}
        }
    }
    (base.unwrap_or(location), found)
}

struct Run<'a> {
    reader: &'a Reader<'a>,
    options: Options,
    /// What addresses in the collected text are relative to.
    base: Location,
    out: Collected,
}

impl Run<'_> {
    fn skip(&mut self, name: String, reason: impl Into<String>) {
        let reason = reason.into();
        self.reader.ctx.warn(format!("`{name}` is left out: {reason}"));
        self.out.skipped.push(Skipped { name, reason });
    }

    /// Reads a sheet that `from` refers to; `None` when it cannot be read, which is noted.
    async fn linked(
        &mut self,
        href: &str,
        media: &str,
        from: Location,
        chain: Vec<String>,
    ) -> ToolResult<Option<String>> {
        let Some(location) = from.join(href) else {
            self.skip(
                href.chars().take(100).collect(),
                "it is no http address and no file",
            );
            return Ok(None);
        };
        let name = location.name();
        if chain.contains(&name) {
            self.skip(name, "it imports itself");
            return Ok(None);
        }
        if chain.len() >= MAX_IMPORT_DEPTH {
            self.skip(name, format!("more than {MAX_IMPORT_DEPTH} imports in a row"));
            return Ok(None);
        }
        if self.out.sheets.len() >= MAX_SHEETS {
            self.skip(name, format!("more than {MAX_SHEETS} sheets"));
            return Ok(None);
        }
        let loaded = match self.reader.read(&location).await {
            Ok(loaded) => loaded,
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(ToolError { message, .. }) => {
                self.skip(name, message);
                return Ok(None);
            }
        };
        if loaded.media_type.as_deref() == Some("text/html") {
            self.skip(name, "it is a web page, not a sheet");
            return Ok(None);
        }
        let info = SheetInfo {
            name: name.clone(),
            bytes: loaded.text.len(),
            media: media.to_owned(),
        };
        self.out.sheets.push(info);
        let mut chain = chain;
        chain.push(name);
        self.expand(loaded.text, loaded.location, chain).await.map(Some)
    }

    /// The sheet with its imports in place of the `@import` rules and its addresses relative to the base.
    async fn expand(&mut self, css: String, location: Location, chain: Vec<String>) -> ToolResult<String> {
        let rebase = location != self.base;
        let imports = if self.options.imports {
            imports(&css)?
        } else {
            Vec::new()
        };
        if imports.is_empty() {
            return Ok(if rebase {
                rebased(&css, &location, &self.base)
            } else {
                css
            });
        }
        let mut out = String::with_capacity(css.len());
        let mut from = 0;
        for (start, end, import) in imports {
            out.push_str(&css[from..start]);
            from = end + css[end..].len() - css[end..].trim_start().len();
            let inner = match &import {
                Some(import) => {
                    let (href, media) = (import.address.to_owned(), import.media.to_owned());
                    Box::pin(self.linked(&href, &media, location.clone(), chain.clone())).await?
                }
                None => None,
            };
            match (inner, import) {
                (Some(inner), Some(import)) => {
                    out.push_str(&wrapped(&inner, &import));
                    out.push('\n');
                }
                // In the target itself the rule stands in front of everything, where it is valid as it is.
                _ if !rebase => {
                    out.push_str(&css[start..end]);
                    from = end;
                }
                _ => {}
            }
        }
        // What was pasted in is absolute or relative to the base already; only the sheet's own rest is left.
        let rest = &css[from..];
        out.push_str(&if rebase {
            rebased(rest, &location, &self.base)
        } else {
            rest.to_owned()
        });
        Ok(out)
    }
}

/// Ranges of the leading `@charset` and `@import` rules; charsets have no import.
fn imports(css: &str) -> ToolResult<Vec<(usize, usize, Option<Import<'_>>)>> {
    if !css.contains('@') {
        return Ok(Vec::new());
    }
    let sheet = sheet::parse(css)?;
    let mut found = Vec::new();
    for item in &sheet.items {
        let Item::AtRule(rule) = item else { break };
        let name = &css[rule.name.0..rule.name.1];
        if name.eq_ignore_ascii_case("charset") {
            found.push((rule.range.0, rule.range.1, None));
        } else if name.eq_ignore_ascii_case("import") {
            if let Some(import) = rule.prelude.and_then(|range| prelude::import(css, range)) {
                found.push((rule.range.0, rule.range.1, Some(import)));
            }
        } else if !(name.eq_ignore_ascii_case("layer") && rule.items.is_none()) {
            break;
        }
    }
    // A charset alone needs no rewriting.
    if found.iter().all(|(_, _, import)| import.is_none()) {
        found.clear();
    }
    Ok(found)
}

/// The imported sheet inside the conditions of its `@import`.
fn wrapped(css: &str, import: &Import<'_>) -> String {
    let mut out = css.to_owned();
    if let Some(layer) = import.layer {
        out = format!(
            "@layer{}{layer} {{\n{out}\n}}",
            if layer.is_empty() { "" } else { " " }
        );
    }
    if !import.media.is_empty() {
        out = format!("@media {} {{\n{out}\n}}", import.media);
    }
    if let Some(condition) = import.supports {
        // A bare declaration stands in parentheses in `@supports` but not in `supports()`.
        let bare = condition.contains(':') && !condition.starts_with(['(']) && !condition.starts_with("not");
        let condition = if bare {
            format!("({condition})")
        } else {
            condition.to_owned()
        };
        out = format!("@supports {condition} {{\n{out}\n}}");
    }
    out
}

/// The sheet with every address that was relative to `from` made relative to `base`.
fn rebased(css: &str, from: &Location, base: &Location) -> String {
    let mut out = String::with_capacity(css.len());
    let mut lexer = Lexer::new(css, 0, css.len());
    let mut copied = 0;
    let mut in_url = false;
    loop {
        let token = lexer.next();
        let text = &css[token.start..token.end];
        let address = match token.kind {
            Kind::End => break,
            Kind::Function => {
                in_url = text.eq_ignore_ascii_case("url(");
                continue;
            }
            Kind::Space => continue,
            Kind::Url => text[4..].trim_end_matches(')').trim(),
            Kind::Str if in_url => words::unquote(text),
            _ => {
                in_url = false;
                continue;
            }
        };
        in_url = false;
        if address.is_empty()
            || address.starts_with('#')
            || address.contains(':') && url::Url::parse(address).is_ok()
        {
            continue;
        }
        let Some(joined) = from.join(address) else {
            continue;
        };
        let moved = relative(&joined, base, address);
        out.push_str(&css[copied..token.start]);
        copied = token.end;
        let plain =
            !moved.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | '\\'));
        match token.kind {
            Kind::Url if plain => out.push_str(&format!("url({moved})")),
            Kind::Url => out.push_str(&format!(
                "url(\"{}\")",
                moved.replace('\\', "\\\\").replace('"', "\\\"")
            )),
            _ => out.push_str(&format!(
                "\"{}\"",
                moved.replace('\\', "\\\\").replace('"', "\\\"")
            )),
        }
    }
    out.push_str(&css[copied..]);
    out
}

/// How the base would name a location; files outside of the base's folder keep their path.
fn relative(location: &Location, base: &Location, address: &str) -> String {
    let tail = address.find(['?', '#']).map_or("", |at| &address[at..]);
    match (location, base) {
        (Location::File { path, .. }, Location::File { path: base, .. }) => {
            let folder = base.parent().unwrap_or(std::path::Path::new(""));
            let shown = normal(path);
            let shown = shown
                .strip_prefix(normal(folder))
                .unwrap_or(&shown)
                .display()
                .to_string();
            format!("{shown}{tail}")
        }
        _ => location.name(),
    }
}

/// The path without `.` and with `..` resolved by name.
fn normal(path: &std::path::Path) -> std::path::PathBuf {
    use std::path::Component;
    let mut out = std::path::PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_move_with_their_sheet() {
        let from = Location::parse("https://a.example/css/m.css", None).unwrap();
        let base = Location::parse("https://a.example/", None).unwrap();
        let css = ".a{b:url(img/x.png)}.c{d:url( \"y z.png\" );e:url(data:,x);f:url(#g)}";
        let wanted = ".a{b:url(https://a.example/css/img/x.png)}.c{d:url( \"https://a.example/css/y%20z.png\" );\
                      e:url(data:,x);f:url(#g)}";
        assert_eq!(rebased(css, &from, &base), wanted);
        let from = Location::parse("site/css/m.css", None).unwrap();
        let base = Location::parse("site/index.html", None).unwrap();
        assert_eq!(
            rebased("a{b:url(../i/x.svg?v=1#f)}", &from, &base),
            "a{b:url(i/x.svg?v=1#f)}"
        );
    }

    #[test]
    fn only_leading_imports_count() {
        let found = imports("@charset \"x\"; @import 'a.css' print; a{} @import 'b.css';").unwrap();
        let names: Vec<_> = found
            .iter()
            .filter_map(|(_, _, i)| i.as_ref())
            .map(|i| (i.address, i.media))
            .collect();
        assert_eq!(names, [("a.css", "print")]);
        let import = found.into_iter().find_map(|(_, _, import)| import).unwrap();
        assert_eq!(wrapped("p{}", &import), "@media print {\np{}\n}");
    }
}
