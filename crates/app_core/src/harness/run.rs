//! One run, from command line to exit code.

use std::{ffi::OsString, io::IsTerminal as _, panic::AssertUnwindSafe, sync::OnceLock};

use schemars::{JsonSchema, Schema, generate::SchemaSettings};
use serde_json::Value;

use super::{
    command, decode,
    emitter::Emitter,
    finish::{close_run_log, open_run_log, settle, warn_failed, write_manifest},
    invocation::{self, Invocation},
    legacy, logging,
    logging::Colours,
    panics::{LastWords, catch_panic_text, panicked},
    prepare::{Decoded, prepare},
    report,
    stop::{Machine, break_off, drive, remove_half_files},
};
use crate::{
    context::{Clock, Context},
    contract::{Definition, ErrorKind, EventBody, Mode, Tool, ToolError},
    state::NewRun,
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
pub(super) struct Face {
    pub(super) json: bool,
    pub(super) colours: Colours,
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
pub(super) fn described<T: Tool>() -> Definition {
    let mut definition = T::definition();
    definition.input_schema = schema_of::<T::Input>(SchemaSettings::draft2020_12());
    definition.output_schema = schema_of::<T::Output>(SchemaSettings::draft2020_12().for_serialize());
    definition
}

pub(super) fn schema_of<S: JsonSchema>(settings: SchemaSettings) -> Schema {
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
        let run = NewRun {
            run_id: &inner.run_id,
            tool: &inner.definition.name,
            version: &inner.definition.version,
            input_hash: &input_hash,
            pid: std::process::id(),
            planned: ctx.dry_run(),
            fallback: None,
        };
        warn_failed(&ctx, runs.start(&run, started_at));
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

pub(super) fn wants_json(invocation: &Invocation) -> bool {
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
