//! The log of a job: one file of JSON lines, made when the first line comes, bounded in size.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use app_core::contract::{ToolError, ToolResult};

use crate::{
    id::JobId,
    wire::{LogLine, LogPage, LogRequest, Stream},
};

/// Lines kept for the end once the file is full.
const LAST_LINES: usize = 200;
/// Lines of one answer, if not asked otherwise, and at most.
const PAGE: u32 = 1000;
const LONGEST_PAGE: u32 = 10_000;

/// Where the log of a job lies.
pub(crate) fn log_path(state_dir: &Path, id: JobId) -> PathBuf {
    state_dir.join("logs").join(format!("{id}.ndjson"))
}

#[derive(Debug)]
pub(super) struct JobLog {
    path: PathBuf,
    attempt: u32,
    file: Option<File>,
    room: u64,
    pending: Vec<u8>,
    last: VecDeque<Vec<u8>>,
    left_out: u64,
}

impl JobLog {
    pub(super) fn new(path: PathBuf, attempt: u32, limit: u64) -> Self {
        let used = std::fs::metadata(&path).map_or(0, |m| m.len());
        let room = limit.saturating_sub(used);
        Self {
            path,
            attempt,
            file: None,
            room,
            pending: Vec::new(),
            last: VecDeque::new(),
            left_out: 0,
        }
    }

    /// Adds a line.
    pub(super) fn line(&mut self, stream: Stream, text: &[u8]) {
        let text = String::from_utf8_lossy(text).trim_end_matches('\r').to_owned();
        let line = LogLine {
            ts: app_core::Clock::System.now(),
            attempt: self.attempt,
            stream,
            text,
        };
        let Ok(mut bytes) = serde_json::to_vec(&line) else {
            return;
        };
        bytes.push(b'\n');
        if bytes.len() as u64 <= self.room {
            self.room -= bytes.len() as u64;
            self.pending.extend_from_slice(&bytes);
            return;
        }
        self.room = 0;
        self.last.push_back(bytes);
        if self.last.len() > LAST_LINES {
            self.last.pop_front();
            self.left_out += 1;
        }
    }

    /// Hands what has come to the operating system.
    pub(super) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        let written = self.open().and_then(|file| file.write_all(&pending));
        if let Err(e) = written {
            // The job matters more than its log.
            tracing::warn!(path = %self.path.display(), "cannot write the log of a job: {e}");
            self.room = 0;
        }
    }

    /// Writes the last lines of a run that said too much.
    pub(super) fn end(&mut self) {
        if self.left_out > 0 {
            let text = format!("{} lines left out", self.left_out);
            let line = LogLine {
                ts: app_core::Clock::System.now(),
                attempt: self.attempt,
                stream: Stream::Manager,
                text,
            };
            if let Ok(bytes) = serde_json::to_vec(&line) {
                self.pending.extend_from_slice(&bytes);
                self.pending.push(b'\n');
            }
        }
        let last = std::mem::take(&mut self.last);
        self.pending.extend(last.into_iter().flatten());
        self.flush();
    }

    fn open(&mut self) -> std::io::Result<&mut File> {
        if self.file.is_none() {
            let file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(&self.path)?;
            self.file = Some(file);
        }
        self.file
            .as_mut()
            .ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// Reads a page of the log. A job without a log has no lines.
pub(crate) fn read_log(path: &Path, request: &LogRequest) -> ToolResult<LogPage> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Ok(LogPage {
                lines: Vec::new(),
                next: 0,
            });
        }
        Err(e) => return Err(ToolError::file("read", path, &e)),
    };
    let fail = |e: std::io::Error| ToolError::file("read", path, &e);
    let mut reader = BufReader::new(file);
    reader.seek(SeekFrom::Start(request.after)).map_err(fail)?;
    let keep = request
        .tail
        .or(request.limit)
        .unwrap_or(PAGE)
        .clamp(1, LONGEST_PAGE) as usize;
    let wanted = |line: &LogLine| {
        request.stream.is_none_or(|stream| stream == line.stream)
            && request.attempt.is_none_or(|attempt| attempt == line.attempt)
    };
    let (mut next, mut lines, mut text) = (request.after, VecDeque::new(), Vec::new());
    loop {
        text.clear();
        let read = reader.read_until(b'\n', &mut text).map_err(fail)?;
        // A line without its end is being written, or was when the manager was killed.
        if text.pop() != Some(b'\n') {
            break;
        }
        next += read as u64;
        if let Ok(line) = serde_json::from_slice::<LogLine>(&text)
            && wanted(&line)
        {
            lines.push_back(line);
        }
        if lines.len() > keep {
            lines.pop_front();
        }
        if request.tail.is_none() && lines.len() == keep {
            break;
        }
    }
    Ok(LogPage {
        lines: lines.into(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_keeps_its_begin_and_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("j1.ndjson");
        let mut log = JobLog::new(path.clone(), 1, 10_000);
        for n in 0..5000 {
            log.line(Stream::Stderr, format!("line {n}").as_bytes());
        }
        log.end();
        let page = read_log(
            &path,
            &LogRequest {
                limit: Some(10_000),
                ..LogRequest::default()
            },
        )
        .unwrap();
        assert_eq!(page.lines[0].text, "line 0");
        assert_eq!(page.lines.last().unwrap().text, "line 4999");
        assert!(page.lines.iter().any(|l| l.stream == Stream::Manager));
        assert!(std::fs::metadata(&path).unwrap().len() < 40_000);
        let tail = read_log(
            &path,
            &LogRequest {
                tail: Some(2),
                ..LogRequest::default()
            },
        )
        .unwrap();
        assert_eq!(tail.lines.len(), 2);
        let rest = read_log(
            &path,
            &LogRequest {
                after: page.next,
                ..LogRequest::default()
            },
        )
        .unwrap();
        assert!(rest.lines.is_empty());
    }
}
