//! What all binaries of a host share: the ledger, the run log, checkpoints, approvals and the outbox, each a small SQLite
//! file.

mod approvals;
mod checkpoint;
pub mod database;
mod ledger;
mod outbox;
mod principal;
mod private;
mod runs;

use std::path::PathBuf;

pub use crate::contract::settings::BudgetSettings as BudgetLimits;
pub use approvals::{Approvals, Decided, Decision, NewRequest, Request, RequestState};
pub use checkpoint::Checkpoint;
pub use database::{migrate, open};
pub use ledger::{BudgetPeriod, Ledger, LedgerEntry, Reservation, ReservationState};
pub use outbox::{Claim, Delivery, Message, MessageState, NewMessage, Outbox, OwnedMessage, Pace, Settled};
pub use principal::Principal;
pub use private::folder;
pub use runs::{FallbackRuns, NewRun, RunFilter, RunRecord, RunTotals, Runs};

use crate::{
    config::process_env,
    contract::{ToolError, ToolResult},
};

/// The state directory: `$ONEJOB_STATE_DIR`, else systemd's `$STATE_DIRECTORY`, else `onejob` in the XDG state directory.
pub fn state_dir() -> ToolResult<PathBuf> {
    if let Some(dir) = process_env("ONEJOB_STATE_DIR") {
        let dir = PathBuf::from(dir);
        // A relative one would be another folder for every working directory: locks and budgets would hold nothing.
        return if dir.is_absolute() {
            Ok(dir)
        } else {
            Err(ToolError::config(format!(
                "`ONEJOB_STATE_DIR` is `{}`, not an absolute path",
                dir.display()
            ))
            .code("relative_state_dir"))
        };
    }
    if let Some(dirs) = process_env("STATE_DIRECTORY") {
        // systemd separates several directories by colons; the first is ours.
        return Ok(PathBuf::from(dirs.split(':').next().unwrap_or_default()));
    }
    if let Some(dir) = process_env("XDG_STATE_HOME")
        .map(PathBuf::from)
        .filter(|d| d.is_absolute())
    {
        return Ok(dir.join("onejob"));
    }
    process_env("HOME")
        .map(|home| PathBuf::from(home).join(".local/state/onejob"))
        .ok_or_else(|| {
            ToolError::config("there is no state directory: neither `ONEJOB_STATE_DIR` nor `HOME` is set")
                .hint("set ONEJOB_STATE_DIR to a directory that this user may write")
        })
}
