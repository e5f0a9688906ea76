//! Deleting messages: what would go, a list of it with the full texts, then batches, going on after a stop.
//!
//! A run that deletes keeps its plan until it is through. Started again it finishes that plan instead of making a new
//! one: a fresh look at "the newest 100" would reach further back than anybody asked for.

mod deleting;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::bulk::{self, State};
use crate::client::Telegram;
use crate::many::{self, Many};
use crate::model::{MarkedId, Message};
use crate::peers::Chat;
use crate::undo;
use deleting::Deleting;

/// A plan that was not finished counts for so long; after that the chat is looked at afresh.
const PLAN_LASTS: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// One message of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Number of the message.
    pub id: i32,
    /// When it was sent.
    pub date: Timestamp,
    /// Name of the sender, unless it is this account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Its beginning; empty without a text.
    pub preview: String,
    /// What became of it.
    pub state: State,
    /// Why it was not deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its chat, for the plan.
    #[serde(skip)]
    chat: MarkedId,
}

impl many::Item for Line {
    fn state(&self) -> State {
        self.state
    }
    fn outcome(&mut self) -> (&mut State, &mut Option<String>) {
        (&mut self.state, &mut self.error)
    }
    fn target(&self) -> String {
        many::message_target(self.chat, self.id)
    }
}

impl Line {
    /// The date as the scripts print it, to the minute.
    pub fn minute(&self) -> String {
        self.day("%d.%m.%Y %H:%M")
    }

    /// The date as the scripts print it, to the second.
    pub fn second(&self) -> String {
        self.day("%d.%m.%Y %H:%M:%S")
    }

    fn day(&self, format: &str) -> String {
        self.date.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    /// The preview, or what stands for a message without a text.
    pub fn shown(&self) -> &str {
        if self.preview.is_empty() {
            "[media]"
        } else {
            &self.preview
        }
    }
}

/// What was done in one chat.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sweep {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Messages looked at.
    pub scanned: usize,
    /// Messages that qualify.
    pub found: usize,
    /// Those that this run may delete, newest first.
    pub items: Vec<Line>,
    /// Messages the server really deleted, those of a finished earlier run included.
    pub deleted: usize,
    /// Messages that could not be deleted.
    pub errors: usize,
    /// Messages that were spared because something changed since the plan.
    pub spared: usize,
    /// Messages beyond the cap of one run; a later run takes them.
    pub beyond_cap: usize,
    /// This run finishes an earlier one that was stopped.
    #[serde(default)]
    pub resumed: bool,
    /// Nothing was deleted: this is what would be.
    pub planned: bool,
    /// The full messages, written before the first was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo_list: Option<PathBuf>,
}

impl Sweep {
    /// Messages that wait for another run because this one was stopped.
    pub fn left(&self) -> usize {
        self.items.iter().filter(|item| item.state == State::Left).count()
    }
}

/// How a tool cleans.
#[derive(Debug, Clone)]
pub struct Cleaning<'a> {
    /// Name of the action in the undo list.
    pub action: &'a str,
    /// What was asked for in words of its own: an unfinished plan is only finished by the same request.
    pub request: String,
    /// Most messages in one run.
    pub max: usize,
    /// Characters of a preview.
    pub preview: usize,
    /// What follows a preview that was cut.
    pub more: &'a str,
}

/// What a look at a chat found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Messages looked at.
    pub scanned: usize,
    /// Those that qualify, newest first.
    pub messages: Vec<Message>,
}

/// A plan that is being carried out.
#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    at: Timestamp,
    scanned: usize,
    found: usize,
    beyond_cap: usize,
    ids: Vec<i32>,
    undo_list: PathBuf,
    /// Messages known to be deleted by the runs so far.
    deleted: usize,
    /// The batch that was being deleted: what of it is gone was deleted by the run that stopped.
    under_way: Vec<i32>,
}

