//! Writing the file of an export from its archive.

use std::io::{BufWriter, Write};

use app_core::{Artifact, Context, ToolError, ToolResult};

use super::{Exported, Job};
use crate::archive::Archive;
use crate::export::{Format, Header};

/// Writes the file from the archive.
pub(super) fn write(
    ctx: &Context,
    job: &Job<'_>,
    archive: &Archive,
    report: &mut Exported,
) -> ToolResult<Artifact> {
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
    let mut header = Header::new((*job.chat.peer).clone(), count, began);
    if let Some(title) = &job.title {
        header.title.clone_from(title);
    }
    header.meta.clone_from(&job.meta);
    let pending = ctx.create(&job.output, job.format.media_type(), "export")?;
    let mut out = BufWriter::with_capacity(256 * 1024, pending);
    let failed = |e: &std::io::Error| ToolError::file("write", &job.output, e);
    renderer.begin(&mut out, &header).map_err(|e| failed(&e))?;
    let mut left = 0_u32;
    archive.walk(|message| {
        left += 1;
        if left.is_multiple_of(1024) {
            ctx.check_cancelled()?;
        }
        let attachment = if job.media.is_some() {
            archive.file(message.id)?
        } else {
            None
        };
        renderer
            .message(&mut out, &message, attachment.as_ref())
            .map_err(|e| failed(&e))
    })?;
    renderer.end(&mut out).map_err(|e| failed(&e))?;
    out.flush().map_err(|e| failed(&e))?;
    let pending = out.into_inner().map_err(|e| failed(e.error()))?;
    pending.commit()
}
