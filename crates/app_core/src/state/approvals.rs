//! What people were asked to agree to, and what they said: one store for campaigns, ads, mail and feedback.
//!
//! A request names a **subject** (`campaign:RUN/STEP`, `plan:j12`), what is shown for it by its SHA-256 hashes, and how
//! many different people must agree. Every request and decision is one row of a log that only grows: rows are never
//! changed or deleted (the schema's triggers refuse it), and each row carries the hash of the one before it, so that a
//! change from outside is seen by [`Approvals::verify`].
//!
//! A decision counts for exactly what was shown: [`Approvals::decide`] must be given the same hashes, and a request with
//! other hashes for the same subject opens anew. Two approvals are two principals who cannot be the same person.
//!
//! ```no_run
//! # use app_core::state::{Approvals, Decision, NewRequest, Principal};
//! # fn f(dir: &std::path::Path, now: jiff::Timestamp) -> app_core::ToolResult<()> {
//! let approvals = Approvals::open(dir)?;
//! let shown = vec!["9f86d0...".to_owned()]; // SHA-256 of every input and file that is shown
//! let request = approvals.request(
//!     &NewRequest { subject: "campaign:c7/post", question: "Post it?", shown: &shown, needed: 1, by: "campaign:c7" },
//!     now,
//! )?;
//! approvals.decide(&request.id, &Principal::os_user("cli"), Decision::Approve, &shown, "looks good", now)?;
//! assert!(approvals.get(&request.id)?.state.is_approved());
//! # Ok(()) }
//! ```

mod log;
mod request;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::{
    database::{database_error, open},
    principal::Principal,
};
use crate::contract::{ErrorKind, ToolError, ToolResult};
use log::{Line, Log, MIGRATIONS, fold};

pub use request::{Decided, Decision, NewRequest, Request, RequestState};

/// The store: `approvals.sqlite3` in the state directory.
#[derive(Debug)]
pub struct Approvals {
    path: PathBuf,
}

impl Approvals {
    /// Opens the store, and makes it if it is not there. Fails when the file cannot be used.
    pub fn open(dir: &Path) -> ToolResult<Self> {
        let path = dir.join("approvals.sqlite3");
        let approvals = Self { path };
        approvals.connect()?;
        Ok(approvals)
    }

    /// Asks, or finds the request that asks the same: same subject, same hashes, same number of people, and not withdrawn.
    /// An open request of that subject with anything else shown is withdrawn: nobody agrees to what he did not see.
    ///
    /// Fails on a subject that is empty, on no hashes, and on a number of people outside 1 to 9.
    pub fn request(&self, new: &NewRequest<'_>, now: Timestamp) -> ToolResult<Request> {
        check(new)?;
        self.write(|log| {
            let rows = log.of_subject(new.subject)?;
            for known in fold(rows) {
                let same = known.shown == new.shown && known.needed == new.needed;
                match known.state {
                    RequestState::Withdrawn => {}
                    _ if same => return Ok(known),
                    RequestState::Waiting => {
                        let row = Line {
                            kind: "withdrawn",
                            principal: new.by,
                            text: "asked anew",
                            ..Line::of(&known)
                        };
                        log.add(&row, now)?;
                    }
                    RequestState::Approved | RequestState::Rejected => {}
                }
            }
            let id = format!("a{}", log.next()?);
            let row = Line {
                request: &id,
                subject: new.subject,
                kind: "requested",
                principal: new.by,
                text: new.question,
                shown: new.shown,
                needed: new.needed,
            };
            log.add(&row, now)?;
            log.request(&id)
        })
    }

    /// Notes what a principal says to exactly what was shown. The same decision given again changes nothing.
    ///
    /// Fails with kind `conflict` when something else was shown (`shown_changed`), when the request is settled
    /// (`already_settled`), and when somebody who may be the same person has agreed already (`same_person`).
    pub fn decide(
        &self,
        id: &str,
        principal: &Principal,
        decision: Decision,
        shown: &[String],
        comment: &str,
        now: Timestamp,
    ) -> ToolResult<Request> {
        self.write(|log| {
            let request = log.request(id)?;
            if request.shown != shown {
                return Err(conflict(
                    "shown_changed",
                    format!("request `{id}` is about something else than what was shown"),
                )
                .hint("look at it again, and decide about that"));
            }
            let own = request.decisions.iter().find(|d| d.principal == *principal);
            if own.is_some_and(|own| own.decision == decision) {
                return Ok(request);
            }
            if request.state != RequestState::Waiting {
                let state = word(request.state);
                return Err(conflict(
                    "already_settled",
                    format!("request `{id}` is {state} already"),
                ));
            }
            let agreed = |d: &&Decided| d.decision == Decision::Approve && d.principal.may_be(principal);
            if let Some(other) = request
                .decisions
                .iter()
                .find(agreed)
                .filter(|_| decision == Decision::Approve)
            {
                return Err(conflict(
                    "same_person",
                    format!(
                        "`{principal}` and `{}`, who has agreed already, may be one person",
                        other.principal
                    ),
                )
                .hint("it takes somebody else"));
            }
            let row = Line {
                kind: if decision == Decision::Approve {
                    "approve"
                } else {
                    "reject"
                },
                principal: principal.as_str(),
                text: comment,
                ..Line::of(&request)
            };
            log.add(&row, now)?;
            log.request(id)
        })
    }

