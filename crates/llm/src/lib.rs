//! Asking a language model: what is asked, what it may cost, and what came back.
//!
//! A model proposes text; the caller's code decides. This crate sends a [`Call`] in one of four dialects, pays for it
//! from the host's ledger, and takes only a finished answer for an answer. A tool's three steps:
//!
//! ```no_run
//! # use llm::{Call, Chosen, ModelOptions, Needs};
//! # async fn f(ctx: &app_core::Context, options: &ModelOptions) -> app_core::ToolResult<()> {
//! let Chosen::Model(model) = llm::choose(ctx, options, &Needs::default()).await? else { return Ok(()) };
//! let call = Call::new("summary", 600).system("Summarise the lines.").user("m1 hello");
//! model.admit(&model.plan(std::slice::from_ref(&call))?)?; // prints the plan and refuses one above the limit
//! let reply = model.complete(&call).await?;
//! # let _ = reply; Ok(()) }
//! ```
//!
//! [`stream`] is a pure machine from bytes to messages, `wire` holds the dialects, `client` sends and pays, `store` keeps
//! answers and what was learnt of each server, [`prompts`] finds the texts, [`offline`] answers without a model.

mod call;
mod choose;
mod client;
mod failure;
mod model;
pub mod offline;
mod pieces;
mod plan;
mod privacy;
pub mod prompts;
mod schema;
mod store;
pub mod stream;
mod structured;
mod tokens;
mod wire;

pub use call::{Call, Piece, Reply, Role, Stop, Turn, Usage};
pub use choose::{Chosen, ModelOptions, Needs, choose};
pub use client::Llm;
pub use model::{Dialect, Model};
pub use pieces::Pieces;
pub use plan::{Plan, Range};
pub use privacy::{Privacy, redacted};
pub use structured::{Typed, Unparsed, Untyped, first_object};
