//! Acting on many items, one after the other: what is planned is asked for, what was done is marked, and the marks
//! survive whatever ends the run.
//!
//! The tools differ in what they look for and in what they do with one item. How such a run goes is the same for all:
//! an item is acted on only when the plan names it; an error of the account or the line ends the run and leaves the
//! rest for the next one, an error of one item does not; a run that is told to stop still says how far it came.

use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use serde::Serialize;

use crate::bulk::{self, State};
use crate::client::Telegram;
use crate::model::MarkedId;
use crate::pace::Pace;

/// Why an item that the plan does not name is spared.
const NOT_PLANNED: &str = "it is not in the plan that this run is held to";

/// An item of such a run.
pub trait Item {
    /// What is to become of it, or became of it.
    fn state(&self) -> State;
    /// Where that is kept, and why it failed or was left.
    fn outcome(&mut self) -> (&mut State, &mut Option<String>);
    /// Sets both: the reason of an earlier mark does not outlive it.
    fn mark(&mut self, state: State, why: Option<String>) {
        let (kept, reason) = self.outcome();
        (*kept, *reason) = (state, why);
    }
    /// The exact target, as the plan names it.
    fn target(&self) -> String;
    /// A short detail for the plan; never a text of a message.
    fn detail(&self) -> String {
        String::new()
    }
}

/// How a plan names a message.
pub fn message_target(chat: MarkedId, message: i32) -> String {
    format!("chat {chat} message {message}")
}

/// How many items have each mark.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Acted on by this run.
    pub done: usize,
    /// Done before.
    pub already: usize,
    /// Failed.
    pub failed: usize,
    /// Left for the next run.
    pub left: usize,
}

impl Tally {
    /// Counts the marks.
    pub fn of<T: Item>(items: &[T]) -> Self {
        let mut tally = Self::default();
        for item in items {
            match item.state() {
                State::Done => tally.done += 1,
                State::Already => tally.already += 1,
                State::Failed => tally.failed += 1,
                State::Left => tally.left += 1,
                State::Planned | State::Spared => {}
            }
        }
        tally
    }
}

/// A run over many items.
#[derive(Debug, Clone, Copy)]
pub struct Many<'a> {
    telegram: &'a Telegram,
    /// The verb of the plan.
    action: &'a str,
    /// What the progress counts.
    unit: &'a str,
    /// What the account's pace for such requests is, and the pause that the caller makes on top, both for the time that
    /// is left.
    pace: Option<(Pace, Duration)>,
}

impl<'a> Many<'a> {
    /// A run whose plan says `action` of each item; `unit` is what its progress counts.
    pub fn new(telegram: &'a Telegram, action: &'a str, unit: &'a str) -> Self {
        Self {
            telegram,
            action,
            unit,
            pace: None,
        }
    }

    /// Says how long it will take: the pace of the account for such requests, and the usual pause after an item.
    pub fn paced(mut self, pace: Pace, pause: Duration) -> Self {
        self.pace = Some((pace, pause));
        self
    }

    /// Asks for every item that is to be acted on. When the run only plans they stay planned and stand in the plan; when
    /// it is held to a plan, those that it does not name are spared.
    ///
    /// Done for all of them before the first is touched, so that a plan is whole.
    pub fn ask<T: Item>(&self, items: &mut [T]) {
        let ctx = self.telegram.context();
        for item in items.iter_mut().filter(|item| item.state() == State::Planned) {
            let allowed = ctx.may(self.action, &item.target(), &item.detail());
            if !allowed && !ctx.dry_run() {
                item.mark(State::Spared, Some(NOT_PLANNED.to_owned()));
            }
        }
    }

    /// Acts on every item that is still planned. `act` does it and says what became of it; `pause` says how long to wait
    /// after an item that was acted on, given how many are to come.
    ///
    /// # Errors
    /// `cancelled` when the run is told to stop, after everything not reached was marked as left. Hand the output on with
    /// [`told`]. Errors of the account or the line end the run in the same way, but as a warning.
    pub async fn run<T: Item>(
        &self,
        items: &mut [T],
        mut act: impl AsyncFnMut(&mut T) -> ToolResult<State>,
        mut pause: impl FnMut(usize) -> Duration,
    ) -> ToolResult<()> {
        let ctx = self.telegram.context();
        let total = items.iter().filter(|item| item.state() == State::Planned).count();
        let bar = ctx.progress(self.action, self.unit, Some(total as u64));
        let mut to_come = total;
        for n in 0..items.len() {
            if items[n].state() != State::Planned {
                continue;
            }
            if let Some((pace, pause)) = self.pace {
                let pauses = pause.saturating_mul(u32::try_from(to_come).unwrap_or(u32::MAX));
                let left = pace.estimate(ctx, to_come)?.max(pauses);
                bar.message(format!("about {} s left", left.as_secs()));
            }
            let item = &mut items[n];
            let outcome = match ctx.check_cancelled() {
                Ok(()) => act(item).await,
                Err(error) => Err(error),
            };
            to_come -= 1;
            let acted = matches!(outcome, Ok(State::Done));
            match outcome {
                Ok(state) => item.mark(state, None),
                Err(error) if ends(ctx, &error) => {
                    leave(&mut items[n..], &error);
                    if error.kind == ErrorKind::Cancelled {
                        return Err(error);
                    }
                    ctx.warn(format!("stopped: {}", error.message));
                    return Ok(());
                }
                Err(error) => item.mark(State::Failed, Some(bulk::reason(&error))),
            }
            ctx.count_items(1);
            bar.inc(1);
            if acted && to_come > 0 {
                let pause = pause(to_come);
                if !pause.is_zero()
                    && let Err(error) = self.telegram.sleep(pause).await
                {
                    leave(&mut items[n + 1..], &error);
                    return Err(error);
                }
            }
        }
        bar.finish();
        Ok(())
    }
}

/// What was not reached stays for the next run, and that is told.
fn leave<T: Item>(items: &mut [T], error: &ToolError) {
    for item in items.iter_mut().filter(|item| item.state() == State::Planned) {
        item.mark(State::Left, Some(bulk::reason(error)));
    }
}

/// Errors after which going on makes no sense.
pub fn ends(ctx: &Context, error: &ToolError) -> bool {
    let account = matches!(
        error.kind,
        ErrorKind::RateLimited
            | ErrorKind::Unauthorised
            | ErrorKind::Network
            | ErrorKind::Timeout
            | ErrorKind::Cancelled
            | ErrorKind::ProviderUnavailable
    );
    // Slow mode holds in one chat; the others go on.
    (account && error.code != "slowmode_wait") || ctx.check_cancelled().is_err()
}

/// Ends a run with all that became of its items: well, with what is missing, or stopped but with its output.
///
/// # Errors
/// `cancelled` with the output when the run was told to stop, `partial` when an item failed or was left.
pub fn told<T: Item>(ctx: &Context, items: &[T], output: &impl Serialize) -> ToolResult<()> {
    let tally = Tally::of(items);
    if let Err(error) = ctx.check_cancelled() {
        return Err(error.with_output(output));
    }
    if tally.failed == 0 && tally.left == 0 {
        return Ok(());
    }
    let message = format!(
        "{} of {} failed, {} are left",
        tally.failed,
        items.len(),
        tally.left
    );
    Err(ToolError::partial(message, output).hint("run it again: what is done is not done twice"))
}
