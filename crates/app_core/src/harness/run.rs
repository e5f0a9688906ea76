//! One run, from command line to exit code.

use std::{
    ffi::OsString,
    io::IsTerminal as _,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt as _;
use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{
    command, decode,
    emitter::Emitter,
    invocation::{self, Invocation},
    legacy, logging,
    logging::Colours,
    metrics, report, schema,
};
use crate::{
    config::{Config, process_env},
    context::{Clock, Context, Inner, lock, random_id},
    contract::{
        Definition, ErrorKind, EventBody, Gate, MANIFEST_FORMAT, Manifest, Mode, Policy, Tool, ToolError,
        ToolResult, Usd,
    },
    state::{Runs, state_dir},
};

/// Runs the tool for these arguments and returns the exit code.
pub(super) fn program<T: Tool>(args: impl Iterator<Item = OsString>) -> u8 {
    let definition = described::<T>();
    let args: Vec<OsString> = args.collect();
    let old_call = old_command_line::<T>(&args);
    let args = if old_call.is_some() {
        args.into_iter().take(1).collect()
    } else {
        args
    };
    let matches = match command::build(&definition).try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return command_line_refused(&definition, &error),
    };
    let mut invocation = match invocation::read(&definition, &matches) {
        Ok(invocation) => invocation,
        Err(error) => return refused_before_start(&definition, &error),
    };
    invocation.legacy |= old_call.is_some();
    invocation.old_call = old_call;
    if invocation.describe {
        let text = serde_json::to_string_pretty(&definition).unwrap_or_default();
        return print(&format!("{text}\n"));
    }
    let colours = Colours::choose(invocation.color.as_deref());
    logging::start(&invocation, colours);
    let last_words = catch_panic_text();
    let face = Face {
        json: invocation.json,
        colours,
    };
    let begun = OnceLock::new();
    let run = AssertUnwindSafe(|| execute::<T>(definition.clone(), &invocation, face, &last_words, &begun));
    // `drive` catches what happens in the run itself; this is for decoding before it and rendering after it.
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let error = panicked(&last_words);
        match begun.get() {
            Some(ctx) => break_off(ctx, error.kind.exit_code(), error, face),
            None => refused_before_start(&definition, &error),
        }
    })
}

/// How a failure is told on stderr.
#[derive(Clone, Copy, Debug)]
struct Face {
    json: bool,
    colours: Colours,
}

/// Prints what was asked for instead of a run; returns the exit code.
fn print(text: &str) -> u8 {
    match decode::write_stdout(text) {
        Ok(()) => 0,
        Err(error) => {
            report::report(&error, false, Colours::choose(None));
            error.kind.exit_code()
        }
    }
}

/// The call that the replaced script's command line stands for, when the tool knows it.
fn old_command_line<T: Tool>(args: &[OsString]) -> Option<Value> {
    let texts: Option<Vec<String>> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_str().map(str::to_owned))
        .collect();
    T::legacy_args(&texts?)
}

/// The definition with the schemas of input and output.
fn described<T: Tool>() -> Definition {
    let mut definition = T::definition();
    definition.input_schema = schema_of::<T::Input>(SchemaSettings::draft2020_12());
    definition.output_schema = schema_of::<T::Output>(SchemaSettings::draft2020_12().for_serialize());
    definition
}

fn schema_of<S: JsonSchema>(settings: SchemaSettings) -> Schema {
    let settings = settings.with(|s| s.inline_subschemas = true);
    settings.into_generator().into_root_schema_for::<S>()
}

fn command_line_refused(definition: &Definition, error: &clap::Error) -> u8 {
    if !error.use_stderr() {
        return print(&error.render().to_string());
    }
    let text = error.render().to_string();
    let mut lines = text.trim_end().lines();
    let message = lines
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .replace('\'', "`");
    let detail: Vec<_> = lines.map(str::trim).filter(|l| !l.is_empty()).collect();
    let tip = detail
        .iter()
        .find_map(|line| line.strip_prefix("tip: "))
        .map(|tip| tip.replace('\'', "`"));
    let values = detail
        .iter()
        .find(|line| line.starts_with("[possible values"))
        .map(ToString::to_string);
    let hint = tip
        .or(values)
        .unwrap_or_else(|| format!("see `{} --help`", definition.name));
    refused_before_start(
        definition,
        &ToolError::new(ErrorKind::InvalidInput, message)
            .from_source("input")
            .hint(hint),
    )
}

