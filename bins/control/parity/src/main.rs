//! Proves that a tool does what the script it replaces did: against recorded cases (`check`), side by side with the
//! script (`run`), beside its scheduled runs (`shadow`); `record` makes a case from a run of the script.
//!
//! Each side runs in directories and an environment of its own against a far side of its own. The script's result is the
//! one that counts.

use std::{fmt, io::Write as _, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
};
use garde::Validate;
use parity::{
    check::{self, Check, Checked},
    divergence_log::{self, Line},
    first,
    output::Output as Printed,
    record::{self, Record, Recorded},
    report::Comparison,
    run::{self, Run},
    shadow::{self, Shadow},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn main() -> std::process::ExitCode {
    if let Some(ended) = parity::confine::enter() {
        return ended;
    }
    if let Some(ended) = parity::first::enter() {
        return ended;
    }
    app_core::main::<Parity>()
}

struct Parity;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Input {
    /// Run every recorded case; exit code 3 when one does not hold.
    Check(Check),
    /// Run the replaced script and the tool side by side; prints the script's output and ends with its exit code.
    Run(#[garde(dive)] Run),
    /// Run the replaced script once and make a case of it: its input, its results, its traffic.
    Record(#[garde(dive)] Record),
    /// Run the replaced script as it always ran, then the tool unseen; adds a line to the divergence log.
    Shadow(#[garde(dive)] Shadow),
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Output {
    Checked(Checked),
    Compared(Box<Comparison>),
    Recorded(Recorded),
    Shadowed(Shadowed),
    /// What would be run.
    Planned(Planned),
}

#[derive(Debug, Serialize, JsonSchema)]
struct Shadowed {
    /// The line of the divergence log; none when the script was told to stop.
    line: Option<Line>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Planned {
    /// Command line of the control.
    control: Vec<String>,
    /// Command line of the candidate.
    candidate: Vec<String>,
    /// Inputs that both sides get.
    inputs: Vec<String>,
}

impl Tool for Parity {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("control")
            .effects(&[Effect::Reads, Effect::WritesFiles])
            // A shadowed script may take as long as it took before.
            .policy(Policy {
                retry: RetryPolicy::NONE,
                ..Policy::with_timeout(Duration::from_secs(86_400))
            }, "a script may run for hours, and beside it its tool; a comparison is never repeated by itself")
            .env(
                "ONEJOB_TOOLS_DIR",
                "where the tools are (default: beside this program)",
            )
            .env("ONEJOB_EVIDENCE_DIR", "where `check` keeps what it showed (default: in the state directory)")
            .example(
                "check the recorded cases of one tool",
                &["check", "generation_budget_manager", "--cases", "cases"],
            )
            .example(
                "run a script and what replaces it side by side; 3 when they differ",
                &[
                    "run", "word_count", "--control", "sh old_count.sh", "--candidate", "sh new_count.sh",
                    "--effects", "reads", "--strict", "--", "notes.txt",
                ],
            )
            .example(
                "make a case of one run of a script",
                &[
                    "record", "word_count", "cases/word_count/notes", "--control", "sh old_count.sh",
                    "--effects", "reads", "--", "notes.txt",
                ],
            )
            .example(
                "a line for cron: the script runs as before, the comparison goes to the divergence log",
                &[
                    "shadow", "word_count", "--control", "sh old_count.sh", "--candidate", "sh new_count.sh",
                    "--effects", "reads", "--", "notes.txt",
                ],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Check(input) => {
                let checked = check::check(input, ctx).await?;
                if checked.passed == checked.cases {
                    return Ok(Output::Checked(checked));
                }
                Err(check::broken(&checked, &checked))
            }
            Input::Run(input) => side_by_side(input, ctx).await,
            Input::Record(input) => {
                let job = input.job(ctx).await?;
                let folder = input.case_dir.display().to_string();
                // Both are asked for, so that a plan is whole.
                let asked = [may_run(&job, ctx), ctx.may("write_folder", &folder, "")];
                if asked.contains(&false) {
                    return Ok(planned(&job));
                }
                Ok(Output::Recorded(record::record(&input, &job, ctx).await?))
            }
            Input::Shadow(input) => beside(input, ctx).await,
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Checked(checked) => checked.render(out),
            Output::Compared(comparison) => comparison.render(out),
            Output::Recorded(recorded) => recorded.render(out),
            Output::Shadowed(shadowed) => writeln!(out, "{}", serde_json::json!(shadowed.line)),
            Output::Planned(planned) => {
                writeln!(out, "control:   {}", planned.control.join(" "))?;
                writeln!(out, "candidate: {}", planned.candidate.join(" "))?;
                writeln!(out, "inputs:    {}", planned.inputs.join(", "))
            }
        }
    }

    fn render_partial(output: &Value, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match serde_json::from_value::<Comparison>(output.clone()) {
            Ok(comparison) => comparison.render(out),
            Err(_) => check::render_broken(output, out),
        }
    }
}

/// The control's output on stdout and its exit code, the report on stderr; with `--json` the report on stdout.
async fn side_by_side(input: Run, ctx: &Context) -> ToolResult<Output> {
    let job = input.sides.job(&input.tool, &input.args, ctx).await?;
    job.guard()?;
    if !may_run(&job, ctx) {
        return Ok(planned(&job));
    }
    let mut outcome = run::side_by_side(&job, input.calibrate, ctx).await?;
    let comparison = outcome.comparison;
    if let Some(path) = &input.report {
        let text = serde_json::to_vec_pretty(&comparison)
            .map_err(|e| ToolError::internal(format!("report: {e}")))?;
        ctx.write(path, "application/json", "report", &text)?;
    }
    if ctx.json_asked() {
        if comparison.clean {
            return Ok(Output::Compared(Box::new(comparison)));
        }
        let mut message = format!(
            "{} differences from the replaced script",
            comparison.differences.len()
        );
        if !comparison.not_compared.is_empty() {
            message.push_str(&format!(
                ", {} things not compared",
                comparison.not_compared.len()
            ));
        }
        return Err(ToolError::partial(message, &comparison).code("parity_broken"));
    }
    let mut report = String::new();
    // Writing to a String cannot fail.
    let _ = comparison.render(&mut report);
    hand_on(&mut outcome.stdout, &mut outcome.stderr, &report)?;
    let exit = if input.strict && !comparison.clean {
        3
    } else {
        outcome.exit.code()
    };
    ctx.stands_for(exit);
    Ok(Output::Compared(Box::new(comparison)))
}

/// The script's run as it was; whatever happens to the comparison is only noted.
async fn beside(input: Shadow, ctx: &Context) -> ToolResult<Output> {
    let job = input.sides.job(&input.tool, &input.args, ctx).await?;
    if !may_run(&job, ctx) {
        return Ok(planned(&job));
    }
    let (exit, line) = shadow::shadow(&job, input.calibrate, ctx).await?;
    if let Some(line) = &line
        && let Err(error) = ctx.state_dir().and_then(|dir| divergence_log::append(dir, line))
    {
        ctx.warn(format!(
            "the comparison is not in the divergence log: {}",
            error.message
        ));
    }
    // Where the script ran in the process before, its end is told there.
    if !first::is_second() {
        ctx.stands_for(exit.code());
    }
    Ok(Output::Shadowed(Shadowed { line }))
}

/// Both streams of the control as they were, then the report on stderr.
fn hand_on(stdout: &mut Printed, stderr: &mut Printed, report: &str) -> ToolResult<()> {
    let told = |name: &str, result: std::io::Result<()>| match result {
        // A reader that left is no failure.
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(ToolError::file(
            "write the result to",
            std::path::Path::new(name),
            &e,
        )),
        _ => Ok(()),
    };
    let mut out = app_core::stdout::stdout().lock();
    told(
        "standard output",
        stdout.hand_on(&mut out).and_then(|()| out.flush()),
    )?;
    let mut err = std::io::stderr().lock();
    told(
        "standard error",
        stderr
            .hand_on(&mut err)
            .and_then(|()| err.write_all(report.as_bytes())),
    )
}

/// Whether the script may be run now; a run that only plans notes it.
fn may_run(job: &parity::setup::Job, ctx: &Context) -> bool {
    ctx.may("run_script", &job.control.join(" "), "")
}

fn planned(job: &parity::setup::Job) -> Output {
    let inputs = job.given.inputs.iter();
    Output::Planned(Planned {
        control: job.control.clone(),
        candidate: job.candidate.clone(),
        inputs: inputs.map(|(_, to)| to.display().to_string()).collect(),
    })
}
