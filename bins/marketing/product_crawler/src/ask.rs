//! The small actions: a saved page, links, robots.txt, a price.

use std::path::Path;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;
use structured::{
    Page,
    price::{self, Hint, Reading},
    robots::Robots,
};
use url::Url;

use crate::{
    discover,
    fetch::{self, AGENT, Fetcher, Validators},
    input::{Extract, Links, PriceCheck, RobotsCheck},
    links::{self, Matching},
    lock::HostLock,
    shop, visit,
};

/// Bytes of a page that lists products, at most.
const MOST_BYTES: u64 = 8 << 20;

/// The products of a saved page.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Extracted {
    /// What the page says.
    #[serde(flatten)]
    pub page: Page,
}

/// Reads a saved page.
pub async fn extract(input: &Extract, ctx: &Context) -> ToolResult<Extracted> {
    let url = input.url.as_deref().map(fetch::shop_address).transpose()?;
    let bytes = ctx.read(&input.file, input.max_bytes)?;
    let page = visit::page(&bytes, None, url).await.map_err(|why| {
        ToolError::new(ErrorKind::InvalidInput, why)
            .code("page_refused")
            .field("file")
    })?;
    let found = usize::from(page.product.is_some()) + page.others.len();
    ctx.count_items(found as u64);
    let extracted = Extracted { page };
    if found == 0 {
        return Err(ToolError::partial("no product was found", &extracted).code("no_products"));
    }
    Ok(extracted)
}

/// The product links of a shop.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LinkList {
    /// The page that lists them; absent when the first page links none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The links, in the order of the page, those to other hosts too.
    pub links: Vec<String>,
}

/// Follows the first link to a list page and tells the product links on it.
pub async fn links(input: &Links, ctx: &Context) -> ToolResult<LinkList> {
    let start = fetch::shop_address(&input.url)?;
    let _lock = HostLock::take(ctx, &start)?;
    let fetcher = Fetcher::new(ctx, std::time::Duration::from_secs(1))?;
    let shop = shop::open(&fetcher, &start, MOST_BYTES).await?;
    let Some(first) = &shop.first else {
        return Err(forbidden(&shop.robots, &shop.home));
    };
    let found = discover::read(first).await;
    let Some(list) = found
        .all
        .into_iter()
        .find(|link| links::is_list(link, &input.list))
    else {
        return Ok(LinkList {
            list: None,
            links: Vec::new(),
        });
    };
    let list =
        structured::walk::checked(list.as_str(), None, &shop.home, fetch::is_inside).map_err(|why| {
            let text = format!("the list page `{}` is on {why}", web::shown(&list));
            ToolError::new(ErrorKind::ProviderRejected, text).code("list_elsewhere")
        })?;
    if !shop.robots.verdict(AGENT, &list).allowed {
        return Err(forbidden(&shop.robots, &list));
    }
    let answer = fetcher
        .get(&list, &Validators::default(), false, MOST_BYTES)
        .await?
        .ok()?;
    let matching = Matching::new(&input.matching);
    let found = discover::read(&answer).await.all;
    Ok(LinkList {
        list: Some(list.into()),
        links: found
            .into_iter()
            .filter(|link| matching.is_product(link))
            .map(String::from)
            .collect(),
    })
}

fn forbidden(robots: &Robots, url: &Url) -> ToolError {
    let rule = robots.verdict(AGENT, url).rule.unwrap_or_default();
    let text = format!("robots.txt forbids `{}` ({rule})", web::shown(url));
    ToolError::new(ErrorKind::ProviderRejected, text).code("robots_forbid")
}

/// What robots.txt says.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RobotsAnswer {
    /// Name of the crawler that asks.
    pub agent: String,
    /// Each address.
    pub urls: Vec<UrlVerdict>,
    /// Seconds between two requests that it asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crawl_delay: Option<f64>,
    /// Sitemaps that it names.
    pub sitemaps: Vec<String>,
    /// What is odd about it.
    pub warnings: Vec<String>,
}

/// What robots.txt says of one address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UrlVerdict {
    /// The address as it was given.
    pub url: String,
    /// Whether it may be fetched.
    pub allowed: bool,
    /// The line that decided; absent when none fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// Asks robots.txt about addresses.
pub async fn robots(input: &RobotsCheck, ctx: &Context) -> ToolResult<RobotsAnswer> {
    let (robots, base) = match &input.file {
        Some(file) => (saved(file, ctx)?, Url::parse("https://site.invalid/").ok()),
        None => {
            let first = fetch::shop_address(input.urls.first().map_or("", String::as_str))?;
            let fetcher = Fetcher::new(ctx, std::time::Duration::ZERO)?;
            (fetcher.robots(&first).await?, Some(first))
        }
    };
    let mut urls = Vec::new();
    for text in &input.urls {
        let parsed = match (&input.file, &base) {
            (Some(_), Some(base)) => base
                .join(text)
                .map_err(|_| format!("`{}` is no address", web::shown_text(text))),
            (_, base) => {
                let url = fetch::shop_address(text)?;
                let same = base.as_ref().is_some_and(|base| base.origin() == url.origin());
                if same {
                    Ok(url)
                } else {
                    Err(format!("`{}` is of another site", web::shown_text(text)))
                }
            }
        };
        let url = parsed.map_err(|why| ToolError::invalid("urls", why))?;
        let verdict = robots.verdict(&input.agent, &url);
        urls.push(UrlVerdict {
            url: text.clone(),
            allowed: verdict.allowed,
            rule: verdict.rule,
        });
    }
    let answer = RobotsAnswer {
        agent: input.agent.clone(),
        crawl_delay: robots.delay(&input.agent),
        sitemaps: robots.sitemaps.clone(),
        warnings: robots.warnings.clone(),
        urls,
    };
    let refused = answer.urls.iter().filter(|url| !url.allowed).count();
    if refused > 0 {
        let text = format!("robots.txt forbids {refused} of {} addresses", answer.urls.len());
        return Err(ToolError::partial(text, &answer).code("robots_forbid"));
    }
    Ok(answer)
}

fn saved(file: &Path, ctx: &Context) -> ToolResult<Robots> {
    Ok(Robots::parse(&ctx.read(file, 64 << 20)?))
}

/// A price.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PriceAnswer {
    /// The text.
    pub text: String,
    /// What was read in it.
    #[serde(flatten)]
    pub reading: Reading,
}

/// Reads a price.
pub fn price(input: &PriceCheck) -> ToolResult<PriceAnswer> {
    let hint = Hint {
        language: input.lang.clone(),
        country: input.country.as_deref().map(str::to_ascii_lowercase),
    };
    let reading = if input.machine {
        price::machine(&input.text)
    } else {
        price::display(&input.text, &hint)
    };
    let answer = PriceAnswer {
        text: input.text.clone(),
        reading,
    };
    if answer.reading.amount.is_none() {
        let text = format!("no price in the text: {}", answer.reading.notes.join(", "));
        return Err(ToolError::partial(text, &answer).code("no_price"));
    }
    Ok(answer)
}
