//! The SQLite file: the tables the scripts' migration made, and beside them what became of each sending.

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::list::{Question, Status};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS chats (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, description TEXT,
    expected_reactions_min INTEGER, expected_reactions_max INTEGER, expected_comments INTEGER,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS viral_questions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id INTEGER NOT NULL REFERENCES chats(id),
    question_text TEXT NOT NULL,
    status TEXT CHECK (status IN ('draft', 'active', 'sent', 'archived')) DEFAULT 'active',
    priority INTEGER DEFAULT 0, tags TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, sent_at TIMESTAMP,
    reactions_received INTEGER DEFAULT 0, comments_received INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS idx_viral_questions_chat_id ON viral_questions(chat_id);
CREATE INDEX IF NOT EXISTS idx_viral_questions_status ON viral_questions(status);
CREATE INDEX IF NOT EXISTS idx_viral_questions_priority ON viral_questions(priority DESC);
CREATE TABLE IF NOT EXISTS viral_deliveries (
    question_id INTEGER PRIMARY KEY REFERENCES viral_questions(id), chat_id INTEGER NOT NULL,
    random_id INTEGER NOT NULL, after_id INTEGER NOT NULL, attempted_at TIMESTAMP NOT NULL, message_id INTEGER);
";

/// The sending of a question, noted before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Marked id of the chat.
    pub chat: i64,
    /// The number by which Telegram recognises a repeated message.
    pub random_id: i64,
    /// The newest message of the chat before.
    pub after: i32,
}

/// The open file.
pub struct Store {
    connection: Connection,
    path: PathBuf,
}

fn failed(path: &Path, error: &rusqlite::Error) -> ToolError {
    let wrong = error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase);
    let kind = if wrong {
        ErrorKind::InvalidInput
    } else {
        ErrorKind::Io
    };
    ToolError::new(kind, format!("cannot use the database `{}`", path.display()))
        .field("database")
        .caused_by(error)
}

/// The questions of a file, without touching it.
pub fn look(path: &Path) -> ToolResult<Vec<Question>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| failed(path, &error))?;
    questions(&connection).map_err(|error| failed(path, &error))
}

fn questions(connection: &Connection) -> rusqlite::Result<Vec<Question>> {
    let mut statement = connection.prepare(
        "SELECT q.id, c.name, q.question_text, q.status, q.priority, q.tags FROM viral_questions q \
         JOIN chats c ON c.id = q.chat_id ORDER BY q.id",
    )?;
    let rows = statement.query_map([], |row| {
        let tags: Option<String> = row.get(5)?;
        Ok(Question {
            id: Some(row.get(0)?),
            chat: row.get(1)?,
            text: row.get(2)?,
            status: Status::read(&row.get::<_, Option<String>>(3)?.unwrap_or_default()),
            priority: row.get::<_, Option<i64>>(4)?.unwrap_or_default(),
            tags: tags
                .and_then(|tags| serde_json::from_str(&tags).ok())
                .unwrap_or_default(),
        })
    })?;
    rows.collect()
}

impl Store {
    /// Opens the file, or makes it.
    pub fn open(path: &Path) -> ToolResult<Self> {
        let connection = app_core::state::open(path, &[SCHEMA]).map_err(|error| error.field("database"))?;
        Ok(Self {
            connection,
            path: path.to_owned(),
        })
    }

    fn told<T>(&self, outcome: rusqlite::Result<T>) -> ToolResult<T> {
        outcome.map_err(|error| failed(&self.path, &error))
    }

    /// All questions.
    pub fn questions(&self) -> ToolResult<Vec<Question>> {
        self.told(questions(&self.connection))
    }

    /// Keeps new questions and changed ones; what was sent is never touched.
    pub fn keep(&mut self, questions: &[Question]) -> ToolResult<()> {
        let outcome = keep(&mut self.connection, questions);
        self.told(outcome)
    }

    /// The sending of a question, if it was begun.
    pub fn delivery(&self, question: i64) -> ToolResult<Option<Delivery>> {
        self.told(
            self.connection
                .query_row(
                    "SELECT chat_id, random_id, after_id FROM viral_deliveries WHERE question_id = ?",
                    [question],
                    |row| {
                        Ok(Delivery {
                            chat: row.get(0)?,
                            random_id: row.get(1)?,
                            after: row.get(2)?,
                        })
                    },
                )
                .optional(),
        )
    }

    /// Notes that a question is about to be sent.
    pub fn begin(&self, question: i64, delivery: Delivery, now: Timestamp) -> ToolResult<()> {
        self.told(self.connection.execute(
            "INSERT INTO viral_deliveries (question_id, chat_id, random_id, after_id, attempted_at) \
             VALUES (?, ?, ?, ?, ?)",
            params![
                question,
                delivery.chat,
                delivery.random_id,
                delivery.after,
                stamp(now)
            ],
        ))
        .map(drop)
    }

    /// Takes that back: it was clearly refused.
    pub fn forget(&self, question: i64) -> ToolResult<()> {
        self.told(self.connection.execute(
            "DELETE FROM viral_deliveries WHERE question_id = ? AND message_id IS NULL",
            [question],
        ))
        .map(drop)
    }

    /// Status, time and message in one step.
    pub fn sent(&mut self, question: i64, message: i32, now: Timestamp) -> ToolResult<()> {
        let outcome = (|| {
            let transaction = self.connection.transaction()?;
            transaction.execute(
                "UPDATE viral_questions SET status = 'sent', sent_at = ? WHERE id = ?",
                params![stamp(now), question],
            )?;
            transaction.execute(
                "UPDATE viral_deliveries SET message_id = ? WHERE question_id = ?",
                params![message, question],
            )?;
            transaction.commit()
        })();
        self.told(outcome)
    }
}

/// A time as SQLite's CURRENT_TIMESTAMP writes it.
fn stamp(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn keep(connection: &mut Connection, questions: &[Question]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for question in questions {
        let tags = serde_json::to_string(&question.tags).unwrap_or_default();
        if let Some(id) = question.id {
            transaction.execute(
                "UPDATE viral_questions SET status = ?, priority = ?, tags = ? \
                 WHERE id = ? AND status <> 'sent' \
                 AND (status <> ?1 OR coalesce(priority, 0) <> ?2 OR coalesce(tags, '[]') <> ?3)",
                params![question.status.word(), question.priority, tags, id],
            )?;
            continue;
        }
        transaction.execute("INSERT OR IGNORE INTO chats (name) VALUES (?)", [&question.chat])?;
        transaction.execute(
            "INSERT INTO viral_questions (chat_id, question_text, status, priority, tags) \
             SELECT id, ?, ?, ?, ? FROM chats WHERE name = ?",
            params![
                question.text,
                question.status.word(),
                question.priority,
                tags,
                question.chat
            ],
        )?;
    }
    transaction.commit()
}
