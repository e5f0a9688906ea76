//! What the index is asked: messages by their words, people, and how much it holds.

use app_core::ToolResult;
use jiff::Timestamp;
use rusqlite::params;
use schemars::JsonSchema;
use serde::Serialize;
use telegram::model::MarkedId;

use crate::input::Search;
use crate::query::expression;
use crate::store::Store;

/// A message that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hit {
    /// How well it fits (BM25, higher is better).
    pub score: f64,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Title of the chat.
    pub chat: String,
    /// Number of the message.
    pub id: i32,
    /// When it was written.
    pub date: Timestamp,
    /// Marked id of the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender_id: Option<i64>,
    /// Name of the sender.
    pub sender: String,
    /// Written by the account itself.
    pub outgoing: bool,
    /// Its text.
    pub text: String,
    /// Reactions when it was read.
    pub reactions: i64,
    /// Number of the message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<i32>,
    /// Text of that message, if the index holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_text: Option<String>,
    /// Answers to it in the index.
    pub answers: i64,
}

/// Somebody who writes in the same chats.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Contact {
    /// Marked id.
    pub id: i64,
    /// Name.
    pub name: String,
    /// Public name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Chats in which both write.
    pub shared_chats: i64,
    /// Their messages in these.
    pub messages: i64,
}

/// A chat of the index.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatHeld {
    /// Marked id.
    pub id: i64,
    /// Title.
    pub title: String,
    /// Messages with words.
    pub messages: i64,
    /// The newest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub newest: Option<Timestamp>,
}

/// What the index holds.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Held {
    /// Messages with words.
    pub messages: i64,
    /// People, groups and channels that wrote them.
    pub people: i64,
    /// Answers whose question is there as well.
    pub reply_links: i64,
    /// The chats, the one with most messages first.
    pub chats: Vec<ChatHeld>,
    /// Size of the file in bytes.
    pub bytes: i64,
}

impl Store {
    /// Messages by their words, the best first.
    pub fn search(&self, search: &Search) -> ToolResult<Vec<Hit>> {
        let expression = expression(&search.query, search.any, search.exact)?;
        let chats: Vec<i64> = search.chat_id.map_or_else(Vec::new, |id| {
            let marked = [MarkedId(id), MarkedId::channel(id), MarkedId::group(id)];
            let known = if id < 0 { &marked[..1] } else { &marked[..] };
            known.iter().map(|id| id.0).collect()
        });
        let chats = serde_json::to_string(&chats).unwrap_or_default();
        let read = || -> rusqlite::Result<Vec<Hit>> {
            self.file
                .prepare(
                    "SELECT -bm25(words), m.chat, c.title, m.id, m.date, m.sender, p.name, m.own, m.text, m.reactions,
                       m.reply_to, q.text,
                       (SELECT COUNT(*) FROM messages a WHERE a.account = m.account AND a.chat = m.chat AND a.reply_to = m.id)
                     FROM words JOIN messages m ON m.row = words.rowid
                       JOIN chats c ON c.account = m.account AND c.id = m.chat
                       LEFT JOIN people p ON p.id = m.sender
                       LEFT JOIN messages q ON q.account = m.account AND q.chat = m.chat AND q.id = m.reply_to
                     WHERE words MATCH ?1 AND (?2 = '[]' OR m.chat IN (SELECT value FROM json_each(?2)))
                       AND (?3 IS NULL OR m.sender = ?3) AND (NOT ?4 OR m.own)
                     ORDER BY bm25(words), m.date DESC, m.chat, m.id LIMIT ?5",
                )?
                .query_map(
                    params![
                        expression,
                        chats,
                        search.sender_id,
                        search.outgoing,
                        search.limit as i64
                    ],
                    |row| {
                        Ok(Hit {
                            score: row.get(0)?,
                            chat_id: row.get(1)?,
                            chat: row.get(2)?,
                            id: row.get(3)?,
                            date: moment(row.get(4)?),
                            sender_id: row.get(5)?,
                            sender: row
                                .get::<_, Option<String>>(6)?
                                .unwrap_or_else(|| "Unknown".to_owned()),
                            outgoing: row.get(7)?,
                            text: row.get(8)?,
                            reactions: row.get(9)?,
                            reply_to: row.get(10)?,
                            answered_text: row.get(11)?,
                            answers: row.get(12)?,
                        })
                    },
                )?
                .collect()
        };
        read().map_err(|e| self.failed(&e))
    }

    /// People who write in the chats somebody writes in, those with most messages there first.
    pub fn contacts(&self, user: i64, limit: usize) -> ToolResult<Vec<Contact>> {
        let read = || -> rusqlite::Result<Vec<Contact>> {
            self.file
                .prepare(
                    "SELECT m.sender, COALESCE(p.name, 'Unknown'), p.username, COUNT(DISTINCT m.chat), COUNT(*) AS written
                     FROM messages m LEFT JOIN people p ON p.id = m.sender
                     WHERE m.sender > 0 AND m.sender <> ?1
                       AND (m.account, m.chat) IN (SELECT account, chat FROM messages WHERE sender = ?1)
                     GROUP BY m.sender ORDER BY written DESC, m.sender LIMIT ?2",
                )?
                .query_map(params![user, limit as i64], |row| {
                    Ok(Contact {
                        id: row.get(0)?,
                        name: row.get(1)?,
                        username: row.get(2)?,
                        shared_chats: row.get(3)?,
                        messages: row.get(4)?,
                    })
                })?
                .collect()
        };
        read().map_err(|e| self.failed(&e))
    }

    /// What the index holds.
    pub fn held(&self) -> ToolResult<Held> {
        let count = |sql: &str| self.file.query_row(sql, [], |row| row.get::<_, i64>(0));
        let read = || -> rusqlite::Result<Held> {
            let chats = self
                .file
                .prepare(
                    "SELECT c.id, c.title, COUNT(m.row) AS held, MAX(m.date) FROM chats c
                     LEFT JOIN messages m ON m.account = c.account AND m.chat = c.id
                     GROUP BY c.account, c.id ORDER BY held DESC, c.id",
                )?
                .query_map([], |row| {
                    Ok(ChatHeld {
                        id: row.get(0)?,
                        title: row.get(1)?,
                        messages: row.get(2)?,
                        newest: row.get::<_, Option<i64>>(3)?.map(moment),
                    })
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Held {
                messages: count("SELECT COUNT(*) FROM messages")?,
                people: count("SELECT COUNT(DISTINCT sender) FROM messages")?,
                reply_links: count(
                    "SELECT COUNT(*) FROM messages a JOIN messages q
                     ON q.account = a.account AND q.chat = a.chat AND q.id = a.reply_to",
                )?,
                chats,
                bytes: count("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")?,
            })
        };
        read().map_err(|e| self.failed(&e))
    }
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}
