//! What the actions take.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Input {
    /// Crawl a shop and write its products. Goes on where a stopped crawl ended.
    Crawl(#[garde(dive)] Crawl),
    /// Read the products of a saved page, without the network.
    Extract(#[garde(dive)] Extract),
    /// List the product links of a shop without fetching them.
    Links(#[garde(dive)] Links),
    /// Say whether robots.txt lets addresses be fetched, and which line decides; exit code 3 when it forbids one.
    Robots(#[garde(dive)] RobotsCheck),
    /// Read a price in a text; exit code 3 when there is none.
    Price(#[garde(dive)] PriceCheck),
}

/// Where product pages are looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Discover {
    /// In the sitemaps; without any, in the links.
    #[default]
    Auto,
    /// In the sitemaps only.
    Sitemap,
    /// In the links of the first page and of list pages only.
    Links,
}

/// Fields of `crawl`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Crawl {
    /// Address of the shop; without it `base_url` of `[tools.product_crawler.settings]` in onejob.toml.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub url: Option<String>,
    /// Folder for products.ndjson, crawl.json and a Markdown file for each product.
    #[serde(default = "products")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "dir"}))]
    pub output: PathBuf,
    /// Stop after so many products.
    #[serde(default = "thousand")]
    #[schemars(extend("x-cli" = {"aliases": ["max-products"]}))]
    #[garde(range(min = 1, max = 100_000))]
    pub max: usize,
    /// Visit at most so many pages.
    #[serde(default = "ten_thousand")]
    #[garde(range(min = 1, max = 100_000))]
    pub max_pages: usize,
    /// Text that the path of a product page holds, `*` standing for anything; may be repeated. Without it every page of
    /// the sitemaps, and links with `/product/` or `/product-page/`.
    #[serde(default, rename = "match")]
    #[garde(length(max = 100), inner(length(min = 1, max = 1000)))]
    pub matching: Vec<String>,
    /// Text in the address of a page that lists products; may be repeated.
    #[serde(default = "our_products")]
    #[garde(length(max = 100), inner(length(min = 1, max = 1000)))]
    pub list: Vec<String>,
    /// Where product pages are looked for.
    #[serde(default)]
    pub discover: Discover,
    /// Seconds between two requests; more when robots.txt asks for it, and less than one only on a host of your own
    /// network.
    #[serde(default = "one_second")]
    #[garde(range(min = 0.0, max = 3600.0))]
    pub delay: f64,
    /// Largest page in bytes.
    #[serde(default = "eight_mebibytes")]
    #[garde(range(min = 1, max = 200_000_000))]
    pub max_bytes: u64,
    /// Begin anew instead of going on with a stopped crawl.
    #[serde(default)]
    pub restart: bool,
    /// Avoid file names that Windows reserves.
    #[serde(default)]
    pub portable: bool,
}

/// Fields of `extract`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Extract {
    /// The page.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub file: PathBuf,
    /// Address it was saved from: links are told from there, and its country counts for prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1))]
    pub url: Option<String>,
    /// Largest page in bytes.
    #[serde(default = "eight_mebibytes")]
    #[garde(range(min = 1, max = 200_000_000))]
    pub max_bytes: u64,
}

/// Fields of `links`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub struct Links {
    /// Address of the shop.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub url: String,
    /// Text in the address of the page that lists products: the first link with it is followed.
    #[serde(default = "our_products")]
    #[garde(length(max = 100), inner(length(min = 1, max = 1000)))]
    pub list: Vec<String>,
    /// Text that the path of a product page holds, `*` standing for anything; may be repeated.
    #[serde(default, rename = "match")]
    #[garde(length(max = 100), inner(length(min = 1, max = 1000)))]
    pub matching: Vec<String>,
}

/// Fields of `robots`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct RobotsCheck {
    /// Addresses to ask about, all of one site; with `--file` also paths alone.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 10_000), inner(length(min = 1)))]
    pub urls: Vec<String>,
    /// A saved robots.txt, instead of the site's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub file: Option<PathBuf>,
    /// Name of the crawler that asks.
    #[serde(default = "agent")]
    #[garde(length(min = 1, max = 200))]
    pub agent: String,
}

/// Fields of `price`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct PriceCheck {
    /// The text.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 10_000))]
    pub text: String,
    /// Language of the page it stands on, for example `de` or `pt-BR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 35))]
    pub lang: Option<String>,
    /// Country of the shop as in its host name, for example `jp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(length(min = 1, max = 35))]
    pub country: Option<String>,
    /// Read it as a value for machines (`content`, JSON), where a point is always decimal.
    #[serde(default)]
    pub machine: bool,
}

fn products() -> PathBuf {
    "products".into()
}

const fn thousand() -> usize {
    1000
}

const fn ten_thousand() -> usize {
    10_000
}

pub fn our_products() -> Vec<String> {
    vec!["our-products".to_owned()]
}

const fn one_second() -> f64 {
    1.0
}

const fn eight_mebibytes() -> u64 {
    8 << 20
}

fn agent() -> String {
    crate::fetch::AGENT.to_owned()
}
