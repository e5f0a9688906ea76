//! What is sent to the actor.

use app_core::contract::ToolResult;

use crate::{actor::Actor, executor::Report, owner::Lock};

/// Called with the result of the commit that holds what a verb did.
pub(crate) type AfterCommit = Box<dyn FnOnce(ToolResult<()>) + Send>;
/// A verb: acts on the state, and returns how to answer once that is on disk.
pub(crate) type Call = Box<dyn FnOnce(&mut Actor) -> AfterCommit + Send>;

/// How the actor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Take no more jobs, let the running ones finish.
    Drain,
    /// Take no more jobs, stop the running ones: they go back to the queue, or fail if they may not be repeated.
    Stop,
}

/// One message.
pub(crate) enum Message {
    /// A verb.
    Call(Call),
    /// From a runner.
    Report(Report),
    /// The processes of a dead owner are ended; its jobs can be dealt with. The lock is held until that is on disk.
    Cleaned { owner: String, lock: Lock },
    /// The processes of a dead owner could not be ended yet.
    NotCleaned { owner: String },
    /// Another process changed the store; not `everything`: only what those see who follow jobs.
    Poke { everything: bool },
    /// End.
    Close(Close, Option<tokio::sync::oneshot::Sender<()>>),
}
