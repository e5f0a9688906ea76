//! Whether a plan can be carried out: `start` with `plan_of`.

use std::time::Duration;

use app_core::contract::{Definition, ErrorKind, Plan, ToolError, ToolResult};
use serde_json::Map;

use crate::{
    state::JobState,
    wire::{Job, RunMode, StartRequest},
};

/// Where a tool's output has its plan.
pub(crate) const FIELD: &str = "plan";

/// Refuses a plan that is not of this very call, is too old, or lists only a part. An input that was not given is that
/// of the plan.
pub(super) fn check(
    planned: &Job,
    request: &mut StartRequest,
    definition: &Definition,
    oldest: Duration,
) -> ToolResult<()> {
    let id = planned.id;
    let refuse = |code: &str, what: String| {
        ToolError::new(ErrorKind::Conflict, what)
            .code(code)
            .field("plan_of")
            .from_source("job")
            .hint(format!("plan again: `onejob start {} --mode plan`", planned.tool))
    };
    if request.mode != RunMode::Apply {
        return Err(ToolError::invalid(
            "mode",
            "a plan is carried out with mode `apply`",
        ));
    }
    let JobState::Succeeded {
        finished_at, output, ..
    } = &planned.state
    else {
        return Err(refuse(
            "plan_not_there",
            format!("job `{id}` is {}: it has no plan", planned.state.name()),
        ));
    };
    let plan = output.get(FIELD).cloned().map(serde_json::from_value::<Plan>);
    let Some(Ok(plan)) = plan else {
        return Err(refuse(
            "plan_not_there",
            format!("the output of job `{id}` holds no plan"),
        ));
    };
    if planned.mode == RunMode::Apply {
        return Err(refuse(
            "plan_not_there",
            format!("job `{id}` acted already, it did not only plan"),
        ));
    }
    if planned.tool != request.tool || planned.version != definition.version {
        return Err(refuse(
            "plan_of_another",
            format!(
                "job `{id}` planned for `{}` {}, this is `{}` {}",
                planned.tool, planned.version, request.tool, definition.version
            ),
        ));
    }
    if request.input.as_object().is_none_or(Map::is_empty) {
        request.input = planned.input.clone();
    }
    if plan.truncated {
        return Err(refuse(
            "plan_truncated",
            format!("the plan of job `{id}` lists only a part of its targets"),
        ));
    }
    let age = app_core::Clock::System.now().duration_since(*finished_at);
    if age.is_negative() || age.unsigned_abs() > oldest {
        return Err(refuse(
            "plan_too_old",
            format!(
                "the plan of job `{id}` was made at {finished_at}, and holds for {} s",
                oldest.as_secs()
            ),
        ));
    }
    Ok(())
}

/// Refuses a plan of another input. Compared are the inputs as they are shown: a secret may be given anew.
pub(super) fn check_input(planned: &Job, input_hash: &str) -> ToolResult<()> {
    if planned.input_hash == input_hash {
        return Ok(());
    }
    let what = format!("job `{}` planned for another input", planned.id);
    Err(ToolError::new(ErrorKind::Conflict, what)
        .code("plan_of_another")
        .field("plan_of")
        .from_source("job")
        .hint("leave the input out, and that of the plan is taken"))
}
