//! Remembers documents, finds them by words in any script, and forgets them for good.
//!
//! Replaces `memory_retrieval`, which kept nothing and failed on every call. The store is one file for all programs of the
//! host (crate `memory`); nothing leaves the machine. Old calls look for a part of the text and answer oldest first.

mod actions;
mod files;
mod import;
mod input;
mod legacy;
mod output;
mod render;
mod sections;
mod storing;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{
    Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
};
use input::Input;
use migration::OldCalls;
use output::Output;
use serde_json::Value;

fn main() -> ExitCode {
    migration::main::<MemoryRetrieval>()
}

struct MemoryRetrieval;

impl Tool for MemoryRetrieval {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(3, &["memory_retrieval"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .gate(Gate::ByInput)
            .policy(
                Policy { retry: RetryPolicy::NONE, ..Policy::with_timeout(Duration::from_secs(1800)) },
                "a folder of a million notes takes minutes; other writers are waited for inside, and what was stored is not stored again",
            )
            .example(
                "remember a text",
                &["store", "Чайные коробки со скидкой до пятницы", "-c", "shop", "--set", "lang=ru"],
            )
            .example("remember the lines of a file", &["store", "-c", "shop", "--file", "notes.jsonl"])
            .example(
                "find by words, whatever their form",
                &["retrieve", "чайная коробка", "-c", "shop", "-k", "5", "--where", "lang=ru"],
            )
            .example("see what would be forgotten", &["forget", "-c", "shop", "--where", "lang=ru"])
            .example(
                "see that a name is in no byte of the store",
                &["verify", "Zwiebelgasse 17"],
            )
            .example(
                "measure how well questions find their answers",
                &["gold", "questions.jsonl", "--documents", "notes.jsonl", "--min-recall", "0.95"],
            )
    }

    fn plan_first(input: &Input) -> bool {
        matches!(input, Input::Forget(forget) if !forget.conditions.is_empty())
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Store(store) => storing::run(*store, ctx),
            Input::Retrieve(retrieve) => actions::find(&retrieve, &actions::open(ctx)?, ctx),
            Input::List(input) => actions::list(&input, &actions::open(ctx)?, ctx),
            Input::Forget(input) => actions::forget(input, &mut actions::open(ctx)?, ctx),
            Input::Collections(_) => Ok(Output::Collections {
                collections: actions::open(ctx)?.collections()?,
            }),
            Input::Export(input) => actions::export(input, &actions::open(ctx)?, ctx),
            Input::Reindex(_) => actions::reindex(&mut actions::open(ctx)?, ctx),
            Input::Verify(input) => actions::verify(&input, &mut actions::open(ctx)?, ctx),
            Input::Gold(input) => actions::gold(&input, ctx),
        }
    }

    fn render(output: &Output, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        render::render(output, view, out)
    }
}

impl OldCalls for MemoryRetrieval {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(&call)
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(outcome)
    }
}
