//! Chromium as a child process: it opens pages, takes their picture and prints them.
//!
//! The browser is spoken to over two pipes (`protocol`), so there is no port that another user of the host could take.
//! Every page has a context of its own, and all that the context asks of the network goes through a proxy of ours
//! (`guard`) that keeps it away from private addresses. A browser and its profile folder never outlive the run; what a
//! killed run left is removed by the next one (`profile`).

mod arrival;
mod dialog;
mod element;
mod find;
mod guard;
mod open;
mod page;
mod picture;
mod profile;
mod protocol;
mod settle;
mod setup;
mod start;
mod traffic;
mod watch;

pub use dialog::Dialog;
pub use element::{Element, Rect, Trouble};
pub use find::{BROWSER_VARIABLE, find};
pub use guard::{HostUse, Rules};
pub use page::{Arrived, Page};
pub use picture::{Format, Paper, Shot};
pub use protocol::Protocol;
pub use settle::{Settled, Wait};
pub use setup::{Account, Media, Setup, Viewport};
pub use start::Browser;

use app_core::{ErrorKind, ToolError};

/// A failure of the browser.
pub(crate) fn failed(kind: ErrorKind, code: &str, message: impl Into<String>) -> ToolError {
    ToolError::new(kind, message).code(code).from_source("browser")
}
