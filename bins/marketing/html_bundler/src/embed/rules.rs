//! What may be embedded: kinds, domains, and how many bytes.

use std::collections::BTreeMap;

use web::Location;

use super::{Embedder, Kind, embedded_size};
use crate::{load::Resource, media_type};

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

impl Embedder<'_> {
    pub(super) fn permitted(&self, location: &Location, kind: Kind) -> Result<(), String> {
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
    pub(super) fn fits(&mut self, resource: &Resource, kind: Kind) -> Result<(), String> {
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
    pub(super) fn afford(&mut self, bytes: u64) -> Result<(), String> {
        if self.made.saturating_add(bytes) <= self.rules.output {
            self.made += bytes;
            return Ok(());
        }
        let reason = format!("the page would be larger than {} bytes", self.rules.output);
        self.books.limit.get_or_insert_with(|| reason.clone());
        Err(reason)
    }
}
