//! Settings, clock, descriptor, input: everything that can go wrong before a run starts.

use std::io::IsTerminal as _;

use serde_json::Value;

use super::{
    decode,
    dialect::{self, Dialect},
    invocation::Invocation,
    run::wants_json,
};
use crate::{
    clock::Clock,
    config::{Config, process_env},
    context::{Context, Inner},
    contract::{Definition, Gate, Mode, ToolError, ToolResult},
    events::Emitter,
    planning::Bound,
    state::state_dir,
    tool::Tool,
};

pub(super) enum Decoded<I> {
    Input {
        input: I,
        call: Option<Value>,
    },
    Refused(Option<Value>, Box<ToolError>),
    /// The dialect's answer was clear without running anything.
    Answer(String, bool),
}

/// Settings, clock, descriptor, input: everything that can go wrong before the run starts.
pub(super) fn prepare<T: Tool>(
    mut definition: Definition,
    invocation: &Invocation,
    dialect: Option<&dyn Dialect<T>>,
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
    let decoded = decode_input::<T>(&definition, invocation, dialect, &config);
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
    let bound = Bound::from_env()?;
    // A missing state directory is told by whoever needs it; one that is named wrongly, at once.
    let state_dir = match state_dir() {
        Err(error) if error.code == "relative_state_dir" => return Err(error),
        other => other.ok(),
    };
    // After everything that runs code of the tool: if that panics, the descriptor is still there for the last event.
    let emitter = Emitter::from_env(clock)?;
    let bar = (!invocation.quiet && std::io::stderr().is_terminal()).then(|| indicatif::ProgressBar::new(0));
    let mut inner = Inner::new(definition, clock, config, emitter);
    inner.mode = mode;
    if let Some(id) = process_env("ONEJOB_RUN_ID") {
        inner.run_id = id;
    }
    if let Some(id) = process_env("ONEJOB_TRACE_ID") {
        inner.trace_id = id;
    }
    inner.state_dir = state_dir;
    inner.json = wants_json(invocation);
    inner.json_asked = invocation.json;
    inner.bar = bar;
    inner.bound = bound;
    Ok((Context::new(inner), decoded))
}

fn decode_input<T: Tool>(
    definition: &Definition,
    invocation: &Invocation,
    dialect: Option<&dyn Dialect<T>>,
    config: &Config,
) -> Decoded<T::Input> {
    let call = match (dialect, &invocation.old_call) {
        (Some(dialect), Some(call)) => Some((dialect, call.clone())),
        _ => None,
    };
    let (dialect, call) = match (call, dialect.filter(|_| invocation.legacy)) {
        (Some((dialect, call)), _) => (dialect, call),
        (None, old) => {
            let source = invocation.input.as_deref().or(old.map(|_| "-"));
            let read = match decode::read_input(source) {
                Ok(read) => read,
                Err(error) => return Decoded::Refused(None, Box::new(error)),
            };
            let Some(dialect) = old else {
                return decode_value::<T>(definition, invocation, config, read, None);
            };
            (dialect, dialect::unwrap_call(read))
        }
    };
    match dialect.input(call.clone()) {
        Ok(value) => decode_value::<T>(definition, invocation, config, value, Some(call)),
        Err(answer) => {
            let (text, success) = dialect::line(&answer, false);
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
    config.check_slips(&definition.name)?;
    definition.policy = config
        .settings()?
        .policy(&definition.name, &definition.policy)
        .map_err(|mistakes| {
            let (field, problem) = mistakes.into_iter().next().unwrap_or_default();
            let key = format!("tools.{}.policy.{field}", definition.name);
            ToolError::config(format!("`{key}` in onejob.toml {problem}")).code("invalid_settings")
        })?;
    if let Some(seconds) = invocation.timeout_s {
        definition.policy.timeout_s = seconds;
    }
    if let Some(attempts) = invocation.attempts {
        definition.policy.retry.attempts = attempts;
    }
    Ok(())
}
