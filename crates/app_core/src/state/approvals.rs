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

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, Row, TransactionBehavior, params};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    database::{database_error, open},
    principal::Principal,
};
use crate::contract::{ErrorKind, ToolError, ToolResult};

const MIGRATIONS: &[&str] = &["
CREATE TABLE approval_log (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,            -- milliseconds since 1970
  request TEXT NOT NULL,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,             -- requested | approve | reject | withdrawn
  principal TEXT NOT NULL,
  text TEXT NOT NULL,             -- the question, or the comment
  shown TEXT NOT NULL,            -- JSON list of hashes
  needed INTEGER NOT NULL,
  before TEXT NOT NULL,           -- hash of the row before
  hash TEXT NOT NULL
);
CREATE INDEX approval_log_by_request ON approval_log (request, seq);
CREATE INDEX approval_log_by_subject ON approval_log (subject, seq);
CREATE TRIGGER approval_log_is_not_changed BEFORE UPDATE ON approval_log
BEGIN SELECT RAISE(ABORT, 'the log of approvals only grows'); END;
CREATE TRIGGER approval_log_is_not_cut BEFORE DELETE ON approval_log
BEGIN SELECT RAISE(ABORT, 'the log of approvals only grows'); END;
"];

/// A question to people.
#[derive(Clone, Copy, Debug)]
pub struct NewRequest<'a> {
    /// What it is about, the same each time it is asked: `campaign:RUN/STEP`, `plan:j12`, `mail:LIST/EDITION`.
    pub subject: &'a str,
    /// The question as people see it.
    pub question: &'a str,
    /// SHA-256 of everything that is shown for it, lower-case hex, in order. At least one.
    pub shown: &'a [String],
    /// How many different people must agree, 1 to 9.
    pub needed: u32,
    /// Who asks, for the record: `campaign:c7`. It is no principal, and does not count as one.
    pub by: &'a str,
}

/// What somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Yes.
    Approve,
    /// No; one is enough to end the request.
    Reject,
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Not enough people have agreed, and none has refused.
    Waiting,
    /// As many different people as needed have agreed.
    Approved,
    /// Somebody has refused.
    Rejected,
    /// Asked anew with something else shown, or taken back.
    Withdrawn,
}

impl RequestState {
    /// Whether what was asked for may be done.
    pub const fn is_approved(self) -> bool {
        matches!(self, Self::Approved)
    }
}

/// A decision of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub principal: Principal,
    /// What.
    pub decision: Decision,
    /// Why, in words; may be empty.
    pub comment: String,
}

/// A request with all that was said to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Request {
    /// Name of the request: `a` and a number.
    pub id: String,
    /// What it is about.
    pub subject: String,
    /// The question.
    pub question: String,
    /// Hashes of what is shown.
    pub shown: Vec<String>,
    /// How many different people must agree.
    pub needed: u32,
    /// Who asks.
    pub by: String,
    /// When it was asked.
    pub requested_at: Timestamp,
    /// Where it stands.
    pub state: RequestState,
    /// When it was approved, rejected or withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_at: Option<Timestamp>,
    /// In the order in which they were given.
    pub decisions: Vec<Decided>,
}

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

/// A row to be added.
struct Line<'a> {
    request: &'a str,
    subject: &'a str,
    kind: &'a str,
    principal: &'a str,
    text: &'a str,
    shown: &'a [String],
    needed: u32,
}

impl<'a> Line<'a> {
    fn of(request: &'a Request) -> Self {
        Self {
            request: &request.id,
            subject: &request.subject,
            kind: "",
            principal: "",
            text: "",
            shown: &request.shown,
            needed: request.needed,
        }
    }
}

/// A row of the log.
struct Stored {
    seq: i64,
    at: i64,
    request: String,
    subject: String,
    kind: String,
    principal: String,
    text: String,
    shown: String,
    needed: u32,
    before: String,
    hash: String,
}

impl Stored {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get("seq")?,
            at: row.get("at")?,
            request: row.get("request")?,
            subject: row.get("subject")?,
            kind: row.get("kind")?,
            principal: row.get("principal")?,
            text: row.get("text")?,
            shown: row.get("shown")?,
            needed: row.get("needed")?,
            before: row.get("before")?,
            hash: row.get("hash")?,
        })
    }

    /// SHA-256 over the hash before and every field, each with its length so that no two rows read alike.
    fn hash_after(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        let (at, needed) = (self.at.to_string(), self.needed.to_string());
        let fields = [
            before,
            &at,
            &self.request,
            &self.subject,
            &self.kind,
            &self.principal,
            &self.text,
            &self.shown,
            &needed,
        ];
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field.as_bytes());
        }
        hex::encode(hash.finalize())
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at).unwrap_or_default()
    }
}

