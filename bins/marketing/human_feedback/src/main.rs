//! Collects what people say of artifacts, and has them agree to exactly the bytes they saw.
//!
//! Replaces `human_feedback_tool`, which kept nothing and answered with ready-made sentences. Feedback lies in the shared
//! memory (crate `memory`, collection `feedback`); requests and decisions in the one store of approvals.

mod approval;
mod csv;
mod feedback;
mod input;
mod legacy;
mod output;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{
    Context, Definition, Effect, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
    state::Approvals,
};
use input::Input;
use migration::OldCalls;
use output::Output;
use serde_json::Value;

fn main() -> ExitCode {
    migration::main::<HumanFeedback>()
}

struct HumanFeedback;

pub(crate) fn definition() -> Definition {
    app_core::definition!("marketing")
        .replaces(3, &["human_feedback_tool"])
        .effects(&[Effect::Reads, Effect::WritesFiles])
        .policy(
            Policy {
                retry: RetryPolicy::NONE,
                ..Policy::with_timeout(Duration::from_secs(300))
            },
            "small transactions on local files; a decision is not made twice",
        )
        .example(
            "keep what somebody says of a post",
            &[
                "collect",
                "Warmer than the last one",
                "--rating",
                "4",
                "--tag",
                "tone",
                "--artifact",
                "post.json",
            ],
        )
        .example(
            "find what was said",
            &["retrieve", "warmer tone", "--where", "rating>=4"],
        )
        .example("count it", &["summary"])
        .example("write it for a spreadsheet", &["export", "feedback.csv"])
        .example(
            "ask two people to approve a post as it is now",
            &["request", "post.json", "--needs", "2"],
        )
        .example("see that the log of approvals is whole", &["verify"])
}

impl Tool for HumanFeedback {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        definition()
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Collect(input) => feedback::collect(&input, ctx),
            Input::Retrieve(input) => feedback::retrieve(&input, ctx),
            Input::List(input) => feedback::list(&input, ctx),
            Input::Summary(input) => feedback::summary(&input, ctx),
            Input::Export(input) => feedback::export(&input, ctx),
            Input::Undo(input) => feedback::undo(&input, ctx),
            Input::Request(input) => approval::ask(&input, ctx),
            Input::Approve(input) => approval::approve(&input, ctx),
            Input::Reject(input) => approval::reject(&input, ctx),
            Input::Check(input) => approval::check(&input, ctx),
            Input::Verify(_) => Ok(Output::Verify {
                rows: Approvals::open(ctx.state_dir()?)?.verify()?,
            }),
        }
    }

    fn render(output: &Output, _: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        output::render(output, out)
    }
}

impl OldCalls for HumanFeedback {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(outcome)
    }
}
