//! Lists of what a run changed, written before it acts, and taking reactions back by them.

use std::path::{Path, PathBuf};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bulk::State;
use crate::client::Telegram;
use crate::many::{self, Many};
use crate::model::{MarkedId, Message};
use crate::pace::Pace;
use crate::peers::{ByTitle, Chat};
use crate::reactions::Given;

/// Version of the list. A list of another version is refused.
const VERSION: u32 = 2;

/// Largest list that is read, in bytes.
const LARGEST: u64 = 64 << 20;

/// The name under which lists of reactions are kept.
const REACT: &str = "react";

/// A list as it lies on disk.
#[derive(Debug, Serialize, Deserialize)]
struct List<T> {
    v: u32,
    action: String,
    chat_id: MarkedId,
    chat: String,
    run: String,
    at: Timestamp,
    /// Account that acted; it alone can take its reactions back.
    account: MarkedId,
    items: Vec<T>,
}

/// What a run did to the reactions on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Number of the message.
    pub id: i32,
    /// This account's reactions before.
    pub before: Vec<Given>,
    /// The reaction that the run gives.
    pub set: Given,
}

/// Writes what would be needed to undo a run, before it acts; where that lies. Only the owner may read it.
///
/// # Errors
/// `io` when it cannot be written: then nothing must be done.
pub fn write(telegram: &Telegram, action: &str, chat: &Chat, items: Vec<Value>) -> ToolResult<PathBuf> {
    let ctx = telegram.context();
    let folder = ctx.state_dir()?.join("telegram").join("undo");
    // Closed to others before a text is in it, so that there is no moment in which they could read one; its parent too.
    if let Some(parent) = folder.parent() {
        app_core::state::folder(parent)?;
    }
    app_core::state::folder(&folder)?;
    // A run may act in several chats.
    let path = folder.join(format!("{} {}.json", ctx.run_id(), chat.id()));
    let list = List {
        v: VERSION,
        action: action.to_owned(),
        chat_id: chat.id(),
        chat: chat.title(),
        run: ctx.run_id().to_owned(),
        at: ctx.now(),
        account: telegram.me()?.id,
        items,
    };
    let text = serde_json::to_vec_pretty(&list).map_err(|e| ToolError::internal(e.to_string()))?;
    crate::files::write_private(ctx, &path, "application/json", "undo_list", &text)?;
    Ok(path)
}

/// Writes the list of a run that gives reactions.
///
/// # Errors
/// As [`write`].
pub fn write_reactions(telegram: &Telegram, chat: &Chat, changes: &[Changed]) -> ToolResult<PathBuf> {
    let items = changes
        .iter()
        .map(|change| serde_json::to_value(change).map_err(|e| ToolError::internal(e.to_string())))
        .collect::<ToolResult<Vec<Value>>>()?;
    write(telegram, REACT, chat, items)
}

/// One message whose reaction is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Undone {
    /// Number of the message.
    pub id: i32,
    /// The reactions that are put back; empty takes the one of the run away.
    pub back_to: Vec<String>,
    /// What became of it.
    pub state: State,
    /// Why it failed or was left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Chat, for the plan.
    #[serde(skip)]
    chat: MarkedId,
    #[serde(skip)]
    before: Vec<Given>,
}

impl many::Item for Undone {
    fn state(&self) -> State {
        self.state
    }
    fn outcome(&mut self) -> (&mut State, &mut Option<String>) {
        (&mut self.state, &mut self.error)
    }
    fn target(&self) -> String {
        many::message_target(self.chat, self.id)
    }
    fn detail(&self) -> String {
        self.back_to.join(" ")
    }
}

/// What an undo run did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// The list that was read.
    pub list: PathBuf,
    /// The messages, in the order of the list.
    pub items: Vec<Undone>,
    /// Reactions taken back by this run.
    pub undone: usize,
    /// Nothing was changed: this is what would be.
    pub planned: bool,
}

/// Takes back the reactions of a run by its list: each message gets the reactions it had from this account before. A
/// message whose reaction is another by now is left alone, since somebody changed it after the run.
///
/// # Errors
/// `invalid_input` when the file is no list of reactions or of another account; those of reading; `partial` or
/// `cancelled`, with the report, as [`many::told`].
pub async fn reactions(path: &Path, delay: std::time::Duration, ctx: &Context) -> ToolResult<Report> {
    let list = read(path, ctx)?;
    let mut report = Report {
        chat: list.chat.clone(),
        chat_id: list.chat_id.0,
        list: path.to_owned(),
        items: Vec::new(),
        undone: 0,
        planned: ctx.dry_run(),
    };
    let outcome = Telegram::session(ctx, async |telegram| {
        take_back(&list, &mut report, delay, telegram).await
    })
    .await;
    report.undone = many::Tally::of(&report.items).done;
    match outcome {
        Err(error) if error.kind != ErrorKind::Cancelled => Err(error.with_output(&report)),
        _ => many::told(ctx, &report.items, &report).map(|()| report),
    }
}

