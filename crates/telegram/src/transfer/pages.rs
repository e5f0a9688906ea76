//! An HTML export of several pages: the pages, their index, what it searches, and the checksums of it all.
//!
//! The archive is walked twice, once to see where the pages end and once to write them, so that no more than one message
//! is held at a time.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app_core::{Context, PendingArtifact, ToolError, ToolResult};

use super::parts::{nothing_else_there, sum};
use super::write::{BUFFER, attachment, private};
use super::{Exported, Job};
use crate::archive::Archive;
use crate::export::html::Html;
use crate::export::html::index::{CLOSING, Searched, opening};
use crate::export::html::pages::{LONGEST_PAGE, Names, Pages, Splitter};
use crate::export::{Attachment, Format, Header, Renderer};
use crate::model::Message;

/// Messages in one file of what is searched.
pub(super) const SEARCHED_IN_FILE: usize = 50_000;

/// Finished files that wait for the others, so that all appear together. Each is held open, and a process may hold only
/// so many; the first of a longer row appear before the last are written.
const MOST_WAITING: usize = 400;

const SCRIPT: &str = "text/javascript";
const SUMS: &str = "text/plain";

/// Whether an export of so many messages has several pages.
pub(super) fn several(format: Format, messages: usize) -> bool {
    format == Format::Html && messages > LONGEST_PAGE
}

/// A file in the making, with its name.
struct Part {
    name: String,
    out: BufWriter<PendingArtifact>,
}

/// The files of an export on their way.
struct Files<'a> {
    ctx: &'a Context,
    job: &'a Job<'a>,
    waiting: VecDeque<(String, PendingArtifact)>,
    /// Lines of the list of checksums.
    sums: Vec<String>,
}

impl Files<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.job.output.with_file_name(name)
    }

    fn begin(&self, name: String, media_type: &str, role: &str) -> ToolResult<Part> {
        let pending = private(self.ctx, &self.path(&name), media_type, role)?;
        Ok(Part {
            name,
            out: BufWriter::with_capacity(BUFFER, pending),
        })
    }

    /// Keeps a file until all are there.
    fn keep(&mut self, mut part: Part) -> ToolResult<()> {
        let path = self.path(&part.name);
        part.out
            .flush()
            .map_err(|e| ToolError::file("write", &path, &e))?;
        let pending = part
            .out
            .into_inner()
            .map_err(|e| ToolError::file("write", &path, e.error()))?;
        self.waiting.push_back((part.name, pending));
        if self.waiting.len() > MOST_WAITING {
            self.put_first()?;
        }
        Ok(())
    }

    /// Puts the file that waits longest in its place.
    fn put_first(&mut self) -> ToolResult<()> {
        if let Some((name, pending)) = self.waiting.pop_front() {
            let artifact = pending.commit()?;
            self.sums.push(sum(&artifact.sha256, &name));
        }
        Ok(())
    }
}

/// Writes the export.
pub(super) fn write(
    ctx: &Context,
    job: &Job<'_>,
    archive: &Archive,
    header: &Header,
    report: &mut Exported,
) -> ToolResult<()> {
    let mut splitter = Splitter::new(job.options.time_zone.clone());
    let mut watch = Watch::new(ctx);
    archive.walk(|message| {
        watch.step()?;
        splitter.add(&message);
        Ok(())
    })?;
    let pages = Arc::new(splitter.end(Names::beside(&job.output)));
    let searches = header.count.div_ceil(SEARCHED_IN_FILE);
    nothing_else_there(job, &pages, searches)?;
    let mut files = Files {
        ctx,
        job,
        waiting: VecDeque::new(),
        sums: Vec::new(),
    };
    // Sums of attachments come last in the list, but become known while the pages are written.
    let scratch = |e: &std::io::Error| ToolError::file("write", Path::new("temporary file"), e);
    let mut attached = BufWriter::new(tempfile::tempfile().map_err(|e| scratch(&e))?);
    let mut html = Html::new(job.options.clone());
    let mut cursor = Cursor::default();
    archive.walk(|message| {
        watch.step()?;
        let attachment = attachment(job, archive, &message)?;
        cursor.page(
            &mut files,
            &mut html,
            &pages,
            header,
            &message,
            attachment.as_ref(),
        )?;
        cursor.search(&mut files, &mut html, &pages, &message)?;
        for path in attachment.iter().flat_map(Attachment::paths) {
            if let Some(line) = attached_sum(ctx, job, path)? {
                attached.write_all(line.as_bytes()).map_err(|e| scratch(&e))?;
            }
        }
        Ok(())
    })?;
    let searched = cursor.end(&mut files, &mut html)?;
    let mut index = files.begin(pages.names.index(), Format::Html.media_type(), "index")?;
    html.index(&mut index.out, header, &pages, searched)
        .map_err(|e| ToolError::file("write", &files.path(&index.name), &e))?;
    files.keep(index)?;
    let mut attached = attached.into_inner().map_err(|e| scratch(e.error()))?;
    attached.rewind().map_err(|e| scratch(&e))?;
    checksums(files, &pages, &mut attached)?;
    report.pages = Some(pages.list.len());
    Ok(())
}

