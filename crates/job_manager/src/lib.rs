//! The job manager: finds the tools, keeps the queue and its history, and runs the tools as child processes.
//!
//! It knows no tool, no HTTP and no user interface. Every face uses the same verbs with the same payloads:
//! `list_tools`, `validate`, `start`, `get`, `list`, `cancel`, `retry`, `logs`, `artifact`, `subscribe`, `watch`, `status`.
//!
//! Several processes may share one store. One of them at most is the worker, which takes every job that nobody keeps
//! for himself; a foreground process runs the jobs it started itself; a client only asks. See [`Role`].
//!
//! What never happens: a process started for a job that is not noted as running on disk; two processes running one
//! job at the same time; an answer given before what it says is on disk.

mod actor;
mod executor;
mod fallback;
mod id;
mod limits;
mod manager;
mod message;
mod orphans;
mod owner;
mod poke;
mod redact;
mod registry;
mod secrets;
mod settings;
mod state;
mod store;
mod verbs;
mod wire;

pub use fallback::arguments as legacy_arguments;
pub use id::JobId;
pub use limits::Limits;
pub use manager::{JobManager, Options, Role};
pub use message::Close;
pub use registry::{describe, describe_all, is_tool_name};
pub use settings::{Envelope, JobsSection, LegacySection, SecretsBy, Settings, ToolSection};
pub use state::{JobState, exit_code};
pub use verbs::{JobEvents, OpenArtifact, Watch};
pub use wire::{
    ArtifactInfo, ArtifactState, CancelReport, FallbackCount, FamilySlots, Job, JobEvent, JobEventBody,
    JobFilter, JobLine, JobPage, KeyInUse, ListRequest, Load, LogLine, LogPage, LogRequest, Pruned,
    RetryRequest, Route, RunMode, Slots, StartRequest, Started, Status, Stream, ToolEntry, ToolList,
    ToolSummary, Validation, Waiting, WaitingFor, WaitingJob, WatchBody, WatchEvent, WatchRequest,
    WorkerStatus,
};
