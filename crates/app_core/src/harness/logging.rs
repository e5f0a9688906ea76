//! The log on stderr: text for people, JSON lines under systemd or on request.

use std::io::IsTerminal as _;

use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use super::invocation::Invocation;
use crate::config::process_env;

/// Where colour is wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Colours {
    pub(super) stdout: bool,
    pub(super) stderr: bool,
}

impl Colours {
    /// `--color`, then `NO_COLOR` (no-color.org), then whether the stream is a terminal.
    pub(super) fn choose(flag: Option<&str>) -> Self {
        let choose = |terminal: bool| match flag {
            Some("always") => true,
            Some("never") => false,
            _ => terminal && process_env("NO_COLOR").is_none(),
        };
        Self {
            stdout: choose(crate::stdout::is_terminal()),
            stderr: choose(std::io::stderr().is_terminal()),
        }
    }
}

/// Columns of the terminal that stdout is; 100 when it is none.
pub(super) fn width() -> usize {
    match rustix::termios::tcgetwinsize(crate::stdout::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
        _ => 100,
    }
}

/// Starts the log. `ONEJOB_LOG` (or `RUST_LOG`) sets the level per target, `ONEJOB_LOG_FORMAT` is `text` or `json`.
pub(super) fn start(invocation: &Invocation, colours: Colours) {
    let default = if invocation.verbose {
        "debug,hyper=info,reqwest=info,rustls=info,grammers_mtsender=info,grammers_mtproto=info"
    } else if invocation.quiet {
        "warn"
    } else {
        // The Telegram library tells of its own housekeeping.
        "info,grammers_mtsender=warn,grammers_mtproto=warn,grammers_session=warn,grammers_client=warn"
    };
    let wanted = process_env("ONEJOB_LOG").or_else(|| process_env("RUST_LOG"));
    let filter = wanted
        .as_deref()
        .unwrap_or(default)
        .parse::<Targets>()
        .unwrap_or_else(|_| Targets::new());
    let json = match process_env("ONEJOB_LOG_FORMAT").as_deref() {
        Some("json") => true,
        Some(_) => false,
        // systemd sets JOURNAL_STREAM for services whose output goes to the journal.
        None => process_env("JOURNAL_STREAM").is_some() && !std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    // A second start (tests in one process) keeps the first log.
    let _ = if json {
        registry
            .with(
                tracing_subscriber::fmt::layer()
                    .json()
                    .with_writer(std::io::stderr),
            )
            .try_init()
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .with_ansi(colours.stderr)
            .with_target(false)
            .without_time()
            .with_writer(std::io::stderr);
        registry.with(layer).try_init()
    };
}
