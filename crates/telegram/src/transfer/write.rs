//! Writing the file of an export from its archive.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use app_core::{Context, PendingArtifact, ToolError, ToolResult};
use jiff::Timestamp;

use super::{Exported, Job, pages};
use crate::archive::Archive;
use crate::export::{Attachment, Format, Header, Renderer};
use crate::model::Message;

/// Bytes collected before they go to the file.
pub(super) const BUFFER: usize = 256 * 1024;

/// The head of an export.
fn header(job: &Job<'_>, count: usize, began: Timestamp) -> Header {
    let mut header = Header::new((*job.chat.peer).clone(), count, began);
    if let Some(title) = &job.title {
        header.title.clone_from(title);
    }
    header.meta.clone_from(&job.meta);
    header
}

/// A file in the making. Chats are private: nobody but its owner may read it.
pub(super) fn private(
    ctx: &Context,
    path: &Path,
    media_type: &str,
    role: &str,
) -> ToolResult<PendingArtifact> {
    let pending = ctx.create(path, media_type, role)?;
    crate::files::close_to_others(pending.path())?;
    Ok(pending)
}

/// A file that is written while its messages still come, on the guess that they are as many as the server says. Where
/// that turns out wrong it is dropped, and the file is written from the archive.
pub(super) struct Draft {
    renderer: Box<dyn Renderer + Send>,
    out: BufWriter<PendingArtifact>,
    target: PathBuf,
    guess: usize,
    written: usize,
}

impl Draft {
    /// Begins one; `None` where a file needs more than its messages in one pass.
    pub(super) fn begin(
        ctx: &Context,
        job: &Job<'_>,
        guess: usize,
        began: Timestamp,
    ) -> ToolResult<Option<Self>> {
        // What has several pages is written once all their messages are known, for the links between them.
        if job.format == Format::Text || job.media.is_some() || pages::several(job.format, guess) {
            return Ok(None);
        }
        let pending = private(ctx, &job.output, job.format.media_type(), "export")?;
        let mut draft = Self {
            renderer: job.format.renderer(job.options.clone()),
            out: BufWriter::with_capacity(BUFFER, pending),
            target: job.output.clone(),
            guess,
            written: 0,
        };
        let header = header(job, guess, began);
        let begun = draft.renderer.begin(&mut draft.out, &header);
        begun.map_err(|e| ToolError::file("write", &draft.target, &e))?;
        Ok(Some(draft))
    }

    /// Writes a page, oldest message first.
    pub(super) fn page(&mut self, messages: &[Message]) -> ToolResult<()> {
        for message in messages {
            self.renderer
                .message(&mut self.out, message, None)
                .map_err(|e| ToolError::file("write", &self.target, &e))?;
        }
        self.written += messages.len();
        Ok(())
    }

    /// Puts the file in its place, if it holds what its head says.
    pub(super) fn end(mut self, report: &mut Exported) -> ToolResult<bool> {
        if self.written != self.guess {
            return Ok(false);
        }
        let failed = |e: &std::io::Error| ToolError::file("write", &self.target, e);
        self.renderer.end(&mut self.out).map_err(|e| failed(&e))?;
        self.out.flush().map_err(|e| failed(&e))?;
        self.out.into_inner().map_err(|e| failed(e.error()))?.commit()?;
        (report.messages, report.written) = (self.written, self.written);
        Ok(true)
    }
}

/// Writes the file from the archive.
pub(super) fn write(
    ctx: &Context,
    job: &Job<'_>,
    archive: &Archive,
    report: &mut Exported,
) -> ToolResult<()> {
    let mut renderer = job.format.renderer(job.options.clone());
    let progress = archive.progress()?;
    report.newest = progress.as_ref().map_or(0, |progress| progress.highest);
    let began = progress.map_or_else(|| ctx.now(), |progress| progress.began);
    report.messages = archive.count()?;
    let mut count = report.messages;
    if job.format == Format::Text {
        count = 0;
        archive.walk(|message| {
            count += usize::from(renderer.counts(&message));
            Ok(())
        })?;
    }
    report.written = count;
    let header = header(job, count, began);
    if pages::several(job.format, count) {
        return pages::write(ctx, job, archive, &header, report);
    }
    let pending = private(ctx, &job.output, job.format.media_type(), "export")?;
    let mut out = BufWriter::with_capacity(BUFFER, pending);
    let failed = |e: &std::io::Error| ToolError::file("write", &job.output, e);
    renderer.begin(&mut out, &header).map_err(|e| failed(&e))?;
    let mut left = 0_u32;
    archive.walk(|message| {
        left += 1;
        if left.is_multiple_of(1024) {
            ctx.check_cancelled()?;
        }
        let attachment = attachment(job, archive, &message)?;
        renderer
            .message(&mut out, &message, attachment.as_ref())
            .map_err(|e| failed(&e))
    })?;
    renderer.end(&mut out).map_err(|e| failed(&e))?;
    out.flush().map_err(|e| failed(&e))?;
    let pending = out.into_inner().map_err(|e| failed(e.error()))?;
    pending.commit().map(drop)
}

/// What became of a message's file, where files are asked for.
pub(super) fn attachment(
    job: &Job<'_>,
    archive: &Archive,
    message: &Message,
) -> ToolResult<Option<Attachment>> {
    if job.media.is_none() {
        return Ok(None);
    }
    let file = message
        .media
        .as_ref()
        .and_then(crate::model::Media::file)
        .map(|file| file.id);
    let note = archive.file(message.id)?;
    Ok(note
        .filter(|note| Some(note.file) == file)
        .map(|note| note.attachment))
}
