//! What one side did, as far as anybody outside can see it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::Value;

/// How a side ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was killed after its time limit.
    TimedOut(Duration),
    /// It could not be started.
    NotStarted(String),
}

impl Exit {
    /// The exit code as a shell would tell it.
    pub fn code(&self) -> u8 {
        match self {
            Self::Code(code) => (*code & 0xff) as u8,
            Self::Signal(signal) => 128_u8.saturating_add(*signal as u8),
            Self::TimedOut(_) => 124,
            Self::NotStarted(_) => 127,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "ended by signal {signal}"),
            Self::TimedOut(limit) => write!(f, "killed after {} s", limit.as_secs_f64()),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
        }
    }
}

/// One entry of a file tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// Permission bits.
    pub mode: u32,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder,
    /// A file with its content.
    File(Vec<u8>),
    /// A file too large to keep: its size and SHA-256.
    Large(u64, String),
    /// A symbolic link and where it points.
    Link(String),
}

/// A request a side made, with the answer it got.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// `https://host:port` when it went through the proxy; empty for the far side's own address.
    pub base: String,
    pub method: String,
    /// Path as sent.
    pub path: String,
    /// Query as sent, without the question mark.
    pub query: String,
    /// Headers in order, lower-case names.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The answer; `None` when the connection was dropped.
    pub answer: Option<Answer>,
    /// Nothing was recorded or declared for it.
    pub unexpected: bool,
}

/// What the far side answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A mail a side sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    /// The message as it went over the wire, dots unstuffed.
    pub source: Vec<u8>,
}

/// One table of a database: its columns, its key, its rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<String>,
    /// Positions of the primary key's columns.
    pub key: Vec<usize>,
    /// Rows, sorted.
    pub rows: Vec<Vec<Value>>,
}

/// Everything of one side.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub exit: Exit,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Of stdout and stderr, where they are longer than what is held here: bytes in all, and the SHA-256 of all.
    pub beyond: [Option<(u64, String)>; 2],
    /// What it did past everybody who compares: processes left behind, connections around the proxy.
    pub escapes: Vec<String>,
    /// Entries that it wrote, also where they were the same before; `None` where that is not known.
    pub written: Option<BTreeSet<String>>,
    /// Path -> entry; `~/` is HOME, `/` outside of the working directory.
    pub files: BTreeMap<String, Entry>,
    pub requests: Vec<Exchange>,
    pub mails: Vec<Mail>,
    /// `file:table` -> table.
    pub tables: BTreeMap<String, Table>,
    pub took: Duration,
}

impl Seen {
    /// A side that could not be started.
    pub fn not_started(why: String) -> Self {
        Self {
            exit: Exit::NotStarted(why),
            stdout: Vec::new(),
            stderr: Vec::new(),
            beyond: [None, None],
            escapes: Vec::new(),
            written: None,
            files: BTreeMap::new(),
            requests: Vec::new(),
            mails: Vec::new(),
            tables: BTreeMap::new(),
            took: Duration::ZERO,
        }
    }
}
