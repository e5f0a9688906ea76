//! Runs one side: its own directories, a cleared environment, a far side of its own, a time limit.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt as _,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use app_core::{ToolError, ToolResult, process::ChildGroup};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::Command,
};

use crate::{
    confine,
    escapes::{self, Watch},
    far_side::{FarSide, Mode, Route},
    output::Output,
    place::{Names, Place},
    seen::{Exit, Kind, Seen},
    shadow::snapshot,
    sqlite,
};

/// How long after the end of a side its pipes may stay open (a background child holds them).
const LINGER: Duration = Duration::from_millis(500);

/// What both sides get.
#[derive(Clone, Debug)]
pub struct Given {
    pub stdin: Vec<u8>,
    /// Declared variables; placeholders are filled.
    pub env: BTreeMap<String, String>,
    /// Files and folders of the host, and where they lie in the working directory.
    pub inputs: Vec<(PathBuf, PathBuf)>,
    /// Absolute paths of the host that arguments name.
    pub outside: Vec<PathBuf>,
    /// Declared answers of the far side; without them requests go on to where they were meant to go.
    pub routes: Option<Vec<Route>>,
    /// Whether requests go through the proxy.
    pub capture: bool,
    /// Whether a faked far side is declared, so that loopback addresses are allowed.
    pub faked: bool,
    /// SQLite files below the working directory.
    pub sqlite: Vec<String>,
    pub limit: Duration,
    /// The program that keeps a side from writing elsewhere; `None` leaves it free.
    pub confine: Option<PathBuf>,
    /// Time zone of the side; `None` leaves the host's.
    pub tz: Option<String>,
    /// Where the tools are, for a candidate that calls others.
    pub tools: PathBuf,
}

/// A side that ran: what was seen, and what a reader should know.
#[derive(Debug)]
pub struct Ran {
    pub seen: Seen,
    pub notes: Vec<String>,
    /// Stdout and stderr as they were, before shared names.
    pub stdout: Output,
    pub stderr: Output,
}

/// Runs a command line. A program that cannot be started is an error.
pub async fn run(command: &[String], given: &Given) -> ToolResult<Ran> {
    let far = FarSide::start(match &given.routes {
        Some(routes) => Mode::Answer(routes.clone()),
        None => Mode::Forward,
    })?;
    let place = Place::new()?;
    for (from, to) in &given.inputs {
        place.copy_in(from, &place.work().join(to))?;
    }
    place.fill_inputs(&far);
    for path in &given.outside {
        let target = place.outside(path);
        if path.exists() {
            place.copy_in(path, &target)?;
        } else if let Some(folder) = target.parent() {
            std::fs::create_dir_all(folder).map_err(|e| ToolError::file("create", folder, &e))?;
        }
    }
    let words: Vec<String> = command
        .iter()
        .map(|word| place.fill(&mapped(word, given, &place), &far))
        .collect();
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| ToolError::invalid("control", "the command is empty"))?;
    let env = environment(given, &place, &far)?;
    let mut process = match &given.confine {
        Some(launcher) => {
            let path = env.get("PATH").map_or("", String::as_str);
            if confine::find(program, path, &place.work()).is_none() {
                return Err(
                    ToolError::config(format!("the program `{program}` is not installed"))
                        .code("missing_program")
                        .from_source("process"),
                );
            }
            let mut process = Command::new(launcher);
            let own = [far.http().port(), far.smtp().port()];
            let ports = given.faked.then_some(&own[..]);
            process.args(confine::words(place.root(), ports, &words));
            process
        }
        None => {
            let mut process = Command::new(program);
            process.args(arguments);
            process
        }
    };
    process
        .env_clear()
        .envs(env)
        .current_dir(place.work())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let before = snapshot(&place.work());
    escapes::adopt();
    // With a faked far side the kernel refuses what would be seen here; without a proxy nothing is past it.
    let watch_sockets = given
        .capture
        .then(|| Watch::begin(place.root(), vec![far.http().port(), far.smtp().port()]));
    let started = Instant::now();
    let mut group = ChildGroup::spawn(process)?;
    let stdin = match std::str::from_utf8(&given.stdin) {
        Ok(text) => place.fill(&mapped(text, given, &place), &far).into_bytes(),
        Err(_) => given.stdin.clone(),
    };
    let (exit, out, err) = watch(&mut group, &stdin, given.limit).await;
    let took = started.elapsed();
    // Whatever it left running is no part of the run, and must not write while its files are read.
    drop(group);
    let mut escaped: Vec<String> = escapes::left_running(place.root())
        .into_iter()
        .map(|name| format!("it left a process running: `{name}`"))
        .collect();
    for seen in watch_sockets.map(Watch::end).unwrap_or_default() {
        escaped.push(format!("it made {seen}, past the proxy"));
    }
    let names = place.names(&far);
    let mut notes = far.notes();
    for (name, pipe) in [("stdout", &out), ("stderr", &err)] {
        if pipe.cut {
            notes.push(format!("not compared: {name} is longer than can be kept"));
        }
    }
    let beyond = [out.beyond(), err.beyond()];
    let mut seen = observe(
        &place,
        &far,
        &names,
        given,
        exit,
        (&out.bytes, &err.bytes),
        took,
        &mut notes,
    );
    seen.beyond = beyond;
    seen.escapes = escaped;
    seen.written = before.zip(snapshot(&place.work())).map(|(before, after)| {
        let changed = after
            .into_iter()
            .filter(|(name, stamp)| before.get(name) != Some(stamp));
        changed.map(|(name, _)| name).collect()
    });
    Ok(Ran {
        seen,
        notes,
        stdout: out,
        stderr: err,
    })
}

