//! Decides for each address whether its resource goes into the page, and keeps the books about it.
//!
//! The same walk over the page runs twice: first to learn what to load (nothing is encoded then), and, when
//! everything is there, to build the page. The second walk is pure and in document order, so budgets are spent
//! in the same way every time.

use std::collections::{BTreeMap, HashMap};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    load::{Resource, Store},
    location::Location,
    media_type,
};

/// Sheets and frames inside each other at most.
const MAX_DEPTH: usize = 12;

/// What a resource is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Style sheets.
    Css,
    /// Scripts.
    Scripts,
    /// Images, posters and backgrounds.
    Images,
    /// Fonts.
    Fonts,
    /// Favicons and touch icons.
    Icons,
    /// Videos and their subtitles.
    Video,
    /// Sounds.
    Audio,
    /// Frames, embedded objects.
    Frames,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Css,
        Self::Scripts,
        Self::Images,
        Self::Fonts,
        Self::Icons,
        Self::Video,
        Self::Audio,
        Self::Frames,
    ];

    /// Name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Css => "css",
            Self::Scripts => "scripts",
            Self::Images => "images",
            Self::Fonts => "fonts",
            Self::Icons => "icons",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Frames => "frames",
        }
    }
}

/// A resource that is in the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Embedded {
    /// Where it came from.
    pub address: String,
    /// What it is for.
    pub kind: Kind,
    /// Media type.
    pub media_type: String,
    /// Bytes of the resource itself.
    pub bytes: usize,
    /// How often it is in the page.
    pub uses: usize,
}

/// A resource that is not in the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Its address.
    pub address: String,
    /// What it is for.
    pub kind: Kind,
    /// Why it is not embedded.
    pub reason: String,
    /// How often the page refers to it.
    pub uses: usize,
}

/// What may be embedded.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Kinds that may.
    pub kinds: Vec<Kind>,
    /// Hosts that may, with their subdomains; empty for all.
    pub allow: Vec<String>,
    /// Hosts that may not, with their subdomains.
    pub deny: Vec<String>,
    /// Most bytes per kind, as they stand in the page.
    pub budgets: BTreeMap<Kind, u64>,
    /// Most bytes of all kinds together.
    pub total: Option<u64>,
}

/// What an address stands for.
pub enum Found<'s> {
    /// A resource to embed.
    Resource(&'s Resource),
    /// An address that stays, absolute where it can be.
    Address(String),
}

/// The books of one walk.
pub struct Embedder<'s> {
    store: &'s Store,
    rules: &'s Rules,
    /// First walk: say what is missing; encode nothing.
    learning: bool,
    /// What has to be loaded, in order.
    pub wanted: Vec<Location>,
    embedded: Vec<Embedded>,
    left_out: Vec<LeftOut>,
    seen: HashMap<(String, Kind), usize>,
    seen_out: HashMap<(String, Kind), usize>,
    spent: BTreeMap<Kind, u64>,
    chain: Vec<Location>,
}

impl<'s> Embedder<'s> {
    /// Over a store of what was loaded so far.
    pub fn new(store: &'s Store, rules: &'s Rules, learning: bool) -> Self {
        Self {
            store,
            rules,
            learning,
            wanted: Vec::new(),
            embedded: Vec::new(),
            left_out: Vec::new(),
            seen: HashMap::new(),
            seen_out: HashMap::new(),
            spent: BTreeMap::new(),
            chain: Vec::new(),
        }
    }

    /// What was embedded and what was not, in document order.
    pub fn books(self) -> (Vec<Embedded>, Vec<LeftOut>) {
        (self.embedded, self.left_out)
    }

    /// Notes that an address is not embedded.
    pub fn leave_out(&mut self, address: impl Into<String>, kind: Kind, reason: impl Into<String>) {
        let address = address.into();
        let key = (address.clone(), kind);
        if let Some(at) = self.seen_out.get(&key) {
            self.left_out[*at].uses += 1;
        } else {
            self.seen_out.insert(key, self.left_out.len());
            self.left_out.push(LeftOut {
                address,
                kind,
                reason: reason.into(),
                uses: 1,
            });
        }
    }

    /// Whether resources of a kind are embedded at all.
    pub fn takes(&self, kind: Kind) -> bool {
        self.rules.kinds.contains(&kind)
    }

