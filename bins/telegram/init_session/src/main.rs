//! Signs the Telegram account in once, for all tools. Replaces `init_session`.
//!
//! A login that fails leaves nothing that looks like one; a session that works is never replaced without `--force`.

mod ask;
mod login;
mod sent;

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use app_core::{Context, Definition, Effect, Policy, Secret, Tool, ToolError, ToolResult, View};
use garde::Validate;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Input {
    /// Telephone number of the account
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"env": "TELEGRAM_PHONE"}))]
    pub phone: Option<String>,
    /// The login code, for a second run where nobody can be asked; the first run sends it
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Secret>,
    /// Two-step password, if the account has one; asked for on a terminal
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"env": "TELEGRAM_PASSWORD"}))]
    pub password: Option<Secret>,
    /// Show a QR code to scan with a signed-in Telegram program instead of sending a code
    #[serde(default)]
    pub qr: bool,
    /// Take over the login of this session file (Telethon or grammers); it is copied, never changed
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file"}))]
    pub import: Option<PathBuf>,
    /// Say who is signed in, and change nothing
    #[serde(default)]
    pub check: bool,
    /// Replace a session that works
    #[serde(default)]
    pub force: bool,
    /// Say which files are used, without a connection
    #[serde(default)]
    #[schemars(extend("x-cli" = {"hidden": true}))]
    pub names: bool,
}

/// How far the login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The session is signed in.
    SignedIn,
    /// Telegram sent a code; run again with `--code`.
    CodeSent,
    /// The owner did not agree.
    Cancelled,
    /// Nothing was done.
    Planned,
}

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Output {
    /// How far the login is.
    pub status: Status,
    /// The session file.
    pub session: PathBuf,
    /// The lock files that guard it.
    pub locks: Vec<PathBuf>,
    /// Id of the account, as the server says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<i64>,
    /// Name of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Public name of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What the old helper would have used.
    #[serde(skip)]
    pub helper: Option<Value>,
}

struct InitSession;

impl Tool for InitSession {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram"])
            .replaces(1, &["init_session", "telegram_session"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::ChangesRemote])
            .policy(
                Policy::with_timeout(Duration::from_secs(600)),
                "a person types a code and a password, or fetches a telephone",
            )
            .env("TELEGRAM_PHONE", "Telephone number of the account")
            .secret("TELEGRAM_PASSWORD", "Two-step password of the account")
            .example("who is signed in", &["--check"])
            .example(
                "what a login would do",
                &["--phone", "+10000000000", "--force", "--dry-run"],
            );
        telegram::declare(&mut definition);
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        login::run(input, ctx).await
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output.status {
            Status::SignedIn => {
                let name = output.name.as_deref().unwrap_or("?");
                let username = output
                    .username
                    .as_ref()
                    .map_or_else(|| "не указан".to_owned(), |name| format!("@{name}"));
                writeln!(
                    out,
                    "✅ {name} ({username}), id {}",
                    output.account_id.unwrap_or_default()
                )?;
                writeln!(out, "   {}", output.session.display())?;
            }
            Status::CodeSent => writeln!(out, "A login code is on its way.")?,
            Status::Cancelled => writeln!(out, "Отменено.")?,
            Status::Planned => writeln!(out, "Would sign in and write `{}`.", output.session.display())?,
        }
        output
            .next
            .as_ref()
            .map_or(Ok(()), |next| writeln!(out, "{next}"))
    }
}

impl OldCalls for InitSession {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        match call.get("function").and_then(Value::as_str) {
            Some("import") => Ok(json!({"names": true})),
            Some("get_client") => Ok(json!({"names": true, "check": true})),
            Some(_) => Ok(json!({"check": true})),
            None => Ok(call),
        }
    }

    fn to_legacy(_call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        match outcome {
            Ok(output) => output.helper.clone().unwrap_or_else(|| json!("CLIENT MADE\n")),
            Err(error) => json!({"status": "error", "message": error.message}),
        }
    }
}

fn main() -> ExitCode {
    migration::main::<InitSession>()
}
