//! `doctor`: what this host lacks, with the line that mends each.

use std::{
    fmt::{self, Write},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use app_core::{Context, Definition, ToolResult};
use job_manager::{JobManager, Options, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    /// As it should be.
    Ok,
    /// Something that only some tools or settings need.
    Lacking,
    /// To be mended.
    Wrong,
}

/// One thing that was looked at.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Finding {
    /// What: `browser`, `secret SMTP_PASSWORD`, `state folder`.
    pub what: String,
    /// How it is.
    pub level: Level,
    /// In words.
    pub found: String,
    /// The line that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

impl Finding {
    fn ok(what: &str, found: impl Into<String>) -> Self {
        Self {
            what: what.to_owned(),
            level: Level::Ok,
            found: found.into(),
            mend: None,
        }
    }

    fn bad(level: Level, what: impl Into<String>, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            level,
            found: found.into(),
            mend: Some(mend.into()),
        }
    }
}

/// A program that tools start, the package that brings it, and what a definition must name for it to be wanted.
struct Helper {
    what: &'static str,
    programs: &'static [&'static str],
    variable: Option<&'static str>,
    package: &'static str,
}

const HELPERS: [Helper; 3] = [
    Helper {
        what: "browser",
        programs: &[
            "chromium",
            "chromium-browser",
            "google-chrome-stable",
            "google-chrome",
        ],
        variable: Some("ONEJOB_CHROMIUM"),
        package: "chromium",
    },
    Helper {
        what: "ffmpeg",
        programs: &["ffmpeg"],
        variable: None,
        package: "ffmpeg",
    },
    Helper {
        what: "ffprobe",
        programs: &["ffprobe"],
        variable: None,
        package: "ffmpeg",
    },
];

/// Looks at everything; changes nothing but what opening the store changes.
pub(crate) async fn run(ctx: &Context) -> ToolResult<Vec<Finding>> {
    let state = ctx.state_dir()?.to_owned();
    let mut findings = Vec::new();
    findings.push(state_folder(&state));
    findings.extend(too_open(&state));
    findings.extend(configuration(ctx));
    let options = Options::from_config(ctx.config(), &state, Role::Client);
    match options {
        Ok(options) => {
            findings.push(tools_folder(&options.tools_dir));
            match JobManager::open(options) {
                Ok(jobs) => {
                    let tools: Vec<_> = jobs
                        .list_tools()
                        .await?
                        .into_iter()
                        .map(|t| t.definition)
                        .collect();
                    findings.extend(helpers(ctx));
                    findings.extend(variables(ctx, &tools));
                    findings.extend(worker(&jobs).await?);
                }
                Err(e) => findings.push(Finding::bad(
                    Level::Wrong,
                    "job store",
                    e.message,
                    e.hint.unwrap_or_default(),
                )),
            }
        }
        Err(e) => findings.push(Finding::bad(
            Level::Wrong,
            "onejob.toml",
            e.message,
            "onejob config check",
        )),
    }
    findings.extend(sessions(ctx));
    Ok(findings)
}

pub(crate) fn render(findings: &[Finding], out: &mut dyn Write) -> fmt::Result {
    for finding in findings {
        let mark = match finding.level {
            Level::Ok => "ok     ",
            Level::Lacking => "lacking",
            Level::Wrong => "wrong  ",
        };
        writeln!(out, "{mark}  {}: {}", finding.what, finding.found)?;
        if let Some(mend) = &finding.mend {
            writeln!(out, "         {mend}")?;
        }
    }
    Ok(())
}

fn state_folder(state: &Path) -> Finding {
    let Ok(meta) = std::fs::metadata(state) else {
        return Finding::ok(
            "state folder",
            format!("`{}` is made with the first run", state.display()),
        );
    };
    if !state.is_absolute() {
        let here = format!("export ONEJOB_STATE_DIR=$PWD/{}", state.display());
        return Finding::bad(
            Level::Wrong,
            "state folder",
            "is relative: it is another one in each folder",
            here,
        );
    }
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        let found = format!(
            "`{}` belongs to user {}, this is user {me}",
            state.display(),
            meta.uid()
        );
        return Finding::bad(
            Level::Wrong,
            "state folder",
            found,
            format!("sudo chown -R {me} {}", state.display()),
        );
    }
    Finding::ok("state folder", format!("`{}`", state.display()))
}

