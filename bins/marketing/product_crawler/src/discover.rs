//! Where a shop's product pages are: in its sitemaps, or on its first page and its list pages.

use std::collections::HashSet;

use app_core::{Context, ToolResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use structured::{
    robots::Robots,
    sitemap,
    walk::{NotFollowed, Seen, Walk, checked},
};
use url::Url;
use web::{Response, aside, charset};

use crate::{
    fetch::{AGENT, Fetcher, Validators, is_inside},
    input::{Crawl, Discover},
    links::{self, Links, Matching},
    shop::{Shop, leads_to},
};

/// List pages of one shop, at most.
const MOST_LISTS: usize = 500;

/// What is not crawled is listed up to this many entries; more are counted.
const MOST_LISTED: usize = 10_000;

/// What a crawl sets out to do: found once, and kept until it is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// When it was found.
    pub begun: Timestamp,
    /// First page of the shop.
    pub home: Url,
    /// Rules of the shop.
    pub robots: Robots,
    /// Pages to visit, in order.
    pub pages: Vec<Url>,
    /// Sitemaps that were looked at.
    pub sitemaps: Vec<Seen>,
    /// List pages that were looked at.
    pub lists: Vec<Url>,
    /// Addresses that are not visited.
    pub not_visited: Vec<NotFollowed>,
    /// Addresses that are not visited and have no place in the list.
    pub more_not_visited: usize,
    /// Pages beyond `--max-pages`.
    pub more_pages: usize,
    /// What went wrong on the way.
    pub warnings: Vec<String>,
    /// Whether something could not be looked at, so that pages may be missing.
    pub incomplete: bool,
}

impl Job {
    /// Notes an address that is not visited.
    pub fn leave(&mut self, url: &Url, why: &str, rule: Option<String>) {
        if self.not_visited.len() >= MOST_LISTED {
            self.more_not_visited += 1;
            return;
        }
        self.not_visited.push(NotFollowed {
            url: url.to_string(),
            why: why.to_owned(),
            rule,
        });
    }
}

/// Finds the pages to visit.
pub async fn job(fetcher: &Fetcher<'_>, ctx: &Context, shop: &Shop, input: &Crawl) -> ToolResult<Job> {
    let mut job = Job {
        begun: ctx.now(),
        home: shop.home.clone(),
        robots: shop.robots.clone(),
        pages: Vec::new(),
        sitemaps: Vec::new(),
        lists: Vec::new(),
        not_visited: Vec::new(),
        more_not_visited: 0,
        more_pages: 0,
        warnings: shop.robots.warnings.clone(),
        incomplete: false,
    };
    let matching = Matching::new(&input.matching);
    if input.discover != Discover::Links {
        sitemaps(fetcher, ctx, input, &matching, &mut job).await?;
    }
    if input.discover == Discover::Links || input.discover == Discover::Auto && job.pages.is_empty() {
        lists(fetcher, ctx, shop, input, &matching, &mut job).await?;
    }
    if let (None, Some(rule)) = (&shop.first, shop.robots.verdict(AGENT, &shop.home).rule) {
        let home = shop.home.clone();
        job.leave(&home, "forbidden by robots.txt", Some(rule));
    }
    Ok(job)
}

/// Reads the sitemaps that robots.txt names; without any, the one that most shops have.
async fn sitemaps(
    fetcher: &Fetcher<'_>,
    ctx: &Context,
    input: &Crawl,
    matching: &Matching,
    job: &mut Job,
) -> ToolResult<()> {
    // Pages that do not match take no place.
    let most = if matching.is_given() {
        200_000
    } else {
        input.max_pages
    };
    let mut walk = Walk::new(&job.home, most, is_inside);
    let named: Vec<String> = job.robots.sitemaps.clone();
    let guessed = named.is_empty();
    let named = if guessed {
        vec!["/sitemap.xml".to_owned()]
    } else {
        named
    };
    for address in &named {
        walk.add(address);
    }
    let progress = ctx.progress("sitemaps", "sitemaps", None);
    while let Some(url) = walk.upcoming() {
        ctx.check_cancelled()?;
        let verdict = job.robots.verdict(AGENT, &url);
        if !verdict.allowed {
            walk.take(Err("forbidden by robots.txt".to_owned()));
            job.leave(&url, "forbidden by robots.txt", verdict.rule);
            continue;
        }
        let (at, answer) = sitemap_answer(fetcher, &url).await?;
        let found = match answer {
            Ok(answer) if answer.is_success() => Ok(answer),
            Ok(answer) => Err((format!("answered {}", answer.status), answer.status >= 500)),
            Err(failed) => Err(failed),
        };
        match found {
            Ok(answer) => walk.take(Ok((&at, &answer.body))),
            Err((why, serious)) => {
                job.incomplete |= serious;
                walk.take(Err(why));
            }
        }
        progress.inc(1);
    }
    progress.finish();
    for seen in &walk.seen {
        let Some(why) = &seen.failed else { continue };
        if !(guessed && why.starts_with("answered 4")) {
            let shown = web::shown_text(&seen.url);
            job.warnings.push(format!("sitemap `{shown}`: {why}"));
        }
        // What could not be read may have named pages.
        let unread = [sitemap::Unreadable::TooLarge, sitemap::Unreadable::BrokenGzip];
        job.incomplete |= unread.iter().any(|reason| *why == reason.to_string());
    }
    job.sitemaps = walk.seen;
    job.incomplete |= walk
        .not_followed
        .iter()
        .any(|left| left.why.starts_with("sitemaps nested") || left.why.starts_with("too many"));
    job.more_pages += walk.more_pages;
    job.more_not_visited += walk.more_not_followed;
    job.not_visited.extend(walk.not_followed);
    for page in walk.pages {
        if matching.is_given() && !matching.fits(&page.url) {
            job.leave(&page.url, "does not fit `--match`", None);
        } else if job.pages.len() >= input.max_pages {
            job.more_pages += 1;
        } else {
            job.pages.push(page.url);
        }
    }
    Ok(())
}

