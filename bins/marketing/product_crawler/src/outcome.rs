//! What a crawl tells: its result, `crawl.json`, and whether it went well.

use std::path::PathBuf;

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;
use structured::walk::{NotFollowed, Seen};
use url::Url;

use crate::changes::Changes;

/// What a crawl returns.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Crawled {
    /// First page of the shop.
    pub shop: String,
    /// Folder with the files.
    pub output: PathBuf,
    /// Products found.
    pub products: usize,
    /// Pages fetched.
    pub fetched: usize,
    /// Of these, pages that had not changed and were not sent again.
    pub unchanged: usize,
    /// Pages without a product of their own.
    pub without_product: usize,
    /// Pages that are gone.
    pub gone: usize,
    /// Pages that could not be read, with the reason; at most 100 of them.
    pub failed: Vec<Failed>,
    /// Pages that could not be read, in all.
    pub failures: usize,
    /// Addresses that were not visited, with the reason in crawl.json.
    pub not_visited: usize,
    /// Pages left out because of `--max` and `--max-pages`.
    pub over_limit: usize,
    /// Seconds between two requests.
    pub delay: f64,
    /// Whether it went on with a stopped crawl.
    pub resumed: bool,
    /// What is different from the last crawl into this folder.
    pub changes: Changes,
    /// What went wrong on the way.
    pub warnings: Vec<String>,
}

/// A page that could not be read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failed {
    /// Address, without the values of its query.
    pub url: String,
    /// Why.
    pub why: String,
}

/// `crawl.json`.
#[derive(Serialize)]
pub struct Report<'a> {
    pub shop: &'a Url,
    pub agent: &'a str,
    pub robots: RobotsReport<'a>,
    pub delay: f64,
    pub sitemaps: &'a [Seen],
    pub lists: &'a [Url],
    pub pages: &'a [PageLine],
    pub not_visited: &'a [NotFollowed],
    pub more_not_visited: usize,
    pub over_limit: usize,
    pub changes: &'a Changes,
}

/// robots.txt in `crawl.json`.
#[derive(Serialize)]
pub struct RobotsReport<'a> {
    pub crawl_delay: Option<f64>,
    pub sitemaps: &'a [String],
    pub warnings: &'a [String],
}

/// A page in `crawl.json`.
#[derive(Clone, Debug, Serialize)]
pub struct PageLine {
    pub url: String,
    pub status: Option<u16>,
    pub outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub unreadable_scripts: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// Well, or partly failed.
pub fn verdict(output: Crawled, incomplete: bool) -> ToolResult<Crawled> {
    if output.failures > 0 {
        let text = format!(
            "{} of {} pages could not be read",
            output.failures,
            output.fetched + output.failures
        );
        return Err(ToolError::partial(text, &output).code("pages_failed"));
    }
    if output.products == 0 {
        return Err(ToolError::partial("no product was found", &output)
            .code("no_products")
            .hint("crawl.json says of every address why; `--match` and `--list` say where products are"));
    }
    if incomplete {
        let text = "a sitemap or list page could not be read, so that products may be missing";
        return Err(ToolError::partial(text, &output).code("sources_failed"));
    }
    Ok(output)
}