/// Files below the state folder that others may read or write.
fn too_open(state: &Path) -> Vec<Finding> {
    let mut open: Vec<PathBuf> = Vec::new();
    let mut folders = vec![(state.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let others = |path: &Path| {
            std::fs::symlink_metadata(path).is_ok_and(|m| !m.is_symlink() && m.mode() & 0o077 != 0)
        };
        if others(&folder) {
            open.push(folder.clone());
        }
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                if depth < 4 {
                    folders.push((path, depth + 1));
                }
            } else if entry.file_type().is_ok_and(|t| t.is_file()) && others(&path) {
                open.push(path);
            }
        }
    }
    if open.is_empty() {
        return Vec::new();
    }
    let first = open
        .iter()
        .map(|p| p.display().to_string())
        .min()
        .unwrap_or_default();
    let found = format!(
        "{} files or folders can be read by others, for example `{first}`",
        open.len()
    );
    vec![Finding::bad(
        Level::Wrong,
        "file permissions",
        found,
        format!("chmod -R go-rwx {}", state.display()),
    )]
}

fn configuration(ctx: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    match ctx.config().find_file("onejob.toml") {
        None => findings.push(Finding::ok(
            "onejob.toml",
            "there is none: everything is as it comes",
        )),
        Some(file) => findings.push(Finding::ok("onejob.toml", format!("`{}`", file.display()))),
    }
    for name in ctx.config().unused_dotenv() {
        findings.push(Finding::bad(
            Level::Wrong,
            format!(".env {name}"),
            "is not used: it decides what runs, and is taken from the real environment only",
            format!("export {name}=..."),
        ));
    }
    findings
}

fn tools_folder(dir: &Path) -> Finding {
    match std::fs::metadata(dir) {
        Err(e) => {
            let found = format!("`{}`: {e}", dir.display());
            Finding::bad(Level::Wrong, "tools", found, "export ONEJOB_TOOLS_DIR=FOLDER")
        }
        // Whoever may write there decides what runs here.
        Ok(meta) if meta.mode() & 0o002 != 0 => Finding::bad(
            Level::Wrong,
            "tools",
            format!("anybody may write into `{}`", dir.display()),
            format!("chmod o-w {}", dir.display()),
        ),
        Ok(_) => Finding::ok("tools", format!("in `{}`", dir.display())),
    }
}

fn helpers(ctx: &Context) -> Vec<Finding> {
    let path = app_core::config::process_env("PATH").unwrap_or_default();
    let find = |program: &&&str| std::env::split_paths(&path).any(|dir| is_program(&dir.join(program)));
    HELPERS
        .iter()
        .map(|helper| {
            let named = helper.variable.and_then(|name| Some((name, ctx.env(name)?)));
            match (named, helper.programs.iter().find(find)) {
                (Some((_, program)), _) if is_program(Path::new(&program)) => {
                    Finding::ok(helper.what, format!("`{program}`"))
                }
                (Some((name, program)), _) => Finding::bad(
                    Level::Wrong,
                    helper.what,
                    format!("`{name}` names `{program}`, which is no program"),
                    format!("unset {name}, or let it name one"),
                ),
                (None, Some(program)) => Finding::ok(helper.what, format!("`{program}`")),
                (None, None) => Finding::bad(
                    Level::Lacking,
                    helper.what,
                    format!("none of {} is on the PATH", helper.programs.join(", ")),
                    format!("sudo apt-get install {}", helper.package),
                ),
            }
        })
        .collect()
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.mode() & 0o111 != 0)
}

