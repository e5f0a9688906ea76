//! An export: fetch (resuming or only what changed), download the files, write the format.
//!
//! The chat is read from its oldest wanted message on, so that what has been fetched never has to be read again. A
//! writer of its own keeps the pages while the next one is on its way.

mod earlier;
mod fetch;
mod files;
mod pages;
mod parts;
mod update;
mod write;

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::archive::{Archive, Phase, Progress, Stored};
use crate::client::Telegram;
use crate::export::{Format, Options};
use crate::model::Message;
use crate::peers::Chat;
use write::Draft;

/// The topic that every forum has, and in which everything stands that names no other.
const GENERAL: i32 = 1;

/// Age from which an export that was cut off is brought up to date when it is gone on with.
const FRESH: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);

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

impl Range {
    /// What archives are filed under. It is written out, with a version, so that a new field of this type cannot leave all
    /// archives that there are behind: it is added at the end, and only where it is set.
    fn key(&self) -> String {
        let shown = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        format!(
            "range.v1 limit={} since={} until={} min_id={} max_id={} topic={}",
            shown(self.limit.map(|n| n.to_string())),
            shown(self.since.map(|at| at.to_string())),
            shown(self.until.map(|at| at.to_string())),
            shown(self.min_id.map(|n| n.to_string())),
            shown(self.max_id.map(|n| n.to_string())),
            shown(self.topic.map(|n| n.to_string())),
        )
    }

    /// Whether a message stands in the topic asked for.
    fn holds_topic(&self, message: &Message) -> bool {
        match self.topic {
            None => true,
            // Messages of the first topic need not say so, and the entry number 1 is the making of the group.
            Some(GENERAL) => message.topic.unwrap_or(GENERAL) == GENERAL && message.id != GENERAL,
            Some(topic) => message.topic == Some(topic),
        }
    }
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
    /// Files that were there already.
    pub files_kept: usize,
    /// Files that could not be downloaded or are too large.
    pub files_left_out: usize,
    /// Those of them that Telegram did not deliver; the next run tries them again.
    pub files_missing: usize,
    /// Messages from before the group was made a supergroup, which stand in the group it was.
    pub before_upgrade: usize,
    /// Number of the newest message there; 0 in an empty chat.
    pub newest: i32,
    /// The file written.
    pub path: PathBuf,
    /// Pages of an HTML export that has several: `path` is the first, the others, their index and the list of checksums lie
    /// beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<usize>,
}