    /// Takes a request back that nobody needs any more; one that is settled stays as it is.
    pub fn withdraw(&self, id: &str, by: &str, why: &str, now: Timestamp) -> ToolResult<Request> {
        self.write(|log| {
            let request = log.request(id)?;
            if request.state == RequestState::Waiting {
                let row = Line {
                    kind: "withdrawn",
                    principal: by,
                    text: why,
                    ..Line::of(&request)
                };
                log.add(&row, now)?;
            }
            log.request(id)
        })
    }

    /// One request. Fails with kind `not_found` when there is none of that name.
    pub fn get(&self, id: &str) -> ToolResult<Request> {
        self.read(|log| log.request(id))
    }

    /// The newest request about a subject.
    pub fn of_subject(&self, subject: &str) -> ToolResult<Option<Request>> {
        self.read(|log| Ok(fold(log.of_subject(subject)?).pop()))
    }

    /// Whether exactly this may be done: the newest request about the subject shows these hashes and is approved.
    pub fn allows(&self, subject: &str, shown: &[String]) -> ToolResult<bool> {
        let newest = self.of_subject(subject)?;
        Ok(newest.is_some_and(|request| request.shown == shown && request.state.is_approved()))
    }

    /// Requests whose subject begins with a text, oldest first; with `waiting` only those that wait.
    pub fn list(&self, subject: &str, waiting: bool) -> ToolResult<Vec<Request>> {
        let all = self.read(|log| Ok(fold(log.beginning_with(subject)?)))?;
        let wanted = |r: &Request| !waiting || r.state == RequestState::Waiting;
        Ok(all.into_iter().filter(wanted).collect())
    }

    /// Compares every row with its hash and the hash of the row before it. Fails with kind `conflict`, naming the first row
    /// that was changed, or the place where one is missing.
    pub fn verify(&self) -> ToolResult<u64> {
        self.read(|log| {
            let rows = log.rows("1", [])?;
            let mut before = String::new();
            for (index, row) in rows.iter().enumerate() {
                let expected = row.hash_after(&before);
                if row.before != before || row.hash != expected || row.seq != index as i64 + 1 {
                    return Err(conflict(
                        "log_changed",
                        format!("the log of approvals was changed at row {}", index + 1),
                    ));
                }
                before.clone_from(&row.hash);
            }
            Ok(rows.len() as u64)
        })
    }

    fn connect(&self) -> ToolResult<Connection> {
        let connection = open(&self.path, MIGRATIONS)?;
        // An approval is not lost by a power cut.
        connection
            .pragma_update(None, "synchronous", "full")
            .map_err(|e| database_error(&self.path, &e))?;
        Ok(connection)
    }

    fn read<T>(&self, act: impl FnOnce(&Log<'_>) -> ToolResult<T>) -> ToolResult<T> {
        let connection = self.connect()?;
        act(&Log {
            connection: &connection,
            path: &self.path,
        })
    }

    fn write<T>(&self, act: impl FnOnce(&Log<'_>) -> ToolResult<T>) -> ToolResult<T> {
        let mut connection = self.connect()?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| database_error(&self.path, &e))?;
        let result = act(&Log {
            connection: &transaction,
            path: &self.path,
        })?;
        transaction.commit().map_err(|e| database_error(&self.path, &e))?;
        Ok(result)
    }
}

fn check(new: &NewRequest<'_>) -> ToolResult<()> {
    let wrong = |field: &str, what: &str| Err(ToolError::invalid(field, what).from_source("approvals"));
    let is_hash = |hash: &String| {
        hash.len() == 64
            && hash
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    match () {
        () if new.subject.is_empty() => wrong("subject", "a request is about something"),
        () if new.shown.is_empty() => wrong("shown", "people agree to something they see: at least one hash"),
        () if !new.shown.iter().all(is_hash) => wrong("shown", "each entry is a SHA-256 in lower-case hex"),
        () if !(1..=9).contains(&new.needed) => wrong("needed", "1 to 9 people"),
        () => Ok(()),
    }
}

const fn word(state: RequestState) -> &'static str {
    match state {
        RequestState::Waiting => "waiting",
        RequestState::Approved => "approved",
        RequestState::Rejected => "rejected",
        RequestState::Withdrawn => "withdrawn",
    }
}

fn conflict(code: &str, message: String) -> ToolError {
    ToolError::new(ErrorKind::Conflict, message)
        .code(code)
        .from_source("approvals")
}

#[cfg(test)]
#[path = "approvals_tests.rs"]
mod tests;
