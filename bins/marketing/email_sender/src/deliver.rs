//! Giving letters to the server: a few connections side by side, each with one letter in hand.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, state::Delivery};
use futures_util::future::join_all;
use mail::{
    Book, Reason, Recipient, Suppressions,
    book::{Asked, DeliveryState, Taken},
    smtp::{Outcome, Server, Session, Stage},
};

use crate::{
    output::{NAMED, Problem, Report},
    plan::Job,
    send::target,
};

/// So many refusals of the letter itself, one after the other, and nobody else is tried.
const REFUSALS: u32 = 3;

/// So many lost connections of one worker, one after the other, and the run ends.
const LOSSES: u32 = 3;

/// Why a run ended before its time.
#[derive(Debug)]
pub(crate) enum Stop {
    Cancelled,
    Failed(Box<ToolError>),
}

/// One run over the recipients.
pub(crate) struct Sender<'a> {
    job: &'a Job,
    server: &'a Server,
    book: &'a Book,
    suppressions: Mutex<Suppressions>,
    ctx: &'a Context,
    next: AtomicUsize,
    refused: AtomicU32,
    report: Mutex<Report>,
    stop: Mutex<Option<Stop>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Sender<'a> {
    pub(crate) fn new(
        job: &'a Job,
        server: &'a Server,
        book: &'a Book,
        suppressions: Suppressions,
        ctx: &'a Context,
    ) -> Self {
        Self {
            job,
            server,
            book,
            suppressions: Mutex::new(suppressions),
            ctx,
            next: AtomicUsize::new(0),
            refused: AtomicU32::new(0),
            report: Mutex::default(),
            stop: Mutex::default(),
        }
    }

    /// Sends to everybody who is still to get it. Returns why it ended early, if it did; fails when the book cannot be
    /// written.
    pub(crate) async fn run(self, report: &mut Report) -> ToolResult<Option<Stop>> {
        *locked(&self.report) = std::mem::take(report);
        let all = self.job.recipients.all.len();
        let workers = self.job.settings.connections.min(all);
        let bar = self.ctx.progress("send", "letters", Some(all as u64));
        let ended = join_all((0..workers).map(|_| self.worker(&bar))).await;
        *report = std::mem::take(&mut *locked(&self.report));
        let tried = self.next.load(Ordering::Relaxed).min(all);
        report.left += (all - tried) as u64;
        ended.into_iter().collect::<ToolResult<()>>()?;
        Ok(locked(&self.stop).take())
    }

    async fn worker(&self, bar: &app_core::ProgressBar) -> ToolResult<()> {
        let (mut session, mut losses) = (None, 0);
        while !self.is_over() {
            let Some(recipient) = self
                .job
                .recipients
                .all
                .get(self.next.fetch_add(1, Ordering::Relaxed))
            else {
                break;
            };
            let ended = self.one(recipient, &mut session, &mut losses).await;
            if ended.is_err() {
                self.end(Stop::Cancelled);
            }
            ended?;
            bar.inc(1);
        }
        if let Some(session) = session {
            Session::close(session).await;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        if self.ctx.cancellation().is_cancelled() {
            self.end(Stop::Cancelled);
        }
        locked(&self.stop).is_some()
    }

    /// The first reason counts.
    fn end(&self, why: Stop) {
        locked(&self.stop).get_or_insert(why);
    }

    async fn one(&self, to: &Recipient, session: &mut Option<Session>, losses: &mut u32) -> ToolResult<()> {
        let address = &to.mailbox.address;
        if !self.ctx.may("send_mail", &target(self.job, &address.key()), "") {
            locked(&self.report).left += 1;
            return Ok(());
        }
        if session.is_none() {
            match Session::open(self.server).await {
                Ok(opened) => *session = Some(opened),
                Err(error) => {
                    locked(&self.report).left += 1;
                    self.end(Stop::Failed(Box::new(error)));
                    return Ok(());
                }
            }
        }
        let Some(taken) = self.take(to).await? else {
            return Ok(());
        };
        let reason = locked(&self.suppressions).reason(address)?;
        if let Some(reason) = reason {
            locked(&self.report).suppressed += 1;
            self.book
                .finish_suppressed(taken, reason.as_str(), self.ctx.now())?;
            return Ok(());
        }
        let outcome = match (self.job.bytes(to, self.ctx.now()), session.as_mut()) {
            (Ok((bytes, _)), Some(open)) => open.deliver(&self.job.from.address, address, &bytes).await,
            (Err(error), _) => Outcome::Unfit(error.message),
            (_, None) => Outcome::Lost("no connection".to_owned()),
        };
        if session.as_ref().is_some_and(|open| !open.usable())
            && let Some(closed) = session.take()
        {
            closed.close().await;
        }
        *losses = if matches!(outcome, Outcome::Lost(_)) {
            *losses + 1
        } else {
            0
        };
        if *losses >= LOSSES {
            let what = "the mail server closes the connection again and again";
            let error = ToolError::new(ErrorKind::Network, what).from_source("smtp");
            self.end(Stop::Failed(Box::new(error)));
        }
        self.note(to, taken, outcome)
    }

    /// Takes the delivery in hand; waits while only the pace of the server holds it.
    async fn take(&self, to: &Recipient) -> ToolResult<Option<Taken>> {
        let patience = self.job.settings.between() * 2 + Duration::from_millis(20);
        loop {
            let now = self.ctx.now();
            let asked = self.book.take(&self.job.key, &to.mailbox.address, now)?;
            let mut report = locked(&self.report);
            match asked {
                Asked::Taken(taken) => return Ok(Some(taken)),
                Asked::Not(entry) => {
                    match entry.state {
                        DeliveryState::Undecided | DeliveryState::Sending => report.undecided += 1,
                        DeliveryState::Suppressed => report.suppressed += 1,
                        _ => report.earlier += 1,
                    }
                    return Ok(None);
                }
                Asked::Held(until) => {
                    let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
                    if wait > patience {
                        report.deferred += 1;
                        report.again_at = Some(report.again_at.map_or(until, |first| first.min(until)));
                        return Ok(None);
                    }
                    drop(report);
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.ctx.cancellation().cancelled() => {
                            locked(&self.report).left += 1;
                            return Ok(None);
                        }
                    }
                }
            }
        }
    }

    /// Writes down how it ended, first in the book.
    fn note(&self, to: &Recipient, taken: Taken, outcome: Outcome) -> ToolResult<()> {
        let error = |kind: ErrorKind, what: &str| Box::new(ToolError::new(kind, what).from_source("smtp"));
        let delivery = match &outcome {
            Outcome::Sent(reply) => Delivery::Sent(reply.to_string()),
            Outcome::Refused(_, reply) => {
                Delivery::Refused(error(ErrorKind::ProviderRejected, &reply.to_string()))
            }
            Outcome::Unfit(why) => Delivery::Refused(error(ErrorKind::InvalidInput, why)),
            Outcome::Deferred(_, reply) => {
                Delivery::NotSent(error(ErrorKind::ProviderUnavailable, &reply.to_string()))
            }
            Outcome::Lost(why) => Delivery::NotSent(error(ErrorKind::Network, why)),
            Outcome::Undecided(why) => Delivery::Undecided(error(ErrorKind::Network, why)),
        };
        let entry = self.book.finish(taken, delivery, self.ctx.now())?;
        self.judge(to, &outcome)?;
        let mut report = locked(&self.report);
        match entry.state {
            DeliveryState::Sent => {
                report.sent += 1;
                if !self.job.list {
                    report.receipt = entry.said;
                }
                return Ok(());
            }
            DeliveryState::Planned => {
                report.deferred += 1;
                report.again_at = match (report.again_at, entry.not_before) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
            DeliveryState::Undecided => report.undecided += 1,
            _ => report.failed += 1,
        }
        if report.problems.len() < NAMED {
            report.problems.push(Problem {
                line: to.line,
                address: entry.address,
                state: entry.state,
                said: entry.said.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// What an answer says beside this one delivery: the address is bad, or the letter is.
    fn judge(&self, to: &Recipient, outcome: &Outcome) -> ToolResult<()> {
        match outcome {
            Outcome::Sent(_) => self.refused.store(0, Ordering::Relaxed),
            Outcome::Refused(Stage::Rcpt, reply) if reply.is_hard() => {
                let source = format!("smtp {}", self.job.key);
                locked(&self.suppressions).add(&to.mailbox.address, Reason::Hard, &source, self.ctx.now())?;
            }
            Outcome::Refused(stage, reply)
                if (*stage != Stage::Rcpt || reply.is_policy())
                    && self.refused.fetch_add(1, Ordering::Relaxed) + 1 >= REFUSALS =>
            {
                let what = format!(
                    "the server refuses the letter itself, {REFUSALS} times one after the other: {reply}"
                );
                let error = ToolError::new(ErrorKind::ProviderRejected, what).code("letter_refused");
                self.end(Stop::Failed(Box::new(error.from_source("smtp"))));
            }
            _ => {}
        }
        Ok(())
    }
}
