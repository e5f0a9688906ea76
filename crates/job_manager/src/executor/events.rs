//! Reading the event stream of a tool, and holding it to the contract.

use std::time::Duration;

use app_core::contract::{Event, EventBody, Progress, ToolError};
use serde_json::Value;
use tokio::{
    io::AsyncReadExt,
    net::unix::pipe::Receiver,
    time::{Instant, timeout_at},
};

use super::lines::{Line, Lines};
use crate::wire::JobEventBody;

/// Longest event; the terminal one carries the output.
const LONGEST: usize = 32 << 20;
/// Shortest time between two progress reports that are passed on.
const PROGRESS_EVERY: Duration = Duration::from_millis(50);
/// Log and step events passed on per attempt; the tool's stderr has all lines.
const MOST_LOGS: u32 = 1000;

/// How the stream ended, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// What the terminal event said.
    pub finished: Option<Result<Value, Box<ToolError>>>,
    /// The first breach of the contract.
    pub breach: Option<String>,
    /// The last progress.
    pub progress: Option<Progress>,
}

/// Reads to the end of the stream. May be dropped at any time; `seen` is then what was read so far.
pub(super) async fn read(mut pipe: Receiver, seen: &mut Seen, pass_on: impl Fn(JobEventBody)) {
    let mut lines = Lines::new(LONGEST);
    let mut chunk = vec![0; 16 << 10];
    let mut logs = 0_u32;
    let mut held: Option<Progress> = None;
    let mut passed = Instant::now() - PROGRESS_EVERY;
    loop {
        let until = if held.is_some() {
            passed + PROGRESS_EVERY
        } else {
            Instant::now() + Duration::from_secs(3600)
        };
        let read = match timeout_at(until, pipe.read(&mut chunk)).await {
            Ok(Ok(0) | Err(_)) => break,
            Ok(Ok(read)) => read,
            Err(_) => {
                passed = Instant::now();
                held.take()
                    .map(JobEventBody::Progress)
                    .into_iter()
                    .for_each(&pass_on);
                continue;
            }
        };
        lines.push(&chunk[..read], |line| match seen.take(line) {
            Some(JobEventBody::Progress(progress)) => {
                seen.progress = Some(progress.clone());
                if passed.elapsed() >= PROGRESS_EVERY {
                    passed = Instant::now();
                    held = None;
                    pass_on(JobEventBody::Progress(progress));
                } else {
                    held = Some(progress);
                }
            }
            Some(body) => {
                // Order matters more than the throttle.
                held.take()
                    .map(JobEventBody::Progress)
                    .into_iter()
                    .for_each(&pass_on);
                let is_log = matches!(body, JobEventBody::Log { .. } | JobEventBody::Step(_));
                logs = logs.saturating_add(u32::from(is_log));
                if !is_log || logs <= MOST_LOGS {
                    pass_on(body);
                } else if logs == MOST_LOGS + 1 {
                    // Whoever follows must know that lines are missing from here on.
                    pass_on(JobEventBody::LogCut { passed_on: MOST_LOGS });
                }
            }
            None => {}
        });
    }
    if let Some(line) = lines.rest() {
        let bytes = line.bytes.len();
        seen.breach(format!(
            "the event stream ends within an event, after {bytes} bytes of it"
        ));
    }
    held.map(JobEventBody::Progress).into_iter().for_each(&pass_on);
}

impl Seen {
    /// Understands one line; returns what is to be passed on.
    fn take(&mut self, line: Line) -> Option<JobEventBody> {
        if line.cut {
            self.breach(format!("an event is longer than {LONGEST} bytes"));
            return None;
        }
        let event: Event = match serde_json::from_slice(&line.bytes) {
            Ok(event) => event,
            Err(e) => {
                self.breach(format!("a line of the event stream is no event: {e}"));
                return None;
            }
        };
        match event.body {
            EventBody::Started { .. } | EventBody::Unknown => None,
            EventBody::Progress(progress) => Some(JobEventBody::Progress(progress)),
            EventBody::Artifact(artifact) => Some(JobEventBody::Artifact(artifact)),
            EventBody::Cost { usd, what } => Some(JobEventBody::Cost { usd, what }),
            EventBody::Step(change) => Some(JobEventBody::Step(change)),
            EventBody::Log { level, message } => Some(JobEventBody::Log { level, message }),
            EventBody::Finished { output, error } => {
                if self.finished.is_some() {
                    self.breach("there is more than one terminal event".to_owned());
                }
                self.finished = Some(match error {
                    Some(mut error) => {
                        error.output = error.output.or_else(|| output.map(Box::new));
                        Err(error)
                    }
                    None => Ok(output.unwrap_or(Value::Null)),
                });
                None
            }
        }
    }

    fn breach(&mut self, text: String) {
        self.breach.get_or_insert(text);
    }
}
