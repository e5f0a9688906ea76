//! A tool for the tests of the harness: echoes its input, then takes the steps it was given.
//!
//! Each step is one thing a real tool may do, well or badly: write a file, sleep, panic, spend, fail.

#![expect(
    clippy::panic,
    reason = "the tests look at what the harness does with a tool that panics"
)]

use std::{
    collections::BTreeMap,
    fmt,
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use app_core::{
    Context, Definition, Effect, ErrorKind, Gate, PendingArtifact, Policy, Secret, Source, Tool, ToolError,
    ToolResult, Usd, View,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn main() -> std::process::ExitCode {
    app_core::main::<SampleTool>()
}

struct SampleTool;

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Any text.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(custom(panic_when_asked))]
    text: String,
    /// A number with limits that comes from everywhere.
    #[serde(default = "three")]
    #[schemars(extend("x-cli" = {"short": "n", "env": "SAMPLE_COUNT", "config": "tools.sample_tool.settings.count"}))]
    #[garde(range(min = 1, max = 100))]
    count: u32,
    /// A secret.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"env": "SAMPLE_TOKEN"}))]
    token: Option<Secret>,
    /// A list.
    #[serde(default)]
    #[garde(length(max = 3))]
    tags: Vec<String>,
    /// A map.
    #[serde(default)]
    labels: BTreeMap<String, i64>,
    /// A nested object.
    #[serde(default)]
    #[garde(dive)]
    frame: Option<Frame>,
    /// Nested objects.
    #[serde(default)]
    #[garde(dive)]
    frames: Vec<Frame>,
    /// A choice.
    #[serde(default)]
    fit: Fit,
    /// On unless switched off.
    #[serde(default = "yes")]
    shiny: bool,
    /// What to do, in order, as JSON.
    #[serde(default)]
    step: Vec<Step>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
struct Frame {
    /// Milliseconds.
    #[garde(range(min = 10))]
    delay: u32,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Fit {
    #[default]
    Cover,
    Contain,
}

/// One thing to do.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Step {
    /// Write a file of so many bytes.
    Write {
        path: PathBuf,
        #[serde(default)]
        bytes: usize,
        #[serde(default)]
        made_from: Option<String>,
    },
    /// Begin a file and hold it unfinished until the run ends.
    Begin { path: PathBuf },
    /// Wait.
    Sleep { how: Sleep, s: f64 },
    /// Panic.
    Panic { place: Place },
    /// Report that some items failed.
    Partial {},
    /// Fail with this kind.
    Fail { kind: ErrorKind },
    /// Ask for a secret by name.
    Secret { name: String },
    /// Reserve money, and pay with it unless told not to.
    Spend {
        usd: Usd,
        #[serde(default = "yes")]
        commit: bool,
    },
    /// Warn.
    Warn { text: String },
    /// Count up to a number in a tight loop.
    Progress { total: u64 },
    /// Say that it is up.
    Ready {},
    /// Delete a file; without `--apply` it is only planned.
    Delete { path: PathBuf },
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Sleep {
    /// Looks whether it is to stop, and tidies up.
    Cooperative,
    /// Waits in an await point.
    Plain,
    /// Blocks the thread of the run.
    Stubborn,
    /// Blocks another thread, with an unfinished file in its hands.
    Elsewhere,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Place {
    Run,
    JoinedThread,
    LostThread,
    PlanFirst,
    Render,
}

fn three() -> u32 {
    3
}

fn yes() -> bool {
    true
}

fn panic_when_asked(text: &str, _: &()) -> garde::Result {
    assert!(text != "panic in validation", "panic in validation");
    Ok(())
}

#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The input as it was decoded.
    echo: Value,
    /// Characters of the secret; enough to tell where it came from.
    token_chars: Option<usize>,
    /// Steps taken.
    done: usize,
}

impl SampleTool {
    fn asks(input: &Input, wanted: Place) -> bool {
        input
            .step
            .iter()
            .any(|step| matches!(step, Step::Panic { place } if *place == wanted))
    }
}

impl Tool for SampleTool {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut policy = Policy::with_timeout(Duration::from_secs(60));
        policy.cancel_grace_s = 0.4;
        // One tool has one gate; the tests look at both kinds.
        let gate = match app_core::config::process_env("SAMPLE_PLAN_FIRST") {
            Some(_) => Gate::PlanFirst,
            None => Gate::ByInput,
        };
        Definition::new("sample_tool", "1.2.3", "Does what the tests ask for", "control")
            .effects(&[
                Effect::Reads,
                Effect::WritesFiles,
                Effect::Deletes,
                Effect::Spends,
            ])
            .gate(gate)
            .long_running()
            .policy(policy, "the tests wait for it")
    }

    fn plan_first(input: &Input) -> bool {
        assert!(!Self::asks(input, Place::PlanFirst), "panic in plan_first");
        input.step.iter().any(|step| matches!(step, Step::Delete { .. }))
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let mut output = Output {
            echo: serde_json::to_value(&input).unwrap_or_default(),
            token_chars: input.token.as_ref().map(|token| token.reveal().chars().count()),
            done: 0,
        };
        let mut begun = Vec::new();
        for step in &input.step {
            take(step, ctx, &mut output, &mut begun).await?;
            output.done += 1;
        }
        ctx.count_items(output.done as u64);
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let text = output.echo.to_string();
        assert!(!text.contains(r#""place":"render""#), "panic in render");
        writeln!(out, "done {}", output.done)
    }
}

async fn take(
    step: &Step,
    ctx: &Context,
    output: &mut Output,
    begun: &mut Vec<PendingArtifact>,
) -> ToolResult<()> {
    match step {
        Step::Write {
            path,
            bytes,
            made_from,
        } => {
            let mut file = ctx.create(path, "application/octet-stream", "output")?;
            if let Some(name) = made_from {
                file = file.made_from(Source::named(name));
            }
            file.write_all(&vec![b'a'; *bytes])
                .map_err(|e| ToolError::file("write", path, &e))?;
            file.commit()?;
        }
        Step::Begin { path } => {
            let mut file = ctx.create(path, "text/plain", "output")?;
            file.write_all(b"half")
                .map_err(|e| ToolError::file("write", path, &e))?;
            begun.push(file);
        }
        Step::Sleep { how, s } => sleep(*how, Duration::from_secs_f64(*s), ctx).await?,
        Step::Panic { place: Place::Run } => panic!("asked to panic"),
        Step::Panic {
            place: Place::JoinedThread,
        } => {
            if let Err(payload) = panic_in_thread("a thread panics") {
                std::panic::resume_unwind(payload);
            }
        }
        Step::Panic {
            place: Place::LostThread,
        } => drop(panic_in_thread("a lost thread panics")),
        // These happen elsewhere.
        Step::Panic { .. } => {}
        Step::Partial {} => return Err(ToolError::partial("1 of 2 items failed", output)),
        Step::Fail { kind } => return Err(ToolError::new(*kind, "asked to fail").hint("do not ask")),
        Step::Secret { name } => output.token_chars = Some(ctx.secret(name)?.reveal().chars().count()),
        Step::Spend { usd, commit } => {
            let mut ledger = ctx.ledger()?;
            let lifetime = Duration::from_secs(60);
            let reserved = ledger.reserve("sample_tool", "sample", *usd, lifetime, ctx.now())?;
            if *commit {
                ledger.commit(&reserved.id, *usd, ctx.now())?;
                ctx.cost(*usd, "sample");
            }
        }
        Step::Warn { text } => ctx.warn(text),
        Step::Progress { total } => {
            let bar = ctx.progress("count", "numbers", Some(*total));
            for _ in 0..*total {
                bar.inc(1);
            }
            bar.finish();
        }
        Step::Ready {} => ctx.notify_ready(),
        Step::Delete { path } => {
            if ctx.may("delete_file", &path.display().to_string(), "") {
                std::fs::remove_file(path).map_err(|e| ToolError::file("delete", path, &e))?;
            }
        }
    }
    Ok(())
}

fn panic_in_thread(text: &'static str) -> std::thread::Result<()> {
    std::thread::spawn(move || assert!(text.is_empty(), "{text}")).join()
}

async fn sleep(how: Sleep, time: Duration, ctx: &Context) -> ToolResult<()> {
    match how {
        Sleep::Plain => tokio::time::sleep(time).await,
        Sleep::Cooperative => {
            tokio::select! {
                () = ctx.cancellation().cancelled() => {
                    ctx.info("tidying up");
                    return Err(ToolError::cancelled());
                }
                () = tokio::time::sleep(time) => {}
            }
        }
        Sleep::Stubborn => block(time),
        Sleep::Elsewhere => {
            let ctx = ctx.clone();
            let work = move || {
                let file = ctx.create("elsewhere.txt", "text/plain", "output");
                block(time);
                drop(file);
            };
            drop(tokio::task::spawn_blocking(work).await);
        }
    }
    Ok(())
}

/// In short naps, so that the tests cost no processor.
fn block(time: Duration) {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(5));
    }
}
