//! The crate every onejob tool names: the contract, the harness that turns a [`contract::Tool`] into a program,
//! the state shared by all binaries of a host, configuration, and the providers (one cargo feature each).
//!
//! A tool's `main.rs` is one call: `app_core::main::<MyTool>()`.

#[cfg(feature = "web")]
pub mod charset;
pub mod config;
mod context;
pub mod contract;
pub mod css;
pub mod evidence;
mod files;
pub mod harness;
pub mod html;
pub mod process;
pub mod providers;
pub mod state;
pub mod web;

pub use context::{Clock, Context, ProgressBar};
pub use contract::{
    Artifact, Definition, Effect, ErrorKind, Gate, Mode, Plan, PlannedAction, Policy, Secret, Source, Tool,
    ToolError, ToolResult, Usd,
};
pub use files::PendingArtifact;
pub use harness::main;
