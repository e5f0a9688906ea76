//! The job manager against real processes: one executable for all scenarios.

mod crash;
mod fixture;
mod golden;
mod queue;
mod running;
mod shared;
mod stopping;
mod store;
