//! Puts a page and everything it shows into one self-contained HTML file, from the web or from a folder, and
//! lists what it could not embed and why. Replaces `html_bundler.py`; its campaign report is `campaign_report`.

mod css;
mod embed;
mod integrity;
mod legacy;
mod load;
mod markup;
mod media_type;
mod modules;
mod page;
mod srcset;

use std::{collections::BTreeMap, fmt, path::PathBuf, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Policy, Source, Tool, ToolError, ToolResult, View};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{aside, charset::Decoded};

use embed::{Books, Embedded, Embedder, Kind, LeftOut, Rules};
use load::{Limits, Loader, Resource, Store};

/// Rounds of loading: a page, its sheets, their imports and so on.
const MAX_ROUNDS: usize = 16;

const fn default_resource_bytes() -> u64 {
    50_000_000
}

const fn default_load_bytes() -> u64 {
    500_000_000
}

const fn default_requests() -> u64 {
    5_000
}

const fn default_output_bytes() -> u64 {
    200_000_000
}

/// Warnings about single resources; the result lists all of them.
const MAX_WARNINGS: usize = 100;

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Page: an http(s) address, a file, or a folder with an `index.html`
    #[garde(length(min = 1))]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["path", "url"]}))]
    pub target: String,
    /// File for the bundled page; without it the page is part of the result
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "aliases": ["out"], "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Kinds to embed; all when not given
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<Kind>,
    /// Kinds not to embed
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<Kind>,
    /// Remove what is excluded instead of leaving its address in the page; with scripts, handlers and `javascript:`
    /// addresses go too
    #[serde(default)]
    pub drop_excluded: bool,
    /// Domains that resources may come from, with their subdomains; all when not given
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_domains: Vec<String>,
    /// Domains that resources may not come from, with their subdomains
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny_domains: Vec<String>,
    /// Most bytes per kind as `kind=bytes`, or `total=bytes`; what exceeds it is not embedded
    #[garde(length(max = 20))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<String>,
    /// Add a content security policy that forbids every request and form, and remove refreshes; scripts of the page can
    /// still lead to another page, unless they are excluded and dropped
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "I"}))]
    pub isolate: bool,
    /// Read files only, no network
    #[serde(default)]
    pub offline: bool,
    /// End with exit code 3 when something is not embedded that was not excluded
    #[serde(default)]
    pub strict: bool,
    /// Folder that local files must lie in; the folder of the page by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub root: Option<PathBuf>,
    /// Largest single resource in bytes
    #[garde(range(min = 1))]
    #[serde(default = "default_resource_bytes")]
    pub max_resource_bytes: u64,
    /// Most bytes loaded in all
    #[garde(range(min = 1))]
    #[serde(default = "default_load_bytes")]
    pub max_load_bytes: u64,
    /// Most resources loaded
    #[garde(range(min = 1))]
    #[serde(default = "default_requests")]
    pub max_requests: u64,
    /// Most bytes put into the page; what exceeds it is not embedded, and the exit code is 3
    #[garde(range(min = 1))]
    #[serde(default = "default_output_bytes")]
    pub max_output_bytes: u64,
}

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
        let rules = rules(&input)?;
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
        warn(ctx, &books);
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
        deliver(ctx, &input, bundled, output, limit)
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
            writeln!(out, "not embedded: {} ({})", shorten(&left.address), left.reason)?;
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

/// Warns of what is not embedded.
fn warn(ctx: &Context, books: &Books) {
    let failed = || books.left_out.iter().filter(|left| embed_failed(left));
    for left in failed().take(MAX_WARNINGS) {
        let address = shorten(&left.address);
        ctx.warn(format!("not embedded: `{address}`: {}", left.reason));
    }
    let more = failed().count().saturating_sub(MAX_WARNINGS);
    if more > 0 {
        ctx.warn(format!(
            "not embedded: {more} more, see `not_embedded` of the result"
        ));
    }
}

/// Writes the page, or puts it into the result. A page that a limit has cut short is a partial success.
fn deliver(
    ctx: &Context,
    input: &Input,
    bundled: String,
    mut output: Output,
    limit: Option<String>,
) -> ToolResult<Output> {
    for entry in &output.embedded {
        *output.bytes_by_kind.entry(entry.kind).or_default() += entry.bytes * entry.uses;
    }
    match &input.output {
        Some(path) => {
            let mut file = ctx
                .create(path, "text/html", "output")?
                .made_from(Source::named(&output.target));
            std::io::Write::write_all(&mut file, bundled.as_bytes())
                .map_err(|e| ToolError::file("write", path, &e))?;
            file.commit()?;
        }
        None => output.html = Some(bundled),
    }
    if let Some(limit) = limit {
        let message = format!("the page is cut short: {limit}");
        return Err(ToolError::partial(message, &output)
            .code("limit_reached")
            .hint("exclude a kind, or raise `--max-output-bytes` or `--max-requests`"));
    }
    let mut failed = output
        .not_embedded
        .iter()
        .filter(|left| embed_failed(left))
        .peekable();
    if let (true, Some(first)) = (input.strict, failed.peek()) {
        let first = shorten(&first.address);
        let count = failed.count();
        let message = format!("{count} resources are not embedded, the first is `{first}`");
        return Err(ToolError::partial(message, &output).code("not_embedded"));
    }
    Ok(output)
}

/// What was not asked for is no surprise; everything else is.
fn embed_failed(left: &LeftOut) -> bool {
    !left.reason.ends_with("are excluded")
}

fn shorten(address: &str) -> String {
    if address.chars().count() <= 120 {
        address.to_owned()
    } else {
        address.chars().take(119).chain(['…']).collect()
    }
}

/// The rules of the input.
fn rules(input: &Input) -> ToolResult<Rules> {
    let wanted = if input.include.is_empty() {
        Kind::ALL.to_vec()
    } else {
        input.include.clone()
    };
    let kinds = wanted
        .into_iter()
        .filter(|kind| !input.exclude.contains(kind))
        .collect();
    let mut rules = Rules {
        kinds,
        allow: input.allow_domains.clone(),
        deny: input.deny_domains.clone(),
        output: input.max_output_bytes,
        ..Rules::default()
    };
    for (at, entry) in input.budget.iter().enumerate() {
        let field = format!("budget[{at}]");
        let wrong = || {
            let kinds = Kind::ALL.map(Kind::as_str).join(", ");
            ToolError::invalid(&field, format!("`{entry}` is not `kind=bytes`")).hint(format!(
                "kinds: total, {kinds}; for example `--budget images=500000`"
            ))
        };
        let (name, bytes) = entry.split_once('=').ok_or_else(wrong)?;
        let bytes: u64 = bytes.trim().parse().map_err(|_| wrong())?;
        if name.trim() == "total" {
            rules.total = Some(bytes);
        } else {
            let kind = Kind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == name.trim())
                .ok_or_else(wrong)?;
            rules.budgets.insert(kind, bytes);
        }
    }
    Ok(rules)
}

fn main() -> ExitCode {
    migration::main::<HtmlBundler>()
}
