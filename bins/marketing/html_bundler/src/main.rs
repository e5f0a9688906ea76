//! Puts a page and everything it shows into one self-contained HTML file, from the web or from a folder, and
//! lists what it could not embed and why. Replaces `html_bundler.py`; its campaign report is `campaign_report`.

mod css;
mod deliver;
mod embed;
mod input;
mod integrity;
mod legacy;
mod load;
mod markup;
mod media_type;
mod modules;
mod page;
mod srcset;

use std::{collections::BTreeMap, fmt, path::PathBuf, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use web::{aside, charset::Decoded};

use embed::{Books, Embedded, Embedder, Kind, LeftOut, Rules};
use input::Input;
use load::{Limits, Loader, Resource, Store};

/// Rounds of loading: a page, its sheets, their imports and so on.
const MAX_ROUNDS: usize = 16;

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The page, after redirects.
    pub target: String,
    /// Title of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The file written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<PathBuf>,
    /// The bundled page, unless it went to a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// Bytes of the page as loaded.
    pub page_bytes: usize,
    /// Bytes of the bundled page.
    pub bundled_bytes: usize,
    /// Bytes of embedded resources by kind.
    pub bytes_by_kind: BTreeMap<Kind, usize>,
    /// Resources in the page.
    pub embedded: Vec<Embedded>,
    /// Resources not in the page, and why.
    pub not_embedded: Vec<LeftOut>,
}

struct HtmlBundler;

impl Tool for HtmlBundler {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .known_gap("no recorded case: the script of that name wrote reports, see campaign_report")
            .reaches(&["web"])
            .replaces(2, &["html_bundler"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(300)),
                "a page with hundreds of resources over a slow line",
            )
            .env("ONEJOB_ALLOW_PRIVATE", "1 lets it read from private addresses")
            .example(
                "bundle a local page",
                &["site/index.html", "--output", "page.html"],
            )
            .example(
                "bundle a folder without its scripts",
                &["site", "--exclude", "scripts", "--isolate", "-o", "p.html"],
            )
            .example_exit(
                3,
                "fail when something is left out",
                &["site", "--strict", "--budget", "images=10", "-o", "p.html"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let rules = input.rules()?;
        let style = page::Style {
            isolate: input.isolate,
            drop_excluded: input.drop_excluded,
        };
        let limits = Limits {
            resource: input.max_resource_bytes,
            total: input.max_load_bytes,
            requests: input.max_requests,
            offline: input.offline,
        };
        let loader = Loader::new(ctx, limits);
        let page = loader.page(&input.target, input.root.as_deref()).await?;
        let decoded = page.page(None);
        if decoded.guessed {
            let name = page.location.name();
            ctx.warn(format!(
                "`{name}` states no encoding and is not UTF-8; read as windows-1252"
            ));
        }
        let mut job = Job {
            decoded,
            page,
            rules,
            style,
            store: Store::default(),
        };
        web::html::check_depth(&job.decoded.text, &job.page.location.name())?;
        for _ in 0..MAX_ROUNDS {
            let wanted;
            (job, wanted) = aside(move || {
                let wanted = job.missing();
                (job, wanted)
            })
            .await;
            if wanted.is_empty() {
                break;
            }
            job.store.load(&loader, wanted).await?;
        }
        let (job, (bundled, title, books)) = aside(move || {
            let built = job.build();
            (job, built)
        })
        .await;
        deliver::warn(ctx, &books);
        let limit = books.limit.or_else(|| {
            job.store
                .cut
                .then(|| format!("the page has more than {} resources", input.max_requests))
        });
        let output = Output {
            target: job.page.location.name(),
            title,
            output: input.output.clone(),
            html: None,
            page_bytes: job.page.bytes.len(),
            bundled_bytes: bundled.len(),
            bytes_by_kind: BTreeMap::new(),
            embedded: books.embedded,
            not_embedded: books.left_out,
        };
        deliver::deliver(ctx, &input, bundled, output, limit)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        if let Some(html) = &output.html {
            return out.write_str(html);
        }
        let file = output
            .output
            .as_deref()
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        writeln!(
            out,
            "{file}: {} bytes, {} resources embedded",
            output.bundled_bytes,
            output.embedded.len()
        )?;
        for (kind, bytes) in &output.bytes_by_kind {
            writeln!(out, "  {:<8} {bytes} bytes", kind.as_str())?;
        }
        for left in &output.not_embedded {
            writeln!(
                out,
                "not embedded: {} ({})",
                deliver::shorten(&left.address),
                left.reason
            )?;
        }
        Ok(())
    }
}

impl OldCalls for HtmlBundler {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}

/// A page and what is known about its resources.
struct Job {
    page: Resource,
    decoded: Decoded,
    rules: Rules,
    style: page::Style,
    store: Store,
}

impl Job {
    fn document(&self) -> page::Document<'_> {
        page::Document {
            html: &self.decoded.text,
            location: &self.page.location,
            base: &self.page.location,
            encoding: self.decoded.encoding,
        }
    }

    /// What still has to be loaded.
    fn missing(&self) -> Vec<web::Location> {
        let mut learner = Embedder::new(&self.store, &self.rules, &self.page.location, true);
        page::bundle(&self.document(), &self.style, &mut learner);
        learner.wanted.into_order()
    }

    /// The bundled page, its title, and what is in it.
    fn build(&self) -> (String, Option<String>, Books) {
        let mut embedder = Embedder::new(&self.store, &self.rules, &self.page.location, false);
        let bundled = page::bundle(&self.document(), &self.style, &mut embedder);
        (bundled, page::title(&self.decoded.text), embedder.books())
    }
}

fn main() -> ExitCode {
    migration::main::<HtmlBundler>()
}
