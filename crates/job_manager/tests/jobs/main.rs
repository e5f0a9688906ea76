//! The job manager against real processes: one executable for all scenarios.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, also in its helpers, and has no context"
)]

mod crash;
mod faces;
mod fixture;
mod golden;
mod hostile;
mod queue;
mod running;
mod scripts;
mod secrets;
mod shared;
mod stopping;
mod store;
