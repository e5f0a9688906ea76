//! Calendars: files, folders of them, and addresses.

use std::path::{Path, PathBuf};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use calendar::{Calendar, Zone};
use web::shown_text;

use crate::cache;

/// Largest calendar in bytes.
const LARGEST: u64 = 32 << 20;

/// Most bytes of all of them.
const MOST_BYTES: u64 = 256 << 20;

/// Files of one folder at most.
const MOST_FILES: usize = 1_000;

/// A calendar that was read.
#[derive(Debug)]
pub struct Source {
    /// Path or address for people, without secrets.
    pub name: String,
    /// What it holds.
    pub calendar: Calendar,
    /// Why an older copy was taken.
    pub stale: Option<String>,
}

/// How to read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Zone for times without one, when the caller names it.
    pub floating: Option<Zone>,
    /// Zone for them when neither the caller nor the file names one.
    pub fallback: Zone,
}

/// Reads calendars in the order of `names`; the files of a folder by name.
pub async fn read(names: &[String], reading: &Reading, ctx: &Context) -> ToolResult<Vec<Source>> {
    let mut sources = Vec::new();
    let mut left = MOST_BYTES;
    let progress = ctx.progress("read", "calendars", Some(names.len() as u64));
    for name in names {
        ctx.check_cancelled()?;
        if let Some(address) = address(name) {
            let fetched = cache::fetch(&address, LARGEST.min(left), ctx).await?;
            left = left.saturating_sub(fetched.bytes.len() as u64);
            let shown = shown_text(&address);
            sources.push(source(shown, &fetched.bytes, fetched.stale, reading)?);
        } else {
            for path in files(Path::new(name))? {
                ctx.check_cancelled()?;
                let bytes = ctx.read(&path, LARGEST.min(left))?;
                left = left.saturating_sub(bytes.len() as u64);
                sources.push(source(path.display().to_string(), &bytes, None, reading)?);
            }
        }
        progress.inc(1);
    }
    progress.finish();
    Ok(sources)
}

fn source(name: String, bytes: &[u8], stale: Option<String>, reading: &Reading) -> ToolResult<Source> {
    let calendar = calendar::read(bytes, reading.floating.as_ref(), &reading.fallback);
    if !calendar.is_calendar {
        return Err(
            ToolError::new(ErrorKind::InvalidInput, format!("`{name}` is no calendar"))
                .code("not_a_calendar")
                .hint("an iCalendar file begins with BEGIN:VCALENDAR"),
        );
    }
    Ok(Source {
        name,
        calendar,
        stale,
    })
}

/// The address that a name means; `None` for a path.
fn address(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("webcal://") {
        return Some(format!("https{}", &name["webcal".len()..]));
    }
    if lower.starts_with("webcals://") {
        return Some(format!("https{}", &name["webcals".len()..]));
    }
    name.contains("://").then(|| name.to_owned())
}

/// The file, or the .ics files of a folder that are not hidden.
fn files(path: &Path) -> ToolResult<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path).map_err(|e| ToolError::file("list", path, &e))?;
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| {
            let ics = file
                .extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("ics"));
            let hidden = file
                .file_name()
                .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
            ics && !hidden && file.is_file()
        })
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(ToolError::not_found(format!(
            "`{}` has no .ics files",
            path.display()
        )));
    }
    if found.len() > MOST_FILES {
        let text = format!("`{}` has more than {MOST_FILES} .ics files", path.display());
        return Err(ToolError::new(ErrorKind::InvalidInput, text));
    }
    Ok(found)
}
