//! The verbs. Each file is one verb, by the name it has on every face.

mod artifact;
mod cancel;
mod get;
mod list;
mod list_tools;
mod logs;
mod plan;
mod prune;
mod retry;
mod start;
mod status;
mod subscribe;
mod validate;
mod watch;

pub use artifact::OpenArtifact;
pub(crate) use start::hash as input_hash;
pub use subscribe::JobEvents;
pub use watch::Watch;
