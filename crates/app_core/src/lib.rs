//! The crate every onejob tool names: the contract (from a crate of its own below this one), the harness that turns a
//! [`Tool`] into a program, the state shared by all binaries of a host, and configuration.
//!
//! A tool's `main.rs` is one call: `app_core::main::<MyTool>()`. Providers (`web`, `sql`, `raster`, `telegram`, ...)
//! are crates above this one; a tool names those it uses.
//!
//! Modules lie in layers, and no arrow runs back up: `contract` (a crate), `text`, `ids`, `clock`, `mutex`, `files`, `config`, `state`,
//! `events`, `context`, then what adds methods to it (`artifact`, `planning`, `progress`, `spend`), `render`, `tool`,
//! and the `harness` on top.

pub mod address;
mod artifact;
mod clock;
pub mod config;
mod context;
mod events;
pub mod files;
pub mod harness;
mod ids;
mod mutex;
mod planning;
pub mod process;
mod progress;
pub mod reach;
mod render;
mod spend;
pub mod state;
pub mod stdout;
pub mod text;
mod tool;

pub use ::contract;
pub use ::contract::definition;

pub use artifact::PendingArtifact;
pub use clock::{Clock, host_zone};
pub use context::Context;
pub use contract::{
    Artifact, Definition, Effect, ErrorKind, Gate, Mode, Plan, PlannedAction, Policy, Secret, Source,
    ToolError, ToolResult, Usd,
};
pub use harness::main;
pub use progress::ProgressBar;
pub use render::{Paint, View, render_value};
pub use spend::Sending;
pub use tool::Tool;
