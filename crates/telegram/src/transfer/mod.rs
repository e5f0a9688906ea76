//! An export: fetch (resuming or only what changed), download the files, write the format.
//!
//! The chat is read from its oldest wanted message on, so that what has been fetched never has to be read again. A
//! writer of its own keeps the pages while the next one is on its way.

mod files;
mod write;

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};
use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, Progress, Stored};
use crate::client::Telegram;
use crate::export::{Format, Options};
use crate::history::{PAGE, Search, Window};
use crate::model::Message;
use crate::peers::Chat;
use write::Draft;

/// Pages that may wait for the writer.
const WAITING_PAGES: usize = 4;

/// Pages asked for before the first of them has come.
const PAGES_AHEAD: usize = 3;

/// Which messages an export holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The newest so many; all, if not given.
    pub limit: Option<usize>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Lowest id.
    pub min_id: Option<i32>,
    /// Highest id.
    pub max_id: Option<i32>,
    /// Only this topic of a forum.
    pub topic: Option<i32>,
}

/// What an export is to do.
#[derive(Debug)]
pub struct Job<'a> {
    /// The chat.
    pub chat: &'a Chat,
    /// Which messages.
    pub range: Range,
    /// Format of the file.
    pub format: Format,
    /// What the format may be told.
    pub options: Options,
    /// Title line; the chat's name, if not given.
    pub title: Option<String>,
    /// Further lines of the head.
    pub meta: Vec<String>,
    /// The file.
    pub output: PathBuf,
    /// Fetch only what changed since the last finished export of this chat and range.
    pub incremental: bool,
    /// Download files up to this many bytes each.
    pub media: Option<u64>,
}

/// What an export did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exported {
    /// Messages of the range.
    pub messages: usize,
    /// Those of them in the file; some layouts leave out what has no text.
    pub written: usize,
    /// Messages that were not there before.
    pub new: usize,
    /// Messages that were edited since the last export.
    pub edited: usize,
    /// Messages that were deleted since the last export.
    pub deleted: usize,
    /// It went on where an earlier run had stopped.
    pub resumed: bool,
    /// Only changes were fetched.
    pub incremental: bool,
    /// Files downloaded by this run.
    pub files: usize,
    /// Files that could not be downloaded or are too large.
    pub files_left_out: usize,
    /// Number of the newest message there; 0 in an empty chat.
    pub newest: i32,
    /// The file written.
    pub path: PathBuf,
}

/// The archive of a chat and range.
fn archive_path(ctx: &Context, telegram: &Telegram, chat: &Chat, range: &Range) -> ToolResult<PathBuf> {
    let key = serde_json::to_string(range).map_err(|e| ToolError::internal(e.to_string()))?;
    // A short name that differs between ranges; collisions would only share an archive of the same chat.
    let digest = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let me = telegram.me()?.id;
    Ok(ctx
        .state_dir()?
        .join("telegram")
        .join(me.to_string())
        .join(format!("{}-{digest:016x}.sqlite3", chat.id())))
}

/// A copy of an archive, as far as there is one, in a folder that goes away by itself.
fn copied(archive: &Path) -> ToolResult<tempfile::TempDir> {
    let folder =
        tempfile::tempdir().map_err(|e| ToolError::file("create", Path::new("temporary folder"), &e))?;
    // A run that was killed may have left pages in the write-ahead log.
    for end in ["", "-wal"] {
        let mut from = archive.as_os_str().to_owned();
        from.push(end);
        let from = PathBuf::from(from);
        if from.is_file() {
            let to = folder.path().join(format!("archive.sqlite3{end}"));
            std::fs::copy(&from, to).map_err(|e| ToolError::file("copy", &from, &e))?;
        }
    }
    Ok(folder)
}

/// A day or a moment that a user wrote: `2025-01-31` (its beginning in UTC) or `2025-01-31T12:00:00Z`.
///
/// # Errors
/// `invalid_input` naming the field.
pub fn moment(field: &str, text: &str) -> ToolResult<Timestamp> {
    let text = text.trim();
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return day
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|at| at.timestamp())
            .map_err(|_| ToolError::invalid(field, format!("`{text}` is no day")));
    }
    text.parse::<Timestamp>().map_err(|_| {
        ToolError::invalid(
            field,
            format!("`{text}` is neither a day (2025-01-31) nor a time (2025-01-31T12:00:00Z)"),
        )
    })
}

