//! Measures the CSS of a page or sheet, compacts or minifies it, compares two versions, finds selectors that
//! match nothing, and holds metrics to budgets. Replaces `css_analyzer.py`.

mod budget;
mod collect;
mod compact;
mod compare;
mod counts;
mod fetch;
mod legacy;
mod metrics;
mod minify;
mod page;
mod prelude;
mod rebase;
mod report;
mod selector;
mod sheet;
mod text;
mod usage;
mod value;
mod weight;
mod words;

use std::{collections::BTreeMap, fmt, path::PathBuf, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use web::{Location, aside, charset::UTF_8, css::lex};

use collect::{Collected, Options, SheetInfo, Skipped};
use fetch::{Limits, Source};

/// What to do with the collected CSS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Measure it.
    #[default]
    Analyze,
    /// Remove comments and most blanks, as the replaced script did; style elements come before linked sheets.
    Compact,
    /// Minify it safely.
    Minify,
    /// Compare it with `against`.
    Diff,
    /// List selectors that match nothing in the page (and in `pages`).
    Unused,
}

const fn default_true() -> bool {
    true
}

const fn default_max_bytes() -> u64 {
    20_000_000
}

const fn default_total_bytes() -> u64 {
    20_000_000
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Page or sheet: an http(s) address or a file
    #[garde(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "any", "aliases": ["url"]}))]
    pub target: Option<String>,
    /// The page itself, instead of a target (with a target: the text of that page)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
    /// What to do with the CSS
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "m"}))]
    pub mode: Mode,
    /// Second version for `diff`: an address or a file
    #[garde(length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// More pages for `unused`: addresses or files
    #[garde(length(max = 1000))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pages: Vec<String>,
    /// Limit as `metric=number`, for example `stylesheet.size=50000`; exit code 3 when one is exceeded
    #[garde(length(max = 200))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budget: Vec<String>,
    /// Limits as an object of metric and number (or list, for a specificity)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budgets: Option<BTreeMap<String, Value>>,
    /// File for the resulting CSS
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "aliases": ["out"], "path": "out"}))]
    pub output: Option<PathBuf>,
    /// Keep the raw number lists of the metrics (one entry per rule, selector and declaration)
    #[serde(default)]
    pub items: bool,
    /// Follow `@import`
    #[serde(default = "default_true")]
    pub imports: bool,
    /// Folder that local sheets must lie in; the folder of the target by default
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub root: Option<PathBuf>,
    /// Largest page or sheet in bytes
    #[garde(range(min = 1, max = 200_000_000))]
    #[serde(default = "default_max_bytes")]
    pub max_bytes: u64,
    /// Most bytes of CSS in all, each sheet counted as often as it is imported
    #[garde(range(min = 1, max = 1_000_000_000))]
    #[serde(default = "default_total_bytes")]
    pub max_total_bytes: u64,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// What was done.
    pub mode: Mode,
    /// The page or sheet.
    pub target: String,
    /// Characters of `css`, or of the collected CSS.
    pub length_characters: usize,
    /// Bytes of the collected CSS.
    pub collected_bytes: usize,
    /// Sheets it was made from.
    pub sheets: Vec<SheetInfo>,
    /// Sheets that could not be read.
    pub skipped: Vec<Skipped>,
    /// The resulting CSS of `compact` and `minify`, unless it went to a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub css: Option<String>,
    /// The file it went to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Metrics, in the names of `@projectwallace/css-analyzer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<metrics::Metrics>,
    /// What changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<compare::Difference>,
    /// What the pages use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<usage::Usage>,
    /// Budgets that are exceeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub breaches: Vec<budget::Breach>,
}

struct CssAnalyzer;

impl Tool for CssAnalyzer {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .reaches(&["web"])
            .replaces(2, &["css_analyzer"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(120)),
                "a few dozen sheets over a slow line, and seconds of work",
            )
            .env("ONEJOB_ALLOW_PRIVATE", "1 lets it read from private addresses")
            .example("measure a sheet", &["shop.css"])
            .example(
                "minify the CSS of a page",
                &["shop.html", "--mode", "minify", "--output", "shop.min.css"],
            )
            .example(
                "list selectors that the page does not use",
                &["shop.html", "--mode", "unused"],
            )
            .example(
                "compare two versions",
                &["shop.css", "--mode", "diff", "--against", "shop-v2.css"],
            )
            .example_exit(
                3,
                "hold the sheet to a budget",
                &["shop.css", "--budget", "rules.total=3"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let limits = Limits {
            one: input.max_bytes,
            total: input.max_total_bytes,
        };
        let source = Source::new(ctx, limits);
        let limits = budget::limits(&input.budget, input.budgets.as_ref())?;
        let options = Options {
            imports: input.imports,
            styles_first: input.mode == Mode::Compact,
        };
        let (target, collected) = gather(&input, &source, options).await?;
        ctx.check_cancelled()?;
        let mut output = Output {
            mode: input.mode,
            target,
            length_characters: collected.text.css.chars().count(),
            collected_bytes: collected.text.css.len(),
            sheets: collected.sheets.clone(),
            skipped: collected.skipped.clone(),
            css: None,
            file: None,
            metrics: None,
            difference: None,
            usage: None,
            breaches: Vec::new(),
        };
        let result = match input.mode {
            Mode::Analyze => None,
            Mode::Compact => {
                let css = collected.text.css.clone();
                Some(aside(move || compact::compact(&css)).await)
            }
            Mode::Minify => Some(minified(&collected, ctx).await?),
            Mode::Diff => {
                output.difference = Some(difference(&input, &source, options, &collected).await?);
                None
            }
            Mode::Unused => {
                output.usage = Some(unused(&input, &source, &collected).await?);
                None
            }
        };
        if input.mode == Mode::Analyze || !limits.is_empty() {
            let (css, items) = (collected.text.css.clone(), input.items);
            let metrics = aside(move || metrics::measure(&css, items)).await?;
            if !limits.is_empty() {
                output.breaches = budget::breaches(&limits, &as_json(&metrics)?)?;
            }
            output.metrics = (input.mode == Mode::Analyze).then_some(metrics);
        }
        deliver(&input, ctx, collected, result, &mut output)?;
        if output.breaches.is_empty() {
            return Ok(output);
        }
        let named = output
            .breaches
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", ");
        Err(ToolError::partial(format!("over budget: {named}"), &output).code("over_budget"))
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::render(output, out)
    }
}

