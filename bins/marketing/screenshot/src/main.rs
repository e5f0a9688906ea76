//! Takes pictures and PDFs of web pages in Chromium, and compares them with earlier ones.
//!
//! Replaces `screenshot_tool`, which took a whole page as it was at the load event. A page is brought to rest first,
//! and what keeps it from coming to rest is told; everything it asks of the network passes the address guard.

mod check;
mod compare;
mod consent;
mod deliver;
mod device;
mod diff;
mod hide;
mod input;
mod legacy;
mod limits;
mod many;
mod page;
mod pdf;
mod report;
mod session;
mod shoot;
mod shots;
mod take;
mod target;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use input::Input;

fn main() -> ExitCode {
    migration::main::<Screenshot>()
}

struct Screenshot;

/// What the tool returns.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Output {
    /// A page was taken.
    Take(take::Taken),
    /// Many were taken.
    Run(many::Ran),
    /// Two pictures were compared.
    Diff(compare::Compared),
    /// Many were taken and compared.
    Check(check::Report),
    /// A page was printed.
    Pdf(pdf::Printed),
}

impl Tool for Screenshot {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .reaches(&["web"])
            .replaces(2, &["screenshot_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .default_action("take")
            .action("diff", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "a page takes ten seconds at most to come to rest, a file may list hundreds",
            )
            .secret(target::BASIC_AUTH, "`user:password` for --basic-auth")
            .env(
                browser::BROWSER_VARIABLE,
                "the browser, if it is not found by its usual names",
            )
            .env(
                "ONEJOB_ALLOW_PRIVATE",
                "1 lets it show pages at private addresses",
            )
            .example("the whole page", &["https://site.example", "home.png"])
            .example(
                "one element on a phone, in dark colours",
                &[
                    "https://site.example",
                    "card.webp",
                    "--selector",
                    "tea-card",
                    "--device",
                    "phone",
                    "--dark",
                ],
            )
            .example(
                "as many as a file lists",
                &["run", "shots.yml", "--parallel", "2", "-o", "shots"],
            )
            .example(
                "keep pictures to compare with later",
                &["check", "shots.yml", "--baseline", "expected", "--update"],
            )
            .example_exit(
                3,
                "what differs between two pictures",
                &["diff", "before.png", "after.png", "-o", "differences.png"],
            )
            .example(
                "a PDF on A5",
                &["pdf", "https://site.example", "home.pdf", "--paper", "a5"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        Ok(match input {
            Input::Take(input) => Output::Take(take::take(&input, ctx).await?),
            Input::Run(input) => Output::Run(many::run(&input, ctx).await?),
            Input::Diff(input) => Output::Diff(compare::compare(&input, ctx)?),
            Input::Check(input) => Output::Check(check::check(&input, ctx).await?),
            Input::Pdf(input) => Output::Pdf(pdf::print(&input, ctx).await?),
        })
    }

    fn render(output: &Output, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::render(output, view, out)
    }

    fn render_partial(output: &Value, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::render_partial(output, view, out)
    }
}

impl OldCalls for Screenshot {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(outcome)
    }
}
