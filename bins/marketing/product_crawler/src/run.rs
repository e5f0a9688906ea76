//! A crawl under way: page by page, and the files at its end.

use std::collections::{HashMap, HashSet, VecDeque};

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Checkpoint};
use jiff::Timestamp;
use url::Url;

use crate::{
    changes,
    deliver::Folder,
    discover::Job,
    fetch::{self, AGENT, Fetcher},
    input::Crawl,
    outcome::{Crawled, Failed, PageLine, Report, RobotsReport, verdict},
    store::{PageResult, Sold, Store},
    visit::{self, Meaning},
};

/// Pages in a row that fail because the shop is in trouble, before it is left alone.
const MOST_TROUBLE: usize = 3;

/// A crawl that is under way.
pub struct Run<'a> {
    pub ctx: &'a Context,
    pub input: &'a Crawl,
    pub fetcher: Fetcher<'a>,
    pub store: Store,
    pub checkpoint: Option<Checkpoint>,
    pub job: Job,
    pub queue: VecDeque<Url>,
    pub known: HashSet<Url>,
    pub lines: Vec<PageLine>,
    /// Pages with a product, and what is compared of it.
    pub found: Vec<(String, Sold)>,
    /// Pages that are gone.
    pub gone: Vec<String>,
    pub trouble: usize,
    pub output: Crawled,
}

/// Whether the address that was given is that of a product and not of a shop.
pub async fn is_product_page(answer: &web::Response, home: &Url, ctx: &Context) -> ToolResult<bool> {
    let meaning = visit::read(answer, home, home, ctx).await?;
    let told = |result: &PageResult| {
        let product = result.product.as_ref()?;
        Some(product.evidence.get("name")?.first()?.source != structured::Source::VisibleText)
    };
    Ok(matches!(&meaning, Meaning::Read(result, _) if told(result) == Some(true)))
}