impl OldCalls for CssAnalyzer {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}

fn as_json(metrics: &metrics::Metrics) -> ToolResult<Value> {
    serde_json::to_value(metrics).map_err(|e| ToolError::internal(format!("metrics do not serialise: {e}")))
}

/// Puts the resulting CSS where it was asked for.
fn deliver(
    input: &Input,
    ctx: &Context,
    collected: Collected,
    result: Option<String>,
    output: &mut Output,
) -> ToolResult<()> {
    if let Some(css) = &result {
        output.length_characters = css.chars().count();
    }
    if let Some(path) = &input.output {
        let css = result.unwrap_or(collected.text.css);
        ctx.write(path, "text/css", "output", css.as_bytes())?;
        output.file = Some(path.clone());
    } else {
        output.css = result;
    }
    Ok(())
}

/// The minified CSS; what is odd in it is told with sheet and line.
async fn minified(collected: &Collected, ctx: &Context) -> ToolResult<String> {
    let text = collected.text.clone();
    let minified = aside(move || minify::minify(&text)).await?;
    for warning in minified.warnings {
        let place = warning.place.and_then(|(sheet, line)| {
            let name = &collected.sheets.get(sheet)?.name;
            Some(format!("`{name}:{line}`: "))
        });
        let fate = if warning.kept {
            "kept, though browsers may not know it"
        } else {
            "left out while minifying"
        };
        ctx.warn(format!("{}{fate}: {}", place.unwrap_or_default(), warning.text));
    }
    Ok(minified.css)
}

/// The target's name and all its CSS.
async fn gather(input: &Input, source: &Source<'_>, options: Options) -> ToolResult<(String, Collected)> {
    let location = match &input.target {
        Some(target) => source.target(target, input.root.as_deref())?,
        None if input.html.is_some() => Location::Text,
        None => {
            return Err(ToolError::invalid("target", "`target` or `html` is required")
                .hint("give an address or a file, for example `css_analyzer page.html`"));
        }
    };
    let collected = match &input.html {
        // A text that was given is in no encoding any more; what it refers to is read as UTF-8 unless it says otherwise.
        Some(html) => collect::page(source, html.clone(), location.clone(), UTF_8, options).await?,
        None => collect::collect(source, &location, options).await?,
    };
    Ok((location.name(), collected))
}

async fn difference(
    input: &Input,
    source: &Source<'_>,
    options: Options,
    before: &Collected,
) -> ToolResult<compare::Difference> {
    let Some(against) = &input.against else {
        return Err(ToolError::invalid(
            "against",
            "`against` is required with mode `diff`",
        ));
    };
    let location = source.target(against, input.root.as_deref())?;
    let after = collect::collect(source, &location, options).await?.text.css;
    let before = before.text.css.clone();
    aside(move || {
        let old = as_json(&metrics::measure(&before, false)?)?;
        let new = as_json(&metrics::measure(&after, false)?)?;
        compare::compare((&before, &old), (&after, &new))
    })
    .await
}

async fn unused(input: &Input, source: &Source<'_>, collected: &Collected) -> ToolResult<usage::Usage> {
    let mut texts: Vec<String> = collected.html.iter().cloned().collect();
    for page in &input.pages {
        source.ctx().check_cancelled()?;
        let location = source.target(page, input.root.as_deref())?;
        texts.push(source.read_target(&location).await?.text);
    }
    if texts.is_empty() {
        return Err(
            ToolError::invalid("pages", "mode `unused` needs a page to look at")
                .hint("give the page as target, or pages with `--pages`"),
        );
    }
    let css = collected.text.css.clone();
    aside(move || {
        for text in &texts {
            web::html::check_depth(text, "the page")?;
        }
        let pages: Vec<_> = texts
            .iter()
            .map(|text| scraper::Html::parse_document(text))
            .collect();
        usage::usage(&css, &pages)
    })
    .await
}

fn main() -> ExitCode {
    migration::main::<CssAnalyzer>()
}
