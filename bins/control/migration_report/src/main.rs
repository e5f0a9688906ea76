//! Tells how far the replacement of the scripts is: per tool its five acceptance gates with evidence, runs beside the
//! script, fallbacks and gaps; per wave how many scripts are left; and what may be cut over.
//!
//! A gate is closed by evidence of the very binary that is installed, and by nothing else. Exit code 3 while one is open.

mod checklist;
mod decide;
mod gather;
mod html;
mod markdown;
mod model;
mod shadow;
mod text;

use std::{fmt, path::PathBuf, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use model::Report;

fn main() -> std::process::ExitCode {
    app_core::main::<MigrationReport>()
}

struct MigrationReport;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Also write it as a page.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    html: Option<PathBuf>,
    /// Also write it as Markdown.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    markdown: Option<PathBuf>,
    /// Only these tools.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(inner(length(min = 1)))]
    tools: Vec<String>,
    /// Divergence logs of `parity shadow`, from any hosts; without it the one of this host.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    shadow_log: Vec<PathBuf>,
    /// Only ask whether a tool is cut over too early; open gates do not count.
    #[serde(default)]
    check_cut_over: bool,
}

impl Tool for MigrationReport {
    type Input = Input;
    type Output = Report;

    fn definition() -> Definition {
        app_core::definition!("control")
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy {
                    retry: RetryPolicy::NONE,
                    ..Policy::with_timeout(Duration::from_secs(300))
                },
                "it reads local records only; a minute is much",
            )
            .env(
                "ONEJOB_TOOLS_DIR",
                "where the tools are (default: beside this program)",
            )
            .env(
                "ONEJOB_EVIDENCE_DIR",
                "where the evidence is (default: in the state directory)",
            )
            .example_exit(
                3,
                "show how far every tool is, and write a page for those who decide",
                &["--html", "migration.html", "--markdown", "migration.md"],
            )
            .example(
                "hold a release on tools that are cut over too early",
                &["--check-cut-over"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Report> {
        let mut facts = gather::gather(&input.shadow_log, ctx).await?;
        if !input.tools.is_empty() {
            only(&mut facts, &input.tools)?;
        }
        let report = decide::report(&facts, ctx.now());
        if let Some(path) = &input.html {
            ctx.write(path, "text/html", "report", html::page(&report).as_bytes())?;
        }
        if let Some(path) = &input.markdown {
            ctx.write(
                path,
                "text/markdown",
                "report",
                markdown::page(&report).as_bytes(),
            )?;
        }
        let early = &report.cut_over_too_early;
        if !early.is_empty() {
            let message = format!("cut over too early: `{}`", early.join("`, `"));
            return Err(ToolError::partial(message, &report)
                .code("cut_over_too_early")
                .hint(format!(
                    "take `cut_over` back until there are {} clean days or {} clean runs",
                    report.rule.clean_days, report.rule.clean_runs
                )));
        }
        if report.complete || input.check_cut_over {
            return Ok(report);
        }
        let totals = report.totals;
        let message = format!(
            "{} of {} gates are open",
            totals.gates - totals.closed,
            totals.gates
        );
        Err(ToolError::partial(message, &report)
            .code("gates_open")
            .hint("the report names the command that shows each"))
    }

    fn render(output: &Report, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        text::render(output, out)
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match serde_json::from_value::<Report>(output.clone()) {
            Ok(report) => text::render(&report, out),
            Err(_) => app_core::render_value(output, out),
        }
    }
}

/// Leaves only these tools; the waves then count their scripts only.
fn only(facts: &mut gather::Facts, names: &[String]) -> ToolResult<()> {
    let unknown =
        |name: &&String| !facts.tools.contains_key(*name) && !facts.settings.legacy.contains_key(*name);
    if let Some(name) = names.iter().find(unknown) {
        return Err(ToolError::not_found(format!("no tool `{name}`"))
            .field("tools")
            .hint("`onejob list_tools` shows what there is"));
    }
    facts.tools.retain(|name, _| names.contains(name));
    facts.settings.legacy.retain(|name, _| names.contains(name));
    let replaced: Vec<&String> = facts
        .tools
        .values()
        .flat_map(|tool| &tool.definition.replaces)
        .collect();
    for wave in &mut facts.plan.waves {
        wave.scripts
            .retain(|script| replaced.contains(&script) || names.contains(script));
    }
    facts.plan.waves.retain(|wave| !wave.scripts.is_empty());
    Ok(())
}