impl Run<'_> {
    /// Visits the pages of the queue.
    pub async fn pages(&mut self) -> ToolResult<()> {
        let progress = self.ctx.progress("crawl", "pages", Some(self.queue.len() as u64));
        while let Some(url) = self.queue.pop_front() {
            self.ctx.check_cancelled()?;
            if self.found.len() >= self.input.max {
                self.output.over_limit += 1 + self.queue.len();
                break;
            }
            self.visit(&url).await?;
            progress.set_total((self.lines.len() + self.queue.len()) as u64);
            progress.message(format!("{} products", self.found.len()));
            progress.inc(1);
        }
        progress.finish();
        Ok(())
    }

    async fn visit(&mut self, url: &Url) -> ToolResult<()> {
        let done = match &self.checkpoint {
            Some(checkpoint) => checkpoint.is_done(url.as_str())?,
            None => false,
        };
        let kept = self.store.page(url.as_str())?;
        if let (true, Some((_, result))) = (done, &kept) {
            self.note(url, result.clone(), false);
            return Ok(());
        }
        let verdict = self.job.robots.verdict(AGENT, url);
        if !verdict.allowed {
            self.job.leave(url, "forbidden by robots.txt", verdict.rule);
            return Ok(());
        }
        // Only what can be taken from the store may be left unsent.
        let (validators, kept) = match kept {
            Some((validators, result)) if (200..300).contains(&result.status) => (validators, Some(result)),
            _ => (fetch::Validators::default(), None),
        };
        let answer = match self.fetcher.page(url, &validators, self.input.max_bytes).await? {
            Ok(answer) => answer,
            Err(trouble) => {
                self.failed(url, None, &trouble.why);
                self.trouble = if trouble.of_shop { self.trouble + 1 } else { 0 };
                return self.give_up();
            }
        };
        self.trouble = 0;
        if answer.status != 304 {
            return self.answered(url, &answer).await;
        }
        self.output.fetched += 1;
        match kept {
            Some(result) => {
                self.output.unchanged += 1;
                self.done(url)?;
                self.note(url, result, true);
            }
            None => self.failed(url, Some(304), "answered 304 without being asked for changes"),
        }
        Ok(())
    }

    /// A shop in trouble is not helped by going on.
    fn give_up(&self) -> ToolResult<()> {
        if self.trouble < MOST_TROUBLE {
            return Ok(());
        }
        let text =
            format!("{MOST_TROUBLE} pages in a row failed: the shop is in trouble or wants to be left alone");
        Err(ToolError::new(ErrorKind::ProviderUnavailable, text)
            .code("shop_in_trouble")
            .hint("run it again later: it goes on where it stopped")
            .with_output(&self.output))
    }

    /// Takes an answer that is no 304.
    pub async fn answered(&mut self, url: &Url, answer: &web::Response) -> ToolResult<()> {
        self.output.fetched += 1;
        let now = self.ctx.now();
        let nothing = fetch::Validators::default();
        let meaning = visit::read(answer, url, &self.job.home, self.ctx).await?;
        let (validators, result) = match meaning {
            Meaning::Read(result, validators) => (validators, *result),
            Meaning::Gone(status) => (nothing, bare(status, now)),
            Meaning::Moved(status, to) => {
                let mut result = bare(status, now);
                result.leads_to = Some(to.into());
                (nothing, result)
            }
            Meaning::Left(why) => {
                self.job.leave(url, &why, None);
                return self.done(url);
            }
            Meaning::Failed(why) => {
                self.failed(url, Some(answer.status), &why);
                return Ok(());
            }
        };
        self.store.keep(url.as_str(), &validators, &result)?;
        self.done(url)?;
        self.note(url, result, false);
        Ok(())
    }

    fn done(&self, url: &Url) -> ToolResult<()> {
        match &self.checkpoint {
            Some(checkpoint) => checkpoint.mark_done(url.as_str()).map(drop),
            None => Ok(()),
        }
    }

    /// Counts a page, and puts the pages that it leads to into the queue.
    fn note(&mut self, url: &Url, result: PageResult, unchanged: bool) {
        let mut further: Vec<String> = result.leads_to.iter().cloned().collect();
        let outcome = match &result.product {
            Some(product) => {
                further.extend(product.links.iter().cloned());
                self.found.push((url.to_string(), Sold::of(product)));
                if unchanged {
                    "product, unchanged"
                } else {
                    "product"
                }
            }
            None if result.leads_to.is_some() => "moved",
            None if !(200..300).contains(&result.status) => {
                self.output.gone += 1;
                self.gone.push(url.to_string());
                "gone"
            }
            None => {
                self.output.without_product += 1;
                if result.others > 0 {
                    "list of products"
                } else {
                    "no product"
                }
            }
        };
        self.lines.push(PageLine {
            url: url.to_string(),
            status: Some(result.status),
            outcome,
            why: result.leads_to,
            file: None,
            unreadable_scripts: result.unreadable,
            notes: result.notes,
        });
        for address in further {
            match structured::walk::checked(&address, None, &self.job.home, fetch::is_inside) {
                Ok(next) if self.known.len() < self.input.max_pages => {
                    if self.known.insert(next.clone()) {
                        self.queue.push_back(next);
                    }
                }
                Ok(next) if self.known.contains(&next) => {}
                Ok(_) => self.output.over_limit += 1,
                Err(why) => {
                    if let Ok(next) = Url::parse(&address) {
                        self.job.leave(&next, why, None);
                    }
                }
            }
        }
    }

    fn failed(&mut self, url: &Url, status: Option<u16>, why: &str) {
        let shown = web::shown(url);
        self.output.failures += 1;
        if self.output.failed.len() < 100 {
            self.ctx.warn(format!("`{shown}`: {why}"));
            self.output.failed.push(Failed {
                url: shown,
                why: why.to_owned(),
            });
        }
        self.lines.push(PageLine {
            url: url.to_string(),
            status,
            outcome: "failed",
            why: Some(why.to_owned()),
            file: None,
            unreadable_scripts: 0,
            notes: Vec::new(),
        });
    }

    /// Writes the files.
    pub fn end(mut self, folder: &Folder<'_>) -> ToolResult<Crawled> {
        let pages: Vec<String> = self.found.iter().map(|(url, _)| url.clone()).collect();
        self.output.products = pages.len();
        self.ctx.count_items(pages.len() as u64);
        self.output.over_limit += self.job.more_pages;
        self.output.not_visited = self.job.not_visited.len() + self.job.more_not_visited;
        let whole = self.output.over_limit == 0 && self.output.failures == 0 && !self.job.incomplete;
        let last = self.store.last(&folder.key)?;
        self.output.changes = changes::between(&last, &self.found, &self.gone, whole);
        // Without a product the files of an earlier crawl are better left as they are.
        if !pages.is_empty() {
            let files = folder.products(&self.store, &pages, self.input.portable)?;
            let by_page: HashMap<&String, &String> = pages.iter().zip(&files).collect();
            for line in &mut self.lines {
                line.file = by_page.get(&line.url).map(|file| (*file).clone());
            }
        }
        folder.report(&Report {
            shop: &self.job.home,
            agent: AGENT,
            robots: RobotsReport {
                crawl_delay: self.job.robots.delay(AGENT),
                sitemaps: &self.job.robots.sitemaps,
                warnings: &self.job.robots.warnings,
            },
            delay: self.output.delay,
            sitemaps: &self.job.sitemaps,
            lists: &self.job.lists,
            pages: &self.lines,
            not_visited: &self.job.not_visited,
            more_not_visited: self.job.more_not_visited,
            over_limit: self.output.over_limit,
            changes: &self.output.changes,
        })?;
        let vanished: Vec<String> = self
            .output
            .changes
            .vanished
            .iter()
            .map(|gone| gone.url.clone())
            .collect();
        if !pages.is_empty() {
            self.store.keep_last(&folder.key, &self.found, &vanished)?;
        }
        if let Some(checkpoint) = &self.checkpoint {
            checkpoint.clear()?;
        }
        verdict(self.output, self.job.incomplete)
    }
}

/// A page without content.
fn bare(status: u16, now: Timestamp) -> PageResult {
    PageResult {
        status,
        fetched_at: now.to_string(),
        product: None,
        leads_to: None,
        others: 0,
        unreadable: 0,
        notes: Vec::new(),
    }
}
