//! The end of a process: by itself, when it is told to stop, or when time is up.

use std::{process::ExitStatus, time::Duration};

use app_core::contract::ToolResult;
use rustix::process::Signal;
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, sleep_until},
};

use super::{Why, group::Group};
use crate::store::Claimed;

/// An order to a running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// SIGTERM now, SIGKILL after the grace.
    Ask(Why),
    /// SIGKILL now.
    Kill(Why),
}

/// What supervising saw.
pub(super) struct Exit {
    pub(super) status: ExitStatus,
    pub(super) stopped: Option<(Why, bool)>,
}

/// Waits for the end of the process, and brings it about when told to or when time is up. Nothing of its process
/// group is left when this returns.
pub(super) async fn watch(
    group: &mut Group,
    claimed: &Claimed,
    orders: &mut UnboundedReceiver<Stop>,
) -> ToolResult<Exit> {
    // Also for a limit that a clock cannot hold.
    let never = Duration::from_secs(10 * 365 * 86400);
    let mut time_up = Instant::now() + claimed.policy.timeout().unwrap_or(never).min(never);
    let mut grace_over = Instant::now() + never;
    let mut stopped: Option<(Why, bool)> = None;
    let mut open = true;
    loop {
        let order = tokio::select! {
            biased;
            ended = group.watched.ended() => {
                ended?;
                break;
            }
            order = orders.recv(), if open => match order {
                Some(order) => order,
                None => {
                    open = false;
                    continue;
                }
            },
            () = sleep_until(grace_over) => Stop::Kill(stopped.map_or(Why::Cancel, |(why, _)| why)),
            () = sleep_until(time_up) => Stop::Ask(Why::Timeout),
        };
        time_up = Instant::now() + never;
        match order {
            // The first reason is the one that counts.
            Stop::Ask(why) if stopped.is_none() => {
                stopped = Some((why, false));
                grace_over = Instant::now() + claimed.policy.cancel_grace().min(never);
                group.signal(Signal::TERM);
                // A stopped process cannot heed it.
                group.signal(Signal::CONT);
            }
            Stop::Ask(_) => {}
            Stop::Kill(why) => {
                stopped = Some((stopped.map_or(why, |(first, _)| first), true));
                grace_over = Instant::now() + never;
                group.signal(Signal::KILL);
            }
        }
    }
    Ok(Exit {
        status: group.reap()?,
        stopped,
    })
}
