//! From the command line to what both sides run and get.

mod given;
mod job;
mod script;
mod sides;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Context, Definition, Effect, ErrorKind, ToolError, ToolResult};
use job_manager::{Envelope, LegacySection, Settings};
use serde_json::Value;

use crate::{confine, diff::Rules, side::Given};

pub use given::routes;
use given::{environment, named, named_files, parse_input, read_source, words_of};
pub use job::Job;
pub use script::{Script, script};
pub use sides::Sides;

/// The programs of both sides, and what each is given.
struct Programs {
    control: Vec<String>,
    candidate: Vec<String>,
    /// The replaced script, as it is named to people.
    script: String,
    /// Arguments that both sides get.
    args: Vec<String>,
    /// Arguments that only the candidate gets, before the others.
    candidate_args: Vec<String>,
    stdin: Vec<u8>,
}

impl Sides {
    /// Finds the programs, reads the inputs, learns the effects.
    pub async fn job(&self, tool: &str, args: &[String], ctx: &Context) -> ToolResult<Job> {
        if !tool
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        {
            return Err(ToolError::invalid(
                "tool",
                format!("`{}` is no tool name", tool.escape_debug()),
            ));
        }
        let cwd = std::env::current_dir()
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot tell the working directory: {e}")))?;
        let tools = tools_dir(self.tools_dir.as_deref())?;
        let legacy = match legacy_section(tool, ctx) {
            // A broken file must not stop a script that is named on the command line.
            Err(_) if self.control.is_some() => None,
            section => section?,
        };
        let Programs {
            mut control,
            mut candidate,
            script,
            args: both,
            candidate_args,
            stdin,
        } = self.programs(tool, args, legacy.as_ref(), &tools, &cwd)?;
        let (mut inputs, outside) = named_files(&both, &stdin, &cwd);
        inputs.extend(named(&self.files, &cwd));
        inputs.extend(named(self.sqlite.iter().map(Path::new), &cwd));
        control.extend(both.iter().cloned());
        candidate.extend(candidate_args.iter().chain(&both).cloned());
        let routes = match &self.far_side {
            Some(path) => Some(routes(path)?),
            None => None,
        };
        let faked = routes.is_some() || self.smtp;
        let envelope = self.control.is_none()
            && legacy
                .as_ref()
                .is_some_and(|legacy| legacy.envelope == Envelope::Dispatcher);
        let effects = self.effects_of(tool, &tools, legacy.as_ref()).await;
        Ok(Job {
            tool: tool.to_owned(),
            control,
            candidate,
            script,
            args: both,
            candidate_args,
            given: Given {
                stdin,
                env: environment(&self.env)?,
                inputs,
                outside,
                // A declared mail server alone leaves nothing else to reach either.
                routes: routes.or_else(|| self.smtp.then(Vec::new)),
                capture: self.capture,
                faked,
                sqlite: self.sqlite.clone(),
                limit: Duration::try_from_secs_f64(self.time_limit_s).unwrap_or(Duration::from_secs(60)),
                confine: self.confine.then(confine::launcher).flatten(),
                tz: Some("UTC".to_owned()),
                tools,
            },
            rules: Rules {
                class: self.class,
                normalise: self.normalise.clone(),
                any_order: self.any_order,
                envelope,
                max_slowdown: self.max_slowdown,
            },
            effects,
        })
    }

