//! Look, judge, and where it is allowed do something about it.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use app_core::state::Checkpoint;
use app_core::{Context, ErrorKind, ToolError, ToolResult};
use jiff::Timestamp;
use telegram::bulk::{self, State, shorten};
use telegram::facts::button_links;
use telegram::many::{ends, message_target};
use telegram::model::{EntityKind, Media, Message};
use telegram::{ByTitle, Chat, Outgoing, Telegram, undo};

use crate::judge::Judge;
use crate::words::Words;
use crate::{Finding, Input, Offender, Output};

/// People named by --stats.
const MOST_OFFENDERS: usize = 10;

pub async fn run(input: &Input, ctx: &Context) -> ToolResult<Output> {
    let acting = input.send_warnings || input.delete;
    if input.stats && acting {
        return Err(ToolError::invalid("stats", "counting neither warns nor deletes"));
    }
    let allowed = allowlist(ctx)?;
    if acting && !ctx.dry_run() && allowed.is_empty() {
        return Err(ToolError::config("no chat is allowed to be moderated")
            .code("allowlist_empty")
            .hint(
                "name the chats in `MODERATE_CHATS` or as `tools.moderate.settings.chats` in onejob.toml",
            ));
    }
    let words = Words::new(&input.words)?;
    let judge = Judge::new()?;
    Telegram::session(ctx, async |telegram| {
        moderate(input, &allowed, words, judge, telegram, ctx).await
    })
    .await
}

/// `[tools.moderate.settings]` of onejob.toml.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Where it may warn and delete, beside the chats of `MODERATE_CHATS`.
    chats: Vec<String>,
}

/// The chats in which something may be done.
fn allowlist(ctx: &Context) -> ToolResult<Vec<String>> {
    let mut chats: Vec<String> = ctx.tool_settings::<Settings>()?.chats;
    chats.extend(
        ctx.env("MODERATE_CHATS")
            .unwrap_or_default()
            .split(',')
            .map(str::to_owned),
    );
    Ok(chats
        .iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty() && name.parse() != Ok(0_i64))
        .collect())
}

async fn moderate(
    input: &Input,
    allowed: &[String],
    words: Words,
    judge: Judge,
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<Output> {
    let chat = telegram.resolve(&input.chat, ByTitle::No).await?;
    if (input.send_warnings || input.delete) && !ctx.dry_run() {
        check_allowed(&chat, allowed, telegram, ctx).await?;
    }
    let me = telegram.me()?.id;
    let mut moderator = Moderator {
        input,
        words,
        judge,
        telegram,
        ctx,
        checkpoint: ctx.checkpoint(&format!("{me} {}", chat.id()))?,
        warned: HashMap::new(),
        actions: 0,
        kept: Vec::new(),
        output: Output {
            chat: chat.title(),
            chat_id: chat.id().0,
            scanned: 0,
            findings: Vec::new(),
            profane: 0,
            offenders: None,
            acted: 0,
            errors: 0,
            planned: ctx.dry_run() || !(input.send_warnings || input.delete),
            undo_list: None,
        },
        chat,
    };
    let outcome = if input.stats {
        moderator.count().await
    } else if input.once {
        moderator.once().await
    } else {
        moderator.watch().await
    };
    match outcome {
        Ok(()) => Ok(moderator.output),
        // Stopping is how a watch ends; what was found is told all the same.
        Err(error) => Err(error.with_output(&moderator.output)),
    }
}

/// Whether the chat is one of the list; an entry that leads nowhere allows nothing.
async fn check_allowed(
    chat: &Chat,
    allowed: &[String],
    telegram: &Telegram,
    ctx: &Context,
) -> ToolResult<()> {
    for name in allowed {
        match telegram.resolve(name, ByTitle::No).await {
            Ok(one) if one.id() == chat.id() => return Ok(()),
            Ok(_) => {}
            Err(error) if ends(ctx, &error) => return Err(error),
            Err(error) => ctx.warn(format!("allowed chat `{name}`: {}", error.message)),
        }
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!("`{}` is not among the chats that may be moderated", chat.title()),
    )
    .field("chat")
    .code("chat_not_allowed")
    .hint("name it in `MODERATE_CHATS` or as `tools.moderate.settings.chats` in onejob.toml"))
}

