//! The contract: the types that a tool, the harness, the job manager and every face agree on.
//!
//! Nothing here performs I/O, and nothing here knows a provider, a command line or a tool. `app_core` passes it on
//! as `app_core::contract`; who needs no more than these types can have them alone.

mod artifact;
mod cli;
mod definition;
mod error;
mod event;
mod money;
mod plan;
mod policy;
pub mod schema;
mod secret;
pub mod settings;

pub use artifact::{Artifact, MANIFEST_FORMAT, Manifest, Source};
pub use cli::{Cli, PathKind, mistakes as cli_mistakes};
pub use definition::{ActionEffects, CONTRACT, Definition, Effect, EnvVar, Example, Gate};
pub use error::{ErrorKind, FieldMistake, ToolError, ToolResult};
pub use event::{Event, EventBody, LogLevel, Progress, StepChange};
pub use money::Usd;
pub use plan::{Mode, Plan, PlannedAction};
pub use policy::{Policy, RateBucket, RetryPolicy};
pub use secret::Secret;