impl Telegram {
    /// Export options that carry the account's configured name.
    pub fn export_options(&self) -> Options {
        let own = self
            .me()
            .ok()
            .zip(self.own_name())
            .map(|(me, name)| (me.id, name.to_owned()));
        Options {
            names: own.into_iter().collect(),
            ..Options::default()
        }
    }

    /// Exports a chat.
    ///
    /// A killed export goes on where it stopped and ends with the same bytes. The archive of a finished one stays for
    /// later incremental runs.
    pub async fn export(&self, job: Job<'_>) -> ToolResult<Exported> {
        let ctx = self.context().clone();
        let kept = archive_path(&ctx, self, job.chat, &job.range)?;
        // A dry run works on a copy: what it learns must still be news to the run that writes it.
        let rehearsal = ctx.dry_run().then(|| copied(&kept)).transpose()?;
        let path = rehearsal
            .as_ref()
            .map_or(kept, |folder| folder.path().join("archive.sqlite3"));
        let mut archive = Archive::open(&path)?;
        let before = archive.progress()?;
        let mut report = Exported {
            path: job.output.clone(),
            ..Exported::default()
        };
        let mut draft = None;
        match before {
            Some(progress) if progress.complete && job.incremental => {
                report.incremental = true;
                archive = self.update(&job, archive, progress, &mut report).await?;
            }
            Some(progress) if progress.complete => {
                archive.forget()?;
                (archive, draft) = self.fetch(&job, Archive::open(&path)?, None, &mut report).await?;
            }
            Some(progress) => {
                report.resumed = true;
                ctx.info(format!("going on after message {}", progress.reached));
                (archive, draft) = self.fetch(&job, archive, Some(progress), &mut report).await?;
            }
            None => (archive, draft) = self.fetch(&job, archive, None, &mut report).await?,
        }
        // A dry run leaves no files, so it fetches none.
        if let Some(largest) = job.media.filter(|_| !ctx.dry_run()) {
            self.fetch_files(&job, &archive, largest, &mut report).await?;
        }
        report.newest = archive.progress()?.map_or(0, |progress| progress.highest);
        let written = match draft {
            Some(draft) => draft.end(&mut report)?,
            None => false,
        };
        if !written {
            write::write(&ctx, &job, &archive, &mut report)?;
        }
        Ok(report)
    }

    /// Fetches all messages of the range that are not there yet.
    async fn fetch(
        &self,
        job: &Job<'_>,
        archive: Archive,
        before: Option<Progress>,
        report: &mut Exported,
    ) -> ToolResult<(Archive, Option<Draft>)> {
        let mut draft = None;
        let progress = match before {
            Some(progress) => progress,
            None => match self.bounds(job).await? {
                Some((progress, guess)) => {
                    if let Some(guess) = guess {
                        draft = Draft::begin(self.context(), job, guess, progress.began)?;
                    }
                    progress
                }
                None => {
                    // An empty chat or range is an export as well.
                    let mut archive = archive;
                    let empty = Progress {
                        lowest: 1,
                        highest: 0,
                        reached: 0,
                        mark: Some(self.mark(job.chat).await?),
                        began: self.context().now(),
                        complete: true,
                    };
                    archive.store(Vec::new(), &empty, false)?;
                    return Ok((archive, None));
                }
            },
        };
        let (archive, stored, draft) = match job.range.topic {
            Some(topic) => {
                let (archive, stored) = self.pull_topic(job.chat, topic, archive, progress).await?;
                (archive, stored, None)
            }
            None => self.pull(job.chat, archive, progress, draft).await?,
        };
        report.new += stored.new;
        Ok((archive, draft))
    }