/// A command line that cannot be understood still ends with a terminal event.
fn refused_before_start(definition: &Definition, error: &ToolError) -> u8 {
    if let Ok(emitter) = Emitter::from_env(Clock::System) {
        emitter.emit(started(definition, "none"));
        emitter.emit(EventBody::Finished {
            output: None,
            error: Some(Box::new(error.clone())),
        });
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    report::report(error, json, Colours::choose(None));
    error.kind.exit_code()
}

fn started(definition: &Definition, run_id: &str) -> EventBody {
    EventBody::Started {
        run_id: run_id.to_owned(),
        tool: definition.name.clone(),
        version: definition.version.clone(),
        pid: std::process::id(),
    }
}

/// What happened, ready to be told on every face.
struct Outcome {
    /// Printed on stdout.
    stdout: String,
    output: Option<Value>,
    error: Option<ToolError>,
    exit: u8,
}

impl Outcome {
    /// Notes a failure that came after the run; the run's own failure stays.
    fn fail(&mut self, error: ToolError) {
        if self.error.is_none() {
            self.exit = error.kind.exit_code();
            self.error = Some(error);
        }
    }
}

fn execute<T: Tool>(
    definition: Definition,
    invocation: &Invocation,
    face: Face,
    last_words: &LastWords,
    begun: &OnceLock<Context>,
) -> u8 {
    let json = wants_json(invocation);
    let prepared = prepare::<T>(definition.clone(), invocation);
    let (ctx, decoded) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return refused_before_start(&definition, &error),
    };
    // Signals are listened for before `started` is told: from then on the run ends in order.
    let machine = Machine::start();
    let inner = ctx.inner();
    inner.emitter.emit(started(&inner.definition, &inner.run_id));
    // Set once, here.
    let _ = begun.set(ctx.clone());
    let started_at = ctx.now();
    let machine = match machine {
        Ok(machine) => machine,
        Err(error) => return finish_refused(&ctx, &error, face),
    };

    let (call, decoded) = match decoded {
        Decoded::Answer(text, success) => {
            let printed = print(&text);
            inner.emitter.emit(EventBody::Finished {
                output: serde_json::from_str(&text).ok(),
                error: None,
            });
            return printed.max(u8::from(!success));
        }
        Decoded::Refused(call, error) => (call, Err(*error)),
        Decoded::Input { input, call } => (call, Ok(input)),
    };
    let canonical = decoded
        .as_ref()
        .ok()
        .and_then(|input| serde_json::to_value(input).ok())
        .unwrap_or(Value::Null);
    if invocation.print_input {
        return match &decoded {
            Ok(_) => {
                let printed = print(&format!("{canonical}\n"));
                inner.emitter.emit(EventBody::Finished {
                    output: Some(canonical),
                    error: None,
                });
                printed
            }
            Err(error) => finish_refused(&ctx, error, face),
        };
    }
    let input = match decoded {
        Ok(input) => input,
        Err(error) if call.is_none() => return finish_refused(&ctx, &error, face),
        Err(error) => {
            let call = call.unwrap_or_default();
            let (text, _) = legacy::answer::<T>(&call, Err(&error));
            let printed = print(&text);
            inner.emitter.emit(EventBody::Finished {
                output: None,
                error: Some(Box::new(error)),
            });
            return printed.max(1);
        }
    };
    let input_hash = crate::files::sha256(canonical.to_string().as_bytes());
    let runs = open_run_log(&ctx);
    if let Some(runs) = &runs {
        let planned = ctx.dry_run();
        let d = &inner.definition;
        warn_failed(
            &ctx,
            runs.start(
                &inner.run_id,
                &d.name,
                &d.version,
                &input_hash,
                planned,
                started_at,
            ),
        );
    }

    let result = drive::<T>(machine, input, &ctx, face, last_words);
    if inner.mode == Mode::Plan && !invocation.dry_run && result.is_ok() {
        ctx.warn("planned only; add `--apply` to act");
    }
    let mut outcome = settle::<T>(&ctx, result, call.as_ref(), json);
    if let Some(bar) = &inner.bar {
        bar.finish_and_clear();
    }
    if !ctx.dry_run() {
        write_manifest(
            &ctx,
            invocation.manifest.as_deref(),
            started_at,
            &input_hash,
            canonical,
            &mut outcome,
        );
    }
    if let Err(error) = decode::write_stdout(&outcome.stdout) {
        outcome.fail(error);
    }
    if let Some(error) = &mut outcome.error {
        error.trace_id.clone_from(&inner.trace_id);
        if call.is_none() {
            report::report(error, face.json, face.colours);
        }
    }
    remove_half_files(&ctx);
    close_run_log(&ctx, runs.as_ref(), &outcome);
    inner.emitter.emit(EventBody::Finished {
        output: outcome.output,
        error: outcome.error.map(Box::new),
    });
    outcome.exit
}

