//! From the command line to what both sides run and get.

mod given;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Context, Definition, Effect, ErrorKind, ToolError, ToolResult};
use garde::Validate;
use job_manager::{Envelope, LegacySection, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{case::Class, confine, diff::Rules, normalise::Normaliser, side::Given};

pub use given::routes;
use given::{environment, named, named_files, parse_input, read_source, words_of};

/// What is run, and what both sides get.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Sides {
    /// Command line of the replaced script, for example `python3 old/report.py`; without it `[legacy.TOOL]` of onejob.toml.
    #[serde(default)]
    pub control: Option<String>,
    /// Command line that stands for the tool; without it its binary.
    #[serde(default)]
    pub candidate: Option<String>,
    /// An argument for the candidate only, before the others; may be repeated.
    #[serde(default)]
    pub candidate_args: Vec<String>,
    /// The input as JSON (`-` is stdin): the script gets it as `[legacy.TOOL]` says, or on stdin with `--control`.
    #[serde(default)]
    pub tool_input: Option<PathBuf>,
    /// What both sides read on stdin (`-` passes this one on).
    #[serde(default)]
    pub stdin: Option<PathBuf>,
    /// `NAME=VALUE` for both sides, or `NAME` to pass the present value on. Nothing else of the environment is passed.
    #[serde(default)]
    pub env: Vec<String>,
    /// File or folder put into both working directories; those that arguments name are put there anyway.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "any", "exists": true}))]
    pub files: Vec<PathBuf>,
    /// Answers of the other side: a list of routes, a `case.json`, or the folder of a case.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "any", "exists": true}))]
    pub far_side: Option<PathBuf>,
    /// The other side is a mail server: one that delivers nothing stands at `{{SMTP_HOST}}` and `{{SMTP_PORT}}`.
    #[serde(default)]
    pub smtp: bool,
    /// SQLite file whose rows are compared, relative to the working directory.
    #[serde(default)]
    pub sqlite: Vec<String>,
    /// Seconds a side may take before it is killed with all it started.
    #[serde(default = "minute")]
    #[garde(range(min = 0.1, max = 86400.0))]
    pub time_limit_s: f64,
    /// `exact`: byte for byte; `normalised`: JSON by value; `semantic`: by meaning.
    #[serde(default)]
    pub class: Class,
    /// Something that may differ; may be repeated. Nothing is hidden that is not named.
    #[serde(default)]
    pub normalise: Vec<Normaliser>,
    /// How many times as long as the script the tool may take, a second more or less.
    #[serde(default = "ten")]
    #[garde(range(min = 0.1, max = 1_000_000.0))]
    pub max_slowdown: f64,
    /// Requests may come in any order, for a tool that asks in parallel.
    #[serde(default)]
    pub any_order: bool,
    /// What a run can do, when neither the tool nor `[legacy.TOOL]` says it.
    #[serde(default)]
    pub effects: Vec<Effect>,
    /// Whether requests go through a proxy that notes them.
    #[serde(default = "yes")]
    pub capture: bool,
    /// Whether the kernel keeps each side from writing outside of its own directories, and from connecting to anything but
    /// a declared far side.
    #[serde(default = "yes")]
    pub confine: bool,
    /// Where the tools are; beside this program without it.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"path": "dir", "exists": true, "env": "ONEJOB_TOOLS_DIR"}))]
    pub tools_dir: Option<PathBuf>,
}

fn minute() -> f64 {
    60.0
}

fn ten() -> f64 {
    10.0
}

fn yes() -> bool {
    true
}

