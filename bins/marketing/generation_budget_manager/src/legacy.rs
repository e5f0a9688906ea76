//! Calls of the replaced script's functions, with its state file kept in step with the ledger.

use std::path::PathBuf;

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use garde::Validate;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Output, spending::summary, state_file};

/// Where the old script kept its state: the file that a call without one means.
fn old_state_file() -> PathBuf {
    app_core::config::process_env("GENERATION_BUDGET_FILE_PATH").map_or_else(default_file, PathBuf::from)
}

/// A call of one of the old functions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Call {
    /// Name of the old function.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    function: Function,
    /// Its arguments.
    #[serde(default)]
    #[garde(length(max = 8))]
    args: Vec<Value>,
    /// The old state file, kept in step.
    #[serde(default = "default_file")]
    #[schemars(extend("x-cli" = {"env": "GENERATION_BUDGET_FILE_PATH", "path": "file"}))]
    state_file: PathBuf,
}

fn default_file() -> PathBuf {
    "generation_budget.json".into()
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Function {
    GetBudgetStatus,
    CanGenerate,
    RecordGeneration,
    EstimateLlmCost,
    EstimateEmbeddingCost,
}

/// Carries out a call: takes over the file, acts on the ledger, brings the file up to date.
pub(crate) fn run(call: &Call, ctx: &Context) -> ToolResult<Output> {
    let now = ctx.now();
    if let Function::EstimateLlmCost | Function::EstimateEmbeddingCost = call.function {
        let model = text(call, 0)?;
        let day = now.to_zoned(TimeZone::UTC).date();
        let prices = ctx.config().prices()?;
        let output = if call.args.len() > 2 { text(call, 2)? } else { "" };
        let cost =
            prices
                .get(model, day)?
                .text(model, text(call, 1)?.chars().count(), output.chars().count())?;
        return Ok(answer(call, json!(cost), String::new()));
    }
    let mut ledger = ctx.ledger()?;
    let file = state_file::read(&call.state_file)?;
    if let Some(file) = &file {
        state_file::import(file, &mut ledger)?;
    }
    let today = now.to_zoned(TimeZone::UTC).date().to_string();
    let mut notice = String::new();
    // The old file counts by day; its turn of the day is written back at once.
    if file.as_ref().is_some_and(|file| file.resets_on <= today) && !ctx.dry_run() {
        state_file::write(&call.state_file, file.as_ref(), &mut ledger, now)?;
        "Resetting daily budget.\n".clone_into(&mut notice);
    }
    let value = match call.function {
        Function::CanGenerate => {
            let amount = dollars(call, 0)?;
            let allowed = ledger.allows(amount, now)?;
            if !allowed {
                let used = ledger.periods(now)?.first().map_or(Usd::ZERO, |day| day.used_usd);
                notice.push_str(&format!("Daily budget exceeded. Current spend: {used:.2}\n"));
            }
            json!(allowed)
        }
        Function::RecordGeneration => {
            let (amount, tool) = (dollars(call, 0)?, text(call, 1)?);
            if !ctx.dry_run() {
                ledger.spend(tool, "recorded", amount, now)?;
                let file = state_file::read(&call.state_file)?;
                state_file::write(&call.state_file, file.as_ref(), &mut ledger, now)?;
            }
            notice.push_str(&format!(
                "Recorded generation from '{tool}' with cost {amount}.\n"
            ));
            Value::Null
        }
        _ => json!(summary(&ledger.periods(now)?)),
    };
    Ok(answer(call, value, notice))
}

fn answer(call: &Call, ok: Value, notice: String) -> Output {
    Output::Call {
        ok,
        notice,
        state_file_exists: call.state_file.exists(),
    }
}

fn text(call: &Call, index: usize) -> ToolResult<&str> {
    call.args.get(index).and_then(Value::as_str).ok_or_else(|| {
        ToolError::invalid(
            format!("args[{index}]"),
            format!("argument {} must be a text", index + 1),
        )
    })
}

fn dollars(call: &Call, index: usize) -> ToolResult<Usd> {
    let amount = call
        .args
        .get(index)
        .and_then(Value::as_f64)
        .and_then(Usd::from_dollars);
    amount.filter(|amount| *amount >= Usd::ZERO).ok_or_else(|| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("argument {} must be an amount of 0 or more dollars", index + 1),
        )
        .field(format!("args[{index}]"))
    })
}

/// `{"fn": "can_generate", "args": [0.1]}` as the input of `call`.
pub(crate) fn from_legacy(call: Value) -> Result<Value, Value> {
    match call.get("fn").cloned() {
        Some(function) => {
            let args = call.get("args").cloned().unwrap_or_else(|| json!([]));
            Ok(json!({"action": "call", "function": function, "args": args}))
        }
        None => Ok(call),
    }
}

/// The recorded shape of a step: the call, then `ok` or `error`, then what was printed.
pub(crate) fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
    let mut answer = json!({"fn": call.get("fn"), "args": call.get("args")});
    match outcome {
        Ok(Output::Call {
            ok,
            notice,
            state_file_exists,
        }) => {
            answer["ok"] = ok.clone();
            answer["stdout"] = json!(notice);
            answer["state_file_exists"] = json!(state_file_exists);
        }
        Ok(other) => return serde_json::to_value(other).unwrap_or_default(),
        Err(error) => {
            answer["error"] = json!(error.code);
            answer["message"] = json!(error.message);
            answer["state_file_exists"] = json!(old_state_file().exists());
        }
    }
    answer
}