fn wants_json(invocation: &Invocation) -> bool {
    invocation.json || !invocation.text && !std::io::stdout().is_terminal()
}

fn finish_refused(ctx: &Context, error: &ToolError, face: Face) -> u8 {
    let mut error = error.clone();
    error.trace_id.clone_from(&ctx.inner().trace_id);
    report::report(&error, face.json, face.colours);
    let exit = error.kind.exit_code();
    ctx.inner().emitter.emit(EventBody::Finished {
        output: None,
        error: Some(Box::new(error)),
    });
    exit
}

enum Decoded<I> {
    Input {
        input: I,
        call: Option<Value>,
    },
    Refused(Option<Value>, Box<ToolError>),
    /// The replaced script's answer was clear without running anything.
    Answer(String, bool),
}

/// Settings, clock, descriptor, input: everything that can go wrong before the run starts.
fn prepare<T: Tool>(
    mut definition: Definition,
    invocation: &Invocation,
) -> ToolResult<(Context, Decoded<T::Input>)> {
    let config = Config::load()?;
    apply_policy(&mut definition, &config, invocation)?;
    let clock =
        match process_env("ONEJOB_CLOCK") {
            None => Clock::System,
            Some(text) => Clock::Fixed(text.parse().map_err(|_| {
                ToolError::config(format!("`ONEJOB_CLOCK` is `{text}`, not an RFC 3339 time"))
            })?),
        };
    let decoded = decode_input::<T>(&definition, invocation, &config);
    let plan_first = match (definition.gate, &decoded) {
        (Gate::Direct, _) | (_, Decoded::Refused(..) | Decoded::Answer(..)) => false,
        (Gate::PlanFirst, _) => true,
        (Gate::ByInput, Decoded::Input { input, .. }) => T::plan_first(input),
    };
    let mode = if invocation.dry_run || plan_first && !invocation.apply {
        Mode::Plan
    } else {
        Mode::Apply
    };
    // After everything that runs code of the tool: if that panics, the descriptor is still there for the last event.
    let emitter = Emitter::from_env(clock)?;
    let bar = (!invocation.quiet && std::io::stderr().is_terminal()).then(|| indicatif::ProgressBar::new(0));
    let ctx = Context::new(Inner {
        definition,
        mode,
        clock,
        run_id: process_env("ONEJOB_RUN_ID").unwrap_or_else(|| random_id("run")),
        trace_id: process_env("ONEJOB_TRACE_ID").unwrap_or_else(|| random_id("trace")),
        state_dir: state_dir().ok(),
        config,
        emitter,
        json: wants_json(invocation),
        bar,
        cancel: CancellationToken::new(),
        cooperative: AtomicBool::new(false),
        artifacts: Mutex::default(),
        pending: Mutex::default(),
        cost: Mutex::new(Usd::ZERO),
        items: AtomicU64::new(0),
        #[cfg(feature = "http")]
        http: std::sync::OnceLock::new(),
    });
    Ok((ctx, decoded))
}

fn decode_input<T: Tool>(
    definition: &Definition,
    invocation: &Invocation,
    config: &Config,
) -> Decoded<T::Input> {
    if let Some(call) = &invocation.old_call {
        return decode_call::<T>(definition, invocation, config, call.clone());
    }
    let source = if invocation.legacy {
        Some(invocation.input.as_deref().unwrap_or("-"))
    } else {
        invocation.input.as_deref()
    };
    let read = match decode::read_input(source) {
        Ok(read) => read,
        Err(error) => return Decoded::Refused(None, Box::new(error)),
    };
    if invocation.legacy {
        return decode_call::<T>(definition, invocation, config, legacy::unwrap_call(read));
    }
    decode_value::<T>(definition, invocation, config, read, None)
}

fn decode_call<T: Tool>(
    definition: &Definition,
    invocation: &Invocation,
    config: &Config,
    call: Value,
) -> Decoded<T::Input> {
    match T::from_legacy(call.clone()) {
        Ok(value) => decode_value::<T>(definition, invocation, config, value, Some(call)),
        Err(answer) => {
            let (text, success) = legacy::line(&answer, false);
            Decoded::Answer(text, success)
        }
    }
}

