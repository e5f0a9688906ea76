//! The files of an export: downloaded beside it, gone on with after a stop.

use std::path::{Path, PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};

use super::{Exported, Job};
use crate::archive::Archive;
use crate::client::Telegram;
use crate::export::Attachment;
use crate::history::PAGE;
use crate::model::Message;

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
        let mut wanted = Vec::new();
        archive.walk(|message| {
            if message.media.as_ref().and_then(|media| media.file()).is_some() {
                wanted.push(message.id);
            }
            Ok(())
        })?;
        let folder = files_folder(&job.output);
        let bar = ctx.progress("files", "files", Some(wanted.len() as u64));
        for ids in wanted.chunks(PAGE) {
            let mut todo = Vec::new();
            for id in ids {
                match archive.file(*id)? {
                    Some(Attachment::Stored { path, .. }) if job.output.with_file_name(&path).is_file() => {
                        bar.inc(1);
                    }
                    _ => todo.push(*id),
                }
            }
            if todo.is_empty() {
                continue;
            }
            // Read again: references to files do not hold for long.
            for message in self.by_ids(job.chat, &todo).await?.into_iter().flatten() {
                ctx.check_cancelled()?;
                let attachment = self.fetch_file(&folder, &message, largest).await?;
                match &attachment {
                    Attachment::Stored { .. } => report.files += 1,
                    _ => report.files_left_out += 1,
                }
                archive.note_file(message.id, &attachment)?;
                bar.inc(1);
            }
        }
        bar.finish();
        Ok(())
    }

    async fn fetch_file(&self, folder: &Path, message: &Message, largest: u64) -> ToolResult<Attachment> {
        let ctx = self.context();
        let Some((media, file)) = message
            .media
            .as_ref()
            .and_then(|media| Some((media, media.file()?)))
        else {
            return Ok(Attachment::Unavailable);
        };
        if file.size > largest {
            return Ok(Attachment::TooLarge);
        }
        let name = crate::media::download_name(message.id, media);
        let target = folder.join(&name);
        if std::fs::metadata(&target).is_ok_and(|there| there.len() == file.size) {
            return Ok(stored(folder, &name));
        }
        std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
        // Half a file stays under a name of its own and is gone on with.
        let part = folder.join(format!("{name}.part"));
        let mut out = std::fs::File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&part)
            .map_err(|e| ToolError::file("write", &part, &e))?;
        let have = out.metadata().map(|there| there.len()).unwrap_or_default();
        match self.download(file, &mut out, have, |_| {}).await {
            Ok(bytes) if bytes == file.size => {
                out.sync_all().map_err(|e| ToolError::file("write", &part, &e))?;
                std::fs::rename(&part, &target).map_err(|e| ToolError::file("rename", &part, &e))?;
                Ok(stored(folder, &name))
            }
            Ok(bytes) => {
                ctx.warn(format!(
                    "file of message {}: {bytes} bytes came instead of {}",
                    message.id, file.size
                ));
                let _ = std::fs::remove_file(&part);
                Ok(Attachment::Unavailable)
            }
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::ProviderRejected | ErrorKind::NotFound | ErrorKind::Conflict
                ) =>
            {
                ctx.warn(format!("file of message {}: {}", message.id, error.message));
                Ok(Attachment::Unavailable)
            }
            Err(error) => Err(error),
        }
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
fn files_folder(output: &Path) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!("{stem}_files"))
}
