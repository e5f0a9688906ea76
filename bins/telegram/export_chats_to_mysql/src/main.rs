//! Stores the dialog list in a database: one row per chat, refreshed by every run. Replaces `export_chats_to_mysql`.
//!
//! SQLite by default, MySQL or MariaDB by address. Tables are made when they are missing.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;

use app_core::text::visible_line;
use app_core::{Context, Definition, Effect, Policy, Secret, Tool, ToolError, ToolResult, View};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sql::telegram::ChatRow;
use sql::{self, Database, Location, Stored};
use telegram::{Dialog, Telegram};

fn database_file() -> PathBuf {
    PathBuf::from("telegram.sqlite")
}

/// What the tool needs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Input {
    /// Chats stored at most, in the server's order; 0 for all
    #[garde(range(max = 50_000))]
    #[serde(default)]
    max_dialogs: usize,
    /// Address of the database, instead of the one in the environment
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<Secret>,
    /// SQLite file used when neither address nor MYSQL_* variables are given
    #[serde(default = "database_file")]
    #[schemars(extend("x-cli" = {"path": "out"}))]
    file: PathBuf,
}

/// A chat that was stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Line {
    /// Title or name.
    title: String,
    /// Marked id.
    id: i64,
    /// `user`, `bot`, `group`, `supergroup` or `channel`.
    chat_type: String,
    /// Why the database refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What the tool returns.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Output {
    /// The database, without its password.
    database: String,
    /// The chats, in the server's order.
    chats: Vec<Line>,
    /// Rows that were new.
    inserted: u64,
    /// Rows that were there already.
    updated: u64,
    /// Rows the database refused.
    errors: u64,
    /// Whether this only says what would be done.
    planned: bool,
}

struct ExportChatsToMysql;

impl Tool for ExportChatsToMysql {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        let mut definition = app_core::definition!("telegram")
            .reaches(&["telegram", "mysql"])
            .policy(Policy::with_timeout(std::time::Duration::from_secs(12 * 3600)), "many chats are read page by page, and rows are stored as they come; a second run stores nothing twice")
            .replaces(1, &["export_chats_to_mysql", "export_chats_mysql"])
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::ChangesRemote])
            .example("every chat of the account into telegram.sqlite", &[])
            .example("the first hundred", &["--max-dialogs", "100"]);
        telegram::declare(&mut definition);
        definition.env.extend(sql::variables());
        definition
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let location = Location::choose(ctx, input.database.as_ref(), &input.file)?;
        // The database first: Telegram need not be asked for what cannot be kept.
        let database = if ctx.may("store_rows", &location.label(), "chats") {
            let database = Database::open(&location).await?;
            database.prepare_telegram().await?;
            Some(database)
        } else {
            None
        };
        let most = (input.max_dialogs > 0).then_some(input.max_dialogs);
        let dialogs = Telegram::session(ctx, async |telegram| telegram.dialogs(most, |_| true).await).await;
        let rows: Vec<ChatRow> = dialogs?.iter().map(row).collect();
        let stored = match database {
            Some(database) => {
                let stored = database.upsert_chats(&rows).await;
                database.close().await;
                stored?
            }
            None => Stored::default(),
        };
        ctx.count_items(stored.inserted + stored.updated);
        let output = told(location.label(), &rows, &stored, ctx.dry_run());
        if output.errors > 0 {
            let message = format!("{} of {} chats are not stored", output.errors, rows.len());
            return Err(ToolError::partial(message, &output));
        }
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report(output, out)
    }

    fn render_partial(
        output: &serde_json::Value,
        _: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        match serde_json::from_value::<Output>(output.clone()) {
            Ok(output) => report(&output, out),
            Err(_) => app_core::render_value(output, out),
        }
    }
}

fn row(dialog: &Dialog) -> ChatRow {
    let peer = &dialog.chat.peer;
    ChatRow {
        id: peer.id.0,
        title: peer.name().unwrap_or_else(|| "Unknown".to_owned()),
        username: peer.username.clone(),
        chat_type: peer.kind.word(),
        members: peer.members,
        unread: dialog.unread,
        last_message: dialog.last.as_ref().map(|last| last.date),
        verified: peer.flags.verified,
        restricted: peer.flags.restricted,
        creator: peer.flags.creator,
        admin: peer.flags.admin,
    }
}

fn told(database: String, rows: &[ChatRow], stored: &Stored, planned: bool) -> Output {
    let mut chats: Vec<Line> = rows
        .iter()
        .map(|row| Line {
            title: row.title.clone(),
            id: row.id,
            chat_type: row.chat_type.to_owned(),
            error: None,
        })
        .collect();
    for failure in &stored.failed {
        if let Some(line) = chats.get_mut(failure.row) {
            line.error = Some(failure.message.clone());
        }
    }
    Output {
        database,
        chats,
        inserted: stored.inserted,
        updated: stored.updated,
        errors: stored.failed.len() as u64,
        planned,
    }
}

/// The report, in the words of the replaced script.
fn report(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "Connected to Telegram\nFound {} dialogs", output.chats.len())?;
    for line in &output.chats {
        match &line.error {
            Some(error) => writeln!(out, "  ERROR: {}: {error}", visible_line(&line.title))?,
            None => {
                let title: String = visible_line(&line.title).chars().take(40).collect();
                writeln!(out, "  [{:<10}] {title:<40} (ID: {})", line.chat_type, line.id)?;
            }
        }
    }
    if output.planned {
        return writeln!(out, "\nNothing is stored: this is a plan for {}", output.database);
    }
    writeln!(
        out,
        "\n{}\nExport complete!\n  Inserted: {}\n  Updated:  {}\n  Errors:   {}\n  Total:    {}",
        "=".repeat(50),
        output.inserted,
        output.updated,
        output.errors,
        output.chats.len()
    )
}

fn main() -> ExitCode {
    app_core::main::<ExportChatsToMysql>()
}