    /// The programs of both sides and what goes with them: an input becomes arguments, or stands on stdin.
    fn programs(
        &self,
        tool: &str,
        args: &[String],
        legacy: Option<&LegacySection>,
        tools: &Path,
        cwd: &Path,
    ) -> ToolResult<Programs> {
        let input: Option<Value> = match &self.tool_input {
            Some(source) => Some(parse_input(source)?),
            None => None,
        };
        let mut stdin = match &self.stdin {
            Some(source) => read_source(source)?,
            None => Vec::new(),
        };
        let mut candidate = match &self.candidate {
            Some(words) => words_of("candidate", words, cwd)?,
            None => vec![tools.join(tool).display().to_string()],
        };
        let mut candidate_args = self.candidate_args.clone();
        let (mut control, mut both) = (Vec::new(), args.to_vec());
        let script;
        match (&self.control, legacy) {
            (Some(words), _) => {
                control = words_of("control", words, cwd)?;
                script = words.clone();
                if let Some(input) = &input {
                    stdin = input.to_string().into_bytes();
                    if self.candidate.is_none() {
                        candidate_args.extend(["--input".to_owned(), "-".to_owned()]);
                    }
                }
            }
            (None, Some(legacy)) => {
                let path = std::path::absolute(&legacy.script)
                    .map_err(|e| ToolError::file("find", &legacy.script, &e))?;
                let name = path.file_name().unwrap_or_default();
                script = format!("{} {}", legacy.interpreter.display(), name.to_string_lossy());
                control.extend([
                    legacy.interpreter.display().to_string(),
                    path.display().to_string(),
                ]);
                if let Some(input) = &input {
                    both = job_manager::legacy_arguments(tool, legacy, input)?;
                    both.extend(args.iter().cloned());
                }
                if legacy.envelope == Envelope::Dispatcher && self.candidate.is_none() {
                    candidate[0] = tools.join("dispatch").display().to_string();
                }
            }
            (None, None) => {
                return Err(ToolError::invalid("control", format!("no script of `{tool}` is known"))
                    .hint(format!("give it with `--control 'python3 old/{tool}.py'`, or add `[legacy.{tool}]` to onejob.toml")));
            }
        }
        Ok(Programs {
            control,
            candidate,
            script,
            args: both,
            candidate_args,
            stdin,
        })
    }

    async fn effects_of(
        &self,
        tool: &str,
        tools: &Path,
        legacy: Option<&LegacySection>,
    ) -> Option<BTreeSet<Effect>> {
        if let Some(definition) = describe(&tools.join(tool)).await {
            return Some(definition.effects);
        }
        if let Some(effects) = legacy.and_then(|legacy| legacy.effects.clone()) {
            return Some(effects);
        }
        (!self.effects.is_empty()).then(|| self.effects.iter().copied().collect())
    }
}

/// What a source named on the command line holds (`-` is stdin).
///
/// Fails when it cannot be read or is larger than 64 MiB.
pub fn source(path: &Path) -> ToolResult<Vec<u8>> {
    read_source(path)
}

/// Copies the inputs that a command line names to a folder, where the tool finds them when the script has changed its
/// own.
///
/// Fails when one cannot be copied.
pub fn put_aside(
    files: &[PathBuf],
    words: &[String],
    stdin: Option<&[u8]>,
    cwd: &Path,
    folder: &Path,
) -> ToolResult<()> {
    let (mut inputs, _) = named_files(words, stdin.unwrap_or_default(), cwd);
    inputs.extend(named(files, cwd));
    for (from, to) in inputs {
        crate::place::copied(&from, &folder.join(to))?;
    }
    Ok(())
}

/// What an executable says of itself; `None` when it is missing or does not keep the contract.
pub async fn describe(path: &Path) -> Option<Definition> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || job_manager::describe(&path))
        .await
        .ok()?
}

/// The folder of the tools, absolute: sides run in directories of their own.
pub fn tools_dir(given: Option<&Path>) -> ToolResult<PathBuf> {
    if let Some(dir) = given {
        return std::fs::canonicalize(dir).map_err(|e| ToolError::file("find", dir, &e));
    }
    let exe = std::env::current_exe()
        .map_err(|e| ToolError::config(format!("cannot tell where this program is: {e}")))?;
    Ok(exe.parent().unwrap_or(Path::new(".")).to_owned())
}

fn legacy_section(tool: &str, ctx: &Context) -> ToolResult<Option<LegacySection>> {
    let mut settings = Settings::from_config(ctx.config())?;
    match settings.legacy.remove(tool) {
        Some(section) => Ok(Some(section)),
        None => settings.distrusted_error(tool).map_or(Ok(None), Err),
    }
}
