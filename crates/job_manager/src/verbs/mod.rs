//! The verbs. Each file is one verb, by the name it has on every face.

mod cancel;
mod get;
mod list;
mod list_tools;
mod logs;
mod prune;
mod retry;
mod start;
mod subscribe;

pub use subscribe::JobEvents;