struct Moderator<'a> {
    input: &'a Input,
    words: Words,
    judge: Judge,
    telegram: &'a Telegram,
    ctx: &'a Context,
    chat: Chat,
    checkpoint: Checkpoint,
    /// When each person was warned last.
    warned: HashMap<i64, Timestamp>,
    actions: usize,
    /// What was deleted, in full.
    kept: Vec<serde_json::Value>,
    output: Output,
}

fn name(message: &Message) -> String {
    message
        .sender
        .as_ref()
        .and_then(|sender| sender.name())
        .unwrap_or_else(|| "?".to_owned())
}

/// The text with what leads out of it: links behind words, of previews and behind buttons. A link that nobody sees
/// counts like one that is written out.
fn with_links(message: &Message) -> String {
    let mut text = message.text.clone();
    let behind = message.entities.iter().filter_map(|entity| match &entity.kind {
        EntityKind::TextUrl { url } => Some(url.clone()),
        _ => None,
    });
    let shown = match &message.media {
        Some(Media::WebPage { url: Some(url), .. }) => Some(url.clone()),
        _ => None,
    };
    for link in behind.chain(shown).chain(button_links(&message.facts)) {
        if !text.contains(&link) {
            text.push('\n');
            text.push_str(&link);
        }
    }
    text
}

