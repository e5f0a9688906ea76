//! The harness: turns a tool into a program. One place reads the command line, one place prints, one place decides
//! the exit code.

mod arguments;
mod command;
mod dashes;
mod decode;
mod default_action;
mod describe;
mod dialect;
mod finish;
mod invocation;
mod logging;
mod metrics;
mod panics;
mod prepare;
mod report;
mod run;
mod stop;

use std::process::ExitCode;

pub use dialect::Dialect;
pub use metrics::write as write_metrics;

use crate::{contract::Definition, tool::Tool};

/// Runs a tool as this process: command line in, result out, exit code by the error's kind.
pub fn main<T: Tool>() -> ExitCode {
    ExitCode::from(run::program::<T>(std::env::args_os(), None))
}

/// Like [`main`], for a tool that can also be called in another way.
pub fn main_with<T: Tool>(dialect: &dyn Dialect<T>) -> ExitCode {
    ExitCode::from(run::program::<T>(std::env::args_os(), Some(dialect)))
}

/// The command line of a tool, as its own program reads it. For completions and manual pages, made from what a tool says
/// of itself.
pub fn command(definition: &Definition) -> clap::Command {
    command::build(definition)
}

/// The definition of a tool with its schemas, as `--describe` prints it.
pub fn described<T: Tool>() -> Definition {
    describe::for_faces(&describe::described::<T>())
}