/// An absolute path of the host, alone, behind `=`, or as a text in JSON, becomes that path on this side.
fn mapped(word: &str, given: &Given, place: &Place) -> String {
    let mut word = word.to_owned();
    for path in &given.outside {
        let (text, here) = (
            path.display().to_string(),
            place.outside(path).display().to_string(),
        );
        if word == text {
            return here;
        }
        if let Some(flag) = word.strip_suffix(&text).and_then(|flag| flag.strip_suffix('=')) {
            return format!("{flag}={here}");
        }
        if word.starts_with(['{', '[']) {
            let quoted = |text: &str| serde_json::Value::from(text).to_string();
            word = word.replace(&quoted(&text), &quoted(&here));
        }
    }
    word
}

fn environment(given: &Given, place: &Place, far: &FarSide) -> ToolResult<BTreeMap<String, String>> {
    let mut env = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(env.insert(name.to_owned(), value));
    set(
        "PATH",
        app_core::config::process_env("PATH").unwrap_or_else(|| "/usr/bin:/bin".into()),
    );
    for (name, folder) in [("HOME", "home"), ("TMPDIR", "tmp"), ("ONEJOB_STATE_DIR", "state")] {
        set(name, place.folder(folder).display().to_string());
    }
    if let Some(tz) = &given.tz {
        set("TZ", tz.clone());
    }
    set("LANG", "C.UTF-8".into());
    set("PYTHONDONTWRITEBYTECODE", "1".into());
    set("ONEJOB_TOOLS_DIR", given.tools.display().to_string());
    if given.faked {
        set("ONEJOB_ALLOW_PRIVATE", "1".into());
    }
    if given.capture {
        let trusted = place.root().join("authority.pem");
        far.write_authority(&trusted)?;
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
            set(name, far.url());
        }
        for name in [
            "SSL_CERT_FILE",
            "REQUESTS_CA_BUNDLE",
            "CURL_CA_BUNDLE",
            "NODE_EXTRA_CA_CERTS",
        ] {
            set(name, trusted.display().to_string());
        }
    }
    for (name, value) in &given.env {
        set(name, place.fill(value, far));
    }
    Ok(env)
}

async fn watch(group: &mut ChildGroup, stdin: &[u8], limit: Duration) -> (Exit, Output, Output) {
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
fn observe(
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

pub(crate) fn is_database(name: &str, file: &str) -> bool {
    name.strip_prefix(file)
        .is_some_and(|rest| matches!(rest, "" | "-wal" | "-shm" | "-journal"))
}
