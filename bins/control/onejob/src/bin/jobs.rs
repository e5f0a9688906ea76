//! The old name of `onejob`, for one release: bash has a `jobs` of its own. Says so, and becomes `onejob`.

use std::{io::Write as _, os::unix::process::CommandExt as _, process::ExitCode};

fn main() -> ExitCode {
    let own = std::env::current_exe().unwrap_or_default();
    let onejob = own.with_file_name("onejob");
    let mut stderr = std::io::stderr();
    // A stderr that nobody reads is no reason not to run.
    let _ = writeln!(
        stderr,
        "warning: `jobs` is now `onejob`; the old name goes with the next release"
    );
    let failed = std::process::Command::new(&onejob)
        .args(std::env::args_os().skip(1))
        .exec();
    let _ = writeln!(stderr, "error: cannot run `{}`: {failed}", onejob.display());
    ExitCode::from(78)
}