fn read(path: &Path, ctx: &Context) -> ToolResult<List<Changed>> {
    let wrong = |what: String| ToolError::invalid("undo", format!("`{}` {what}", path.display()));
    let bytes = ctx.read(path, LARGEST)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| wrong(format!("is no undo list: {e}")))?;
    if value["v"] != VERSION {
        return Err(wrong(format!("is no undo list of version {VERSION}")).hint(
            "lists of older versions name emoji for people only and cannot be taken back by a program",
        ));
    }
    if value["action"] != REACT {
        return Err(
            wrong("is no list of reactions".to_owned()).hint("what was deleted or sent cannot be taken back")
        );
    }
    serde_json::from_value(value).map_err(|e| wrong(format!("is no undo list: {e}")))
}

async fn take_back(
    list: &List<Changed>,
    report: &mut Report,
    delay: std::time::Duration,
    telegram: &Telegram,
) -> ToolResult<()> {
    let ctx = telegram.context();
    let account = telegram.me()?.id;
    if account != list.account {
        return Err(ToolError::invalid(
            "undo",
            format!("the list is of the account {}, this is {account}", list.account),
        ));
    }
    let chat = telegram.resolve(&list.chat_id.to_string(), ByTitle::No).await?;
    let ids: Vec<i32> = list.items.iter().map(|item| item.id).collect();
    let fresh = telegram.by_ids(&chat, &ids).await?;
    report.items = list
        .items
        .iter()
        .zip(&fresh)
        .map(|(change, message)| undone(change, chat.id(), message.as_ref()))
        .collect();
    let many = Many::new(telegram, "take_back_reaction", "messages").paced(Pace::Reactions, delay);
    many.ask(&mut report.items);
    if ctx.dry_run() {
        return Ok(());
    }
    let act = async |item: &mut Undone| {
        telegram.set_reactions(&chat, item.id, &item.before).await?;
        Ok(State::Done)
    };
    many.run(&mut report.items, act, |_| delay).await
}

/// What is to do with a message.
fn undone(change: &Changed, chat: MarkedId, message: Option<&Message>) -> Undone {
    let mut before = change.before.clone();
    before.sort_by_key(Given::label);
    let (state, error) = match message {
        None => (State::Spared, Some("the message is gone".to_owned())),
        Some(message) => {
            let own = Given::own(message);
            if own == before {
                (State::Already, None)
            } else if own.contains(&change.set) {
                (State::Planned, None)
            } else {
                (
                    State::Spared,
                    Some("its reaction was changed after the run".to_owned()),
                )
            }
        }
    };
    Undone {
        id: change.id,
        back_to: before.iter().map(Given::label).collect(),
        state,
        error,
        chat,
        before,
    }
}

/// The report as lines for people.
///
/// # Errors
/// Those of the writer.
pub fn render(report: &Report, out: &mut dyn std::fmt::Write) -> std::fmt::Result {
    writeln!(out, "Chat: {}", app_core::text::visible_line(&report.chat))?;
    for item in &report.items {
        let back = if item.back_to.is_empty() {
            "no reaction".to_owned()
        } else {
            item.back_to.join(" ")
        };
        let verb = match item.state {
            State::Planned => "would go back to",
            State::Done => "back to",
            State::Already => "is already at",
            State::Spared => "left alone, was to go back to",
            State::Failed => "failed, was to go back to",
            State::Left => "left for the next run, to go back to",
        };
        writeln!(out, "  {}: {verb} {back}", item.id)?;
        if let Some(error) = &item.error {
            writeln!(out, "    {error}")?;
        }
    }
    let of = report.items.len();
    if report.planned {
        let planned = report
            .items
            .iter()
            .filter(|item| item.state == State::Planned)
            .count();
        writeln!(
            out,
            "{planned} of {of} reactions would be taken back; add --apply to do it"
        )
    } else {
        writeln!(out, "{} of {of} reactions taken back", report.undone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Reaction, ReactionKind};

    fn message(kinds: &[ReactionKind]) -> Message {
        let reaction = |kind: &ReactionKind| Reaction {
            kind: kind.clone(),
            count: 1,
            chosen: true,
        };
        Message {
            id: 5,
            reactions: kinds.iter().map(reaction).collect(),
            ..Message::default()
        }
    }

    #[test]
    fn only_what_is_still_ours_is_taken_back() {
        let change = Changed {
            id: 5,
            before: vec![Given::CustomEmoji("77".into())],
            set: Given::Emoji("🔥".into()),
        };
        let state = |kinds: &[ReactionKind]| undone(&change, MarkedId(1), Some(&message(kinds))).state;
        assert_eq!(state(&[ReactionKind::Emoji("🔥".into())]), State::Planned);
        assert_eq!(state(&[ReactionKind::Custom(77)]), State::Already);
        assert_eq!(state(&[ReactionKind::Emoji("👍".into())]), State::Spared);
        assert_eq!(state(&[]), State::Spared);
        assert_eq!(undone(&change, MarkedId(1), None).state, State::Spared);
    }

    #[test]
    fn custom_emoji_are_kept_as_a_program_can_give_them() {
        let own = Given::own(&message(&[
            ReactionKind::Custom(5_368_324_170_671_202_286),
            ReactionKind::Emoji("❤\u{fe0f}".into()),
            ReactionKind::Paid,
        ]));
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(text, r#"[{"custom_emoji":"5368324170671202286"},{"emoji":"❤"}]"#);
        assert_eq!(serde_json::from_str::<Vec<Given>>(&text).unwrap(), own);
    }
}
