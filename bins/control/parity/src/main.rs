//! Checks tools against what the replaced scripts were recorded to do.
//!
//! Each case runs in directories and an environment of its own against a fake far side. A difference must be listed
//! with its reason, and a listed difference that no longer occurs is an error too.

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, contract::RetryPolicy};
use garde::Validate;
use parity::{
    case,
    verdict::{self, CaseResult},
};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

fn main() -> std::process::ExitCode {
    app_core::main::<Parity>()
}

struct Parity;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Input {
    /// Run every recorded case; exit code 3 when one does not hold.
    Check(#[garde(skip)] Check),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Check {
    /// Only the cases of these tools.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    tools: Vec<String>,
    /// Folder of the cases.
    #[serde(default = "fixtures")]
    #[schemars(extend("x-cli" = {"path": "dir", "exists": true}))]
    cases: PathBuf,
    /// Where the tools are; beside this program without it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "dir", "exists": true, "env": "ONEJOB_TOOLS_DIR"}))]
    tools_dir: Option<PathBuf>,
}

fn fixtures() -> PathBuf {
    "fixtures/parity".into()
}

#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// Cases run.
    cases: usize,
    /// Cases that hold.
    passed: usize,
    /// Differences that are meant, over all cases.
    intended_differences: usize,
    /// Every case.
    results: Vec<CaseResult>,
}

impl Tool for Parity {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("control")
            .effects(&[Effect::Reads])
            .policy(Policy {
                retry: RetryPolicy::NONE,
                ..Policy::with_timeout(Duration::from_secs(600))
            })
            .env(
                "ONEJOB_TOOLS_DIR",
                "where the tools are (default: beside this program)",
            )
            .example(
                "check the recorded cases of one tool",
                &["check", "generation_budget_manager", "--cases", "cases"],
            )
    }

    async fn run(Input::Check(input): Input, ctx: &Context) -> ToolResult<Output> {
        let cases = case::load(&input.cases, &input.tools)?;
        let tools = tools_dir(input.tools_dir)?;
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
        let output = Output {
            cases: results.len(),
            passed: results.iter().filter(|r| r.passed).count(),
            intended_differences: results.iter().map(|r| r.intended.len()).sum(),
            results,
        };
        if output.passed == output.cases {
            return Ok(output);
        }
        let message = format!(
            "{} of {} cases do not hold",
            output.cases - output.passed,
            output.cases
        );
        Err(ToolError::partial(message, &output).code("parity_broken"))
    }

    fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
        for result in &output.results {
            writeln!(
                out,
                "{} {}",
                if result.passed { "ok  " } else { "FAIL" },
                result.case
            )?;
            for line in &result.intended {
                writeln!(out, "       differs on purpose: {line}")?;
            }
        }
        writeln!(
            out,
            "{} of {} cases hold, {} intended differences",
            output.passed, output.cases, output.intended_differences
        )
    }

    fn render_partial(output: &serde_json::Value, out: &mut dyn fmt::Write) -> fmt::Result {
        for result in output["results"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|r| r["passed"] == false)
        {
            writeln!(
                out,
                "FAIL {}: {}",
                result["case"].as_str().unwrap_or_default(),
                result["summary"].as_str().unwrap_or_default()
            )?;
            for problem in result["problems"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|p| p.as_str())
            {
                writeln!(out, "       {problem}")?;
            }
        }
        writeln!(out, "{} of {} cases hold", output["passed"], output["cases"])
    }
}

fn tools_dir(given: Option<PathBuf>) -> ToolResult<PathBuf> {
    if let Some(dir) = given {
        // Cases run in directories of their own, so a relative folder would get lost.
        return std::fs::canonicalize(&dir).map_err(|e| ToolError::file("find", &dir, &e));
    }
    let exe = std::env::current_exe()
        .map_err(|e| ToolError::config(format!("cannot tell where this program is: {e}")))?;
    Ok(exe.parent().unwrap_or(Path::new(".")).to_owned())
}
