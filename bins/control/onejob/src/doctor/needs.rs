//! What the tools need of the host: programs that they start, secrets and variables.

use std::{os::unix::fs::MetadataExt as _, path::Path};

use app_core::{Context, Definition};

use super::{Finding, Level};

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

pub(super) fn helpers(ctx: &Context) -> Vec<Finding> {
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
pub(super) fn variables(ctx: &Context, tools: &[Definition]) -> Vec<Finding> {
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
