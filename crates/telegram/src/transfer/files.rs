//! The files of an export: fetched into a folder beside it, several at a time, gone on with after a stop.

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use futures_util::StreamExt;

use super::earlier::own_number;
use super::{Exported, Job};
use crate::archive::{Archive, FileNote};
use crate::client::Telegram;
use crate::export::Attachment;
use crate::files::{FILES_AT_ONCE, Fetcher, Outcome, Wanted, download_name};
use crate::history::PAGE;
use crate::model::{File, Media};
use crate::peers::Chat;

/// Warnings about single files; the rest is counted.
const MOST_WARNINGS: usize = 20;

/// A file of the archive that is not there yet.
struct Open {
    /// Number of its message in the archive.
    id: i32,
    media: Media,
    file: File,
}

impl Telegram {
    /// Downloads the files of the messages that have none yet.
    pub(super) async fn fetch_files(
        &self,
        job: &Job<'_>,
        archive: &Archive,
        largest: u64,
        report: &mut Exported,
    ) -> ToolResult<()> {
        let ctx = self.context();
        let folder = files_folder(&job.output);
        let fetcher = Fetcher::new(self, &folder)?;
        let mut wanted = Vec::new();
        archive.walk(|message| {
            if message.media.as_ref().and_then(Media::file).is_some() {
                wanted.push(message.id);
            }
            Ok(())
        })?;
        let group = match wanted.first() {
            Some(id) if *id < 0 => super::earlier::group_of(self, archive).await?,
            _ => None,
        };
        let bar = ctx.progress("files", "files", Some(wanted.len() as u64));
        let (earlier, own) = wanted.split_at(wanted.partition_point(|id| *id < 0));
        for (chat, ids) in [(group.as_ref(), earlier), (Some(job.chat), own)] {
            for ids in ids.chunks(PAGE) {
                let Some(chat) = chat else { continue };
                let mut open = Vec::new();
                for id in ids {
                    match settled(archive, job, *id, largest, report)? {
                        None => bar.inc(1),
                        Some(one) => open.push(one),
                    }
                }
                if open.is_empty() {
                    continue;
                }
                self.renew(chat, &mut open, &fetcher).await?;
                let mut running = futures_util::stream::iter(open)
                    .map(async |open| {
                        let wanted = wanted_file(chat, &open);
                        let outcome = fetcher.fetch(&wanted).await;
                        (open, outcome)
                    })
                    .buffer_unordered(FILES_AT_ONCE);
                while let Some((open, outcome)) = running.next().await {
                    ctx.check_cancelled()?;
                    self.note(archive, &folder, &open, outcome?, report)?;
                    bar.inc(1);
                }
            }
        }
        bar.finish();
        Ok(())
    }

    /// Reads the messages again: references to files do not hold for long.
    async fn renew(&self, chat: &Chat, open: &mut [Open], fetcher: &Fetcher<'_>) -> ToolResult<()> {
        let ids: Vec<i32> = open.iter().map(|open| own_number(open.id)).collect();
        let found = match self.by_ids(chat, &ids).await {
            Ok(found) => found,
            Err(error) if matches!(error.kind, ErrorKind::Cancelled | ErrorKind::Unauthorised) => {
                return Err(error);
            }
            Err(error) => {
                fetcher.give_up(&error.message);
                return Ok(());
            }
        };
        for (open, message) in open.iter_mut().zip(found) {
            let media = message.and_then(|message| message.media);
            // A message that carries another file since keeps the one that was read with it.
            if let Some(file) = media
                .as_ref()
                .and_then(Media::file)
                .filter(|file| file.id == open.file.id)
            {
                open.file = file.clone();
            }
        }
        Ok(())
    }

    /// Notes what became of a file.
    fn note(
        &self,
        archive: &Archive,
        folder: &Path,
        open: &Open,
        outcome: Outcome,
        report: &mut Exported,
    ) -> ToolResult<()> {
        let attachment = match outcome {
            Outcome::Stored { name, fresh } => {
                if fresh {
                    report.files += 1;
                } else {
                    report.files_kept += 1;
                }
                stored(folder, &name)
            }
            Outcome::Gone(reason) | Outcome::Later(reason) => {
                if report.files_missing < MOST_WARNINGS {
                    let id = own_number(open.id);
                    self.context().warn(format!("file of message {id}: {reason}"));
                }
                report.files_missing += 1;
                report.files_left_out += 1;
                Attachment::Unavailable
            }
        };
        archive.note_file(
            open.id,
            &FileNote {
                file: open.file.id,
                attachment,
            },
        )
    }
}

impl Exported {
    /// The output of a tool, as a partial failure where files are missing from the export.
    ///
    /// # Errors
    /// `partial`, with the output.
    pub fn whole<T: serde::Serialize>(&self, output: T) -> ToolResult<T> {
        if self.files_missing == 0 {
            return Ok(output);
        }
        let message = format!(
            "{} files could not be downloaded; all messages are in the export, which marks them",
            self.files_missing
        );
        Err(ToolError::partial(message, &output)
            .hint("run the same command again: it fetches what is missing"))
    }
}

/// A file that has to be fetched; `None` where it is there, or larger than wanted.
fn settled(
    archive: &Archive,
    job: &Job<'_>,
    id: i32,
    largest: u64,
    report: &mut Exported,
) -> ToolResult<Option<Open>> {
    let Some(media) = archive.message(id)?.and_then(|message| message.media) else {
        return Ok(None);
    };
    let Some(file) = media.file().cloned() else {
        return Ok(None);
    };
    if file.size > largest {
        report.files_left_out += 1;
        let attachment = Attachment::TooLarge;
        archive.note_file(
            id,
            &FileNote {
                file: file.id,
                attachment,
            },
        )?;
        return Ok(None);
    }
    if let Some(FileNote {
        file: known,
        attachment,
    }) = archive.file(id)?
        && known == file.id
        && let Some(path) = attachment.path()
    {
        let there = std::fs::symlink_metadata(job.output.with_file_name(path));
        if there.is_ok_and(|there| there.is_file() && there.len() == file.size) {
            report.files_kept += 1;
            return Ok(None);
        }
    }
    Ok(Some(Open { id, media, file }))
}

fn wanted_file<'a>(chat: &'a Chat, open: &Open) -> Wanted<'a> {
    let number = own_number(open.id);
    // Numbers of the group before its upgrade may be in use again.
    let shown = if open.id < 0 {
        format!("old{number}")
    } else {
        number.to_string()
    };
    Wanted {
        chat,
        message: number,
        file: open.file.clone(),
        name: download_name(&shown, &open.media),
    }
}

fn stored(folder: &Path, name: &str) -> Attachment {
    let folder = folder.file_name().unwrap_or_default().to_string_lossy();
    Attachment::Stored {
        path: format!("{folder}/{name}"),
        thumbnail: None,
    }
}

/// The folder for the files of an export: beside it, named after it.
pub(super) fn files_folder(output: &Path) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!("{}_files", crate::files::cut(&stem, LONGEST_STEM)))
}

/// Longest stem of the folder's name in bytes.
const LONGEST_STEM: usize = 240;