/// Puts all files in their places, and the list of their checksums last: where it does not agree, a run was cut off.
fn checksums(mut files: Files<'_>, pages: &Pages, attached: &mut File) -> ToolResult<()> {
    // Begun first: a plan that lacks it stops the run before any file is in its place.
    let mut list = files.begin(pages.names.sums(), SUMS, "checksums")?;
    while !files.waiting.is_empty() {
        files.put_first()?;
    }
    let path = files.path(&list.name);
    let failed = |e: &std::io::Error| ToolError::file("write", &path, e);
    for line in &files.sums {
        list.out.write_all(line.as_bytes()).map_err(|e| failed(&e))?;
    }
    std::io::copy(attached, &mut list.out).map_err(|e| failed(&e))?;
    files.keep(list)?;
    files.put_first()
}

/// The line of a stored attachment.
fn attached_sum(ctx: &Context, job: &Job<'_>, name: &str) -> ToolResult<Option<String>> {
    let path = job.output.with_file_name(name);
    // A dry run fetches no files, and may know of some that are not there.
    if ctx.dry_run() && !path.is_file() {
        return Ok(None);
    }
    Ok(Some(sum(&app_core::files::sha256_of(&path)?, name)))
}

/// Lets a long walk be ended.
struct Watch<'a> {
    ctx: &'a Context,
    steps: u32,
}

impl<'a> Watch<'a> {
    const fn new(ctx: &'a Context) -> Self {
        Self { ctx, steps: 0 }
    }

    fn step(&mut self) -> ToolResult<()> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(256) {
            self.ctx.check_cancelled()?;
        }
        Ok(())
    }
}

/// Where the writing stands.
#[derive(Default)]
struct Cursor {
    page: Option<Part>,
    at: usize,
    search: Option<Part>,
    searches: usize,
    in_search: usize,
    cut: usize,
}

impl Cursor {
    /// Writes a message to its page.
    fn page(
        &mut self,
        files: &mut Files<'_>,
        html: &mut Html,
        pages: &Arc<Pages>,
        header: &Header,
        message: &Message,
        attachment: Option<&Attachment>,
    ) -> ToolResult<()> {
        let at = pages.of(message.id).unwrap_or_default();
        if at != self.at {
            self.end_page(files, html)?;
            self.at = at;
        }
        let fresh = self.page.is_none();
        if fresh {
            html.turn_to(pages, at);
            let name = pages.names.page(at);
            self.page = Some(files.begin(name, Format::Html.media_type(), "export")?);
        }
        let Some(part) = &mut self.page else { return Ok(()) };
        let begun = if fresh {
            html.begin(&mut part.out, header)
        } else {
            Ok(())
        };
        begun
            .and_then(|()| html.message(&mut part.out, message, attachment))
            .map_err(|e| ToolError::file("write", &files.path(&part.name), &e))
    }

    fn end_page(&mut self, files: &mut Files<'_>, html: &mut Html) -> ToolResult<()> {
        let Some(mut part) = self.page.take() else {
            return Ok(());
        };
        html.end(&mut part.out)
            .map_err(|e| ToolError::file("write", &files.path(&part.name), &e))?;
        files.keep(part)
    }

    /// Writes a message to what is searched.
    fn search(
        &mut self,
        files: &mut Files<'_>,
        html: &mut Html,
        pages: &Pages,
        message: &Message,
    ) -> ToolResult<()> {
        if self.in_search == SEARCHED_IN_FILE {
            self.end_search(files)?;
        }
        let (mut line, cut) = html.searched(message, self.at);
        self.cut += usize::from(cut);
        if self.search.is_none() {
            let name = pages.names.search(self.searches);
            self.search = Some(files.begin(name, SCRIPT, "search")?);
            (self.searches, self.in_search) = (self.searches + 1, 0);
            line.insert_str(0, &opening(pages));
        }
        let Some(part) = &mut self.search else {
            return Ok(());
        };
        self.in_search += 1;
        part.out
            .write_all(line.as_bytes())
            .map_err(|e| ToolError::file("write", &files.path(&part.name), &e))
    }

    fn end_search(&mut self, files: &mut Files<'_>) -> ToolResult<()> {
        let Some(mut part) = self.search.take() else {
            return Ok(());
        };
        part.out
            .write_all(CLOSING.as_bytes())
            .map_err(|e| ToolError::file("write", &files.path(&part.name), &e))?;
        files.keep(part)
    }

    fn end(&mut self, files: &mut Files<'_>, html: &mut Html) -> ToolResult<Searched> {
        self.end_page(files, html)?;
        self.end_search(files)?;
        Ok(Searched {
            files: self.searches,
            cut: self.cut,
        })
    }
}
