//! A crawl from its first request to its files.

use std::{
    collections::{HashSet, VecDeque},
    path::PathBuf,
    time::Duration,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Checkpoint};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use structured::walk::{NotFollowed, Seen};
use url::Url;

use crate::{
    changes::{self, Changes},
    deliver::Folder,
    discover::{self, Job},
    fetch::{self, AGENT, Fetcher},
    input::Crawl,
    lock::HostLock,
    store::{PageResult, Sold, Store},
    visit::{self, Meaning},
};

/// A stopped crawl is gone on with for so long; rules of robots.txt may be kept a day (RFC 9309, section 2.4).
const MOST_AGE: SignedDuration = SignedDuration::from_hours(24);

/// Pages in a row that fail because the shop is in trouble, before it is left alone.
const MOST_TROUBLE: usize = 3;

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
struct Report<'a> {
    shop: &'a Url,
    agent: &'a str,
    robots: RobotsReport<'a>,
    delay: f64,
    sitemaps: &'a [Seen],
    lists: &'a [Url],
    pages: &'a [PageLine],
    not_visited: &'a [NotFollowed],
    more_not_visited: usize,
    over_limit: usize,
    changes: &'a Changes,
}

/// robots.txt in `crawl.json`.
#[derive(Serialize)]
struct RobotsReport<'a> {
    crawl_delay: Option<f64>,
    sitemaps: &'a [String],
    warnings: &'a [String],
}

/// A page in `crawl.json`.
#[derive(Clone, Debug, Serialize)]
struct PageLine {
    url: String,
    status: Option<u16>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "is_zero")]
    unreadable_scripts: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// `[tools.product_crawler.settings]` of onejob.toml.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Address of the shop that is crawled when none is given.
    base_url: Option<String>,
}

/// A crawl that is under way.
struct Run<'a> {
    ctx: &'a Context,
    input: &'a Crawl,
    fetcher: Fetcher<'a>,
    store: Store,
    checkpoint: Option<Checkpoint>,
    job: Job,
    queue: VecDeque<Url>,
    known: HashSet<Url>,
    lines: Vec<PageLine>,
    /// Pages with a product, and what is compared of it.
    found: Vec<(String, Sold)>,
    /// Pages that are gone.
    gone: Vec<String>,
    trouble: usize,
    output: Crawled,
}

/// Crawls.
pub async fn crawl(input: &Crawl, ctx: &Context) -> ToolResult<Crawled> {
    let settings = ctx.tool_settings::<Settings>()?;
    let Some(address) = input.url.as_ref().or(settings.base_url.as_ref()) else {
        return Err(ToolError::invalid("url", "no shop is named").hint(
            "give its address, or set `base_url` in `[tools.product_crawler.settings]` of onejob.toml",
        ));
    };
    let start = fetch::shop_address(address)?;
    if input.delay < 1.0 && !fetch::is_inside(&start) {
        return Err(
            ToolError::invalid("delay", "a shop is asked once a second at most")
                .hint("less than `--delay 1` is for hosts of your own network"),
        );
    }
    let folder = Folder::new(ctx, &input.output)?;
    let _lock = HostLock::take(ctx, &start)?;
    let pace = Duration::try_from_secs_f64(input.delay).unwrap_or(Duration::from_secs(1));
    let fetcher = Fetcher::new(ctx, pace)?;
    let mut run = begin(input, ctx, fetcher, &start, &folder).await?;
    run.pages().await?;
    run.end(&folder)
}

/// The job of a stopped crawl, or a new one.
async fn begin<'a>(
    input: &'a Crawl,
    ctx: &'a Context,
    fetcher: Fetcher<'a>,
    start: &Url,
    folder: &Folder<'a>,
) -> ToolResult<Run<'a>> {
    let store = Store::open(ctx)?;
    // Another question is another job.
    let question = serde_json::json!([
        start,
        folder.key,
        input.matching,
        input.list,
        input.discover,
        input.max_pages
    ]);
    // A run that only plans leaves no traces, and follows none.
    let checkpoint = if ctx.dry_run() {
        None
    } else {
        Some(ctx.checkpoint(&question.to_string())?)
    };
    let mut stopped: Option<Job> = None;
    if let Some(checkpoint) = &checkpoint {
        let kept: Option<Job> = if input.restart {
            None
        } else {
            checkpoint.load().unwrap_or_default()
        };
        let fresh = |job: &Job| ctx.now().duration_since(job.begun) < MOST_AGE;
        stopped = kept.filter(fresh);
        if stopped.is_none() {
            checkpoint.clear()?;
        }
    }
    let resumed = stopped.is_some();
    let mut first = None;
    let job = match stopped {
        Some(job) => {
            fetcher.slow_down(&job.robots);
            fetcher.hold();
            ctx.info("going on with the crawl that was stopped; `--restart` begins anew");
            job
        }
        None => {
            let shop = discover::open(&fetcher, start, input.max_bytes).await?;
            let job = discover::job(&fetcher, ctx, &shop, input).await?;
            first = shop.first;
            if let Some(checkpoint) = &checkpoint {
                checkpoint.save(&job)?;
            }
            job
        }
    };
    for warning in &job.warnings {
        ctx.warn(warning.clone());
    }
    let queue: VecDeque<Url> = job.pages.iter().cloned().collect();
    let mut run = Run {
        ctx,
        input,
        known: queue.iter().cloned().collect(),
        queue,
        store,
        checkpoint,
        lines: Vec::new(),
        found: Vec::new(),
        gone: Vec::new(),
        trouble: 0,
        output: Crawled {
            shop: web::shown(&job.home),
            output: input.output.clone(),
            delay: fetcher.pace().as_secs_f64(),
            resumed,
            warnings: job.warnings.clone(),
            ..Crawled::default()
        },
        fetcher,
        job,
    };
    // The first page was fetched to find the others: where it is a product page itself, it need not be asked again.
    if let Some(answer) = first {
        let home = run.job.home.clone();
        let named = run.known.contains(&home);
        if named || run.job.pages.is_empty() && is_product_page(&answer, &home, ctx).await? {
            run.known.insert(home.clone());
            run.queue.retain(|url| *url != home);
            run.answered(&home, &answer).await?;
        }
    }
    Ok(run)
}

/// Whether the address that was given is that of a product and not of a shop.
async fn is_product_page(answer: &web::Response, home: &Url, ctx: &Context) -> ToolResult<bool> {
    let meaning = visit::read(answer, home, home, ctx).await?;
    let told = |result: &PageResult| {
        let product = result.product.as_ref()?;
        Some(product.evidence.get("name")?.first()?.source != structured::Source::VisibleText)
    };
    Ok(matches!(&meaning, Meaning::Read(result, _) if told(result) == Some(true)))
}

impl Run<'_> {
    async fn pages(&mut self) -> ToolResult<()> {
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
    async fn answered(&mut self, url: &Url, answer: &web::Response) -> ToolResult<()> {
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
    fn end(mut self, folder: &Folder<'_>) -> ToolResult<Crawled> {
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
            let by_page: std::collections::HashMap<&String, &String> = pages.iter().zip(&files).collect();
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

/// Well, or partly failed.
fn verdict(output: Crawled, incomplete: bool) -> ToolResult<Crawled> {
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
