//! `parity check`: every recorded case, in parallel, with evidence for the gate.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use app_core::{Context, ToolError, ToolResult};
use migration::evidence::{self, Acceptance, Evidence};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    case,
    setup::{describe, tools_dir},
    verdict::{self, CaseResult},
};

/// Fields of `parity check`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Only the cases of these tools.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub tools: Vec<String>,
    /// Folder of the cases.
    #[serde(default = "fixtures")]
    #[schemars(extend("x-cli" = {"path": "dir", "exists": true}))]
    pub cases: PathBuf,
    /// Where the tools are; beside this program without it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "dir", "exists": true, "env": "ONEJOB_TOOLS_DIR"}))]
    pub tools_dir: Option<PathBuf>,
}

fn fixtures() -> PathBuf {
    "fixtures/parity".into()
}

/// The result of `parity check`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Checked {
    /// Cases run.
    pub cases: usize,
    /// Cases that hold.
    pub passed: usize,
    /// Differences that are meant, over all cases.
    pub intended_differences: usize,
    /// Milliseconds it took.
    pub took_ms: u64,
    /// Every case.
    pub results: Vec<CaseResult>,
}

/// Runs and judges the cases, and writes one evidence file a tool.
pub async fn check(input: Check, ctx: &Context) -> ToolResult<Checked> {
    let started = std::time::Instant::now();
    let cases = case::load(&input.cases, &input.tools)?;
    let tools = tools_dir(input.tools_dir.as_deref())?;
    let progress = ctx.progress("check", "cases", Some(cases.len() as u64));
    let results: Vec<CaseResult> = cases
        .par_iter()
        .map(|case| {
            ctx.check_cancelled()?;
            let result = verdict::judge(case, &tools);
            progress.inc(1);
            result
        })
        .collect::<ToolResult<_>>()?;
    progress.finish();
    ctx.count_items(results.len() as u64);
    if !ctx.dry_run() {
        for (tool, summary) in by_tool(&results) {
            // What was found out is worth telling even where it cannot be kept.
            if let Err(error) = keep(&tool, &summary, &input.cases, &tools).await {
                ctx.warn(format!("no evidence kept for `{tool}`: {}", error.message));
            }
        }
    }
    let checked = Checked {
        cases: results.len(),
        passed: results.iter().filter(|r| r.passed).count(),
        intended_differences: results.iter().map(|r| r.intended.len()).sum(),
        took_ms: started.elapsed().as_millis() as u64,
        results,
    };
    Ok(checked)
}

/// The failure of a check that found something.
pub fn broken(checked: &Checked, output: &impl Serialize) -> ToolError {
    let message = format!(
        "{} of {} cases do not hold",
        checked.cases - checked.passed,
        checked.cases
    );
    ToolError::partial(message, output).code("parity_broken")
}

/// Passed and all cases of each tool.
fn by_tool(results: &[CaseResult]) -> BTreeMap<String, (usize, usize)> {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for result in results {
        let tool = result.case.split('/').next().unwrap_or_default();
        let count = counts.entry(tool.to_owned()).or_default();
        count.0 += usize::from(result.passed);
        count.1 += 1;
    }
    counts
}

async fn keep(tool: &str, (passed, all): &(usize, usize), cases: &Path, tools: &Path) -> ToolResult<()> {
    let elsewhere = if cases == fixtures() {
        String::new()
    } else {
        format!(" --cases {}", cases.display())
    };
    let binary = tools.join(tool);
    let version = describe(&binary).await.map(|d| d.version).unwrap_or_default();
    let evidence = Evidence {
        command: format!("parity check {tool}{elsewhere}"),
        passed: passed == all && *all > 0,
        summary: format!("{passed} of {all} cases"),
        ..Evidence::now(Acceptance::Parity, tool, &version, &binary)?
    };
    evidence::write(&evidence::evidence_dir()?, &evidence)?;
    Ok(())
}

impl Checked {
    /// Lines for people.
    pub fn render(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        for result in &self.results {
            let mark = if result.passed { "ok  " } else { "FAIL" };
            writeln!(out, "{mark} {}", result.case)?;
            for line in &result.intended {
                writeln!(out, "       differs on purpose: {line}")?;
            }
        }
        writeln!(
            out,
            "{} of {} cases hold, {} intended differences, {:.1} s",
            self.passed,
            self.cases,
            self.intended_differences,
            self.took_ms as f64 / 1000.0
        )
    }
}

/// The failed cases, from the JSON of a check that found something.
pub fn render_broken(output: &serde_json::Value, out: &mut dyn fmt::Write) -> fmt::Result {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &serde_json::Value| value.as_array().cloned().unwrap_or_default();
    for result in list(&output["results"]).iter().filter(|r| r["passed"] == false) {
        writeln!(
            out,
            "FAIL {}: {}",
            text(&result["case"]),
            text(&result["summary"])
        )?;
        for problem in list(&result["problems"]) {
            writeln!(out, "       {}", text(&problem))?;
        }
    }
    writeln!(out, "{} of {} cases hold", output["passed"], output["cases"])
}
