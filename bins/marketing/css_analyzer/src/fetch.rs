//! Reads pages and sheets within the limits of a run, in the encoding they are in, and tells one from the other.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use web::{
    Fetched, Location, Reader,
    charset::{self, Decoded, Encoding},
};

use crate::words;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// A web page.
    Page,
    /// A style sheet.
    Sheet,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The text.
    pub text: String,
    /// The encoding it was in.
    pub encoding: &'static Encoding,
    /// Where it was found in the end, after redirects.
    pub location: Location,
    /// What it is.
    pub nature: Nature,
}

/// Limits of reading, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest page or sheet.
    pub one: u64,
    /// All sheets together, each as often as it is imported.
    pub total: u64,
}

/// Reads for one run. A sheet is fetched once, however often it is imported.
#[derive(Debug)]
pub struct Source<'a> {
    reader: Reader<'a>,
    limits: Limits,
    used: Mutex<u64>,
    sheets: Mutex<HashMap<Location, Result<Arc<Loaded>, String>>>,
}

impl<'a> Source<'a> {
    /// For one run.
    pub fn new(ctx: &'a Context, limits: Limits) -> Self {
        Self {
            reader: Reader::new(ctx, false),
            limits,
            used: Mutex::default(),
            sheets: Mutex::default(),
        }
    }

    /// The run.
    pub fn ctx(&self) -> &Context {
        self.reader.ctx
    }

    /// What the caller named.
    pub fn target(&self, text: &str, root: Option<&Path>) -> ToolResult<Location> {
        self.reader.target(text, root)
    }

    /// Reads a page or sheet that the caller named. Fails when it is neither.
    pub async fn read_target(&self, location: &Location) -> ToolResult<Loaded> {
        let fetched = self.reader.read_target(location, self.limits.one).await?;
        let nature = nature(&fetched).ok_or_else(|| {
            let message = format!("`{}` is neither a web page nor a style sheet", location.name());
            ToolError::new(ErrorKind::InvalidInput, message).code("not_css")
        })?;
        let decoded = match nature {
            Nature::Page => charset::page(&fetched.bytes, fetched.encoding, None),
            Nature::Sheet => charset::sheet(&fetched.bytes, fetched.encoding, None),
        };
        if decoded.guessed {
            let name = location.name();
            self.ctx().warn(format!(
                "`{name}` states no encoding and is not UTF-8; read as windows-1252"
            ));
        }
        Ok(loaded(decoded, fetched.location, nature))
    }

    /// Reads a sheet that a page or sheet in `environment` refers to; the inner error is why it is left out.
    pub async fn read_sheet(
        &self,
        location: &Location,
        environment: &'static Encoding,
    ) -> ToolResult<Result<Arc<Loaded>, String>> {
        let kept = lock(&self.sheets).get(location).cloned();
        if let Some(found) = kept {
            return Ok(found);
        }
        let left = self.limits.total.saturating_sub(*lock(&self.used));
        let limit = self.limits.one.min(left);
        let found = match self.reader.read(location, limit).await {
            Ok(fetched) => sheet(fetched, environment).map(Arc::new),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) if limit < self.limits.one && error.code.ends_with("_too_large") => {
                return Err(self.too_much());
            }
            Err(error) => Err(error.message),
        };
        lock(&self.sheets).insert(location.clone(), found.clone());
        Ok(found)
    }

    /// Counts CSS that goes into the result; fails when it is more than the run may hold.
    pub fn count(&self, bytes: usize) -> ToolResult<()> {
        let mut used = lock(&self.used);
        *used = used.saturating_add(bytes as u64);
        if *used <= self.limits.total {
            Ok(())
        } else {
            Err(self.too_much())
        }
    }

    fn too_much(&self) -> ToolError {
        let message = format!("the sheets are more than {} bytes in all", self.limits.total);
        ToolError::new(ErrorKind::InvalidInput, message)
            .code("too_much_css")
            .hint("look at what is imported, or raise `--max-total-bytes`")
    }
}

/// A panic elsewhere does not make what was counted wrong.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn loaded(decoded: Decoded, location: Location, nature: Nature) -> Loaded {
    Loaded {
        text: decoded.text,
        encoding: decoded.encoding,
        location,
        nature,
    }
}

/// A resource that is used as a sheet, or why browsers do not take it for one.
fn sheet(fetched: Fetched, environment: &'static Encoding) -> Result<Loaded, String> {
    let local = matches!(fetched.location, Location::File { .. });
    if local && !words::ends_with(&fetched.location.file_name(), ".css") {
        return Err("it is not named `.css`, so browsers take it for no sheet".to_owned());
    }
    if is_page_type(&fetched.media_type) || looks_like_page(&fetched.bytes) {
        return Err("it is a web page, not a sheet".to_owned());
    }
    let decoded = charset::sheet(&fetched.bytes, fetched.encoding, Some(environment));
    Ok(loaded(decoded, fetched.location, Nature::Sheet))
}

