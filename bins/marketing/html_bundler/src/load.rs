//! Loads resources and keeps them: several at a time, each once, and no more in all than the run may load.

use std::collections::{HashMap, HashSet};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use futures_util::{StreamExt, stream::FuturesUnordered};
use web::{
    Fetched, Location, Reader,
    charset::{self, Decoded, Encoding},
};

use crate::media_type;

/// Requests at a time.
const PARALLEL: usize = 8;

/// A resource as loaded.
#[derive(Debug)]
pub struct Resource {
    /// Where it was found in the end, after redirects.
    pub location: Location,
    /// Media type, lower case, without parameters.
    pub media_type: String,
    /// Encoding the server states.
    encoding: Option<&'static Encoding>,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Resource {
    fn new(fetched: Fetched) -> Self {
        let name = fetched.location.file_name();
        Self {
            media_type: media_type::guess(&fetched.media_type, &name, &fetched.bytes),
            location: fetched.location,
            encoding: fetched.encoding,
            bytes: fetched.bytes,
        }
    }

    /// The content as a page, framed by one in `parent`.
    pub fn page(&self, parent: Option<&'static Encoding>) -> Decoded {
        charset::page(&self.bytes, self.encoding, parent)
    }

    /// The content as a sheet that a page or sheet in `environment` refers to.
    pub fn sheet(&self, environment: &'static Encoding) -> Decoded {
        charset::sheet(&self.bytes, self.encoding, Some(environment))
    }

    /// The content as a script of a page in `environment`.
    pub fn script(&self, environment: &'static Encoding) -> String {
        charset::script(&self.bytes, self.encoding, environment).text
    }
}

/// Everything loaded so far: a resource, or why it cannot be had.
#[derive(Debug, Default)]
pub struct Store {
    found: HashMap<Location, Result<Resource, String>>,
    bytes: u64,
    asked: u64,
    /// Whether resources were left out because there were too many.
    pub cut: bool,
    /// Whether a sheet speaks of cascade layers, whose order depends on the first import of a sheet.
    pub layers: bool,
}

/// Reads resources by the limits of a run.
#[derive(Debug)]
pub struct Loader<'a> {
    reader: Reader<'a>,
    limits: Limits,
}

/// Limits of loading.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest resource in bytes.
    pub resource: u64,
    /// Most bytes of all resources.
    pub total: u64,
    /// Most resources.
    pub requests: u64,
    /// Whether only files are read.
    pub offline: bool,
}

impl Store {
    /// What is known about a location; `None` when it was not loaded yet.
    pub fn get(&self, location: &Location) -> Option<Result<&Resource, &String>> {
        self.found.get(location).map(Result::as_ref)
    }

    /// Loads all locations. Single failures are kept as reasons; only a cancelled run fails.
    ///
    /// Each request reserves what it may bring, so that all together never exceed the limit. Once less is left than one
    /// resource may have, requests go out one by one.
    pub async fn load(&mut self, loader: &Loader<'_>, wanted: Vec<Location>) -> ToolResult<()> {
        let (ctx, limits) = (loader.reader.ctx, loader.limits);
        let bar = ctx.progress("load", "resources", Some(wanted.len() as u64));
        let mut waiting = wanted.into_iter().peekable();
        let mut loading = FuturesUnordered::new();
        let mut reserved = 0;
        loop {
            while loading.len() < PARALLEL && waiting.peek().is_some() {
                let left = limits.total.saturating_sub(self.bytes + reserved);
                let limit = limits.resource.min(left);
                if limit < limits.resource && !loading.is_empty() {
                    break;
                }
                let Some(location) = waiting.next() else { break };
                if let Err(reason) = self.may_ask(&limits, limit) {
                    bar.inc(1);
                    self.found.insert(location, Err(reason));
                    continue;
                }
                reserved += limit;
                loading.push(async move {
                    let result = loader.read(&location, limit).await;
                    (location, limit, result)
                });
            }
            let Some((location, limit, result)) = loading.next().await else {
                break;
            };
            ctx.check_cancelled()?;
            bar.inc(1);
            reserved -= limit;
            let kept = self.keep(&limits, limit, result)?;
            self.found.insert(location, kept);
        }
        bar.finish();
        Ok(())
    }

    fn may_ask(&mut self, limits: &Limits, limit: u64) -> Result<(), String> {
        if limit == 0 {
            return Err(over_total(limits));
        }
        if self.asked >= limits.requests {
            self.cut = true;
            return Err(format!("more than {} resources", limits.requests));
        }
        self.asked += 1;
        Ok(())
    }

    /// Counts what came.
    fn keep(
        &mut self,
        limits: &Limits,
        limit: u64,
        result: ToolResult<Resource>,
    ) -> ToolResult<Result<Resource, String>> {
        match result {
            Ok(resource) => {
                self.bytes += resource.bytes.len() as u64;
                self.layers |= resource.media_type == "text/css" && speaks_of_layers(&resource.bytes);
                Ok(Ok(resource))
            }
            Err(error) if error.kind == ErrorKind::Cancelled => Err(error),
            Err(error) if limit < limits.resource && error.code.ends_with("_too_large") => {
                // It came up to the limit before it was given up, unless its size was known beforehand.
                if error.code == "body_too_large" {
                    self.bytes += limit;
                }
                Ok(Err(over_total(limits)))
            }
            Err(error) => Ok(Err(error.message)),
        }
    }
}

fn over_total(limits: &Limits) -> String {
    format!("more than {} bytes loaded in all", limits.total)
}

fn speaks_of_layers(css: &[u8]) -> bool {
    css.windows(5).any(|window| window.eq_ignore_ascii_case(b"layer"))
}

impl<'a> Loader<'a> {
    /// For one run.
    pub fn new(ctx: &'a Context, limits: Limits) -> Self {
        Self {
            reader: Reader::new(ctx, limits.offline),
            limits,
        }
    }

    /// The page that the caller named: an address, a file, or a folder with an `index.html`.
    pub async fn page(&self, target: &str, root: Option<&std::path::Path>) -> ToolResult<Resource> {
        let folder = !target.contains("://") && std::path::Path::new(target).is_dir();
        let file = std::path::Path::new(target).join("index.html");
        let target = if folder { &file.to_string_lossy() } else { target };
        let location = self.reader.target(target, root)?;
        let limit = self.limits.resource.min(self.limits.total);
        self.reader.read_target(&location, limit).await.map(Resource::new)
    }

    async fn read(&self, location: &Location, limit: u64) -> Result<Resource, ToolError> {
        self.reader.read(location, limit).await.map(Resource::new)
    }
}

/// Locations in order, each once.
#[derive(Debug, Default)]
pub struct Wanted {
    order: Vec<Location>,
    known: HashSet<Location>,
}

impl Wanted {
    /// Adds a location unless it is there.
    pub fn add(&mut self, location: Location) {
        if self.known.insert(location.clone()) {
            self.order.push(location);
        }
    }

    /// All of them.
    pub fn into_order(self) -> Vec<Location> {
        self.order
    }
}
