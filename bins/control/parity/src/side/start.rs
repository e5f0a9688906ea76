//! What a side is started with: its process, its environment, and the paths of the host in its words.

use std::{collections::BTreeMap, process::Stdio};

use app_core::{ToolError, ToolResult};
use tokio::process::Command;

use super::Given;
use crate::{confine, far_side::FarSide, place::Place};

/// An absolute path of the host, alone, behind `=`, or as a text in JSON, becomes that path on this side.
pub(super) fn mapped(word: &str, given: &Given, place: &Place) -> String {
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

/// The process of a side, ready to start; a launcher keeps it from all that is not its own.
pub(super) fn process(words: &[String], given: &Given, place: &Place, far: &FarSide) -> ToolResult<Command> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| ToolError::invalid("control", "the command is empty"))?;
    let env = environment(given, place, far)?;
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
            process.args(confine::words(place.root(), ports, words));
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
    Ok(process)
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
