//! Crawls a shop politely and writes its products, each field with the place it comes from; reads saved pages,
//! robots.txt and prices. Replaces `product_crawler.py`.

mod ask;
mod changes;
mod crawl;
mod deliver;
mod discover;
mod fetch;
mod input;
mod legacy;
mod links;
mod lock;
mod markdown;
mod outcome;
mod report;
mod run;
mod shop;
mod store;
mod visit;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use input::Input;

fn main() -> ExitCode {
    migration::main::<ProductCrawler>()
}

struct ProductCrawler;

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    /// What a crawl found.
    Crawl(Box<outcome::Crawled>),
    /// The products of a saved page.
    Extract(Box<ask::Extracted>),
    /// The product links of a shop.
    Links(ask::LinkList),
    /// What robots.txt says.
    Robots(ask::RobotsAnswer),
    /// A price.
    Price(ask::PriceAnswer),
}

impl Tool for ProductCrawler {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .reaches(&["web"])
            .replaces(2, &["product_crawler"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .default_action("crawl")
            .action("extract", &[Effect::Reads], Gate::Direct)
            .action("links", &[Effect::Reads], Gate::Direct)
            .action("robots", &[Effect::Reads], Gate::Direct)
            .action("price", &[Effect::Reads], Gate::Direct)
            .policy(
                Policy::with_timeout(Duration::from_secs(24 * 3600)),
                "ten thousand pages at one a second or slower; a stopped crawl goes on",
            )
            .known_gap("names and details from a language model for pages without data for machines")
            .env(
                "ONEJOB_ALLOW_PRIVATE",
                "1 lets it crawl hosts at private addresses",
            )
            .example(
                "crawl a shop",
                &[
                    "https://site.example",
                    "--match",
                    "/p/",
                    "--max",
                    "200",
                    "-o",
                    "products",
                ],
            )
            .example("the products of a saved page", &["extract", "p/lunch-box.html"])
            .example(
                "may this page be fetched",
                &["robots", "https://site.example/p/lunch-box.html"],
            )
            .example_exit(
                3,
                "which line of a saved robots.txt forbids it",
                &["robots", "/cart", "/p/1", "--file", "robots.txt"],
            )
            .example("read a price", &["price", "1.298,00 €", "--lang", "de"])
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        Ok(match input {
            Input::Crawl(input) => Output::Crawl(Box::new(crawl::crawl(&input, ctx).await?)),
            Input::Extract(input) => Output::Extract(Box::new(ask::extract(&input, ctx).await?)),
            Input::Links(input) => Output::Links(ask::links(&input, ctx).await?),
            Input::Robots(input) => Output::Robots(ask::robots(&input, ctx).await?),
            Input::Price(input) => Output::Price(ask::price(&input)?),
        })
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::render(output, out)
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::partial(output, out)
    }
}

impl OldCalls for ProductCrawler {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}
