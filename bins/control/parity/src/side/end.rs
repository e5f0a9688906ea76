//! A side to its end: its pipes, its time limit, and what it left to be seen.

use std::{collections::BTreeMap, os::unix::process::ExitStatusExt as _, time::Duration};

use app_core::process::ChildGroup;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};

use super::{Given, is_database};
use crate::{
    far_side::FarSide,
    output::Output,
    place::{Names, Place},
    seen::{Exit, Kind, Seen},
    sqlite,
};

/// How long after the end of a side its pipes may stay open (a background child holds them).
const LINGER: Duration = Duration::from_millis(500);

pub(super) async fn watch(group: &mut ChildGroup, stdin: &[u8], limit: Duration) -> (Exit, Output, Output) {
    let (input, output, errors) = {
        let child = group.child();
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    };
    let (mut out, mut err) = (Output::spooled(), Output::spooled());
    let write = async {
        if let Some(mut pipe) = input {
            // A program that does not read its input is fine.
            let _ = pipe.write_all(stdin).await;
        }
    };
    let exit = {
        let io = async { tokio::join!(drain(output, &mut out), drain(errors, &mut err), write) };
        tokio::pin!(io);
        // Pipes may close before the end; the end may come before they close.
        let mut closed = false;
        let ended = async {
            loop {
                tokio::select! {
                    status = group.wait() => break status,
                    _ = &mut io, if !closed => closed = true,
                }
            }
        };
        match tokio::time::timeout(limit, ended).await {
            Err(_) => Exit::TimedOut(limit),
            Ok(status) => {
                if !closed {
                    let _ = tokio::time::timeout(LINGER, io).await;
                }
                match status {
                    Ok(status) => status
                        .code()
                        .map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code),
                    Err(e) => Exit::NotStarted(e.to_string()),
                }
            }
        }
    };
    (exit, out, err)
}

async fn drain(pipe: Option<impl AsyncRead + Unpin>, into: &mut Output) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 64 << 10];
    while let Ok(read) = pipe.read(&mut buffer).await {
        if read == 0 {
            return;
        }
        into.push(&buffer[..read]);
    }
}

#[expect(clippy::too_many_arguments, reason = "all that is known of a finished side")]
pub(super) fn observe(
    place: &Place,
    far: &FarSide,
    names: &Names,
    given: &Given,
    exit: Exit,
    (stdout, stderr): (&[u8], &[u8]),
    took: Duration,
    notes: &mut Vec<String>,
) -> Seen {
    let mut tables = BTreeMap::new();
    for file in &given.sqlite {
        match sqlite::tables(&place.work().join(file)) {
            Ok(found) => {
                for (name, mut table) in found {
                    for cell in table.rows.iter_mut().flatten() {
                        *cell = names.value(cell.take());
                    }
                    tables.insert(format!("{file}:{name}"), table);
                }
            }
            Err(why) => notes.push(format!("{file}: {why}")),
        }
    }
    let mut files = place.tree();
    files.retain(|name, _| !given.sqlite.iter().any(|file| is_database(name, file)));
    for entry in files.values_mut() {
        if let Kind::File(bytes) = &mut entry.kind {
            *bytes = names.bytes(bytes);
        }
    }
    let mut requests = far.exchanges();
    for request in &mut requests {
        request.base = names.text(&request.base);
        request.path = names.text(&request.path);
        request.query = names.text(&request.query);
        request.body = names.bytes(&request.body);
        for (_, value) in &mut request.headers {
            *value = names.text(value);
        }
    }
    let mut mails = far.mails();
    for mail in &mut mails {
        mail.source = names.bytes(&mail.source);
    }
    Seen {
        exit,
        stdout: names.bytes(stdout),
        stderr: names.bytes(stderr),
        beyond: [None, None],
        escapes: Vec::new(),
        written: None,
        files,
        requests,
        mails,
        tables,
        took,
    }
}