fn decode_value<T: Tool>(
    definition: &Definition,
    invocation: &Invocation,
    config: &Config,
    value: Value,
    call: Option<Value>,
) -> Decoded<T::Input> {
    let decoded = decode::merge(definition, invocation, value, config)
        .and_then(|merged| decode::decode::<T>(definition, merged));
    match decoded {
        Ok(input) => Decoded::Input { input, call },
        Err(error) => Decoded::Refused(call, Box::new(error)),
    }
}

/// `[tools.<name>.policy]` of `onejob.toml`, then the flags.
fn apply_policy(definition: &mut Definition, config: &Config, invocation: &Invocation) -> ToolResult<()> {
    let key = format!("tools.{}.policy", definition.name);
    if let Some(changes) = config.onejob::<serde_json::Map<String, Value>>(&key)? {
        let mut policy = serde_json::to_value(&definition.policy).unwrap_or_default();
        for (name, value) in changes {
            match (policy.get_mut(&name), value) {
                (Some(Value::Object(old)), Value::Object(new)) => old.extend(new),
                (_, value) => policy[name] = value,
            }
        }
        // A misspelt limit must not pass for the limit it was to set.
        let policy_schema = schema_of::<Policy>(SchemaSettings::draft2020_12());
        if let Some((field, problem)) = schema::check(policy_schema.as_value(), &policy).first() {
            return Err(ToolError::config(format!(
                "`{key}` in onejob.toml: `{field}` {problem}"
            )));
        }
        definition.policy = serde_json::from_value(policy)
            .map_err(|error| ToolError::config(format!("`{key}` in onejob.toml: {error}")))?;
    }
    if let Some(seconds) = invocation.timeout_s {
        definition.policy.timeout_s = seconds;
    }
    if let Some(attempts) = invocation.attempts {
        definition.policy.retry.attempts = attempts;
    }
    Ok(())
}

/// Why a run was told to stop.
#[derive(Clone, Copy, Debug)]
enum Stop {
    Interrupt,
    Terminate,
    Timeout(Duration),
}

impl Stop {
    fn error(self) -> ToolError {
        match self {
            Self::Interrupt => ToolError::new(ErrorKind::Cancelled, "stopped by SIGINT").code("interrupted"),
            Self::Terminate => ToolError::cancelled(),
            Self::Timeout(limit) => ToolError::new(
                ErrorKind::Timeout,
                format!("not finished within {} s", limit.as_secs_f64()),
            )
            .hint("raise it with `--run-timeout` or in onejob.toml"),
        }
    }

    fn exit(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
            Self::Timeout(_) => ErrorKind::Timeout.exit_code(),
        }
    }
}

type StopCell = Arc<Mutex<Option<Stop>>>;

/// The runtime of a run and the signals that stop it.
struct Machine {
    runtime: tokio::runtime::Runtime,
    interrupt: Signal,
    terminate: Signal,
}

impl Machine {
    fn start() -> ToolResult<Self> {
        let failed =
            |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot start the runtime: {e}"));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(failed)?;
        let entered = runtime.enter();
        let interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let terminate = signal(SignalKind::terminate()).map_err(failed)?;
        drop(entered);
        Ok(Self {
            runtime,
            interrupt,
            terminate,
        })
    }
}

fn drive<T: Tool>(
    machine: Machine,
    input: T::Input,
    ctx: &Context,
    face: Face,
    last_words: &LastWords,
) -> Result<T::Output, (ToolError, Option<u8>)> {
    let Machine {
        runtime,
        interrupt,
        terminate,
    } = machine;
    let stop = StopCell::default();
    let span =
        tracing::info_span!("run", tool = %ctx.inner().definition.name, trace_id = %ctx.inner().trace_id);
    let result = runtime.block_on(async {
        let watcher = tokio::spawn(watch(ctx.clone(), face, stop.clone(), interrupt, terminate));
        let run = AssertUnwindSafe(T::run(input, ctx).instrument(span)).catch_unwind();
        let ended = tokio::select! {
            biased;
            result = run => Some(result),
            () = told_to_stop(ctx) => None,
        };
        watcher.abort();
        ended
    });
    // Blocking work that ignores the request to stop must not hold the process.
    runtime.shutdown_background();
    let why = *lock(&stop);
    match (result, why) {
        (Some(Ok(Ok(output))), _) => Ok(output),
        (Some(Ok(Err(error))), Some(stop)) if error.kind == ErrorKind::Cancelled => {
            let mut told = stop.error();
            told.output = error.output;
            Err((told, Some(stop.exit())))
        }
        (Some(Ok(Err(error))), _) => Err((error, None)),
        (Some(Err(_)), _) => Err((panicked(last_words), None)),
        (None, why) => {
            let stop = why.unwrap_or(Stop::Terminate);
            Err((stop.error(), Some(stop.exit())))
        }
    }
}

