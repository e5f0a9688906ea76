//! The way through the sitemaps of a shop: which one is read next, which pages they name, and what is not followed.

use std::collections::{HashSet, VecDeque};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::sitemap::{self, Kind};

/// Sitemaps inside each other, at most.
pub const DEEPEST: usize = 10;

/// Sitemaps of one shop, at most.
const MOST_SITEMAPS: usize = 2_000;

/// Entries of the list of what is not followed, at most; more are counted.
const MOST_LEFT: usize = 10_000;

/// An address that is not visited, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotFollowed {
    /// The address as it was found.
    pub url: String,
    /// Why it is not visited.
    pub why: String,
    /// The line of robots.txt that forbids it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// A page that a sitemap names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its address, without fragment.
    pub url: Url,
    /// When it was changed last.
    pub changed: Option<String>,
}

/// What became of one sitemap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Its address.
    pub url: String,
    /// Entries in it.
    pub entries: usize,
    /// What is odd about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The state of the way.
#[derive(Debug)]
pub struct Walk {
    home: Url,
    is_private: fn(&Url) -> bool,
    open: VecDeque<(Url, usize)>,
    known: HashSet<Url>,
    pages_known: HashSet<Url>,
    most_pages: usize,
    /// Pages in the order they are named, each once.
    pub pages: Vec<Named>,
    /// Sitemaps that were looked at.
    pub seen: Vec<Seen>,
    /// What is not followed.
    pub not_followed: Vec<NotFollowed>,
    /// What is not followed and has no place in the list any more.
    pub more_not_followed: usize,
    /// Pages beyond the limit.
    pub more_pages: usize,
}

impl Walk {
    /// For the shop at `home`; `is_private` tells addresses that lie inside the own network.
    pub fn new(home: &Url, most_pages: usize, is_private: fn(&Url) -> bool) -> Self {
        Self {
            home: home.clone(),
            is_private,
            open: VecDeque::new(),
            known: HashSet::new(),
            pages_known: HashSet::new(),
            most_pages,
            pages: Vec::new(),
            seen: Vec::new(),
            not_followed: Vec::new(),
            more_not_followed: 0,
            more_pages: 0,
        }
    }

    /// Adds a sitemap that robots.txt or a guess names. Whether it will be read.
    pub fn add(&mut self, address: &str) -> bool {
        let home = self.home.clone();
        let before = self.open.len();
        self.add_sitemap(address, &home, 0);
        self.open.len() > before
    }

    /// The sitemap to read next.
    pub fn upcoming(&self) -> Option<Url> {
        self.open.front().map(|(url, _)| url.clone())
    }

    /// What the sitemap that [`upcoming`](Self::upcoming) named turned out to be: its bytes from where it was found in the end,
    /// or why it could not be had.
    pub fn take(&mut self, found: Result<(&Url, &[u8]), String>) {
        let Some((url, depth)) = self.open.pop_front() else {
            return;
        };
        let mut seen = Seen {
            url: url.to_string(),
            entries: 0,
            notes: Vec::new(),
            failed: None,
        };
        let bytes = match found {
            Ok((at, _)) if *at != url && !self.known.insert(at.clone()) => {
                seen.failed = Some(format!("leads to {at}, which was read already"));
                self.seen.push(seen);
                return;
            }
            Ok((_, bytes)) => bytes,
            Err(why) => {
                seen.failed = Some(why);
                self.seen.push(seen);
                return;
            }
        };
        match sitemap::read(bytes) {
            Err(why) => seen.failed = Some(why.to_string()),
            Ok(read) => {
                seen.entries = read.entries.len();
                seen.notes = read.notes;
                for entry in read.entries {
                    match read.kind {
                        Kind::Index => self.add_sitemap(&entry.address, &url, depth + 1),
                        Kind::Pages => self.add_page(&entry.address, Some(&url), entry.changed),
                        Kind::Text => self.add_page(&entry.address, None, entry.changed),
                    }
                }
            }
        }
        self.seen.push(seen);
    }

    /// Notes something that is not followed.
    pub fn leave(&mut self, url: &str, why: &str) {
        if self.not_followed.len() >= MOST_LEFT {
            self.more_not_followed += 1;
            return;
        }
        self.not_followed.push(NotFollowed {
            url: url.to_owned(),
            why: why.to_owned(),
            rule: None,
        });
    }

