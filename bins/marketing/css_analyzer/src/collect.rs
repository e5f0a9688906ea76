//! The CSS of a page: its style elements, linked sheets and everything they import, in one text.

mod import;

use app_core::ToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use web::{Location, aside, charset::Encoding, css::closed};

use crate::{
    fetch::{Nature, Source},
    page::{self, Found},
    rebase,
    text::Text,
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
    /// Bytes as text in UTF-8.
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
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// The CSS, and where each part of it comes from.
    pub text: Text,
    /// The page, when the target was one.
    pub html: Option<String>,
    /// Sheets it was made from.
    pub sheets: Vec<SheetInfo>,
    /// Sheets that are missing.
    pub skipped: Vec<Skipped>,
}

/// Reads a page or sheet and everything it refers to.
pub async fn collect(source: &Source<'_>, target: &Location, options: Options) -> ToolResult<Collected> {
    let loaded = source.read_target(target).await?;
    if loaded.nature == Nature::Page {
        return page(source, loaded.text, loaded.location, loaded.encoding, options).await;
    }
    let mut run = Run::new(source, options, loaded.location.clone());
    let sheet = run.note(loaded.location.name(), loaded.text.len(), "")?;
    let place = Place {
        sheet,
        location: loaded.location.clone(),
        encoding: loaded.encoding,
        chain: vec![target.clone(), loaded.location],
        free: true,
    };
    let body = run.expand(&loaded.text, &place).await?;
    Ok(run.finished(vec![body], None))
}

/// Collects the CSS of a page whose text is at hand.
pub async fn page(
    source: &Source<'_>,
    html: String,
    location: Location,
    encoding: &'static Encoding,
    options: Options,
) -> ToolResult<Collected> {
    let (html, base, mut found) = aside(move || {
        web::html::check_depth(&html, "the page")?;
        let (base, found) = page::references(&html, location);
        ToolResult::Ok((html, base, found))
    })
    .await?;
    if options.styles_first {
        found.sort_by_key(|(kind, _)| matches!(kind, Found::Link { .. }));
    }
    let mut run = Run::new(source, options, base.clone());
    let mut parts = Vec::new();
    for (at, (kind, media)) in found.into_iter().enumerate() {
        source.ctx().check_cancelled()?;
        let mut place = Place {
            sheet: 0,
            location: base.clone(),
            encoding,
            chain: Vec::new(),
            free: media.is_empty(),
        };
        let css = match kind {
            Found::Style(css) => {
                place.sheet = run.note(format!("style element {}", at + 1), css.len(), &media)?;
                run.expand(&css, &place).await?
            }
            Found::Link { href, charset } => {
                place.encoding = charset.unwrap_or(encoding);
                match run.linked(&href, &media, &place).await? {
                    Linked::Sheet(css) => css,
                    Linked::Circle | Linked::Missing => continue,
                }
            }
        };
        if css.css.is_empty() {
            continue;
        }
        parts.push(if media.is_empty() {
            css
        } else {
            shut(css).within(&format!("@media {media} {{\n"), "\n}")
        });
        run.begun |= parts.last().is_some_and(|part| !rebase::only_leading(&part.css));
    }
    Ok(run.finished(parts, Some(html)))
}

/// The text with everything closed that its own end would close.
fn shut(mut text: Text) -> Text {
    let whole = closed(&text.css);
    if let Some(ending) = whole.strip_prefix(&text.css) {
        text.glue(ending);
    } else {
        // A lone backslash at the very end is exchanged.
        text.css = whole;
    }
    text
}

/// Where a sheet stands.
#[derive(Clone)]
struct Place {
    /// Its number among the sheets read.
    sheet: usize,
    location: Location,
    encoding: &'static Encoding,
    /// The sheets it was imported by, itself included.
    chain: Vec<Location>,
    /// Whether it applies without conditions.
    free: bool,
}

/// What a link or import leads to.
enum Linked {
    Sheet(Text),
    /// A sheet that imports itself, which browsers pass over.
    Circle,
    /// It cannot be read, which is noted.
    Missing,
}

struct Run<'a> {
    source: &'a Source<'a>,
    options: Options,
    /// What addresses in the collected text are relative to.
    base: Location,
    sheets: Vec<SheetInfo>,
    skipped: Vec<Skipped>,
    /// Imports that stay, with the layer statements before them: they must precede every rule.
    front: Vec<String>,
    /// Whether the text has rules already.
    begun: bool,
}

impl<'a> Run<'a> {
    fn new(source: &'a Source<'a>, options: Options, base: Location) -> Self {
        Self {
            source,
            options,
            base,
            sheets: Vec::new(),
            skipped: Vec::new(),
            front: Vec::new(),
            begun: false,
        }
    }

    fn finished(self, parts: Vec<Text>, html: Option<String>) -> Collected {
        let mut text = Text::default();
        for rule in &self.front {
            text.glue(rule);
            text.glue("\n");
        }
        let last = parts.len().saturating_sub(1);
        for (at, part) in parts.into_iter().enumerate() {
            let part = if at < last { shut(part) } else { part };
            text.append(&part);
            text.glue(if at < last { "\n" } else { "" });
        }
        Collected {
            text,
            html,
            sheets: self.sheets,
            skipped: self.skipped,
        }
    }

    /// Counts a sheet; returns its number.
    fn note(&mut self, name: String, bytes: usize, media: &str) -> ToolResult<usize> {
        self.source.count(bytes)?;
        let media = media.to_owned();
        self.sheets.push(SheetInfo { name, bytes, media });
        Ok(self.sheets.len() - 1)
    }

    fn skip(&mut self, name: String, reason: impl Into<String>) -> Linked {
        let reason = reason.into();
        self.source.ctx().warn(format!("`{name}` is left out: {reason}"));
        self.skipped.push(Skipped { name, reason });
        Linked::Missing
    }

    /// Reads a sheet that the one at `from` refers to.
    async fn linked(&mut self, href: &str, media: &str, from: &Place) -> ToolResult<Linked> {
        let Some(location) = from.location.join(href) else {
            let name = web::shown_text(&href.chars().take(100).collect::<String>());
            return Ok(self.skip(name, "it is no http address and no file"));
        };
        let name = location.name();
        if from.chain.contains(&location) {
            return Ok(Linked::Circle);
        }
        if from.chain.len() >= MAX_IMPORT_DEPTH {
            let reason = format!("more than {MAX_IMPORT_DEPTH} imports in a row");
            return Ok(self.skip(name, reason));
        }
        if self.sheets.len() >= MAX_SHEETS {
            return Ok(self.skip(name, format!("more than {MAX_SHEETS} sheets")));
        }
        let loaded = match self.source.read_sheet(&location, from.encoding).await? {
            Ok(loaded) => loaded,
            Err(reason) => return Ok(self.skip(name, reason)),
        };
        let mut place = from.clone();
        // A redirect may lead back to where one comes from.
        if place.chain.contains(&loaded.location) {
            return Ok(Linked::Circle);
        }
        place.sheet = self.note(name, loaded.text.len(), media)?;
        place.chain.extend([location, loaded.location.clone()]);
        place.chain.dedup();
        place.location = loaded.location.clone();
        place.encoding = loaded.encoding;
        self.expand(&loaded.text, &place).await.map(Linked::Sheet)
    }
}
