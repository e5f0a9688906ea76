//! All chats, or those of a folder: each gets a file of its own, and one that cannot be exported does not hold up the rest.

use std::fmt;

use app_core::text::visible_line;
use app_core::{Context, ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;
use telegram::export::names::file_name;
use telegram::{Dialog, Telegram};

use crate::{Input, One, Output, Wanted, export_chat};

/// Which chats.
#[derive(Debug)]
pub enum Several {
    /// Those of the dialog list.
    All,
    /// Those of a folder.
    Folder(String),
}

/// Exports of several chats.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Many {
    /// The folder, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Chats that were exported, in the order of the dialog list.
    pub chats: Vec<One>,
    /// Chats that were not.
    pub failed: Vec<Failed>,
    /// Chats that the run did not come to.
    pub left: usize,
    /// Messages of all exports.
    pub messages: usize,
    /// Files that are missing from them.
    pub files_left_out: usize,
    /// Chats that the folder names and the account has not in its list.
    #[serde(skip_serializing_if = "is_zero")]
    pub lacking: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A chat that could not be exported.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Failed {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Code of the error.
    pub code: String,
    /// What happened.
    pub message: String,
}

/// Which chats were asked for; none where it is one.
///
/// # Errors
/// `invalid_input` when it is not exactly one of a chat, all, and a folder, or when a single file or topic is asked for
/// with several chats.
pub fn asked(input: &Input) -> ToolResult<Option<Several>> {
    let several = match (&input.chat, input.all, &input.folder) {
        (Some(_), false, None) => return Ok(None),
        (None, true, None) => Several::All,
        (None, false, Some(folder)) => Several::Folder(folder.clone()),
        (None, false, None) => {
            return Err(ToolError::invalid("chat", "no chat is named")
                .hint("name one, or take all of a folder (`--folder NAME`) or all there are (`--all`)"));
        }
        _ => {
            return Err(ToolError::invalid(
                "chat",
                "a chat, `--all` and `--folder` cannot be asked for together",
            ));
        }
    };
    let alone = [
        ("output", input.output.is_some()),
        ("topic", input.topic.is_some()),
        ("min_id", input.min_id.is_some()),
        ("max_id", input.max_id.is_some()),
    ];
    match alone.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(ToolError::invalid(*field, "means one chat, not several")),
        None => Ok(Some(several)),
    }
}

/// Exports them, one after another.
///
/// # Errors
/// `partial` when some could not be exported or lack files, and the error that stopped the run, both with all that was
/// done.
pub async fn run(wanted: &Wanted, several: &Several, ctx: &Context) -> ToolResult<Output> {
    let mut many = Many::default();
    let done = Telegram::session(ctx, async |telegram| {
        let dialogs = chats(several, telegram, &mut many).await?;
        if wanted.takeout {
            telegram.begin_takeout().await?;
        }
        each(wanted, &dialogs, telegram, &mut many).await
    })
    .await;
    ctx.count_items(many.chats.len() as u64);
    let (failed, files, lacking) = (many.failed.len(), many.files_left_out, many.lacking);
    let output = Output::Many(many);
    if let Err(error) = done {
        return Err(error.with_output(&output));
    }
    let mut lacks = Vec::new();
    if failed > 0 {
        lacks.push(format!("{failed} chats could not be exported"));
    }
    if files > 0 {
        lacks.push(format!("{files} files are missing from the exports"));
    }
    if lacking > 0 {
        lacks.push(format!(
            "{lacking} chats of the folder are not in the account's list"
        ));
    }
    if lacks.is_empty() {
        return Ok(output);
    }
    Err(ToolError::partial(lacks.join("; "), &output).hint("the same command again fetches what is missing"))
}

/// The chats asked for.
async fn chats(several: &Several, telegram: &Telegram, many: &mut Many) -> ToolResult<Vec<Dialog>> {
    match several {
        Several::All => telegram.dialogs(None, |_| true).await,
        Several::Folder(name) => {
            let filed = telegram.folder(name).await?;
            many.folder = Some(name.clone());
            many.lacking = filed.lacking;
            if filed.unsure > 0 {
                telegram.context().warn(format!(
                    "the folder leaves out muted chats; {} chats follow the general settings of notifications, which are \
                     not looked at, and are exported",
                    filed.unsure
                ));
            }
            Ok(filed.dialogs)
        }
    }
}

async fn each(wanted: &Wanted, dialogs: &[Dialog], telegram: &Telegram, many: &mut Many) -> ToolResult<()> {
    let ctx = telegram.context();
    let progress = ctx.progress("chats", "chats", Some(dialogs.len() as u64));
    many.left = dialogs.len();
    for dialog in dialogs {
        ctx.check_cancelled()?;
        let chat = &dialog.chat;
        let name = file_name(chat.peer.name().as_deref(), &chat.id().to_string());
        match export_chat(wanted, chat, &name, telegram).await {
            Ok(one) => {
                many.messages += one.exported.messages;
                many.files_left_out += one.exported.files_left_out;
                many.chats.push(one);
            }
            Err(error) if of_one_chat(&error) => {
                ctx.warn(format!("`{}` was not exported: {}", chat.title(), error.message));
                many.failed.push(Failed {
                    chat: chat.title(),
                    chat_id: chat.id().0,
                    code: error.code,
                    message: error.message,
                });
            }
            Err(error) => return Err(error),
        }
        many.left -= 1;
        progress.inc(1);
    }
    progress.finish();
    Ok(())
}

/// Whether an error says something of one chat only. What is wrong with the account, the connection or the disk is wrong
/// with the next chat as well.
fn of_one_chat(error: &ToolError) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::ProviderRejected | ErrorKind::Conflict | ErrorKind::InvalidInput
    )
}

/// Exports of several chats, for people.
pub fn shown(many: &Many, out: &mut dyn fmt::Write) -> fmt::Result {
    for one in &many.chats {
        writeln!(
            out,
            "✅ {}: {} сообщений → {}",
            visible_line(&one.chat),
            one.exported.messages,
            one.exported.path.display()
        )?;
    }
    for failed in &many.failed {
        writeln!(
            out,
            "❌ {}: {}",
            visible_line(&failed.chat),
            visible_line(&failed.message)
        )?;
    }
    write!(out, "Чатов: {}, сообщений: {}", many.chats.len(), many.messages)?;
    for (count, what) in [
        (many.failed.len(), "не экспортировано"),
        (many.left, "не дошла очередь"),
        (many.files_left_out, "файлов пропущено"),
        (many.lacking, "нет в списке диалогов"),
    ] {
        if count > 0 {
            write!(out, ", {what}: {count}")?;
        }
    }
    writeln!(out)
}
