//! Measures the CSS of a page or sheet, compacts or minifies it, compares two versions, finds selectors that
//! match nothing, and holds metrics to budgets. Replaces `css_analyzer.py`.

mod budget;
mod collect;
mod compact;
mod compare;
mod counts;
mod fetch;
mod input;
mod legacy;
mod metrics;
mod minify;
mod page;
mod prelude;
mod rebase;
mod report;
mod selector;
mod sheet;
mod steps;
mod text;
mod usage;
mod value;
mod weight;
mod words;

use std::{fmt, path::PathBuf, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use web::{aside, css::lex};

use collect::{Options, SheetInfo, Skipped};
use fetch::{Limits, Source};
use input::{Input, Mode};
use steps::{as_json, deliver, difference, gather, minified, unused};

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

fn main() -> ExitCode {
    migration::main::<CssAnalyzer>()
}
