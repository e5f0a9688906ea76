//! The contract: the types that a tool, the harness, the job manager and every face agree on.
//!
//! Nothing here performs I/O and nothing here knows a provider.

mod artifact;
mod definition;
mod error;
mod event;
mod money;
mod plan;
mod secret;
mod tool;

pub use artifact::{Artifact, MANIFEST_FORMAT, Manifest, Source};
pub use definition::{CONTRACT, Definition, Effect, EnvVar, Example, Gate, Policy, RateBucket, RetryPolicy};
pub use error::{ErrorKind, FieldMistake, ToolError, ToolResult};
pub use event::{Event, EventBody, LogLevel, Progress};
pub use money::Usd;
pub use plan::{Mode, Plan, PlannedAction};
pub use secret::Secret;
pub use tool::Tool;