/// The log within one connection or transaction.
struct Log<'c> {
    connection: &'c Connection,
    path: &'c Path,
}

impl Log<'_> {
    fn rows(&self, condition: &str, values: impl rusqlite::Params) -> ToolResult<Vec<Stored>> {
        let fail = |e: rusqlite::Error| database_error(self.path, &e);
        let sql = format!("SELECT * FROM approval_log WHERE {condition} ORDER BY seq");
        let mut statement = self.connection.prepare_cached(&sql).map_err(fail)?;
        let rows = statement.query_map(values, Stored::of).map_err(fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }

    fn of_subject(&self, subject: &str) -> ToolResult<Vec<Stored>> {
        self.rows("subject = ?1", [subject])
    }

    fn beginning_with(&self, subject: &str) -> ToolResult<Vec<Stored>> {
        self.rows("subject >= ?1 AND subject < ?1 || char(1114111)", [subject])
    }

    fn request(&self, id: &str) -> ToolResult<Request> {
        fold(self.rows("request = ?1", [id])?)
            .pop()
            .ok_or_else(|| ToolError::not_found(format!("no request `{id}`")).from_source("approvals"))
    }

    fn next(&self) -> ToolResult<i64> {
        self.connection
            .query_row("SELECT coalesce(max(seq), 0) + 1 FROM approval_log", [], |r| {
                r.get(0)
            })
            .map_err(|e| database_error(self.path, &e))
    }

    fn add(&self, line: &Line<'_>, now: Timestamp) -> ToolResult<()> {
        let fail = |e: rusqlite::Error| database_error(self.path, &e);
        let before: String = self
            .connection
            .query_row(
                "SELECT coalesce((SELECT hash FROM approval_log ORDER BY seq DESC LIMIT 1), '')",
                [],
                |r| r.get(0),
            )
            .map_err(fail)?;
        let shown = serde_json::to_string(line.shown).map_err(|e| ToolError::internal(e.to_string()))?;
        let stored = Stored {
            seq: 0,
            at: now.as_millisecond(),
            request: line.request.to_owned(),
            subject: line.subject.to_owned(),
            kind: line.kind.to_owned(),
            principal: line.principal.to_owned(),
            text: line.text.to_owned(),
            shown,
            needed: line.needed,
            before: before.clone(),
            hash: String::new(),
        };
        let hash = stored.hash_after(&before);
        self.connection
            .execute(
                "INSERT INTO approval_log (at, request, subject, kind, principal, text, shown, needed, before, hash)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    stored.at,
                    stored.request,
                    stored.subject,
                    stored.kind,
                    stored.principal,
                    stored.text,
                    stored.shown,
                    stored.needed,
                    before,
                    hash
                ],
            )
            .map(drop)
            .map_err(fail)
    }
}

/// Requests from their rows, in the order in which they were asked. Pure.
fn fold(rows: Vec<Stored>) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for row in rows {
        let at = row.time();
        if row.kind == "requested" {
            requests.push(Request {
                id: row.request,
                subject: row.subject,
                question: row.text,
                shown: serde_json::from_str(&row.shown).unwrap_or_default(),
                needed: row.needed,
                by: row.principal,
                requested_at: at,
                state: RequestState::Waiting,
                settled_at: None,
                decisions: Vec::new(),
            });
            continue;
        }
        let Some(request) = requests.iter_mut().find(|r| r.id == row.request) else {
            continue;
        };
        let decision = match row.kind.as_str() {
            "approve" => Decision::Approve,
            "reject" => Decision::Reject,
            _ => {
                request.state = RequestState::Withdrawn;
                request.settled_at = Some(at);
                continue;
            }
        };
        let principal = Principal::stored(row.principal);
        request.decisions.push(Decided {
            at,
            principal,
            decision,
            comment: row.text,
        });
        let state = settle(request);
        if state != RequestState::Waiting && request.settled_at.is_none() {
            request.settled_at = Some(at);
        }
        request.state = state;
    }
    requests
}

/// Where a request stands by what was said. Each person counts once, with his last word.
fn settle(request: &Request) -> RequestState {
    let mut agreed: Vec<&Principal> = Vec::new();
    for decided in &request.decisions {
        match decided.decision {
            Decision::Reject => return RequestState::Rejected,
            Decision::Approve if agreed.iter().any(|p| p.may_be(&decided.principal)) => {}
            Decision::Approve => agreed.push(&decided.principal),
        }
    }
    if agreed.len() >= request.needed as usize {
        RequestState::Approved
    } else {
        RequestState::Waiting
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