/// Resolves when the run must be dropped: at once for a run that never looks, after the grace for one that does.
async fn told_to_stop(ctx: &Context) {
    let inner = ctx.inner();
    inner.cancel.cancelled().await;
    if inner.cooperative.load(Ordering::Relaxed) {
        tokio::time::sleep(ctx.policy().cancel_grace()).await;
    }
}

/// Waits for signals and the timeout; ends the process when the run does not stop within the grace.
async fn watch(ctx: Context, face: Face, cell: StopCell, mut interrupt: Signal, mut terminate: Signal) {
    let _pings = tokio::spawn(ping_watchdog());
    let why = tokio::select! {
        () = arrives(&mut interrupt) => Stop::Interrupt,
        () = arrives(&mut terminate) => Stop::Terminate,
        limit = time_is_up(ctx.policy().timeout()) => Stop::Timeout(limit),
    };
    *lock(&cell) = Some(why);
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    ctx.inner().cancel.cancel();
    // Slightly longer than the run's own grace, so that an orderly end wins.
    let grace = ctx.policy().cancel_grace() + Duration::from_millis(200);
    let hint = tokio::select! {
        () = arrives(&mut interrupt) => "ended at once by the second signal",
        () = arrives(&mut terminate) => "ended at once by the second signal",
        () = tokio::time::sleep(grace) => "it did not stop by itself within the grace period",
    };
    end_by_force(&ctx, why, hint, face);
}

async fn arrives(signal: &mut Signal) {
    if signal.recv().await.is_none() {
        std::future::pending::<()>().await;
    }
}

async fn time_is_up(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

async fn ping_watchdog() {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(limit / 2);
    loop {
        ticks.tick().await;
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]);
    }
}

#[expect(
    clippy::exit,
    reason = "the run ignores the request to stop; this is the end by force"
)]
fn end_by_force(ctx: &Context, why: Stop, hint: &str, face: Face) {
    let exit = break_off(ctx, why.exit(), why.error().hint(hint), face);
    std::process::exit(i32::from(exit));
}

/// Ends a run that did not come to its end: no half file, a row in the run log, the error, the terminal event.
fn break_off(ctx: &Context, exit: u8, mut error: ToolError, face: Face) -> u8 {
    let inner = ctx.inner();
    remove_half_files(ctx);
    error.trace_id.clone_from(&inner.trace_id);
    let outcome = Outcome {
        stdout: String::new(),
        output: None,
        exit,
        error: Some(error.clone()),
    };
    close_run_log(ctx, open_run_log(ctx).as_ref(), &outcome);
    report::report(&error, face.json, face.colours);
    inner.emitter.emit(EventBody::Finished {
        output: None,
        error: Some(Box::new(error)),
    });
    exit
}

/// Removes files that nobody will finish: those of a stubborn run, and of threads that are still busy.
fn remove_half_files(ctx: &Context) {
    for path in lock(&ctx.inner().pending).drain(..) {
        // Those of a run that ended in order are gone already.
        let _ = std::fs::remove_file(path);
    }
}

fn settle<T: Tool>(
    ctx: &Context,
    result: Result<T::Output, (ToolError, Option<u8>)>,
    call: Option<&Value>,
    json: bool,
) -> Outcome {
    match result {
        Ok(output) => {
            let value = serde_json::to_value(&output).unwrap_or_default();
            if let Some(call) = call {
                let (stdout, success) = legacy::answer::<T>(call, Ok(&output));
                return Outcome {
                    stdout,
                    output: Some(value),
                    error: None,
                    exit: u8::from(!success),
                };
            }
            let mut stdout = String::new();
            if !json {
                // Writing to a String cannot fail.
                let _ = T::render(&output, &mut stdout);
            }
            Outcome {
                stdout: if json { json_text(&value) } else { stdout },
                output: Some(value),
                error: None,
                exit: 0,
            }
        }
        Err((mut error, exit)) => {
            error.trace_id.clone_from(&ctx.inner().trace_id);
            let exit = exit.unwrap_or_else(|| error.kind.exit_code());
            if let Some(call) = call {
                let (stdout, _) = legacy::answer::<T>(call, Err(&error));
                return Outcome {
                    stdout,
                    output: None,
                    error: Some(error),
                    exit: 1,
                };
            }
            let output = error.output.as_deref().cloned();
            let stdout = match &output {
                None => String::new(),
                Some(value) if json => json_text(value),
                Some(value) => {
                    let mut text = String::new();
                    let _ = T::render_partial(value, &mut text);
                    text
                }
            };
            Outcome {
                stdout,
                output,
                error: Some(error),
                exit,
            }
        }
    }
}