fn is_page_type(media_type: &str) -> bool {
    matches!(media_type, "text/html" | "application/xhtml+xml")
}

/// What a file that the caller named is: by what the server says, else by its name, else by what it begins with.
fn nature(fetched: &Fetched) -> Option<Nature> {
    match fetched.media_type.as_str() {
        "text/css" => return Some(Nature::Sheet),
        stated if is_page_type(stated) => return Some(Nature::Page),
        ""
        | "text/plain"
        | "application/octet-stream"
        | "binary/octet-stream"
        | "application/xml"
        | "text/xml" => {}
        stated if stated.ends_with("css") => {}
        _ => return None,
    }
    let page = looks_like_page(&fetched.bytes);
    let name = match &fetched.location {
        Location::Web(url) => url.path().to_ascii_lowercase(),
        other => other.file_name(),
    };
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" if !page => Some(Nature::Sheet),
        "html" | "htm" | "xhtml" | "xht" | "shtml" | "php" => Some(Nature::Page),
        "js" | "mjs" | "cjs" | "ts" | "json" => None,
        _ if page => Some(Nature::Page),
        _ => by_content(&fetched.bytes),
    }
}

/// Whether the bytes begin like a page: blanks and comments, then a tag or doctype.
fn looks_like_page(bytes: &[u8]) -> bool {
    let mut rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    loop {
        rest = rest.trim_ascii_start();
        // A sheet may begin with a comment mark of HTML too, but not with what follows here.
        let Some(comment) = rest.strip_prefix(b"<!--") else {
            break;
        };
        let Some(end) = comment.windows(3).position(|window| window == b"-->") else {
            return false;
        };
        rest = &comment[end + 3..];
    }
    let doctype = rest
        .get(..9)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"<!doctype"));
    let tag =
        rest.first() == Some(&b'<') && rest.get(1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'?');
    doctype || tag
}

/// A text that is no page by its beginning: a sheet if it has rules, a page if it has tags before them.
fn by_content(bytes: &[u8]) -> Option<Nature> {
    let wide = Encoding::for_bom(bytes).is_some_and(|(encoding, _)| !encoding.is_ascii_compatible());
    if !wide && bytes[..bytes.len().min(4096)].contains(&0) {
        return None;
    }
    let tag = bytes
        .windows(2)
        .position(|two| two[0] == b'<' && (two[1].is_ascii_alphabetic() || two[1] == b'/'));
    let rule = bytes.iter().position(|byte| matches!(byte, b'{' | b'@'));
    match (tag, rule) {
        (Some(tag), rule) if rule.is_none_or(|rule| tag < rule) => Some(Nature::Page),
        (_, Some(_)) => Some(Nature::Sheet),
        _ => bytes.trim_ascii().is_empty().then_some(Nature::Sheet),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, media_type: &str, bytes: &[u8]) -> Option<Nature> {
        nature(&Fetched {
            location: Location::parse(name, None).unwrap(),
            media_type: media_type.to_owned(),
            encoding: None,
            bytes: bytes.to_vec(),
        })
    }

    #[test]
    fn pages_and_sheets_are_told_apart() {
        let (page, sheet) = (Some(Nature::Page), Some(Nature::Sheet));
        assert_eq!(told("theme.scss", "", b"// x\n.a{color:red}"), sheet);
        assert_eq!(told("theme", "", b"/* <p> */ a{}"), page);
        assert_eq!(told("theme", "", b".a > b{}"), sheet);
        assert_eq!(told("x.css", "", b"<!doctype html><p>"), page);
        assert_eq!(told("x.css", "", b"<!-- a{} -->"), sheet);
        assert_eq!(told("x.CSS", "", b""), sheet);
        assert_eq!(told("x.html", "", b"a{}"), page);
        assert_eq!(told("x", "", b" <!-- x --> <html>"), page);
        assert_eq!(told("https://a.example/x.css?v", "text/plain", b"a{}"), sheet);
        assert_eq!(told("https://a.example/x.css", "text/html", b"a{}"), page);
        assert_eq!(told("https://a.example/x", "image/png", b"a{}"), None);
        assert_eq!(told("x.json", "", b"{}"), None);
        assert_eq!(told("notes.txt", "", b"only words"), None);
        assert_eq!(told("x.db", "", b"SQLite format 3\0 {<a"), None);
    }
}
