//! Loads resources and keeps them: several at a time, each once.

use std::{collections::HashMap, path::Path, sync::OnceLock};

use app_core::{Context, ErrorKind, ToolError, ToolResult, contract::RetryPolicy};
use encoding_rs::Encoding;
use futures_util::{StreamExt, stream};
use web::{Http, HttpOptions};

use crate::{location::Location, media_type};

/// Requests at a time.
const PARALLEL: usize = 8;

/// A resource as loaded.
#[derive(Debug)]
pub struct Resource {
    /// Where it was found in the end, after redirects.
    pub location: Location,
    /// Media type, lower case, without parameters.
    pub media_type: String,
    /// Charset the server states.
    charset: Option<String>,
    /// Content.
    pub bytes: Vec<u8>,
}

impl Resource {
    /// The content as text: byte order mark, server, `@charset` or `<meta>`, else UTF-8, in this order.
    pub fn text(&self) -> String {
        let stated = self.charset.clone().or_else(|| declared_charset(&self.bytes));
        let encoding = stated
            .and_then(|label| Encoding::for_label(label.as_bytes()))
            .unwrap_or(encoding_rs::UTF_8);
        // `decode` lets a byte order mark win.
        encoding.decode(&self.bytes).0.into_owned()
    }
}

/// The charset that a sheet or page names in its first kilobyte.
fn declared_charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_ascii_lowercase();
    let rest = match head.strip_prefix("@charset \"") {
        Some(rest) => rest,
        None => head
            .split_once("<meta")
            .and_then(|(_, rest)| rest.split_once("charset="))
            .map(|(_, rest)| rest)?,
    };
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':')))
        .unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

/// Everything loaded so far: a resource, or why it cannot be had.
#[derive(Debug, Default)]
pub struct Store {
    found: HashMap<Location, Result<Resource, String>>,
    bytes: u64,
}

/// Reads resources by the limits of a run, with one client for all of them.
#[derive(Debug)]
pub struct Loader<'a> {
    ctx: &'a Context,
    limits: Limits,
    /// Made when the first address is read: a folder needs none.
    http: OnceLock<Http>,
}

/// Limits of loading.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest resource in bytes.
    pub resource: u64,
    /// Most bytes of all resources.
    pub total: u64,
    /// Whether only files are read.
    pub offline: bool,
}

impl Store {
    /// What is known about a location; `None` when it was not loaded yet.
    pub fn get(&self, location: &Location) -> Option<Result<&Resource, &String>> {
        self.found.get(location).map(Result::as_ref)
    }

    /// Loads all locations. Single failures are kept as reasons; only a cancelled run fails.
    pub async fn load(&mut self, loader: &Loader<'_>, wanted: Vec<Location>) -> ToolResult<()> {
        let (ctx, limits) = (loader.ctx, loader.limits);
        let bar = ctx.progress("load", "resources", Some(wanted.len() as u64));
        let mut loading = stream::iter(wanted)
            .map(|location| async move {
                let result = loader.read(&location).await;
                (location, result)
            })
            .buffer_unordered(PARALLEL);
        while let Some((location, result)) = loading.next().await {
            ctx.check_cancelled()?;
            bar.inc(1);
            let result = match result {
                Ok(resource) => {
                    self.bytes += resource.bytes.len() as u64;
                    if self.bytes > limits.total {
                        Err(format!("more than {} bytes loaded in all", limits.total))
                    } else {
                        Ok(resource)
                    }
                }
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => Err(error.message),
            };
            self.found.insert(location, result);
        }
        bar.finish();
        Ok(())
    }
}

impl<'a> Loader<'a> {
    /// For one run.
    pub fn new(ctx: &'a Context, limits: Limits) -> Self {
        Self {
            ctx,
            limits,
            http: OnceLock::new(),
        }
    }

    fn http(&self) -> ToolResult<&Http> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let options = HttpOptions {
            max_bytes: self.limits.resource,
            retry: RetryPolicy::NONE,
            ..HttpOptions::of(self.ctx)?
        };
        let http = Http::with_options(self.ctx, options)?;
        Ok(self.http.get_or_init(|| http))
    }

    /// Reads one location.
    pub async fn read(&self, location: &Location) -> ToolResult<Resource> {
        match location {
            Location::File { path, root } => {
                inside(path, root)?;
                let bytes = self.ctx.read(path, self.limits.resource)?;
                let media_type = media_type::guess("", &location.file_name(), &bytes);
                Ok(Resource {
                    location: location.clone(),
                    media_type,
                    charset: None,
                    bytes,
                })
            }
            Location::Web(_) if self.limits.offline => Err(ToolError::new(
                ErrorKind::InvalidInput,
                "the network is switched off",
            )),
            Location::Web(url) => {
                let response = self.http()?.get(url.as_str()).await?;
                let stated = response
                    .header("content-type")
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                let charset = stated
                    .split("charset=")
                    .nth(1)
                    .map(|rest| rest.trim_matches(['"', ' ']).to_owned());
                let media_type =
                    media_type::guess(&response.media_type(), &location.file_name(), &response.body);
                Ok(Resource {
                    location: Location::Web(response.url),
                    media_type,
                    charset,
                    bytes: response.body,
                })
            }
        }
    }
}

/// Refuses a file outside of the page's folder, links followed.
fn inside(path: &Path, root: &Path) -> ToolResult<()> {
    let real = |path: &Path| path.canonicalize().map_err(|e| ToolError::file("read", path, &e));
    if real(path)?.starts_with(real(root)?) {
        return Ok(());
    }
    let text = format!("`{}` lies outside of `{}`", path.display(), root.display());
    Err(ToolError::new(ErrorKind::InvalidInput, text)
        .code("outside_root")
        .hint("give the folder of the site as `--root`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_are_found_where_pages_and_sheets_state_them() {
        assert_eq!(
            declared_charset(b"@charset \"windows-1251\";").as_deref(),
            Some("windows-1251")
        );
        assert_eq!(
            declared_charset(b"<meta charset=utf-8>").as_deref(),
            Some("utf-8")
        );
        let old = b"<META http-equiv=Content-Type content=\"text/html; charset=koi8-r\">";
        assert_eq!(declared_charset(old).as_deref(), Some("koi8-r"));
        assert_eq!(declared_charset(b"<p>"), None);
    }
}