fn json_text(value: &Value) -> String {
    let text = if std::io::stdout().is_terminal() {
        serde_json::to_string_pretty(value)
    } else {
        serde_json::to_string(value)
    };
    format!("{}\n", text.unwrap_or_default())
}

/// `manifest.json` beside the first artifact, unless told otherwise. Its failure fails the run: lineage would be lost.
fn write_manifest(
    ctx: &Context,
    wanted: Option<&Path>,
    started_at: jiff::Timestamp,
    input_hash: &str,
    input: Value,
    outcome: &mut Outcome,
) {
    let inner = ctx.inner();
    let artifacts = ctx.artifacts();
    let Some(first) = artifacts.first() else { return };
    let path = match wanted {
        Some(path) if path == Path::new("none") => return,
        Some(path) => path.to_owned(),
        None => beside(&first.path),
    };
    let manifest = Manifest {
        format: MANIFEST_FORMAT.to_owned(),
        run_id: inner.run_id.clone(),
        tool: inner.definition.name.clone(),
        version: inner.definition.version.clone(),
        input_hash: input_hash.to_owned(),
        input,
        started_at,
        finished_at: ctx.now(),
        artifacts,
        cost_usd: *lock(&inner.cost),
    };
    let written = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| ToolError::internal(format!("manifest: {e}")))
        .and_then(|bytes| ctx.write(&path, "application/json", "manifest", &bytes));
    if let Err(error) = written {
        outcome.fail(error);
    }
}

/// `out/a.gif` -> `out/a.gif.manifest.json`: two tools writing into one folder must not overwrite each other's lineage.
fn beside(artifact: &Path) -> PathBuf {
    let mut name = artifact.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}

fn open_run_log(ctx: &Context) -> Option<Runs> {
    let opened = ctx.state_dir().and_then(Runs::open);
    match opened {
        Ok(runs) => Some(runs),
        Err(error) => {
            ctx.warn(format!("this run is not in the run log: {}", error.message));
            None
        }
    }
}

fn close_run_log(ctx: &Context, runs: Option<&Runs>, outcome: &Outcome) {
    let Some(runs) = runs else { return };
    let inner = ctx.inner();
    let error = outcome.error.as_ref().map(|e| (e.kind.as_str(), e.code.as_str()));
    let bytes = lock(&inner.artifacts).iter().map(|a| a.bytes).sum();
    let counts = (inner.items.load(Ordering::Relaxed), bytes);
    let cost = *lock(&inner.cost);
    warn_failed(
        ctx,
        runs.finish(&inner.run_id, outcome.exit, error, cost, counts, ctx.now()),
    );
    if let Some(dir) = process_env("ONEJOB_METRICS_DIR") {
        warn_failed(ctx, metrics::write(Path::new(&dir), &inner.definition.name, runs));
    }
}

fn warn_failed(ctx: &Context, result: ToolResult<()>) {
    if let Err(error) = result {
        ctx.warn(error.message);
    }
}

/// What the last panic said.
type LastWords = Arc<Mutex<Option<String>>>;

fn catch_panic_text() -> LastWords {
    let words = LastWords::default();
    let kept = words.clone();
    std::panic::set_hook(Box::new(move |info| {
        let place = info
            .location()
            .map(|l| format!(" at {}:{}", l.file(), l.line()))
            .unwrap_or_default();
        let text = info.payload_as_str().unwrap_or("a panic without a text");
        let text = format!("{text}{place}");
        // The tool may overlook it; the panic of the run itself becomes its error.
        if std::thread::current().name() != Some("main") {
            tracing::error!("a thread of the run panicked: {text}");
        }
        *lock(&kept) = Some(text);
    }));
    words
}

fn panicked(last_words: &LastWords) -> ToolError {
    let words = lock(last_words)
        .take()
        .unwrap_or_else(|| "a panic without a text".to_owned());
    ToolError::internal(format!("bug: {words}"))
        .code("panic")
        .hint("please report this with the command line you used")
}
