//! Decides for each address whether its resource goes into the page, and keeps the books about it.
//!
//! The same walk over the page runs twice: first to learn what to load (nothing is encoded then), and, when
//! everything is there, to build the page. The second walk is pure and in document order, so budgets are spent
//! in the same way every time.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use web::{self, Location};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    load::{Resource, Store, Wanted},
    media_type,
};

/// Sheets and frames inside each other at most.
const MAX_DEPTH: usize = 12;

/// Sheets and frames put into one page at most, each as often as it is there. Pages of the web have some dozens.
const MAX_EXPANSIONS: usize = 2_000;

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
    /// Where it came from, without secrets.
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
    /// Its address, without secrets.
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
    /// Most bytes that are put into the page at all.
    pub output: u64,
}

/// What an address stands for.
pub enum Found<'s> {
    /// A resource to embed.
    Resource(&'s Resource),
    /// An address that stays, absolute where it can be.
    Address(String),
}

/// What came of going into a sheet or frame.
pub enum Descent<T> {
    /// This.
    Done(T),
    /// Nothing: it is inside of itself.
    Circle,
    /// Nothing: it is nested too deep, or the page is large enough. It is on the list of what is not embedded.
    Refused,
}

/// What a walk leaves behind.
#[derive(Debug, Default)]
pub struct Books {
    /// What was embedded, in document order.
    pub embedded: Vec<Embedded>,
    /// What was not.
    pub left_out: Vec<LeftOut>,
    /// The limit that the page has reached.
    pub limit: Option<String>,
}

/// The books of one walk.
pub struct Embedder<'s> {
    store: &'s Store,
    rules: &'s Rules,
    /// The page that everything goes into.
    page: &'s Location,
    /// First walk: say what is missing; encode nothing.
    learning: bool,
    /// What has to be loaded, in order.
    pub wanted: Wanted,
    books: Books,
    seen: HashMap<(String, Kind), usize>,
    seen_out: HashMap<(String, Kind), usize>,
    spent: BTreeMap<Kind, u64>,
    chain: Vec<Location>,
    /// While learning: how deep each sheet or frame was when it was last gone into.
    learnt: HashMap<(Location, Kind), usize>,
    made: u64,
    expansions: usize,
    data_urls: HashMap<(Location, Kind), Rc<str>>,
}

impl<'s> Embedder<'s> {
    /// For the page at `page`, over a store of what was loaded so far.
    pub fn new(store: &'s Store, rules: &'s Rules, page: &'s Location, learning: bool) -> Self {
        Self {
            store,
            rules,
            page,
            learning,
            wanted: Wanted::default(),
            books: Books::default(),
            seen: HashMap::new(),
            seen_out: HashMap::new(),
            spent: BTreeMap::new(),
            chain: Vec::new(),
            learnt: HashMap::new(),
            made: 0,
            expansions: 0,
            data_urls: HashMap::new(),
        }
    }

    /// What was embedded and what was not.
    pub fn books(self) -> Books {
        self.books
    }

    /// Notes that something is not embedded; `address` is for people, `key` tells it from others.
    fn note(&mut self, key: String, address: String, kind: Kind, reason: String) {
        let key = (key, kind);
        if let Some(at) = self.seen_out.get(&key) {
            self.books.left_out[*at].uses += 1;
        } else {
            self.seen_out.insert(key, self.books.left_out.len());
            self.books.left_out.push(LeftOut {
                address,
                kind,
                reason,
                uses: 1,
            });
        }
    }

    /// Notes that the resource at a location is not embedded.
    pub fn leave_out(&mut self, location: &Location, kind: Kind, reason: impl Into<String>) {
        self.note(key(location), location.name(), kind, reason.into());
    }

    /// Notes that what an address at `base` refers to is not embedded, unless nothing has to be.
    pub fn leave_out_address(&mut self, address: &str, base: &Location, kind: Kind, reason: &str) {
        match base.join(address) {
            Some(location) => match self.permitted(&location, kind) {
                Ok(()) => self.leave_out(&location, kind, reason),
                Err(not) => self.leave_out(&location, kind, not),
            },
            None if is_inline(address) => {}
            None => self.note(
                address.to_owned(),
                web::shown_text(address),
                kind,
                reason.to_owned(),
            ),
        }
    }

    /// Whether resources of a kind are embedded at all.
    pub fn takes(&self, kind: Kind) -> bool {
        self.rules.kinds.contains(&kind)
    }

    /// Whether a sheet of the page speaks of cascade layers.
    pub fn layers(&self) -> bool {
        self.store.layers
    }

    /// Whether what is at this location is being embedded just now.
    pub fn inside(&self, location: &Location) -> bool {
        self.chain.contains(location)
    }

    /// The address to write into the page for an address that stays.
    pub fn stays(&self, address: &str, base: &Location) -> String {
        base.refer(address, self.page)
    }