/// The archive of a chat and range.
fn archive_path(telegram: &Telegram, chat: &Chat, range: &Range) -> ToolResult<PathBuf> {
    // A short name that differs between ranges; collisions would only share an archive of the same chat.
    let digest = crate::archive::digest(range.key().as_bytes());
    Ok(crate::archive::home(telegram)?.join(format!("{}-{digest:016x}.sqlite3", chat.id())))
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

/// A day or a moment that a user wrote: `2025-01-31` (its beginning), `2025-01-31T12:00`, both in the zone, or
/// `2025-01-31T12:00:00Z`.
///
/// # Errors
/// `invalid_input` naming the field.
pub fn moment(field: &str, text: &str, zone: &jiff::tz::TimeZone) -> ToolResult<Timestamp> {
    let text = text.trim();
    // What has an offset means one moment everywhere; a date alone would be read as midnight by the third.
    let found = if let Ok(at) = text.parse::<Timestamp>() {
        Ok(at)
    } else if let Ok(day) = text.parse::<jiff::civil::Date>()
        && !text.contains(['T', 't', ' '])
    {
        day.to_zoned(zone.clone()).map(|at| at.timestamp())
    } else {
        text.parse::<jiff::civil::DateTime>()
            .and_then(|at| at.to_zoned(zone.clone()))
            .map(|at| at.timestamp())
    };
    found.map_err(|_| {
        ToolError::invalid(
            field,
            format!("`{text}` is neither a day (2025-01-31) nor a time (2025-01-31T12:00)"),
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
        let kept = archive_path(self, job.chat, &job.range)?;
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
            Some(progress) if progress.done() && job.incremental => {
                report.incremental = true;
                archive = self.update(&job, archive, progress, &mut report).await?;
            }
            Some(progress) if progress.done() => {
                archive.forget()?;
                (archive, draft) = self.fetch(&job, Archive::open(&path)?, None, &mut report).await?;
            }
            Some(progress) => {
                report.resumed = true;
                (archive, draft) = self.resume(&job, archive, progress, &mut report).await?;
            }
            None => (archive, draft) = self.fetch(&job, archive, None, &mut report).await?,
        }
        archive.enter(Phase::Writing)?;
        // A dry run leaves no files, so it fetches none.
        let folder = files::files_folder(&job.output).display().to_string();
        let files = match job.media.filter(|_| ctx.may("write_files", &folder, "")) {
            Some(largest) => self.fetch_files(&job, &archive, largest, &mut report).await,
            None => Ok(()),
        };
        // What has been read is written whatever became of the files, unless the run is to end at once.
        if let Err(error) = &files
            && error.kind == ErrorKind::Cancelled
        {
            return Err(error.clone());
        }
        report.newest = archive.progress()?.map_or(0, |progress| progress.highest);
        let written = match draft {
            Some(draft) => draft.end(&mut report)?,
            None => false,
        };
        if !written {
            write::write(&ctx, &job, &archive, &mut report)?;
        }
        if job.format == Format::Html {
            parts::tell_of_leftovers(&ctx, &job, &report)?;
        }
        files.map_err(|error| error.with_output(&report))?;
        if report.files_missing == 0 {
            archive.enter(Phase::Done)?;
        }
        Ok(report)
    }

    /// Goes on with an export that did not come to its end.
    async fn resume(
        &self,
        job: &Job<'_>,
        archive: Archive,
        progress: Progress,
        report: &mut Exported,
    ) -> ToolResult<(Archive, Option<Draft>)> {
        let ctx = self.context();
        let reading = progress.phase.unwrap_or(Phase::Reading) == Phase::Reading;
        let age = ctx.now().duration_since(progress.began);
        let (mut archive, mut draft) = if reading {
            ctx.info(format!("going on after message {}", progress.reached));
            self.fetch(job, archive, Some(progress), report).await?
        } else {
            ctx.info("all messages have been read before; going on with the files");
            (archive, None)
        };
        // What was begun long ago would lack what has been written since.
        if age > FRESH
            && job.range.until.is_none()
            && let Some(progress) = archive.progress()?
        {
            archive = self.update(job, archive, progress, report).await?;
            draft = None;
        }
        Ok((archive, draft))
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
                        phase: Some(Phase::Reading),
                    };
                    archive.store(Vec::new(), &empty, false)?;
                    return Ok((archive, None));
                }
            },
        };
        let range = &job.range;
        let (archive, stored, draft) = match range.topic {
            Some(topic) if topic != GENERAL => {
                let wanted = (topic, range.limit);
                let (archive, stored) = self.pull_topic(job.chat, wanted, archive, progress).await?;
                (archive, stored, None)
            }
            // Only what belongs to it from before an upgrade is missing.
            _ if progress.complete => (archive, Tally::default(), draft),
            _ => {
                let keep = |message: &Message| range.holds_topic(message);
                self.pull(job.chat, keep, archive, progress, draft).await?
            }
        };
        report.new += stored.new;
        if range.topic.is_some() {
            return Ok((archive, draft));
        }
        let (archive, more) = self.top_up(job, archive).await?;
        let (archive, earlier) = self.pull_earlier(job, archive).await?;
        report.new += more.new + earlier.new;
        report.before_upgrade = earlier.new;
        // Older messages came after newer ones.
        let draft = draft.filter(|_| more.new + earlier.new == 0);
        Ok((archive, draft))
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