/// Secrets and required variables that the installed tools name.
fn variables(ctx: &Context, tools: &[Definition]) -> Vec<Finding> {
    let mut wanted: std::collections::BTreeMap<&str, (bool, bool, &str, Vec<&str>)> =
        std::collections::BTreeMap::new();
    for tool in tools {
        for variable in tool.env.iter().filter(|v| v.secret || v.required) {
            let entry = wanted
                .entry(&variable.name)
                .or_insert((false, false, &variable.help, Vec::new()));
            entry.0 |= variable.secret;
            entry.1 |= variable.required;
            entry.3.push(&tool.name);
        }
    }
    let mut findings = Vec::new();
    for (name, (secret, required, help, tools)) in wanted {
        let what = format!("{} {name}", if secret { "secret" } else { "variable" });
        let set = if secret {
            ctx.config().find_secret(name).is_ok_and(|s| s.is_some())
        } else {
            ctx.env(name).is_some()
        };
        findings.push(if set {
            Finding::ok(&what, "is set")
        } else {
            let level = if required { Level::Wrong } else { Level::Lacking };
            let found = format!("is not set ({help}); {}", needed_by(&tools));
            Finding::bad(
                level,
                what,
                found,
                format!("echo '{name}=...' >> .env && chmod 600 .env"),
            )
        });
    }
    if std::fs::metadata(".env").is_ok_and(|m| m.mode() & 0o077 != 0) {
        findings.push(Finding::bad(
            Level::Wrong,
            ".env",
            "can be read by others",
            "chmod 600 .env",
        ));
    }
    findings
}

fn needed_by(tools: &[&str]) -> String {
    match tools {
        [one] => format!("{one} may need it"),
        [one, rest @ ..] => format!("{one} and {} more may need it", rest.len()),
        [] => String::new(),
    }
}

async fn worker(jobs: &JobManager) -> ToolResult<Vec<Finding>> {
    let status = jobs.status().await?;
    let mut findings = Vec::new();
    match status.worker {
        Some(worker) => findings.push(Finding::ok(
            "worker",
            format!("pid {} since {}", worker.pid, worker.since),
        )),
        None if status.queued > 0 => findings.push(Finding::bad(
            Level::Wrong,
            "worker",
            format!("none runs, and {} jobs wait", status.queued),
            "worker &",
        )),
        None => findings.push(Finding::bad(
            Level::Lacking,
            "worker",
            "none runs; `onejob run` works without one, `onejob start` waits for one",
            "worker &",
        )),
    }
    let megabytes = status.disk_left >> 20;
    findings.push(match status.paused {
        Some(why) => Finding::bad(
            Level::Wrong,
            "disk",
            why,
            format!("df -h {}", jobs.state_dir().display()),
        ),
        None if megabytes < 200 => Finding::bad(
            Level::Lacking,
            "disk",
            format!("only {megabytes} MB are left for the state folder"),
            "onejob prune --keep-days 7",
        ),
        None => Finding::ok("disk", format!("{megabytes} MB left for the state folder")),
    });
    Ok(findings)
}

/// Telegram sessions in the usual places: readable by others, or signed in so long ago that they may have lapsed.
fn sessions(ctx: &Context) -> Vec<Finding> {
    let mut folders = vec![PathBuf::from(".")];
    folders.extend(ctx.env("TELEGRAM_SESSION_DIR").map(PathBuf::from));
    let mut findings = Vec::new();
    for folder in folders {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|e| e != "session") {
                continue;
            }
            let what = format!("session {}", path.display());
            let Ok(meta) = entry.metadata() else { continue };
            let age = meta
                .modified()
                .ok()
                .and_then(|at| at.elapsed().ok())
                .unwrap_or_default();
            let days = age.as_secs() / 86400;
            findings.push(if meta.mode() & 0o077 != 0 {
                Finding::bad(
                    Level::Wrong,
                    what,
                    "can be read by others: it is a login",
                    format!("chmod 600 {}", path.display()),
                )
            } else if days > 150 {
                let found =
                    format!("was not used for {days} days; Telegram ends sessions after about half a year");
                Finding::bad(Level::Lacking, what, found, "init_session")
            } else {
                Finding::ok(&what, format!("used {days} days ago"))
            });
        }
    }
    findings
}
