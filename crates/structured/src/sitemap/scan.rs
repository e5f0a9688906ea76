//! A scanner for the XML of sitemaps: it looks for entries and forgives what a strict parser stops at.

use super::{Entry, Kind, MOST_ENTRIES, Sitemap, Unreadable, time};

/// A tag or a text.
enum Token<'a> {
    Open(&'a str),
    Close(&'a str),
    Text(&'a str),
    /// Of a CDATA section: references mean nothing in it.
    Raw(&'a str),
}

struct Tokens<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.rest;
            if rest.is_empty() {
                return None;
            }
            let Some(tag) = rest.strip_prefix('<') else {
                let end = rest.find('<').unwrap_or(rest.len());
                self.rest = &rest[end..];
                return Some(Token::Text(&rest[..end]));
            };
            if let Some(raw) = tag.strip_prefix("![CDATA[") {
                return Some(Token::Raw(self.until(raw, "]]>")));
            }
            if let Some(comment) = tag.strip_prefix("!--") {
                self.until(comment, "-->");
                continue;
            }
            if tag.starts_with(['?', '!']) {
                self.until(tag, ">");
                continue;
            }
            let inner = self.until(tag, ">");
            let closes = inner.strip_prefix('/');
            let name = closes.unwrap_or(inner);
            let end = name
                .find(|c: char| c.is_whitespace() || c == '/')
                .unwrap_or(name.len());
            let name = &name[..end];
            return Some(if closes.is_some() {
                Token::Close(name)
            } else {
                Token::Open(name)
            });
        }
    }
}

impl<'a> Tokens<'a> {
    /// What stands before the end mark; the rest begins behind it.
    fn until(&mut self, text: &'a str, end: &str) -> &'a str {
        let (inner, rest) = text.split_once(end).unwrap_or((text, ""));
        self.rest = rest;
        inner
    }
}

/// Prefix and name of a tag.
fn parted(name: &str) -> (&str, String) {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    (prefix, local.to_ascii_lowercase())
}

/// Reads the entries.
pub(super) fn xml(text: &str) -> Result<Sitemap, Unreadable> {
    let mut tokens = Tokens { rest: text };
    let root = tokens.find_map(|token| match token {
        Token::Open(name) => Some(name),
        _ => None,
    });
    let (prefix, kind) = match root.map(parted) {
        Some((prefix, name)) if name == "urlset" => (prefix, Kind::Pages),
        Some((prefix, name)) if name == "sitemapindex" => (prefix, Kind::Index),
        _ => return Err(Unreadable::NoSitemap),
    };
    let mut reading = Reading {
        prefix,
        sitemap: Sitemap {
            kind,
            entries: Vec::new(),
            notes: Vec::new(),
        },
        entry: None,
        field: None,
        text: String::new(),
        bad_times: 0,
    };
    let mut closed = false;
    for token in tokens {
        closed = matches!(token, Token::Close(name) if root == Some(name))
            || closed && !matches!(token, Token::Open(_));
        reading.take(&token);
        // One more, so that it is noticed.
        if reading.sitemap.entries.len() > MOST_ENTRIES {
            break;
        }
    }
    reading.end_field();
    reading.end_entry();
    let mut sitemap = reading.sitemap;
    if !closed {
        sitemap.notes.push("no end tag".to_owned());
    }
    if reading.bad_times > 0 {
        sitemap
            .notes
            .push(format!("{} times of change are none, dropped", reading.bad_times));
    }
    Ok(sitemap)
}

/// A field of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Address,
    Changed,
}

struct Reading<'a> {
    prefix: &'a str,
    sitemap: Sitemap,
    entry: Option<Entry>,
    field: Option<Field>,
    text: String,
    bad_times: usize,
}

impl Reading<'_> {
    fn take(&mut self, token: &Token<'_>) {
        match token {
            Token::Open(name) => {
                self.end_field();
                let (prefix, local) = parted(name);
                if prefix != self.prefix {
                    return;
                }
                match local.as_str() {
                    "url" | "sitemap" => {
                        self.end_entry();
                        self.entry = Some(Entry::default());
                    }
                    "loc" => self.field = Some(Field::Address),
                    "lastmod" => self.field = Some(Field::Changed),
                    _ => {}
                }
            }
            Token::Close(name) => {
                self.end_field();
                let (prefix, local) = parted(name);
                if prefix == self.prefix && matches!(local.as_str(), "url" | "sitemap") {
                    self.end_entry();
                }
            }
            Token::Text(text) if self.field.is_some() => self.text.push_str(&decoded(text)),
            Token::Raw(text) if self.field.is_some() => self.text.push_str(text),
            Token::Text(_) | Token::Raw(_) => {}
        }
    }

    fn end_field(&mut self) {
        let text = std::mem::take(&mut self.text);
        let Some(field) = self.field.take() else { return };
        // An address outside of any entry still says where a page is.
        let entry = self.entry.get_or_insert_default();
        match field {
            Field::Address => entry.address = text.trim().chars().take(4096).collect(),
            Field::Changed => {
                entry.changed = time(&text);
                self.bad_times += usize::from(entry.changed.is_none());
            }
        }
    }

    fn end_entry(&mut self) {
        if let Some(entry) = self.entry.take().filter(|entry| !entry.address.is_empty()) {
            self.sitemap.entries.push(entry);
        }
    }
}

/// References of XML; a bare `&` stays one.
fn decoded(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let reference = after.split_once(';').filter(|(name, _)| name.len() <= 10);
        match reference.and_then(|(name, tail)| Some((character(name)?, tail))) {
            Some((c, tail)) => {
                decoded.push(c);
                rest = tail;
            }
            None => {
                decoded.push('&');
                rest = after;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn character(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let code = name.strip_prefix('#')?;
            let code = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(code)?
        }
    })
}
