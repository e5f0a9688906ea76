//! Everything decided, and whether it may be run at all.

use std::collections::BTreeSet;

use app_core::{Effect, ToolError, ToolResult};

use crate::{diff::Rules, side::Given};

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
