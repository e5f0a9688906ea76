//! The harness: turns a tool into a program. One place reads the command line, one place prints, one place decides
//! the exit code.

mod arguments;
mod command;
mod decode;
mod emitter;
mod finish;
mod invocation;
mod legacy;
mod logging;
mod metrics;
mod output;
mod panics;
mod prepare;
mod report;
mod run;
mod schema;
mod stop;

use std::process::ExitCode;

pub(crate) use decode::write_stdout;
pub(crate) use emitter::Emitter;
pub use metrics::write as write_metrics;
pub use output::render_value;
pub use schema::check as check_schema;

use crate::contract::{Definition, Tool};

/// Runs a tool as this process: command line in, result out, exit code by the error's kind.
pub fn main<T: Tool>() -> ExitCode {
    ExitCode::from(run::program::<T>(std::env::args_os()))
}

/// The command line of a tool, as its own program reads it. For completions and manual pages, made from what a tool says
/// of itself.
pub fn command(definition: &Definition) -> clap::Command {
    command::build(definition)
}

/// The definition of a tool with its schemas, as `--describe` prints it.
pub fn described<T: Tool>() -> Definition {
    run::described::<T>()
}
