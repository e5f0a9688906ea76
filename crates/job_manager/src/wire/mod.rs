//! What crosses a process boundary: the payloads of the verbs, same on every face.
//!
//! Each has a golden file in `tests/golden`, so a change of the wire is seen in review.

mod event;
mod job;
mod list;
mod log;
mod start;
mod status;
mod tools;

pub use event::{JobEvent, JobEventBody, WatchBody, WatchEvent, WatchRequest};
pub use job::{ArtifactInfo, ArtifactState, CancelReport, Job, Waiting, WaitingFor};
pub use list::{FallbackCount, JobFilter, JobLine, JobPage, ListRequest, Load, Pruned};
pub use log::{LogLine, LogPage, LogRequest, Stream};
pub use start::{RetryRequest, StartRequest, Started, Validation};
pub use status::{FamilySlots, KeyInUse, Slots, Status, WaitingJob, WorkerStatus};
pub use tools::{Route, RunMode, ToolEntry, ToolList, ToolSummary};