impl Cleaning<'_> {
    /// Looks, plans, and with `--apply` deletes for everyone.
    ///
    /// `scan` finds what qualifies. `spare` is asked about every batch, freshly read, right before it is deleted, and
    /// names those that no longer qualify with the reason.
    ///
    /// # Errors
    /// Those of reading; what fails while deleting is told per message.
    pub async fn run(
        &self,
        telegram: &Telegram,
        chat: &Chat,
        scan: impl AsyncFnOnce() -> ToolResult<Found>,
        spare: impl AsyncFnMut(&[Message]) -> ToolResult<HashMap<i32, String>>,
    ) -> ToolResult<Sweep> {
        let ctx = telegram.context();
        let account = telegram.me()?.id;
        let checkpoint = ctx.checkpoint(&format!("{account} {} {}", chat.id(), self.request))?;
        let unfinished = checkpoint
            .load::<Unfinished>()?
            .filter(|plan| ctx.now().duration_since(plan.at) < PLAN_LASTS && plan.undo_list.is_file());
        let (mut plan, mut messages) = match unfinished {
            Some(plan) => self.go_on(telegram, chat, plan).await?,
            None => {
                let mut found = scan().await?;
                found.messages.retain(|message| message.chat == chat.id());
                let all = found.messages.len();
                found.messages.truncate(self.max);
                let plan = Unfinished {
                    at: ctx.now(),
                    scanned: found.scanned,
                    found: all,
                    beyond_cap: all - found.messages.len(),
                    ids: found.messages.iter().map(|message| message.id).collect(),
                    undo_list: PathBuf::new(),
                    deleted: 0,
                    under_way: Vec::new(),
                };
                (plan, found.messages)
            }
        };
        let resumed = !plan.undo_list.as_os_str().is_empty();
        // The cap of this run may be lower than that of the run which made the plan; the rest of the plan stays.
        let put_off = messages.len().saturating_sub(self.max);
        messages.truncate(self.max);
        let mut sweep = Sweep {
            chat: chat.title(),
            chat_id: chat.id().0,
            scanned: plan.scanned,
            found: plan.found,
            items: self.lines(&messages),
            deleted: plan.deleted,
            errors: 0,
            spared: 0,
            beyond_cap: plan.beyond_cap + put_off,
            resumed,
            planned: ctx.dry_run(),
            undo_list: resumed.then(|| plan.undo_list.clone()),
        };
        if resumed {
            ctx.info("finishing a run that was stopped; start it again for a fresh look");
        }
        if sweep.beyond_cap > 0 {
            ctx.warn(format!(
                "{} messages are beyond the {} of one run and stay",
                sweep.beyond_cap, self.max
            ));
        }
        Many::new(telegram, "delete_message", "messages").ask(&mut sweep.items);
        if ctx.dry_run() {
            return Ok(sweep);
        }
        let allowed = |id: i32| {
            sweep
                .items
                .iter()
                .any(|item| item.id == id && item.state == State::Planned)
        };
        messages.retain(|message| allowed(message.id));
        sweep.spared = sweep
            .items
            .iter()
            .filter(|item| item.state == State::Spared)
            .count();
        if messages.is_empty() {
            if put_off == 0 {
                checkpoint.clear()?;
            }
            return Ok(sweep);
        }
        if !resumed {
            plan.undo_list = undo::write(telegram, self.action, chat, kept(&messages))?;
            sweep.undo_list = Some(plan.undo_list.clone());
            checkpoint.save(&plan)?;
        }
        Deleting {
            telegram,
            ctx,
            chat,
            checkpoint: &checkpoint,
            plan,
        }
        .all(&mut sweep, spare)
        .await?;
        if sweep.left() == 0 && put_off == 0 {
            checkpoint.clear()?;
        }
        Ok(sweep)
    }

    /// What of an earlier plan still stands.
    async fn go_on(
        &self,
        telegram: &Telegram,
        chat: &Chat,
        mut plan: Unfinished,
    ) -> ToolResult<(Unfinished, Vec<Message>)> {
        let standing: Vec<Message> = telegram
            .by_ids(chat, &plan.ids)
            .await?
            .into_iter()
            .flatten()
            .collect();
        let numbers: HashSet<i32> = standing.iter().map(|message| message.id).collect();
        let stands = |id: &i32| numbers.contains(id);
        plan.deleted += plan.under_way.iter().filter(|id| !stands(id)).count();
        plan.under_way.clear();
        plan.ids.retain(stands);
        Ok((plan, standing))
    }

    /// The plan, newest first.
    fn lines(&self, messages: &[Message]) -> Vec<Line> {
        let mut lines: Vec<Line> = messages.iter().map(|message| self.line(message)).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.id));
        lines
    }

    fn line(&self, message: &Message) -> Line {
        let sender = if message.out {
            None
        } else {
            message.sender.as_ref().and_then(|sender| sender.name())
        };
        Line {
            id: message.id,
            date: message.date,
            sender,
            preview: bulk::preview(message, self.preview, self.more),
            state: State::Planned,
            error: None,
            chat: message.chat,
        }
    }
}

/// The full messages, as an undo list keeps them.
fn kept(messages: &[Message]) -> Vec<serde_json::Value> {
    messages
        .iter()
        .map(|message| {
            let mut kept = serde_json::to_value(message).unwrap_or_default();
            if let Some(name) = message.sender.as_ref().and_then(|sender| sender.name()) {
                kept["sender_name"] = name.into();
            }
            kept
        })
        .collect()
}

impl Sweep {
    fn mark(&mut self, id: i32, state: State, error: Option<String>) {
        // Newest first: numbers fall.
        let at = self.items.binary_search_by(|item| id.cmp(&item.id));
        if let Some(item) = at.ok().and_then(|at| self.items.get_mut(at)) {
            item.state = state;
            item.error = error;
        }
    }
}

/// Tells of a run that did not delete everything it planned, and of one that was told to stop.
///
/// # Errors
/// `cancelled` with the output when the run was told to stop, `partial` when a message failed or was left.
pub fn told<T: Serialize>(ctx: &Context, sweeps: &[Sweep], output: &T) -> ToolResult<()> {
    let items: Vec<Line> = sweeps
        .iter()
        .flat_map(|sweep| sweep.items.iter().cloned())
        .collect();
    many::told(ctx, &items, output)
}

/// Makes sure that a person typed the title of the chat before its messages go.
///
/// # Errors
/// `invalid_input` naming what must be typed.
pub fn confirmed(ctx: &Context, chat: &Chat, typed: Option<&str>) -> ToolResult<()> {
    let title = chat.title();
    if ctx.dry_run() || typed.is_some_and(|typed| typed.trim() == title.trim()) {
        return Ok(());
    }
    let what = match typed {
        None => format!("deleting from `{title}` needs its title typed out"),
        Some(typed) => format!("`{typed}` is not the title of the chat, which is `{title}`"),
    };
    Err(ToolError::invalid("confirm", what)
        .code("not_confirmed")
        .hint(format!(
            "look at the plan first, then add `--confirm \"{title}\"` to `--apply`"
        )))
}
