//! Draining stdout and stderr of a child into the job's log.

use tokio::{io::AsyncReadExt, net::unix::pipe::Receiver};

use super::{job_log::JobLog, lines::Lines};
use crate::wire::Stream;

/// Longest line kept in the log.
const LONGEST: usize = 16 << 10;
/// Bytes of stderr kept for the message of a failure.
const TAIL: usize = 4 << 10;

/// What a child wrote, as far as it is needed after its end.
#[derive(Debug, Default)]
pub(super) struct Captured {
    /// The whole of stdout up to a limit; empty if the limit is 0.
    pub stdout: Vec<u8>,
    pub stdout_limit: usize,
    /// The end of stderr.
    pub stderr_tail: Vec<u8>,
}

impl Captured {
    pub(super) fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr_tail).into_owned()
    }
}

/// Reads both to their ends. May be dropped at any time.
pub(super) async fn drain(out: Receiver, err: Receiver, captured: &mut Captured, log: &mut JobLog) {
    let (mut out, mut err) = (Some(out), Some(err));
    let mut lines = [Lines::new(LONGEST), Lines::new(LONGEST)];
    let (mut out_chunk, mut err_chunk) = (vec![0; 16 << 10], vec![0; 4 << 10]);
    while out.is_some() || err.is_some() {
        tokio::select! {
            read = read_some(&mut out, &mut out_chunk), if out.is_some() => {
                let bytes = &out_chunk[..read];
                let room = captured.stdout_limit.saturating_sub(captured.stdout.len());
                captured.stdout.extend_from_slice(&bytes[..read.min(room)]);
                lines[0].push(bytes, |line| log.line(Stream::Stdout, &line.bytes));
            }
            read = read_some(&mut err, &mut err_chunk), if err.is_some() => {
                let bytes = &err_chunk[..read];
                captured.stderr_tail.extend_from_slice(bytes);
                let surplus = captured.stderr_tail.len().saturating_sub(TAIL);
                captured.stderr_tail.drain(..surplus);
                lines[1].push(bytes, |line| log.line(Stream::Stderr, &line.bytes));
            }
        }
        log.flush();
    }
    for (stream, lines) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut lines) {
        if let Some(line) = lines.rest() {
            log.line(stream, &line.bytes);
        }
    }
    log.flush();
}

/// Reads what is there; 0 and the pipe closed at the end.
async fn read_some(pipe: &mut Option<Receiver>, chunk: &mut [u8]) -> usize {
    let Some(open) = pipe else { return 0 };
    let read = open.read(chunk).await.unwrap_or(0);
    if read == 0 {
        *pipe = None;
    }
    read
}
