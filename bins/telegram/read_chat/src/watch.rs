//! Going on after an export: what is written next is appended to the file as it comes.
//!
//! The newest message is asked for every few seconds, and then everything after the last one written, so nothing is
//! missed however long the connection was away, and nothing is written twice.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::json;
use telegram::export::{Format, Header, Options, Renderer, Senders};
use telegram::listing::stamp;
use telegram::model::Message;
use telegram::{Chat, Telegram};

/// Longest pause while Telegram cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A chat that is watched.
pub struct Watch<'a> {
    telegram: &'a Telegram,
    chat: &'a Chat,
    lines: Box<dyn Renderer + Send>,
    senders: Senders,
    path: PathBuf,
    last: i32,
    seen: u64,
}

impl<'a> Watch<'a> {
    /// Watches for messages after this one.
    pub fn new(telegram: &'a Telegram, chat: &'a Chat, options: Options, path: &Path, last: i32) -> Self {
        let mut senders = Senders::new(&options, "Unknown");
        senders.learn(&chat.peer);
        Self {
            telegram,
            chat,
            lines: Format::Text.renderer(options),
            senders,
            path: path.to_owned(),
            last,
            seen: 0,
        }
    }

    /// Messages that came.
    pub const fn seen(&self) -> u64 {
        self.seen
    }

    /// Looks every so often until the time is over.
    ///
    /// # Errors
    /// `cancelled` when told to stop; what Telegram refuses for good. While it cannot be reached, the watch goes on.
    pub async fn run(&mut self, every: Duration, at_most: Option<Duration>) -> ToolResult<()> {
        let ctx = self.telegram.context();
        ctx.notify_ready();
        // Lines of this layout need no head, but the renderer wants to know the chat.
        let header = Header::new((*self.chat.peer).clone(), 0, ctx.now());
        self.lines
            .begin(&mut std::io::sink(), &header)
            .map_err(|e| ToolError::file("write", &self.path, &e))?;
        // A time that no clock reaches is none.
        let end = at_most.and_then(|time| Instant::now().checked_add(time));
        let mut pause = every;
        loop {
            match self.look().await {
                Ok(()) => pause = every,
                Err(error) if is_passing(error.kind) => {
                    ctx.warn(format!("{}; the watch goes on", error.message));
                    pause = (pause * 2).clamp(every, LONGEST_PAUSE.max(every));
                }
                Err(error) => return Err(error),
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(());
            }
            self.telegram
                .sleep(left.map_or(pause, |left| left.min(pause)))
                .await?;
        }
    }

    /// Fetches and writes what is new.
    async fn look(&mut self) -> ToolResult<()> {
        let mut pages = self.telegram.after(self.chat, self.last);
        while let Some(page) = pages.next().await? {
            let mut messages = page.messages;
            messages.reverse();
            self.write(&messages)?;
        }
        Ok(())
    }

    /// Appends messages, oldest first, and shows them.
    fn write(&mut self, messages: &[Message]) -> ToolResult<()> {
        let ctx = self.telegram.context();
        let failed = |path: &Path, e: &std::io::Error| ToolError::file("write", path, e);
        let mut file = File::options()
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(|e| failed(&self.path, &e))?;
        for message in messages {
            let mut line = Vec::new();
            self.lines
                .message(&mut line, message, None)
                .and_then(|()| file.write_all(&line))
                .and_then(|()| file.flush())
                .map_err(|e| failed(&self.path, &e))?;
            self.last = message.id;
            if line.is_empty() {
                continue;
            }
            self.seen += 1;
            let sender = self.senders.name(message);
            let text = match (message.text.is_empty(), message.media.is_some()) {
                (true, true) => "[Media]",
                _ => &message.text,
            };
            let value = json!({
                "id": message.id,
                "date": message.date,
                "sender": &*sender,
                "sender_id": message.sender_id,
                "text": message.text,
                "media": message.media.is_some(),
            });
            let time = stamp(message.date, "%H:%M:%S");
            ctx.stream(&value, &format!("[{time}] {sender}: {text}\n"));
        }
        ctx.count_items(messages.len() as u64);
        Ok(())
    }
}

/// Whether it makes sense to try again later.
const fn is_passing(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Network | ErrorKind::Timeout | ErrorKind::ProviderUnavailable
    )
}
