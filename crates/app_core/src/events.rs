//! Writes the NDJSON event stream to the descriptor the parent named.

use std::{
    fs::File,
    io::Write,
    os::fd::{FromRawFd, OwnedFd, RawFd},
    sync::Mutex,
    time::Instant,
};

use crate::{
    clock::Clock,
    config::process_env,
    contract::{Event, EventBody, ToolError, ToolResult},
    mutex::lock,
};

/// The event stream of a run; silent when nobody listens.
#[derive(Debug)]
pub(crate) struct Emitter {
    state: Mutex<State>,
    clock: Clock,
    started: Instant,
}

#[derive(Debug)]
struct State {
    sink: Option<File>,
    seq: u64,
    finished: bool,
}

impl Emitter {
    /// No listener.
    pub(crate) fn silent() -> Self {
        Self::new(None, Clock::System)
    }

    fn new(sink: Option<File>, clock: Clock) -> Self {
        Self {
            state: Mutex::new(State {
                sink,
                seq: 0,
                finished: false,
            }),
            clock,
            started: Instant::now(),
        }
    }

    /// The stream named by `ONEJOB_EVENTS_FD`, if any. A number that is no open descriptor is a `config` error.
    pub(crate) fn from_env(clock: Clock) -> ToolResult<Self> {
        let Some(text) = process_env("ONEJOB_EVENTS_FD") else {
            return Ok(Self::new(None, clock));
        };
        let refused = || {
            ToolError::config(format!(
                "`ONEJOB_EVENTS_FD` is `{text}`, which is not an open descriptor"
            ))
        };
        let number: RawFd = text.parse().map_err(|_| refused())?;
        if number < 3 || rustix_fd_closed(number) {
            return Err(refused());
        }
        #[expect(
            unsafe_code,
            reason = "the parent hands the descriptor over by number; nothing else here owns it"
        )]
        // SAFETY: the descriptor is open (checked above), and the parent gave it to this process for events only.
        let owned = unsafe { OwnedFd::from_raw_fd(number) };
        // Children of the tool must not keep the stream open.
        rustix::io::fcntl_setfd(&owned, rustix::io::FdFlags::CLOEXEC).map_err(|_| refused())?;
        Ok(Self::new(Some(File::from(owned)), clock))
    }

    /// Writes one event. After `finished` nothing is written any more.
    pub(crate) fn emit(&self, body: EventBody) {
        let mut state = lock(&self.state);
        if state.finished {
            return;
        }
        state.finished = matches!(body, EventBody::Finished { .. });
        let event = Event {
            v: 1,
            seq: state.seq,
            ts: self.clock.now(),
            elapsed_ms: self.started.elapsed().as_millis() as u64,
            body,
        };
        state.seq += 1;
        let Some(sink) = &mut state.sink else { return };
        let written = serde_json::to_vec(&event)
            .map_err(std::io::Error::from)
            .and_then(|mut line| {
                line.push(b'\n');
                sink.write_all(&line)
            });
        if written.is_err() {
            // The listener is gone; the run itself goes on.
            state.sink = None;
        }
    }
}

fn rustix_fd_closed(number: RawFd) -> bool {
    !std::path::Path::new(&format!("/proc/self/fd/{number}")).exists()
}