    fn add_sitemap(&mut self, address: &str, base: &Url, depth: usize) {
        let url = match self.checked(address, Some(base)) {
            Ok(url) => url,
            Err(why) => return self.leave(address, why),
        };
        if self.known.contains(&url) {
            return self.leave(url.as_str(), "a sitemap that was named before");
        }
        if depth > DEEPEST {
            return self.leave(url.as_str(), "sitemaps nested too deeply");
        }
        if self.known.len() >= MOST_SITEMAPS {
            return self.leave(url.as_str(), "too many sitemaps");
        }
        self.known.insert(url.clone());
        self.open.push_back((url, depth));
    }

    fn add_page(&mut self, address: &str, base: Option<&Url>, changed: Option<String>) {
        let url = match self.checked(address, base) {
            Ok(url) => url,
            Err(why) => return self.leave(address, why),
        };
        if self.pages_known.contains(&url) {
            return;
        }
        if self.pages.len() >= self.most_pages {
            self.more_pages += 1;
            return;
        }
        self.pages_known.insert(url.clone());
        self.pages.push(Named { url, changed });
    }

    /// The address as one of this shop, or why it is none.
    fn checked(&self, address: &str, base: Option<&Url>) -> Result<Url, &'static str> {
        checked(address, base, &self.home, self.is_private)
    }
}

/// The whole address, without fragment and user, when it is one of the shop at `home`; else why it is none.
pub fn checked(
    address: &str,
    base: Option<&Url>,
    home: &Url,
    is_private: fn(&Url) -> bool,
) -> Result<Url, &'static str> {
    let parsed = match base {
        Some(base) => base.join(address),
        None => Url::parse(address),
    };
    let mut url = parsed.map_err(|_| "not an address")?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("not an http or https address");
    }
    url.set_fragment(None);
    // An http address can have both.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.origin() == home.origin() {
        return Ok(url);
    }
    if is_private(&url) {
        return Err("a private address");
    }
    if url.host() != home.host() {
        return Err("another host");
    }
    Err("another scheme or port of the host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(addresses: &[&str]) -> Vec<u8> {
        let entries: Vec<String> = addresses
            .iter()
            .map(|address| format!("<sitemap><loc>{address}</loc></sitemap>"))
            .collect();
        format!("<sitemapindex>{}</sitemapindex>", entries.concat()).into_bytes()
    }

    fn home() -> Url {
        Url::parse("https://shop.example/").unwrap()
    }

    #[test]
    fn endless_nesting_ends_after_ten_levels() {
        let mut walk = Walk::new(&home(), 100, |_| false);
        walk.add("/0.xml");
        let mut read = 0;
        while let Some(url) = walk.upcoming() {
            read += 1;
            let next = format!("/{read}.xml");
            walk.take(Ok((&url, &index(&[&next]))));
        }
        assert_eq!(read, DEEPEST + 1);
        assert_eq!(walk.not_followed[0].why, "sitemaps nested too deeply");
    }

    #[test]
    fn a_child_that_leads_to_its_parent_is_not_read_again() {
        let mut walk = Walk::new(&home(), 100, |_| false);
        walk.add("/a.xml");
        let parent = walk.upcoming().unwrap();
        walk.take(Ok((&parent, &index(&["/b.xml", "/a.xml"]))));
        walk.take(Ok((&parent, &index(&["/c.xml"]))));
        assert_eq!(walk.upcoming(), None);
        assert!(walk.seen[1].failed.as_ref().unwrap().contains("was read already"));
        assert_eq!(walk.not_followed[0].why, "a sitemap that was named before");
    }

    #[test]
    fn pages_over_the_limit_are_counted() {
        let mut walk = Walk::new(&home(), 2, |_| false);
        walk.add("/list.txt");
        let url = walk.upcoming().unwrap();
        walk.take(Ok((&url, b"https://shop.example/1\nhttps://shop.example/2\nhttps://shop.example/1\nhttps://shop.example/3\n")));
        assert_eq!((walk.pages.len(), walk.more_pages), (2, 1));
    }
}
