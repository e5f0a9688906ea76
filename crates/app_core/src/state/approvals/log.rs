//! The log of approvals: rows that carry the hash of the row before, and the requests that they tell of.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use sha2::{Digest as _, Sha256};

use super::{Decided, Decision, Request, RequestState};
use crate::{
    contract::{ToolError, ToolResult},
    state::{database::database_error, principal::Principal},
};

pub(super) const MIGRATIONS: &[&str] = &["
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

/// A row to be added.
pub(super) struct Line<'a> {
    pub(super) request: &'a str,
    pub(super) subject: &'a str,
    pub(super) kind: &'a str,
    pub(super) principal: &'a str,
    pub(super) text: &'a str,
    pub(super) shown: &'a [String],
    pub(super) needed: u32,
}

impl<'a> Line<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
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
pub(super) struct Stored {
    pub(super) seq: i64,
    at: i64,
    request: String,
    subject: String,
    kind: String,
    principal: String,
    text: String,
    shown: String,
    needed: u32,
    pub(super) before: String,
    pub(super) hash: String,
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
    pub(super) fn hash_after(&self, before: &str) -> String {
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
pub(super) struct Log<'c> {
    pub(super) connection: &'c Connection,
    pub(super) path: &'c Path,
}

impl Log<'_> {
    pub(super) fn rows(&self, condition: &str, values: impl rusqlite::Params) -> ToolResult<Vec<Stored>> {
        let fail = |e: rusqlite::Error| database_error(self.path, &e);
        let sql = format!("SELECT * FROM approval_log WHERE {condition} ORDER BY seq");
        let mut statement = self.connection.prepare_cached(&sql).map_err(fail)?;
        let rows = statement.query_map(values, Stored::of).map_err(fail)?;
        rows.collect::<Result<_, _>>().map_err(fail)
    }

    pub(super) fn of_subject(&self, subject: &str) -> ToolResult<Vec<Stored>> {
        self.rows("subject = ?1", [subject])
    }

    pub(super) fn beginning_with(&self, subject: &str) -> ToolResult<Vec<Stored>> {
        self.rows("subject >= ?1 AND subject < ?1 || char(1114111)", [subject])
    }

    pub(super) fn request(&self, id: &str) -> ToolResult<Request> {
        fold(self.rows("request = ?1", [id])?)
            .pop()
            .ok_or_else(|| ToolError::not_found(format!("no request `{id}`")).from_source("approvals"))
    }

    pub(super) fn next(&self) -> ToolResult<i64> {
        self.connection
            .query_row("SELECT coalesce(max(seq), 0) + 1 FROM approval_log", [], |r| {
                r.get(0)
            })
            .map_err(|e| database_error(self.path, &e))
    }

    pub(super) fn add(&self, line: &Line<'_>, now: Timestamp) -> ToolResult<()> {
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
pub(super) fn fold(rows: Vec<Stored>) -> Vec<Request> {
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
