//! The script as it always ran, its output passed on as it comes.

use std::{io::IsTerminal as _, os::unix::process::ExitStatusExt as _, process::Stdio, time::Duration};

use app_core::{ToolError, ToolResult, process::ChildGroup};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use crate::{output::Output, seen::Exit};

/// The script as it always ran: in this directory, with this environment, its output passed on as it comes. When `told`
/// ends it is asked to stop, and ended by force after `grace`, if there is one. Gives its end, and whether it was told.
///
/// Fails when it cannot be started.
pub async fn pass_through(
    words: &[String],
    stdin: Option<&[u8]>,
    (out, err): (&mut Output, &mut Output),
    told: impl Future<Output = ()>,
    grace: Option<Duration>,
) -> ToolResult<(Exit, bool)> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| ToolError::invalid("control", "the command is empty"))?;
    let mut command = tokio::process::Command::new(program);
    // The events of this run are this run's own.
    command
        .args(arguments)
        .env_remove("ONEJOB_EVENTS_FD")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.stdin(if stdin.is_some() {
        Stdio::piped()
    } else if std::io::stdin().is_terminal() {
        // In a process group of its own, a script that reads the terminal would be stopped for ever.
        Stdio::null()
    } else {
        Stdio::inherit()
    });
    let mut group = ChildGroup::spawn(command)?;
    let (input, output, errors) = {
        let child = group.child();
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    };
    let write = async {
        if let (Some(mut pipe), Some(bytes)) = (input, stdin) {
            let _ = pipe.write_all(bytes).await;
        }
    };
    let io = async {
        tokio::join!(
            tee(output, out, app_core::stdout::stdout()),
            tee(errors, err, std::io::stderr()),
            write
        )
    };
    let mut asked = false;
    let ended = {
        tokio::pin!(io);
        tokio::pin!(told);
        let mut closed = false;
        let late = tokio::time::sleep(Duration::MAX);
        tokio::pin!(late);
        let status = loop {
            tokio::select! {
                // Told to stop, the script is told too, and what it still says is still passed on.
                () = &mut told, if !asked => {
                    group.terminate();
                    asked = true;
                    if let Some(grace) = grace {
                        late.as_mut().reset(tokio::time::Instant::now() + grace);
                    }
                }
                () = &mut late => break None,
                status = group.wait() => break Some(status),
                _ = &mut io, if !closed => closed = true,
            }
        };
        if status.is_some() && !closed {
            // A child it left in the background may hold the pipes for ever.
            let _ = tokio::time::timeout(Duration::from_millis(300), io).await;
        }
        status
    };
    // Dropped with the group, a script that does not stop is ended by force.
    let status = ended.ok_or_else(ToolError::cancelled)?;
    let status = status.map_err(|e| ToolError::internal(format!("cannot wait for the script: {e}")))?;
    let exit = status
        .code()
        .map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code);
    // Whatever the script left running stays, as it always did.
    group.release();
    Ok((exit, asked))
}

async fn tee(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Output, mut to: impl std::io::Write) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        // A reader that left must not stop the script.
        let _ = to.write_all(&buffer[..read]).and_then(|()| to.flush());
        kept.push(&buffer[..read]);
    }
}