impl Moderator<'_> {
    async fn count(&mut self) -> ToolResult<()> {
        let mut people: BTreeMap<Option<i64>, Offender> = BTreeMap::new();
        let (words, ctx) = (&self.words, self.ctx);
        let mut profane = 0;
        self.output.scanned = self
            .telegram
            .newest(&self.chat, Some(self.input.limit), |message| {
                if !words.find(&message.text).is_empty() {
                    profane += 1;
                    let id = message.sender_id.map(|id| id.0);
                    let offender = people.entry(id).or_insert_with(|| Offender {
                        name: name(&message),
                        id,
                        violations: 0,
                    });
                    offender.violations += 1;
                }
                ctx.check_cancelled()?;
                Ok(true)
            })
            .await?;
        self.output.profane = profane;
        let mut offenders: Vec<Offender> = people.into_values().collect();
        offenders.sort_by_key(|offender| std::cmp::Reverse(offender.violations));
        offenders.truncate(MOST_OFFENDERS);
        self.output.offenders = Some(offenders);
        Ok(())
    }

    async fn once(&mut self) -> ToolResult<()> {
        let mut messages = self.telegram.newest_list(&self.chat, self.input.limit).await?;
        messages.reverse();
        self.take(&messages).await
    }

    /// From the newest message on, until told to stop.
    async fn watch(&mut self) -> ToolResult<()> {
        let end = self
            .input
            .watch_seconds
            // A time that no clock reaches is none.
            .and_then(|seconds| Instant::now().checked_add(Duration::from_secs(seconds)));
        let mut last = self.telegram.newest_id(&self.chat).await?;
        self.ctx.notify_ready();
        loop {
            let mut pause = Duration::from_secs_f64(self.input.interval.max(0.2));
            if let Some(end) = end {
                pause = pause.min(end.saturating_duration_since(Instant::now()));
            }
            self.telegram.sleep(pause).await?;
            let (telegram, chat) = (self.telegram, self.chat.clone());
            let mut pages = telegram.after(&chat, last);
            while let Some(page) = pages.next().await? {
                let mut messages = page.messages;
                messages.sort_by_key(|message| message.id);
                self.take(&messages).await?;
                last = messages.last().map_or(last, |message| message.id);
            }
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(());
            }
        }
    }

    /// Judges messages, oldest first.
    async fn take(&mut self, messages: &[Message]) -> ToolResult<()> {
        for message in messages {
            self.ctx.check_cancelled()?;
            self.output.scanned += 1;
            self.ctx.count_items(1);
            let silent = message.text.is_empty() && with_links(message).is_empty();
            if message.out || message.service.is_some() || silent {
                continue;
            }
            let matches = self.words.find(&message.text);
            let spam = self.judge.points(&with_links(message));
            self.output.profane += usize::from(!matches.is_empty());
            let is_spam = self.input.spam.is_some_and(|threshold| spam >= threshold);
            if matches.is_empty() && !is_spam {
                continue;
            }
            let mut finding = Finding {
                id: message.id,
                date: message.date,
                sender: name(message),
                sender_id: message.sender_id.map(|id| id.0),
                matches,
                spam: if self.input.spam.is_some() { spam } else { 0 },
                warning: None,
                deletion: None,
                error: None,
            };
            // Words stay out of the log; the result has them.
            self.ctx.info(format!(
                "message {} of {}: {} unwanted words",
                finding.id,
                finding.sender,
                finding.matches.len()
            ));
            self.act(message, &mut finding).await?;
            self.output.findings.push(finding);
        }
        Ok(())
    }

    async fn act(&mut self, message: &Message, finding: &mut Finding) -> ToolResult<()> {
        // The warning first: it answers the message.
        if self.input.send_warnings {
            let state = match self.asked("warn", message) {
                Some(state) => state,
                None => {
                    let outcome = self.warn(message, finding).await;
                    self.settled(outcome, finding)?
                }
            };
            finding.warning = Some(state);
        }
        if self.input.delete {
            let state = match self.asked("delete_message", message) {
                Some(state) => state,
                None => {
                    let outcome = self.delete(message).await;
                    self.settled(outcome, finding)?
                }
            };
            finding.deletion = Some(state);
        }
        Ok(())
    }

    /// What becomes of an action without doing it: it is planned only, or not in the plan. `None` when it may be done.
    fn asked(&self, action: &str, message: &Message) -> Option<State> {
        let target = message_target(self.chat.id(), message.id);
        if self.ctx.may(action, &target, "") {
            return None;
        }
        Some(if self.ctx.dry_run() {
            State::Planned
        } else {
            State::Spared
        })
    }

    fn settled(&mut self, outcome: ToolResult<State>, finding: &mut Finding) -> ToolResult<State> {
        match outcome {
            Ok(state) => {
                self.output.acted += usize::from(state == State::Done);
                Ok(state)
            }
            Err(error) if error.kind == ErrorKind::Cancelled || error.kind == ErrorKind::Unauthorised => {
                Err(error)
            }
            Err(error) => {
                finding.error = Some(bulk::reason(&error));
                self.output.errors += 1;
                Ok(State::Failed)
            }
        }
    }

    /// Whether another action is within the cap.
    fn may_act(&mut self) -> bool {
        if self.actions >= self.input.max_actions {
            self.ctx.warn(format!(
                "the {} actions of one run are used up",
                self.input.max_actions
            ));
            return false;
        }
        self.actions += 1;
        true
    }

    async fn warn(&mut self, message: &Message, finding: &Finding) -> ToolResult<State> {
        let item = format!("warned {}", message.id);
        if self.checkpoint.is_done(&item)? {
            return Ok(State::Already);
        }
        let now = self.ctx.now();
        let sender = finding.sender_id.unwrap_or_default();
        let recent = self
            .warned
            .get(&sender)
            .is_some_and(|at| now.duration_since(*at).as_secs() < self.input.warn_every as i64);
        if recent {
            return Ok(State::Spared);
        }
        if !self.may_act() {
            return Ok(State::Left);
        }
        // Noted before it is sent: rather no warning than two.
        self.checkpoint.mark_done(&item)?;
        self.warned.insert(sender, now);
        let censored = shorten(&self.words.hide(&message.text), 300, "…");
        let warning = Outgoing {
            text: format!("⚠️ {}, пожалуйста, без таких слов: {censored}", finding.sender),
            reply_to: Some(message.id),
            no_preview: true,
            ..Outgoing::default()
        };
        self.telegram.send_text(&self.chat, &warning).await?;
        Ok(State::Done)
    }

    async fn delete(&mut self, message: &Message) -> ToolResult<State> {
        if !self.may_act() {
            return Ok(State::Left);
        }
        self.kept.push(serde_json::to_value(message).unwrap_or_default());
        let list = undo::write(self.telegram, "moderate", &self.chat, self.kept.clone())?;
        self.output.undo_list = Some(list);
        match self.telegram.delete(&self.chat, &[message.id]).await? {
            0 => Ok(State::Already),
            _ => Ok(State::Done),
        }
    }
}