/// Everything decided.
#[derive(Clone, Debug)]
pub struct Job {
    pub tool: String,
    pub control: Vec<String>,
    pub candidate: Vec<String>,
    /// The replaced script, as it is named to people.
    pub script: String,
    /// Arguments that both sides get.
    pub args: Vec<String>,
    /// Arguments that only the candidate gets, before the others.
    pub candidate_args: Vec<String>,
    pub given: Given,
    pub rules: Rules,
    /// What a run can do; `None` when nobody says it.
    pub effects: Option<BTreeSet<Effect>>,
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
        let input: Option<Value> = match &self.tool_input {
            Some(source) => Some(parse_input(source)?),
            None => None,
        };
        let mut stdin = match &self.stdin {
            Some(source) => read_source(source)?,
            None => Vec::new(),
        };
        let mut candidate = match &self.candidate {
            Some(words) => words_of("candidate", words, &cwd)?,
            None => vec![tools.join(tool).display().to_string()],
        };
        let mut candidate_args = self.candidate_args.clone();
        let (mut control, mut both) = (Vec::new(), args.to_vec());
        let script;
        match (&self.control, &legacy) {
            (Some(words), _) => {
                control = words_of("control", words, &cwd)?;
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

impl Job {
    /// Effects that must not happen twice; an error when they are not known.
    pub fn acts(&self) -> ToolResult<Vec<Effect>> {
        let harmless = [Effect::Reads, Effect::WritesFiles];
        let Some(effects) = &self.effects else {
            return Err(ToolError::invalid(
                "effects",
                format!("what `{}` does to the world is not known", self.tool),
            )
            .code("effects_unknown")
            .hint("build the tool, set `effects` in its section of onejob.toml, or give `--effects reads --effects writes_files`"));
        };
        Ok(effects
            .iter()
            .copied()
            .filter(|e| !harmless.contains(e))
            .collect())
    }

    /// Refuses a tool that acts on the world, unless its other side is faked.
    pub fn guard(&self) -> ToolResult<()> {
        let acts = self.acts()?;
        if acts.is_empty() || self.given.faked {
            return Ok(());
        }
        Err(self.refusal(&acts, "it is never run on both sides").hint(
            "fake its other side: `--far-side FILE` (routes, or a case made by `parity record`), or `--smtp` for mail",
        ))
    }

    /// The refusal, naming the effects.
    pub fn refusal(&self, acts: &[Effect], what: &str) -> ToolError {
        let names: Vec<String> = acts
            .iter()
            .filter_map(|e| serde_json::to_value(e).ok())
            .map(|v| format!("`{}`", v.as_str().unwrap_or_default()))
            .collect();
        ToolError::invalid(
            "tool",
            format!("`{}` has the effect {}: {what}", self.tool, names.join(", ")),
        )
        .code("effects_refused")
    }
}

/// A script as a shadowed run starts it, found without the settings of this program.
#[derive(Debug)]
pub struct Script {
    /// Command line.
    pub words: Vec<String>,
    /// What it reads on stdin; `None` passes this process's on.
    pub stdin: Option<Vec<u8>>,
}

/// The script that a `parity shadow` names: by its command line, or by `[legacy.TOOL]` in the operator's settings. Of
/// those only that section is read, so that a mistake elsewhere in the file stops no script. `None` when none is found.
pub fn script(
    tool: &str,
    control: Option<&str>,
    tool_input: Option<&Path>,
    args: &[String],
    cwd: &Path,
) -> Option<Script> {
    let input: Option<Value> = match tool_input {
        Some(source) => Some(parse_input(source).ok()?),
        None => None,
    };
    if let Some(control) = control {
        let mut words = words_of("control", control, cwd).ok()?;
        words.extend(args.iter().cloned());
        let stdin = input.map(|input| input.to_string().into_bytes());
        return Some(Script { words, stdin });
    }
    let section = legacy_alone(tool)?;
    let script = std::path::absolute(&section.script).ok()?;
    let mut words = vec![
        section.interpreter.display().to_string(),
        script.display().to_string(),
    ];
    if let Some(input) = &input {
        words.extend(job_manager::legacy_arguments(tool, &section, input).ok()?);
    }
    words.extend(args.iter().cloned());
    Some(Script { words, stdin: None })
}

/// `[legacy.TOOL]` of the operator's file, whatever the rest of the file is like.
fn legacy_alone(tool: &str) -> Option<LegacySection> {
    let named = app_core::config::process_env("ONEJOB_CONFIG_DIR").map(PathBuf::from);
    let dirs = named.into_iter().chain([PathBuf::from("/etc/onejob")]);
    dirs.filter_map(|dir| std::fs::read(dir.join("onejob.toml")).ok())
        .find_map(|bytes| {
            let text = String::from_utf8_lossy(&bytes);
            let header = format!("[legacy.{tool}]");
            let inner = format!("[legacy.{tool}.");
            let mut wanted = false;
            let mut section = String::new();
            for line in text.trim_start_matches('\u{feff}').lines() {
                let line_start = line.trim_start();
                if line_start.starts_with('[') {
                    wanted = line_start.starts_with(&header) || line_start.starts_with(&inner);
                }
                if wanted {
                    section.push_str(line);
                    section.push('\n');
                }
            }
            let mut value: toml::Table = toml::from_str(&section).ok()?;
            let table = value.get_mut("legacy")?.as_table_mut()?.remove(tool)?;
            table.try_into().ok()
        })
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