/// A sitemap from where redirects within the shop lead. The error says why there is none, and whether it may be there
/// all the same.
async fn sitemap_answer(
    fetcher: &Fetcher<'_>,
    url: &Url,
) -> ToolResult<(Url, Result<Response, (String, bool)>)> {
    let mut at = url.clone();
    for _ in 0..5 {
        let answer = match fetcher
            .page(&at, &Validators::default(), sitemap::MOST_BYTES)
            .await?
        {
            Ok(answer) => answer,
            Err(trouble) => return Ok((at, Err((trouble.why, true)))),
        };
        let Some(to) = leads_to(&answer) else {
            return Ok((at, Ok(answer)));
        };
        match checked(to.as_str(), None, url, is_inside) {
            Ok(to) => at = to,
            Err(why) => return Ok((at, Err((format!("leads to {why}"), false)))),
        }
    }
    Ok((at, Err(("redirects too often".to_owned(), false))))
}

/// Follows the links: product links of the first page and of list pages, and the further pages of those.
async fn lists(
    fetcher: &Fetcher<'_>,
    ctx: &Context,
    shop: &Shop,
    input: &Crawl,
    matching: &Matching,
    job: &mut Job,
) -> ToolResult<()> {
    let Some(first) = &shop.first else { return Ok(()) };
    let mut known: HashSet<Url> = HashSet::from([shop.home.clone()]);
    let mut open = std::collections::VecDeque::new();
    let found = read(first).await;
    sort(found, input, matching, &mut known, &mut open, job);
    let progress = ctx.progress("lists", "list pages", None);
    while let Some(url) = open.pop_front() {
        ctx.check_cancelled()?;
        if job.lists.len() >= MOST_LISTS {
            job.incomplete = true;
            job.leave(&url, "too many list pages", None);
            continue;
        }
        let verdict = job.robots.verdict(AGENT, &url);
        if !verdict.allowed {
            job.leave(&url, "forbidden by robots.txt", verdict.rule);
            continue;
        }
        job.lists.push(url.clone());
        match fetcher
            .page(&url, &Validators::default(), input.max_bytes)
            .await?
        {
            Ok(answer) if answer.is_success() => {
                let found = read(&answer).await;
                sort(found, input, matching, &mut known, &mut open, job);
            }
            Ok(answer) => {
                match leads_to(&answer).map(|to| checked(to.as_str(), None, &job.home, is_inside)) {
                    Some(Ok(to)) if known.insert(to.clone()) => open.push_back(to),
                    Some(Ok(_)) => {}
                    _ => list_failed(job, &url, &format!("answered {}", answer.status)),
                }
            }
            Err(trouble) => list_failed(job, &url, &trouble.why),
        }
        progress.inc(1);
    }
    progress.finish();
    Ok(())
}

fn list_failed(job: &mut Job, url: &Url, why: &str) {
    job.incomplete = true;
    job.warnings
        .push(format!("list page `{}`: {why}", web::shown(url)));
}

/// The links of an answer that is a page.
pub async fn read(answer: &Response) -> Links {
    let stated = answer.header("content-type").and_then(charset::of_content_type);
    let text = charset::page(&answer.body, stated, None).text;
    let url = answer.url.clone();
    aside(move || {
        if web::html::check_depth(&text, url.as_str()).is_err() {
            return Links::default();
        }
        links::links(&text, &url)
    })
    .await
}

/// Products to visit, list pages to read, and what belongs to somebody else.
fn sort(
    found: Links,
    input: &Crawl,
    matching: &Matching,
    known: &mut HashSet<Url>,
    open: &mut std::collections::VecDeque<Url>,
    job: &mut Job,
) {
    for link in found.all.into_iter().chain(found.next.clone()) {
        let is_next = found.next.as_ref() == Some(&link);
        let is_product = matching.is_product(&link) && !is_next;
        if !is_product && !is_next && !links::is_list(&link, &input.list) || !known.insert(link.clone()) {
            continue;
        }
        match checked(link.as_str(), None, &job.home, is_inside) {
            Err(why) => job.leave(&link, why, None),
            Ok(url) if is_product && job.pages.len() < input.max_pages => job.pages.push(url),
            Ok(_) if is_product => job.more_pages += 1,
            Ok(url) => open.push_back(url),
        }
    }
}