    /// Looks up an address of a page or sheet at `base`.
    pub fn find(&mut self, address: &str, base: &Location, kind: Kind) -> Found<'s> {
        let stays = self.stays(address, base);
        let Some(mut location) = base.join(address) else {
            self.leave_out_address(address, base, kind, "it is no http address and no file");
            return Found::Address(stays);
        };
        if let Location::Web(url) = &mut location {
            url.set_fragment(None);
        }
        match self.looked_up(&location, kind) {
            Ok(Some(resource)) => Found::Resource(resource),
            Ok(None) => Found::Address(stays),
            Err(reason) => {
                self.leave_out(&location, kind, reason);
                Found::Address(stays)
            }
        }
    }

    /// The resource, `None` while it is still to be loaded, or why it is not embedded.
    fn looked_up(&mut self, location: &Location, kind: Kind) -> Result<Option<&'s Resource>, String> {
        self.permitted(location, kind)?;
        match self.store.get(location) {
            Some(Ok(resource)) => {
                self.fits(resource, kind)?;
                if !self.learning {
                    self.book(resource, kind);
                }
                Ok(Some(resource))
            }
            Some(Err(reason)) => Err(reason.clone()),
            None if self.learning => {
                self.wanted.add(location.clone());
                Ok(None)
            }
            None => Err("it is nested too deep to be loaded".to_owned()),
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
    fn fits(&mut self, resource: &Resource, kind: Kind) -> Result<(), String> {
        let page = resource.media_type == "text/html";
        if page && kind != Kind::Frames {
            return Err("the server answered with a web page".to_owned());
        }
        if let Location::File { .. } = resource.location
            && !media_type::serves(kind, &resource.location.file_name(), &resource.bytes)
        {
            return Err(format!("its content or name is not that of {}", kind.as_str()));
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
        self.afford(size)
    }

    /// Counts bytes that go into the page; fails when they are too many.
    fn afford(&mut self, bytes: u64) -> Result<(), String> {
        if self.made.saturating_add(bytes) <= self.rules.output {
            self.made += bytes;
            return Ok(());
        }
        let reason = format!("the page would be larger than {} bytes", self.rules.output);
        self.books.limit.get_or_insert_with(|| reason.clone());
        Err(reason)
    }

    fn book(&mut self, resource: &Resource, kind: Kind) {
        *self.spent.entry(kind).or_default() += embedded_size(resource, kind);
        let key = (key(&resource.location), kind);
        if let Some(at) = self.seen.get(&key) {
            self.books.embedded[*at].uses += 1;
            return;
        }
        self.seen.insert(key, self.books.embedded.len());
        self.books.embedded.push(Embedded {
            address: resource.location.name(),
            kind,
            media_type: resource.media_type.clone(),
            bytes: resource.bytes.len(),
            uses: 1,
        });
    }

    /// The resource as a data URL.
    pub fn data_url(&mut self, resource: &Resource, kind: Kind) -> Rc<str> {
        if self.learning {
            return Rc::from("");
        }
        let media_type = match kind {
            Kind::Scripts => "text/javascript",
            Kind::Css => "text/css",
            _ => &resource.media_type,
        };
        let made = self.data_urls.entry((resource.location.clone(), kind));
        made.or_insert_with(|| media_type::data_url(media_type, &resource.bytes).into())
            .clone()
    }

    /// Runs `inner` inside a sheet or frame of this many bytes.
    pub fn descend<T: Default>(
        &mut self,
        location: &Location,
        kind: Kind,
        bytes: usize,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> Descent<T> {
        if self.inside(location) {
            return Descent::Circle;
        }
        let depth = self.chain.len();
        if let Err(reason) = self.may_descend(depth, bytes) {
            self.leave_out(location, kind, reason);
            return Descent::Refused;
        }
        if self.learning {
            let before = self.learnt.insert((location.clone(), kind), depth);
            if before.is_some_and(|before| before <= depth) {
                return Descent::Done(T::default());
            }
        }
        self.chain.push(location.clone());
        let result = inner(self);
        self.chain.pop();
        Descent::Done(result)
    }

    /// Runs `inner` inside a page that stands in the page itself.
    pub fn descend_inline<T: Default>(
        &mut self,
        base: &Location,
        bytes: usize,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> Descent<T> {
        let depth = self.chain.len();
        if let Err(reason) = self.may_descend(depth, bytes) {
            self.leave_out(base, Kind::Frames, reason);
            return Descent::Refused;
        }
        // A place that nothing else can have: it holds for the depth alone.
        self.chain.push(Location::Text);
        let result = inner(self);
        self.chain.pop();
        Descent::Done(result)
    }

    fn may_descend(&mut self, depth: usize, bytes: usize) -> Result<(), String> {
        if depth >= MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} sheets and frames"));
        }
        if self.learning {
            return Ok(());
        }
        self.expansions += 1;
        if self.expansions > MAX_EXPANSIONS {
            let reason = format!("the page would hold more than {MAX_EXPANSIONS} sheets and frames");
            self.books.limit.get_or_insert_with(|| reason.clone());
            return Err(reason);
        }
        self.afford(bytes as u64)
    }
}

/// An address that is in the page already, or is none.
pub fn is_inline(value: &str) -> bool {
    let value = web::cleaned(value).to_ascii_lowercase();
    value.is_empty()
        || value.starts_with('#')
        || ["data:", "blob:", "about:", "javascript:", "mailto:", "tel:"]
            .iter()
            .any(|name| value.starts_with(name))
}

/// What tells a location from others, its query included.
fn key(location: &Location) -> String {
    match location {
        Location::Web(url) => url.as_str().to_owned(),
        other => other.name(),
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
