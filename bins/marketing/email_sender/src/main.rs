//! Sends letters to one recipient or to a list: each address gets a campaign's letter once, whatever happens.
//!
//! Replaces `email_sender_tool`, which sent at once, to anybody. A list is only planned without `--apply`; one recipient
//! gets his letter at once when the settings allow him. Deliveries are rows of the host's outbox before a byte leaves;
//! what was lost after the final dot is undecided until somebody settles it. See crate `mail`.

mod deliver;
mod html;
mod input;
mod legacy;
mod letter;
mod mjml;
mod output;
mod plan;
mod rows;
mod send;
mod settings;
mod template;

use std::{fmt, process::ExitCode, time::Duration};

use app_core::{
    Context, Definition, Effect, Gate, Policy, Tool, ToolError, ToolResult, View, contract::RetryPolicy,
};
use input::Input;
use migration::OldCalls;
use output::Output;
use serde_json::Value;

fn main() -> ExitCode {
    migration::main::<EmailSender>()
}

struct EmailSender;

impl Tool for EmailSender {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let own = [Effect::Reads, Effect::WritesFiles];
        app_core::definition!("marketing")
            .reaches(&["smtp"])
            .replaces(2, &["email_sender_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::Sends])
            .gate(Gate::ByInput)
            .action("plan", &own, Gate::Direct)
            .action("status", &[Effect::Reads], Gate::Direct)
            .action("resolve", &own, Gate::Direct)
            .action("suppress", &own, Gate::Direct)
            .action("bounce", &own, Gate::Direct)
            .action("unsubscribe_link", &[Effect::Reads], Gate::Direct)
            .policy(
                Policy {
                    retry: RetryPolicy::NONE,
                    ..Policy::with_timeout(Duration::from_secs(24 * 3600))
                },
                "a long list at the pace of its server; a letter is never sent again by itself",
            )
            .env("SMTP_HOST", "mail server")
            .env(
                "SMTP_PORT",
                "its port; 587 by default, 465 is encrypted from the first byte",
            )
            .env(
                "SMTP_USERNAME",
                "who logs in, and who writes where no other sender is set",
            )
            .secret("SMTP_PASSWORD", "password of the login")
            .secret("DKIM_PRIVATE_KEY", "key that signs letters, PEM (RSA or Ed25519)")
            .secret(
                "UNSUBSCRIBE_SECRET",
                "signs links for unsubscribing, 16 characters or more",
            )
            .known_gap("one address a call: the script took several, separated by commas, by chance")
            .example(
                "see who of a list would get a letter, and look at the letters",
                &[
                    "plan",
                    "letter.mjml",
                    "--to",
                    "list.csv",
                    "--subject",
                    "Tea is back, {{ name }}",
                    "--key",
                    "spring-1",
                    "--from",
                    "news@quillmoss.example",
                    "-o",
                    "letters",
                ],
            )
            .example("how far a campaign is", &["status", "spring-1"])
            .example(
                "send nothing to an address any more",
                &["suppress", "add", "max@quillmoss.example"],
            )
            .example("who gets nothing any more", &["suppress", "list"])
            .example("take up what a mail server reports", &["bounce", "bounce.eml"])
    }

    /// One explicit recipient gets his letter at once; a list is planned first.
    fn plan_first(input: &Input) -> bool {
        matches!(input, Input::Send(sending) if sending.to.as_deref().is_some_and(input::is_list))
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Send(sending) => send::send(&sending, ctx).await,
            Input::Plan(sending) => plan::plan(&sending, ctx).await,
            Input::Status(input) => rows::status(&input, ctx),
            Input::Resolve(input) => rows::resolve(&input, ctx),
            Input::Suppress(input) => rows::suppress(&input, ctx),
            Input::Bounce(input) => rows::bounce(&input, ctx),
            Input::UnsubscribeLink(input) => rows::unsubscribe_link(&input, ctx),
        }
    }

    fn render(output: &Output, _: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        output::render(output, out)
    }
}

impl OldCalls for EmailSender {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        Ok(legacy::from_legacy(&call))
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(outcome)
    }
}
