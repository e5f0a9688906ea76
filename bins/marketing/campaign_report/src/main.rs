//! Writes the report of a social media post (text, picture or video, design) or of a whole campaign run (results,
//! steps, costs, lineage) as one HTML page, and as PDF. Replaces the campaign report of `html_bundler.py`.

mod approval;
mod brand;
mod browser;
mod figure;
mod files;
mod hidden;
mod input;
mod legacy;
mod markdown;
mod media;
mod picture;
mod post;
mod post_report;
mod render;
mod run;
mod run_report;
mod summary;
mod words;

use std::{fmt, path::PathBuf, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use input::{Input, PostInput, RunInput};

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// The report.
    pub report: PathBuf,
    /// Its title.
    pub title: String,
    /// Bytes of the report.
    pub bytes: u64,
    /// The PDF.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pdf: Option<PathBuf>,
    /// Pictures, videos and pages in the report.
    pub embedded: usize,
    /// Files of the run that are no longer there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

struct CampaignReport;

impl Tool for CampaignReport {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(2, &["html_bundler"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(300)),
                "pages and pictures are local; the browser for the PDF needs seconds",
            )
            .env(browser::BROWSER_VARIABLE, "the Chromium program that prints PDFs")
            .example("report of the post in a campaign folder", &["post", "post"])
            .example(
                "report of a campaign run",
                &["run", "run", "--output", "summary.html"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let (Input::Post(PostInput { pdf, .. }) | Input::Run(RunInput { pdf, .. })) = &input;
        if *pdf && !ctx.dry_run() {
            // Nothing is written when a part of what was asked for cannot be made.
            browser::find(ctx)?;
        }
        match input {
            Input::Post(input) => post_report::post_report(input, ctx).await,
            Input::Run(input) => run_report::run_report(input, ctx).await,
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(
            out,
            "{}: {} ({} bytes)",
            output.title,
            output.report.display(),
            output.bytes
        )?;
        if let Some(pdf) = &output.pdf {
            writeln!(out, "PDF: {}", pdf.display())?;
        }
        for missing in &output.missing {
            writeln!(out, "missing: {missing}")?;
        }
        Ok(())
    }
}

impl OldCalls for CampaignReport {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}

fn main() -> ExitCode {
    migration::main::<CampaignReport>()
}
