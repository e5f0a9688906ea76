//! What is run and what both sides get, as it stands on the command line.

use std::path::PathBuf;

use app_core::Effect;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{case::Class, normalise::Normaliser};

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
