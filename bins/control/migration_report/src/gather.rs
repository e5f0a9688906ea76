//! Everything the report is made from, read from this host: tools, evidence, run log, shadow log, configuration.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app_core::{
    Context, Definition, Effect, ToolError, ToolResult, files,
    state::{FallbackRuns, RunFilter, Runs},
};
use job_manager::{JobManager, Options, Role, Settings};
use migration::evidence;
use serde::Deserialize;

use crate::{
    model::{Outside, Rule, Shadow},
    shadow,
};

/// What was found.
pub(crate) struct Facts {
    /// Every binary that keeps the contract, by name.
    pub tools: BTreeMap<String, Tool>,
    /// Routes, replaced scripts, gaps.
    pub settings: Settings,
    /// What was shown.
    pub evidence: Vec<evidence::Evidence>,
    /// Shadow runs by tool.
    pub shadows: BTreeMap<String, Shadow>,
    /// Runs of replaced scripts.
    pub fallbacks: Vec<FallbackRuns>,
    /// The waves as planned.
    pub plan: Plan,
    /// When a tool may be cut over.
    pub rule: Rule,
    /// What could not be read.
    pub unreadable: Vec<String>,
}

/// A tool with a binary.
pub(crate) struct Tool {
    pub definition: Definition,
    /// Of its binary; only looked at when there is evidence of it.
    pub sha256: Option<String>,
}

/// `migration.toml`: the scripts there are, by wave.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Plan {
    #[serde(default, rename = "wave")]
    pub waves: Vec<PlannedWave>,
    /// What the old collections hold and no tool replaces.
    #[serde(default)]
    pub outside: Vec<Outside>,
}

/// One wave of the plan.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlannedWave {
    pub number: u8,
    pub title: String,
    pub scripts: Vec<String>,
}

/// Most runs of a tool that are looked at; more than any rule asks for.
const RUNS: u32 = 1000;

/// Reads it all; `logs` stand for the divergence log of this host.
pub(crate) async fn gather(logs: &[PathBuf], ctx: &Context) -> ToolResult<Facts> {
    let state = ctx.state_dir()?;
    let options = Options::from_config(ctx.config(), state, Role::Client)?;
    // Nothing is run from it: what the file says counts wherever it lies.
    let (tools_dir, settings) = (options.tools_dir.clone(), Settings::for_reading(ctx.config())?);
    let mut unreadable = Vec::new();

    // The binaries themselves, whoever is switched to answer for them.
    let jobs = JobManager::open(Options {
        settings: Settings::default(),
        ..options
    })?;
    let shelf = evidence::read_all(&evidence::evidence_dir()?)?;
    unreadable.extend(
        shelf
            .unreadable
            .iter()
            .map(|(path, why)| format!("{}: {why}", path.display())),
    );
    let mut tools = BTreeMap::new();
    let progress = ctx.progress("reading the binaries", "tools", None);
    for entry in jobs.list_tools().await? {
        ctx.check_cancelled()?;
        let definition = entry.definition;
        // Reading a whole binary is worth it only where there is something to compare with.
        let shown = shelf.evidence.iter().any(|e| e.tool == definition.name);
        let sha256 = shown
            .then(|| files::sha256_of(&tools_dir.join(&definition.name)))
            .transpose()?;
        tools.insert(definition.name.clone(), Tool { definition, sha256 });
        progress.inc(1);
    }
    progress.finish();

    let own = [state.join("parity/shadow.jsonl")];
    let (mut shadows, bad) = shadow::read(if logs.is_empty() { &own } else { logs })?;
    if bad > 0 {
        unreadable.push(format!("{bad} lines of the divergence log cannot be read"));
    }
    let runs = Runs::open(state)?;
    for (name, tool) in &tools {
        // What was shown beside the script counts for more.
        if !may_run_twice(&tool.definition) && !shadows.contains_key(name) {
            let filter = RunFilter {
                tool: Some(name.clone()),
                limit: RUNS,
                ..RunFilter::default()
            };
            shadows.insert(name.clone(), shadow::alone(&runs.list(&filter)?));
        }
    }
    Ok(Facts {
        tools,
        settings,
        evidence: shelf.evidence,
        shadows,
        fallbacks: runs.fallbacks()?,
        plan: plan(ctx)?,
        rule: ctx.config().settings()?.migration,
        unreadable,
    })
}

/// Whether a run beside the script harms nobody.
fn may_run_twice(definition: &Definition) -> bool {
    let harmless = |effect: &Effect| matches!(effect, Effect::Reads | Effect::WritesFiles);
    definition.effects.iter().all(harmless)
}

fn plan(ctx: &Context) -> ToolResult<Plan> {
    let Some(path) = ctx.config().find_file("migration.toml") else {
        return Ok(Plan::default());
    };
    let text = std::fs::read_to_string(&path).map_err(|e| ToolError::file("read", &path, &e))?;
    parse_plan(&text).map_err(|what| wrong(&path, &what))
}

fn wrong(path: &Path, what: &str) -> ToolError {
    ToolError::config(format!("cannot read `{}`: {what}", path.display()))
        .hint("each wave is `[[wave]]` with `number`, `title` and `scripts`; `[[outside]]` has `scripts` and `reason`")
}

/// Reads the plan; a script stands in one wave only.
fn parse_plan(text: &str) -> Result<Plan, String> {
    let plan: Plan = toml::from_str(text).map_err(|e| e.message().to_owned())?;
    let mut seen = BTreeMap::new();
    for wave in &plan.waves {
        for script in &wave.scripts {
            if let Some(before) = seen.insert(script, wave.number) {
                return Err(format!(
                    "`{script}` stands in wave {before} and in wave {}",
                    wave.number
                ));
            }
        }
    }
    for script in plan.outside.iter().flat_map(|outside| &outside.scripts) {
        if let Some(wave) = seen.get(script) {
            return Err(format!("`{script}` stands in wave {wave} and outside"));
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_stands_in_one_wave() {
        let wave = |n| format!("[[wave]]\nnumber={n}\ntitle='t'\nscripts=['a', 'b{n}']\n");
        assert_eq!(parse_plan(&wave(1)).unwrap().waves[0].scripts, ["a", "b1"]);
        assert!(
            parse_plan(&(wave(1) + &wave(2)))
                .unwrap_err()
                .contains("`a` stands in wave 1")
        );
        assert!(parse_plan("[[wave]]\nnumber=1\n").is_err());
        let outside = "[[outside]]\nscripts=['a']\nreason='r'\n";
        assert!(
            parse_plan(&(wave(1) + outside))
                .unwrap_err()
                .contains("`a` stands in wave 1 and outside")
        );
    }
}
