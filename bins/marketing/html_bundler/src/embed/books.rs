//! The books of a walk: what was embedded, what was not and why.

use schemars::JsonSchema;
use serde::Serialize;
use web::Location;

use super::{Embedder, Kind, embedded_size, is_inline};
use crate::load::Resource;

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

impl Embedder<'_> {
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

    pub(super) fn book(&mut self, resource: &Resource, kind: Kind) {
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
}

/// What tells a location from others, its query included.
fn key(location: &Location) -> String {
    match location {
        Location::Web(url) => url.as_str().to_owned(),
        other => other.name(),
    }
}
