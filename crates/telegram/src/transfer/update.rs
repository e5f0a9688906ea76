//! Bringing a finished archive up to date: by what the service says has changed, else by reading all again.

use std::path::Path;

use app_core::{ToolError, ToolResult};

use super::{Exported, Job, Tally};
use crate::archive::{Archive, Progress};
use crate::client::Telegram;
use crate::history::PAGE;
use crate::model::Message;

impl Telegram {
    /// Brings a finished archive up to date.
    pub(super) async fn update(
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
                && job.range.holds_topic(message)
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
        // A folder of its own: an archive closes the folder it lies in to everybody else.
        let folder =
            tempfile::tempdir().map_err(|e| ToolError::file("create", Path::new("temporary folder"), &e))?;
        let fresh = Archive::open(&folder.path().join("fresh.sqlite3"))?;
        // The ids that are still there are collected in an archive of their own, beside the comparison.
        let keep = |message: &Message| job.range.holds_topic(message);
        let (fresh, _, _) = self.pull(job.chat, keep, fresh, progress.clone(), None).await?;
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
