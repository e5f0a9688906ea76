//! A worker that runs until it is killed: the victim of the crash tests.

#![expect(
    clippy::disallowed_methods,
    reason = "a program of the tests, without the harness"
)]

use std::process::ExitCode;

use job_manager::{JobManager, Options, Role, Settings};

#[tokio::main]
async fn main() -> ExitCode {
    let (Some(state), Some(tools)) = (std::env::var_os("CRASH_STATE"), std::env::var_os("CRASH_TOOLS"))
    else {
        return ExitCode::from(2);
    };
    let mut settings = Settings::default();
    settings.jobs.concurrency = Some(4);
    settings.jobs.max_interruptions = 10_000;
    let options = Options {
        state_dir: state.into(),
        tools_dir: tools.into(),
        settings,
        role: Role::Worker,
        metrics_dir: None,
    };
    match JobManager::open(options) {
        Ok(_jobs) => std::future::pending().await,
        Err(_) => ExitCode::FAILURE,
    }
}