    /// Finds which ids belong to the range, where the events of the chat stand, and, where the server's own count tells
    /// it, how many messages that will be.
    async fn bounds(&self, job: &Job<'_>) -> ToolResult<Option<(Progress, Option<usize>)>> {
        let (chat, range) = (job.chat, &job.range);
        let mark = self.mark(chat).await?;
        let until = range.until.map_or(0, |at| at.as_second() as i32);
        let below = range.max_id.map_or(0, |id| id.saturating_add(1));
        let one = |skip: i32| Window {
            above: 0,
            below,
            before: until,
            skip,
            limit: 1,
        };
        let newest = self.page(chat, one(0)).await?;
        let Some(highest) = newest.messages.first().map(|message| message.id) else {
            return Ok(None);
        };
        let mut lowest = range.min_id.unwrap_or(1).max(1);
        if let Some(since) = range.since {
            // The newest message before that time is the last one that does not belong.
            let window = Window {
                before: since.as_second() as i32,
                limit: 1,
                ..Window::default()
            };
            if let Some(message) = self.page(chat, window).await?.messages.first() {
                lowest = lowest.max(message.id + 1);
            }
        }
        if let Some(limit) = range.limit.filter(|_| range.topic.is_none()) {
            let skip = i32::try_from(limit.max(1) - 1).unwrap_or(i32::MAX);
            let window = if until > 0 || below > 0 {
                Window {
                    above: 0,
                    below: highest + 1,
                    before: 0,
                    skip,
                    limit: 1,
                }
            } else {
                one(skip)
            };
            if let Some(message) = self.page(chat, window).await?.messages.first() {
                lowest = lowest.max(message.id);
            }
        }
        let whole = *range
            == Range {
                limit: range.limit,
                ..Range::default()
            };
        let total = usize::try_from(newest.total).unwrap_or_default();
        let guess = whole.then(|| range.limit.map_or(total, |limit| limit.max(1).min(total)));
        let progress = Progress {
            lowest,
            highest,
            reached: lowest - 1,
            mark: Some(mark),
            began: self.context().now(),
            complete: false,
        };
        Ok((lowest <= highest).then_some((progress, guess)))
    }

    /// Reads the chat upwards from where the progress stands.
    async fn pull(
        &self,
        chat: &Chat,
        archive: Archive,
        mut progress: Progress,
        draft: Option<Draft>,
    ) -> ToolResult<(Archive, Tally, Option<Draft>)> {
        let ctx = self.context();
        let bar = ctx.progress("messages", "messages", None);
        let (pages, waiting) = std::sync::mpsc::sync_channel::<(Vec<Message>, Progress)>(WAITING_PAGES);
        let writer = tokio::task::spawn_blocking(move || keep_pages(archive, &waiting, draft));
        let outcome = async {
            let mut ahead = FuturesOrdered::new();
            let (mut asked, mut dense, mut told) = (progress.reached, false, false);
            loop {
                ctx.check_cancelled()?;
                while dense && ahead.len() < PAGES_AHEAD && asked < progress.highest {
                    let from = asked;
                    asked = asked.saturating_add(PAGE as i32).min(progress.highest);
                    let upto = asked;
                    ahead.push_back(async move {
                        self.page_between(chat, from, upto).await.map(|page| (upto, page))
                    });
                }
                let (reached, page) = match ahead.next().await {
                    Some(page) => page?,
                    None => {
                        let page = self.page_after(chat, progress.reached, PAGE).await?;
                        let last = page
                            .messages
                            .first()
                            .map_or(progress.highest, |message| message.id);
                        asked = last.min(progress.highest);
                        (asked, page)
                    }
                };
                if !told && page.total > 0 {
                    let span = u64::from((progress.highest - progress.reached).unsigned_abs());
                    bar.set_total(u64::from(page.total.unsigned_abs()).min(span));
                    told = true;
                }
                // Where almost every number is in use, the next pages can be asked for before this one is read.
                let span = usize::try_from(reached - progress.reached).unwrap_or(usize::MAX);
                dense = page.messages.len() * 10 >= span * 8;
                let mut messages = page.messages;
                messages.retain(|message| message.id <= progress.highest);
                messages.reverse();
                progress.reached = reached;
                progress.complete = progress.reached >= progress.highest;
                let done = progress.complete;
                bar.inc(messages.len() as u64);
                ctx.count_items(messages.len() as u64);
                if pages.send((messages, progress.clone())).is_err() || done {
                    return Ok(());
                }
            }
        }
        .await;
        drop(pages);
        let kept = writer
            .await
            .map_err(|e| ToolError::internal(format!("the writer of the archive ended: {e}")))?;
        outcome?;
        bar.finish();
        kept
    }

    /// Reads a topic. It is searched for newest first, so it is kept in one piece at the end.
    async fn pull_topic(
        &self,
        chat: &Chat,
        topic: i32,
        mut archive: Archive,
        mut progress: Progress,
    ) -> ToolResult<(Archive, Tally)> {
        let search = Search {
            topic: Some(topic),
            ..Search::default()
        };
        let (mut below, mut tally) = (progress.highest + 1, Tally::default());
        loop {
            let page = self.search_page(chat, &search, below, PAGE).await?;
            let Some(lowest) = page.messages.last().map(|message| message.id) else {
                break;
            };
            below = lowest;
            let mut messages = page.messages;
            messages.retain(|message| message.id >= progress.lowest);
            let done = messages.is_empty() || page.entries < PAGE;
            for stored in archive.store(messages, &progress, true)? {
                tally.count(stored);
            }
            if done {
                break;
            }
        }
        progress.reached = progress.highest;
        progress.complete = true;
        archive.store(Vec::new(), &progress, false)?;
        Ok((archive, tally))
    }

