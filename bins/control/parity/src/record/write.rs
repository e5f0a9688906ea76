//! Writes a case, whole or not at all.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app_core::{ToolError, ToolResult};
use serde_json::{Map, Value, json};

use super::Record;
use crate::{
    recording::{self, CaseText},
    redact::{self, Secrets},
    seen::{Entry, Kind, Seen},
    setup::Job,
};

pub(super) fn write(
    input: &Record,
    job: &Job,
    seen: &Seen,
    secrets: &Secrets,
    inputs: &BTreeMap<String, Entry>,
    clock: jiff::Timestamp,
) -> ToolResult<PathBuf> {
    let target = &input.case_dir;
    let name = target
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let parent = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let failed = |e: &std::io::Error| ToolError::file("write the case to", target, e);
    std::fs::create_dir_all(parent).map_err(|e| failed(&e))?;
    let half = tempfile::Builder::new()
        .prefix(".case-")
        .tempdir_in(parent)
        .map_err(|e| failed(&e))?;
    let (mut expected, mut details) = recording::expected(seen, inputs, &job.given.sqlite);
    job.candidate_args.clone_into(&mut details.candidate_args);
    details.normalisers.clone_from(&job.rules.normalise);
    details.any_order = job.rules.any_order;
    details.envelope = job.rules.envelope;
    details.confined = input.sides.confine;
    details.program = program(job);
    if job.given.routes.is_none() && seen.requests.is_empty() {
        expected["http_requests"] = Value::Null;
    }
    let routes = match &job.given.routes {
        Some(routes) => (!routes.is_empty()).then(|| routes.clone()),
        None => (!seen.requests.is_empty()).then(|| recording::routes(&seen.requests)),
    };
    let stdin = String::from_utf8(job.given.stdin.clone())
        .map_err(|_| ToolError::invalid("stdin", "a case holds text on stdin, and this is none"))?;
    let args: Vec<String> = job.args.iter().map(|arg| secrets.text(arg)).collect();
    let text = CaseText {
        tool: &job.tool,
        case: &name,
        script: &secrets.text(&job.script),
        summary: input
            .summary
            .as_deref()
            .unwrap_or("recorded from the replaced script"),
        args: &args,
        env: Value::Object(environment(job, secrets)),
        stdin: if stdin.is_empty() {
            Value::Null
        } else {
            json!(secrets.text(&stdin))
        },
        files_in: inputs
            .iter()
            .filter(|(_, e)| e.kind != Kind::Folder)
            .map(|(n, _)| n.clone())
            .collect(),
        // To the second: a script that prints its time is read back in the same one.
        clock: clock.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        routes,
        class: job.rules.class,
    };
    let json = serde_json::to_string_pretty(&text.value(expected, &details))
        .map_err(|e| ToolError::internal(format!("case: {e}")))?;
    std::fs::write(half.path().join("case.json"), json + "\n").map_err(|e| failed(&e))?;
    for (from, to) in &job.given.inputs {
        let inner = half.path().join("in").join(to);
        copy_clean(from, &inner, secrets).map_err(|e| ToolError::file("copy", from, &e))?;
    }
    for name in details.modes.keys() {
        let entry = seen.files.get(name).map(|entry| &entry.kind);
        put(&half.path().join("out").join(name), entry).map_err(|e| failed(&e))?;
    }
    for name in details.folders.keys() {
        std::fs::create_dir_all(half.path().join("out").join(name)).map_err(|e| failed(&e))?;
    }
    if target.exists() {
        let intended = target.join("intended.json");
        if intended.is_file() {
            std::fs::copy(&intended, half.path().join("intended.json")).map_err(|e| failed(&e))?;
        }
        let old = tempfile::Builder::new()
            .prefix(".case-")
            .tempdir_in(parent)
            .map_err(|e| failed(&e))?;
        std::fs::rename(target, old.path().join("old")).map_err(|e| failed(&e))?;
    }
    std::fs::rename(half.path(), target).map_err(|e| failed(&e))?;
    // It has another name now, and the folder was private to its maker until it was whole.
    let _ = half.keep();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(target, open).map_err(|e| failed(&e))?;
    Ok(target.clone())
}

/// The declared variables, secrets replaced.
fn environment(job: &Job, secrets: &Secrets) -> Map<String, Value> {
    let hidden = |(name, value): (&String, &String)| {
        let value = if redact::is_secret(name) && !value.is_empty() {
            redact::filler(value)
        } else {
            secrets.text(value)
        };
        (name.clone(), json!(value))
    };
    job.given.env.iter().map(hidden).collect()
}

/// The binary behind the candidate: `dispatch` for scripts that the old dispatcher called.
fn program(job: &Job) -> String {
    let dispatch = job.given.tools.join("dispatch").display().to_string();
    if job.candidate.first() == Some(&dispatch) {
        "dispatch".to_owned()
    } else {
        job.tool.clone()
    }
}

fn put(path: &Path, kind: Option<&Kind>) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    match kind {
        Some(Kind::File(bytes)) => std::fs::write(path, bytes),
        Some(Kind::Link(target)) => std::os::unix::fs::symlink(target, path),
        _ => Ok(()),
    }
}

fn copy_clean(from: &Path, to: &Path, secrets: &Secrets) -> std::io::Result<()> {
    if from.is_dir() {
        std::fs::create_dir_all(to)?;
        for entry in std::fs::read_dir(from)? {
            let entry = entry?;
            copy_clean(&entry.path(), &to.join(entry.file_name()), secrets)?;
        }
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to)?;
    let bytes = std::fs::read(from)?;
    let clean = secrets.bytes(&bytes);
    if clean == bytes {
        Ok(())
    } else {
        std::fs::write(to, clean)
    }
}
