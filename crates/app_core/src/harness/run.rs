//! One run, from command line to exit code.

use std::{ffi::OsString, panic::AssertUnwindSafe, sync::OnceLock};

use serde_json::Value;

use super::{
    command, dashes, default_action, describe,
    dialect::{self, Dialect},
    finish::{Outcome, close_run_log, open_run_log, settle, warn_failed, write_manifest},
    invocation::{self, Invocation},
    logging,
    logging::Colours,
    panics::{LastWords, catch_panic_text, panicked},
    prepare::{Decoded, prepare},
    report,
    stop::{Machine, break_off, drive, remove_half_files},
};
use crate::{
    clock::Clock,
    context::Context,
    contract::{Definition, ErrorKind, EventBody, Mode, ToolError},
    events::Emitter,
    render::{Style, View},
    state::NewRun,
    stdout,
    tool::Tool,
};

/// Runs the tool for these arguments and returns the exit code.
pub(super) fn program<T: Tool>(args: impl Iterator<Item = OsString>, dialect: Option<&dyn Dialect<T>>) -> u8 {
    let mut definition = describe::described::<T>();
    definition.answers_old_calls = dialect.is_some();
    let args: Vec<OsString> = args.collect();
    let old_call = dialect.and_then(|dialect| old_command_line(dialect, &args));
    let args = if old_call.is_some() {
        args.into_iter().take(1).collect()
    } else {
        args
    };
    let command = command::build(&definition);
    let args = default_action::named(&command, definition.default_action.as_deref(), args);
    let (command, args) = dashes::understood(command, args);
    let matches = match command.try_get_matches_from(args) {
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
        let text = serde_json::to_string_pretty(&describe::for_faces(&definition)).unwrap_or_default();
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
    let run = AssertUnwindSafe(|| {
        execute::<T>(
            definition.clone(),
            &invocation,
            dialect,
            face,
            &last_words,
            &begun,
        )
    });
    // `drive` catches what happens in the run itself; this is for decoding before it and rendering after it.
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        let error = panicked(&last_words);
        match begun.get() {
            Some(ctx) => break_off(ctx, error.kind.exit_code(), error, face),
            None => refused_before_start(&definition, &error),
        }
    })
}

/// How a failure is told on stderr, and where colour is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    pub(super) json: bool,
    pub(super) colours: Colours,
}

/// Prints what was asked for instead of a run; returns the exit code.
fn print(text: &str) -> u8 {
    match stdout::write(text) {
        Ok(()) => 0,
        Err(error) => {
            report::report(&error, false, Colours::choose(None));
            error.kind.exit_code()
        }
    }
}

/// The call that a command line in the words of the dialect stands for.
fn old_command_line<T: Tool>(dialect: &dyn Dialect<T>, args: &[OsString]) -> Option<Value> {
    let texts: Option<Vec<String>> = args
        .iter()
        .skip(1)
        .map(|arg| arg.to_str().map(str::to_owned))
        .collect();
    dialect.recognise(&texts?)
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
    dialect: Option<&dyn Dialect<T>>,
    face: Face,
    last_words: &LastWords,
    begun: &OnceLock<Context>,
) -> u8 {
    let (ctx, decoded) = match prepare::<T>(definition.clone(), invocation, dialect) {
        Ok(prepared) => prepared,
        Err(error) => return refused_before_start(&definition, &error),
    };
    // Signals are listened for before `started` goes out: from then on the run ends in order.
    let machine = Machine::start();
    let inner = ctx.inner();
    inner.emitter.emit(started(&inner.definition, &inner.run_id));
    // Set once, here.
    let _ = begun.set(ctx.clone());
    for warning in ctx.config().warnings() {
        ctx.warn(warning);
    }
    let outcome = match (machine, decoded) {
        (Err(error), _) => Outcome::refused(error),
        (Ok(_), Decoded::Answer(text, success)) => Outcome::answer(text, success),
        (Ok(_), Decoded::Refused(call, error)) => match (call, dialect) {
            (Some(call), Some(dialect)) => {
                let (text, _) = dialect::answer(dialect, &call, Err(&error));
                Outcome::refused_answer(text, *error)
            }
            _ => Outcome::refused(*error),
        },
        (Ok(machine), Decoded::Input { input, call }) => {
            let canonical = canonical::<T>(&input);
            if invocation.print_input {
                Outcome::answer(format!("{canonical}\n"), true)
            } else {
                let work = Work {
                    input,
                    canonical,
                    call,
                    dialect,
                };
                act(&ctx, work, machine, invocation, face, last_words)
            }
        }
    };
    conclude(&ctx, outcome, face)
}

/// The checked input as JSON, without the fields that are not set: one form for hash, manifest and view.
fn canonical<T: Tool>(input: &T::Input) -> Value {
    let mut canonical = serde_json::to_value(input).unwrap_or_default();
    if let Some(fields) = canonical.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    canonical
}

/// A checked input, and how the answer is wanted.
struct Work<'a, T: Tool> {
    input: T::Input,
    canonical: Value,
    call: Option<Value>,
    dialect: Option<&'a dyn Dialect<T>>,
}

/// The run itself: its row in the run log, the tool, the manifest.
fn act<T: Tool>(
    ctx: &Context,
    work: Work<'_, T>,
    machine: Machine,
    invocation: &Invocation,
    face: Face,
    last_words: &LastWords,
) -> Outcome {
    let inner = ctx.inner();
    let started_at = ctx.now();
    let input_hash = crate::files::sha256(work.canonical.to_string().as_bytes());
    let runs = open_run_log(ctx);
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
        warn_failed(ctx, runs.start(&run, started_at));
    }
    // Decoded again for the view: the run takes the input itself.
    let seen: Option<T::Input> = serde_json::from_value(work.canonical.clone()).ok();
    let result = drive::<T>(machine, work.input, ctx, face, last_words);
    if inner.mode == Mode::Plan && !invocation.dry_run && result.is_ok() {
        ctx.warn("planned only; add `--apply` to act");
    }
    let style = Style::new(face.colours.stdout);
    let view = View::new(&style, seen.as_ref(), logging::width());
    let answer = work.call.as_ref().zip(work.dialect);
    let mut outcome = settle::<T>(ctx, result, answer, wants_json(invocation), &view, &style);
    if let Some(bar) = &inner.bar {
        bar.finish_and_clear();
    }
    if !ctx.dry_run() {
        write_manifest(
            ctx,
            invocation.manifest.as_deref(),
            started_at,
            &input_hash,
            work.canonical,
            &mut outcome,
        );
    }
    outcome.run_log = runs;
    outcome
}

/// The end of every run that started: result, failure, run log, then the one terminal event.
///
/// The result is printed before the failure is told and before the run counts as ended: that it could not be
/// printed is a failure of the run itself.
fn conclude(ctx: &Context, mut outcome: Outcome, face: Face) -> u8 {
    if let Err(error) = stdout::write(&outcome.stdout) {
        outcome.fail(error);
    }
    if let Some(error) = &mut outcome.error {
        error.trace_id.clone_from(&ctx.inner().trace_id);
        if !outcome.answered {
            report::report(error, face.json, face.colours);
        }
    }
    remove_half_files(ctx);
    close_run_log(ctx, outcome.run_log.as_ref(), &outcome);
    ctx.inner().emitter.emit(EventBody::Finished {
        output: outcome.output,
        error: outcome.error.map(Box::new),
    });
    outcome.exit
}

pub(super) fn wants_json(invocation: &Invocation) -> bool {
    invocation.json || !invocation.text && !crate::stdout::is_terminal()
}