    /// Looks up an address of a page or sheet at `base`.
    pub fn find(&mut self, address: &str, base: &Location, kind: Kind) -> Found<'s> {
        let Some(mut location) = base.join(address) else {
            return Found::Address(address.to_owned());
        };
        let stays = match &location {
            Location::Web(url) => url.to_string(),
            Location::File { .. } => address.to_owned(),
        };
        if let Location::Web(url) = &mut location {
            url.set_fragment(None);
        }
        if let Err(reason) = self.permitted(&location, kind) {
            self.leave_out(location.name(), kind, reason);
            return Found::Address(stays);
        }
        match self.store.get(&location) {
            Some(Ok(resource)) => match self.fits(resource, kind) {
                Ok(()) => {
                    if !self.learning {
                        self.book(resource, kind);
                    }
                    Found::Resource(resource)
                }
                Err(reason) => {
                    self.leave_out(location.name(), kind, reason);
                    Found::Address(stays)
                }
            },
            Some(Err(reason)) => {
                self.leave_out(location.name(), kind, reason.clone());
                Found::Address(stays)
            }
            None => {
                if self.learning && !self.wanted.contains(&location) {
                    self.wanted.push(location);
                }
                Found::Address(stays)
            }
        }
    }

    fn permitted(&self, location: &Location, kind: Kind) -> Result<(), String> {
        if !self.takes(kind) {
            return Err(format!("{} are excluded", kind.as_str()));
        }
        let Some(host) = location.host() else {
            return Ok(());
        };
        let listed = |list: &[String]| {
            list.iter().any(|entry| {
                let entry = entry
                    .trim_start_matches("*.")
                    .trim_start_matches('.')
                    .to_ascii_lowercase();
                host == entry || host.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'))
            })
        };
        if listed(&self.rules.deny) {
            return Err(format!("the domain `{host}` is denied"));
        }
        if !self.rules.allow.is_empty() && !listed(&self.rules.allow) {
            return Err(format!("the domain `{host}` is not allowed"));
        }
        Ok(())
    }

    /// Whether a resource is what it should be and within the budgets.
    fn fits(&self, resource: &Resource, kind: Kind) -> Result<(), String> {
        let page = resource.media_type == "text/html";
        if page && kind != Kind::Frames {
            return Err("the server answered with a web page".to_owned());
        }
        if self.learning {
            return Ok(());
        }
        let size = embedded_size(resource, kind);
        let spent = self.spent.get(&kind).copied().unwrap_or(0);
        if let Some(limit) = self.rules.budgets.get(&kind)
            && spent + size > *limit
        {
            return Err(format!(
                "over the budget for {}: {spent} + {size} of {limit} bytes",
                kind.as_str()
            ));
        }
        let all: u64 = self.spent.values().sum();
        if let Some(limit) = self.rules.total
            && all + size > limit
        {
            return Err(format!("over the total budget: {all} + {size} of {limit} bytes"));
        }
        Ok(())
    }

    fn book(&mut self, resource: &Resource, kind: Kind) {
        *self.spent.entry(kind).or_default() += embedded_size(resource, kind);
        let key = (resource.location.name(), kind);
        if let Some(at) = self.seen.get(&key) {
            self.embedded[*at].uses += 1;
            return;
        }
        self.seen.insert(key, self.embedded.len());
        self.embedded.push(Embedded {
            address: resource.location.name(),
            kind,
            media_type: resource.media_type.clone(),
            bytes: resource.bytes.len(),
            uses: 1,
        });
    }

    /// The resource as a data URL.
    pub fn data_url(&self, resource: &Resource, kind: Kind) -> String {
        if self.learning {
            return String::new();
        }
        let media_type = match kind {
            Kind::Scripts => "text/javascript",
            Kind::Css => "text/css",
            _ => &resource.media_type,
        };
        media_type::data_url(media_type, &resource.bytes)
    }

    /// Runs `inner` inside a sheet or frame; `None` when that is already being embedded, or too deep.
    pub fn descend<T>(&mut self, location: &Location, inner: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chain.contains(location) || self.chain.len() >= MAX_DEPTH {
            self.leave_out(
                location.name(),
                Kind::Frames,
                "it contains itself, or is nested too deep",
            );
            return None;
        }
        self.chain.push(location.clone());
        let result = inner(self);
        self.chain.pop();
        Some(result)
    }
}

/// Bytes a resource takes up in the page, without its own resources.
fn embedded_size(resource: &Resource, kind: Kind) -> u64 {
    let bytes = resource.bytes.len() as u64;
    match kind {
        Kind::Css | Kind::Frames => bytes,
        _ => bytes.div_ceil(3) * 4,
    }
}