    /// Brings a finished archive up to date.
    async fn update(
        &self,
        job: &Job<'_>,
        mut archive: Archive,
        mut progress: Progress,
        report: &mut Exported,
    ) -> ToolResult<Archive> {
        let changes = match progress.mark {
            Some(mark) => self.changes(job.chat, mark).await?,
            None => None,
        };
        let Some(changes) = changes else {
            return self.compare(job, archive, progress, report).await;
        };
        let belongs = |message: &Message| {
            message.id >= progress.lowest
                && job.range.topic.is_none_or(|topic| message.topic == Some(topic))
                && job.range.max_id.is_none_or(|id| message.id <= id)
                && job.range.until.is_none_or(|until| message.date < until)
        };
        let mut new = changes.new;
        new.retain(|message| belongs(message));
        let mut edited = changes.edited;
        edited.retain(|message| belongs(message));
        progress.mark = Some(changes.mark);
        progress.highest = new
            .iter()
            .map(|message| message.id)
            .max()
            .unwrap_or_default()
            .max(progress.highest);
        progress.reached = progress.highest;
        let mut tally = Tally::default();
        for stored in archive.store(new, &progress, true)? {
            tally.count(stored);
        }
        for stored in archive.store(edited, &progress, true)? {
            tally.count(stored);
        }
        report.deleted = archive.remove(&changes.deleted)?.len();
        report.new = tally.new;
        report.edited = tally.changed;
        Ok(archive)
    }

    /// Reads the whole range again where the service no longer knows what changed.
    async fn compare(
        &self,
        job: &Job<'_>,
        archive: Archive,
        before: Progress,
        report: &mut Exported,
    ) -> ToolResult<Archive> {
        self.context()
            .info("Telegram no longer tells what changed; the chat is read again and compared");
        let old = archive.ids()?;
        let Some((mut progress, _)) = self.bounds(job).await? else {
            return Ok(archive);
        };
        progress.lowest = progress.lowest.min(before.lowest);
        progress.reached = progress.lowest - 1;
        progress.began = before.began;
        let began = tempfile::NamedTempFile::new()
            .map_err(|e| ToolError::file("create", Path::new("temporary file"), &e))?;
        let fresh = Archive::open(began.path())?;
        // The ids that are still there are collected in an archive of their own, beside the comparison.
        let (fresh, _, _) = self.pull(job.chat, fresh, progress.clone(), None).await?;
        let mut archive = archive;
        let mut tally = Tally::default();
        let mut page = Vec::with_capacity(PAGE);
        progress.reached = progress.highest;
        progress.complete = true;
        fresh.walk(|message| {
            page.push(message);
            if page.len() == PAGE {
                for stored in archive.store(std::mem::take(&mut page), &progress, true)? {
                    tally.count(stored);
                }
            }
            Ok(())
        })?;
        for stored in archive.store(page, &progress, true)? {
            tally.count(stored);
        }
        let still: std::collections::HashSet<i32> = fresh.ids()?.into_iter().collect();
        let gone: Vec<i32> = old.into_iter().filter(|id| !still.contains(id)).collect();
        report.deleted = archive.remove(&gone)?.len();
        report.new = tally.new;
        report.edited = tally.changed;
        Ok(archive)
    }
}

/// Counts of what messages were before.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    new: usize,
    changed: usize,
}

impl Tally {
    fn count(&mut self, stored: Stored) {
        match stored {
            Stored::New => self.new += 1,
            Stored::Changed => self.changed += 1,
            Stored::Same => {}
        }
    }
}

/// Keeps pages as they come, and writes them down if there is a draft.
fn keep_pages(
    mut archive: Archive,
    pages: &std::sync::mpsc::Receiver<(Vec<Message>, Progress)>,
    mut draft: Option<Draft>,
) -> ToolResult<(Archive, Tally, Option<Draft>)> {
    let mut tally = Tally::default();
    for (messages, progress) in pages {
        if let Some(draft) = &mut draft {
            draft.page(&messages)?;
        }
        for stored in archive.store(messages, &progress, false)? {
            tally.count(stored);
        }
    }
    Ok((archive, tally, draft))
}
