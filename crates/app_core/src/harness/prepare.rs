//! Settings, clock, descriptor, input: everything that can go wrong before a run starts.

use std::{
    io::IsTerminal as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64},
    },
};

use schemars::generate::SchemaSettings;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{
    decode,
    emitter::Emitter,
    invocation::Invocation,
    legacy,
    run::{schema_of, wants_json},
    schema,
};
use crate::{
    config::{Config, process_env},
    context::{Clock, Context, Inner, random_id},
    contract::{Definition, Gate, Mode, Policy, Tool, ToolError, ToolResult, Usd},
    state::state_dir,
};

pub(super) enum Decoded<I> {
    Input {
        input: I,
        call: Option<Value>,
    },
    Refused(Option<Value>, Box<ToolError>),
    /// The replaced script's answer was clear without running anything.
    Answer(String, bool),
}

/// Settings, clock, descriptor, input: everything that can go wrong before the run starts.
pub(super) fn prepare<T: Tool>(
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
        json_asked: invocation.json,
        stands_for: Mutex::default(),
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

pub(super) fn decode_input<T: Tool>(
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

pub(super) fn decode_call<T: Tool>(
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

pub(super) fn decode_value<T: Tool>(
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
pub(super) fn apply_policy(
    definition: &mut Definition,
    config: &Config,
    invocation: &Invocation,
) -> ToolResult<()> {
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
