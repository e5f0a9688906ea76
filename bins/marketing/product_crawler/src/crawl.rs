//! How a crawl begins: anew, or where a stopped one ended.

use std::{collections::VecDeque, time::Duration};

use app_core::{Context, ToolError, ToolResult};
use jiff::SignedDuration;
use serde::Deserialize;
use url::Url;

use crate::{
    deliver::Folder,
    discover::{self, Job},
    fetch::{self, Fetcher},
    input::Crawl,
    lock::HostLock,
    outcome::Crawled,
    run::{Run, is_product_page},
    shop,
    store::Store,
};

/// A stopped crawl is gone on with for so long; rules of robots.txt may be kept a day (RFC 9309, section 2.4).
const MOST_AGE: SignedDuration = SignedDuration::from_hours(24);

/// `[tools.product_crawler.settings]` of onejob.toml.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Address of the shop that is crawled when none is given.
    base_url: Option<String>,
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
            let shop = shop::open(&fetcher, start, input.max_bytes).await?;
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
