//! Lists, checks and writes iCalendar events: what takes place when, what overlaps, when there is time.
//!
//! Replaces `event_calendar_tool`, whose seven events were part of the program: here every event comes from a
//! calendar that the caller or the settings name. Input files are never changed: a change is written as a copy.

mod bounds;
mod cache;
mod change;
mod conflicts;
mod free;
mod gather;
mod input;
mod legacy;
mod lint;
mod list;
mod make;
mod model;
mod render;
mod settings;
mod sources;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::input::Input;

/// What the tool returns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Output {
    /// What takes place.
    List(list::Listing),
    /// Busy and free times.
    Free(free::FreeBusy),
    /// Events that overlap.
    Conflicts(conflicts::Clashes),
    /// What a plan meets.
    Check(conflicts::Clashes),
    /// A new event.
    Create(make::Written),
    /// A moved event.
    Move(make::Written),
    /// A cancelled event.
    Cancel(make::Written),
    /// What is wrong.
    Lint(lint::Linted),
}

struct EventCalendar;

impl Tool for EventCalendar {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .reaches(&["web"])
            .replaces(2, &["event_calendar_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .action("free", &[Effect::Reads], Gate::Direct)
            .action("conflicts", &[Effect::Reads], Gate::Direct)
            .action("check", &[Effect::Reads], Gate::Direct)
            .action("lint", &[Effect::Reads], Gate::Direct)
            .policy(
                Policy::with_timeout(Duration::from_secs(120)),
                "several calendars over a slow line; following rules takes seconds at most",
            )
            .env("ONEJOB_ALLOW_PRIVATE", "1 lets it read from private addresses")
            .example(
                "what takes place in March",
                &[
                    "list",
                    "--from",
                    "2026-03-01",
                    "--to",
                    "2026-03-31",
                    "-s",
                    "team.ics",
                    "-z",
                    "Europe/Berlin",
                ],
            )
            .example(
                "the reviews, as a calendar of their own",
                &[
                    "list",
                    "review",
                    "--from",
                    "2026-03-01",
                    "--to",
                    "2026-03-31",
                    "-s",
                    "team.ics",
                    "-o",
                    "reviews.ics",
                ],
            )
            .example(
                "the next free hour",
                &[
                    "free",
                    "--from",
                    "2026-03-02",
                    "--to",
                    "2026-03-06",
                    "-m",
                    "60",
                    "-s",
                    "team.ics",
                    "-z",
                    "Europe/Berlin",
                ],
            )
            .example_exit(
                3,
                "what overlaps",
                &[
                    "conflicts",
                    "--from",
                    "2026-03-01",
                    "--to",
                    "2026-03-31",
                    "-s",
                    "team.ics",
                    "-s",
                    "launches.ics",
                ],
            )
            .example(
                "a series of ten",
                &[
                    "create",
                    "Stand-up",
                    "--start",
                    "2026-03-02T09:30",
                    "-m",
                    "15",
                    "-z",
                    "Europe/Berlin",
                    "--rrule",
                    "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=10",
                    "-o",
                    "standup.ics",
                ],
            )
            .example(
                "one instance at another time",
                &[
                    "move",
                    "team.ics",
                    "review@quillmoss.example",
                    "--instance",
                    "2026-03-12",
                    "--to",
                    "2026-03-13T15:00",
                    "-o",
                    "moved.ics",
                ],
            )
            .example(
                "one instance taken out",
                &[
                    "cancel",
                    "team.ics",
                    "review@quillmoss.example",
                    "--instance",
                    "2026-03-19",
                    "-o",
                    "without.ics",
                ],
            )
            .example("what is wrong with a calendar", &["lint", "team.ics"])
            .example(
                "the same, where a guess is a mistake too",
                &["lint", "holidays.ics", "--strict"],
            )
            .example_exit(
                3,
                "launches on holidays, or over events of the team",
                &[
                    "check",
                    "launches.ics",
                    "--against",
                    "team.ics",
                    "--holidays",
                    "holidays.ics",
                    "--from",
                    "2026-03-01",
                    "--to",
                    "2026-04-30",
                    "-z",
                    "Europe/Berlin",
                ],
            )
            .example(
                "a calendar from the web",
                &[
                    "list",
                    "--from",
                    "2026-03-01",
                    "--to",
                    "2026-03-31",
                    "-s",
                    "https://site.example/team.ics",
                ],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = match &input {
            Input::List(input) => Output::List(list::list(input, ctx).await?),
            Input::Free(input) => Output::Free(free::free(input, ctx).await?),
            Input::Conflicts(input) => Output::Conflicts(conflicts::conflicts(input, ctx).await?),
            Input::Check(input) => Output::Check(conflicts::check(input, ctx).await?),
            Input::Create(input) => Output::Create(make::create(input, ctx)?),
            Input::Move(input) => Output::Move(change::relocate(input, ctx)?),
            Input::Cancel(input) => Output::Cancel(change::call_off(input, ctx)?),
            Input::Lint(input) => Output::Lint(lint::lint(input, ctx).await?),
        };
        let failure = match &output {
            Output::Conflicts(clashes) | Output::Check(clashes) => {
                conflicts::met(clashes, &output).or_else(|| list::incomplete(&clashes.basis, &output))
            }
            Output::List(listing) => list::incomplete(&listing.basis, &output),
            Output::Free(times) => list::incomplete(&times.basis, &output),
            Output::Lint(linted) => lint::mistakes(linted, &input, &output),
            Output::Create(_) | Output::Move(_) | Output::Cancel(_) => None,
        };
        failure.map_or(Ok(output), Err)
    }

    fn render(output: &Output, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        render::render(output, view, out)
    }

    fn render_partial(output: &Value, view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let output: Output = serde_json::from_value(output.clone()).map_err(|_| fmt::Error)?;
        render::render(&output, view, out)
    }
}

impl OldCalls for EventCalendar {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(outcome)
    }
}

fn main() -> ExitCode {
    migration::main::<EventCalendar>()
}
