//! Decides for each address whether its resource goes into the page, and keeps the books about it.
//!
//! The same walk over the page runs twice: first to learn what to load (nothing is encoded then), and, when
//! everything is there, to build the page. The second walk is pure and in document order, so budgets are spent
//! in the same way every time.

mod books;
mod descent;
mod kind;
mod rules;

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use web::Location;

pub use books::{Books, Embedded, LeftOut};
pub use descent::Descent;
pub use kind::Kind;
pub use rules::Rules;

use crate::{
    load::{Resource, Store, Wanted},
    media_type,
};

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

/// Bytes a resource takes up in the page, without its own resources.
fn embedded_size(resource: &Resource, kind: Kind) -> u64 {
    let bytes = resource.bytes.len() as u64;
    match kind {
        Kind::Css | Kind::Frames => bytes,
        _ => bytes.div_ceil(3) * 4,
    }
}
