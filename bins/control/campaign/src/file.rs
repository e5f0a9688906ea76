//! The campaign file: steps and their order.

use std::collections::{BTreeMap, BTreeSet};

use app_core::{ErrorKind, ToolError, ToolResult};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::reference;

/// Largest number of steps.
const MAX_STEPS: usize = 200;

/// A campaign as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Campaign {
    /// Short name; part of the run's id.
    pub(crate) name: String,
    /// What it is for, in a sentence.
    #[serde(default)]
    pub(crate) objective: String,
    /// Values that steps refer to as `${vars.NAME}`.
    #[serde(default)]
    pub(crate) vars: Map<String, Value>,
    pub(crate) steps: Vec<Step>,
}

/// One step: a tool with its input, or an approval.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) tool: Option<String>,
    /// The tool's input; texts may hold `${...}` references.
    #[serde(default)]
    pub(crate) input: Map<String, Value>,
    /// Steps that must have succeeded, beside those the input refers to.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Instead of a tool: what a person is asked to approve before the run goes on.
    #[serde(default)]
    pub(crate) approval: Option<String>,
    /// How many different people must approve, 1 to 9; one if not given.
    #[serde(default)]
    pub(crate) approvers: Option<u32>,
    /// What people call the step; made from the id if not given.
    #[serde(default)]
    pub(crate) title: Option<String>,
    /// Go on without this step when it fails.
    #[serde(default)]
    pub(crate) optional: bool,
}

impl Campaign {
    /// Reads and checks the text of a campaign file. The message names the step that is wrong.
    pub(crate) fn parse(text: &str) -> ToolResult<Self> {
        let campaign: Self = serde_saphyr::from_str(text)
            .map_err(|e| wrong(e.to_string().lines().next().unwrap_or_default().to_owned()))?;
        campaign.check()?;
        Ok(campaign)
    }

    fn check(&self) -> ToolResult<()> {
        if self.name.trim().is_empty() {
            return Err(wrong("`name` is empty".to_owned()));
        }
        if self.steps.is_empty() || self.steps.len() > MAX_STEPS {
            return Err(wrong(format!(
                "there must be 1 to {MAX_STEPS} steps, not {}",
                self.steps.len()
            )));
        }
        let mut seen = BTreeSet::new();
        for step in &self.steps {
            let id = &step.id;
            if id.is_empty()
                || !id
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            {
                return Err(wrong(format!(
                    "step id `{id}` may only hold letters, digits, `_` and `-`"
                )));
            }
            if !seen.insert(id) {
                return Err(wrong(format!("step id `{id}` is used twice")));
            }
            if step.tool.is_some() == step.approval.is_some() {
                return Err(wrong(format!("step `{id}` needs either `tool` or `approval`")));
            }
            if step
                .approvers
                .is_some_and(|people| step.approval.is_none() || !(1..=9).contains(&people))
            {
                return Err(wrong(format!(
                    "step `{id}`: `approvers` is 1 to 9 people, and belongs to a step with `approval`"
                )));
            }
        }
        for step in &self.steps {
            for need in step.all_needs()? {
                if !seen.contains(&need) {
                    return Err(wrong(format!(
                        "step `{}` refers to `{need}`, which is no step",
                        step.id
                    )));
                }
            }
        }
        self.order().map(drop)
    }

    /// The steps in an order that respects all needs; fails on a circle, naming its steps.
    pub(crate) fn order(&self) -> ToolResult<Vec<&Step>> {
        let mut waiting: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for step in &self.steps {
            waiting.insert(&step.id, step.all_needs()?);
        }
        let mut order = Vec::with_capacity(self.steps.len());
        while order.len() < self.steps.len() {
            let ready = self
                .steps
                .iter()
                .find(|step| waiting.get(step.id.as_str()).is_some_and(BTreeSet::is_empty));
            let Some(step) = ready else {
                let names: Vec<_> = waiting.keys().copied().collect();
                return Err(wrong(format!(
                    "the steps {} wait for each other",
                    names.join(", ")
                )));
            };
            waiting.remove(step.id.as_str());
            for needs in waiting.values_mut() {
                needs.remove(&step.id);
            }
            order.push(step);
        }
        Ok(order)
    }
}

impl Step {
    /// Steps that must come before this one.
    pub(crate) fn all_needs(&self) -> ToolResult<BTreeSet<String>> {
        let mut needs: BTreeSet<String> = self.needs.iter().cloned().collect();
        let question = self.approval.as_deref().unwrap_or_default();
        let texts = Value::from(vec![Value::Object(self.input.clone()), question.into()]);
        for root in reference::roots(&texts).map_err(|e| wrong(format!("step `{}`: {e}", self.id)))? {
            match root.as_str() {
                "vars" | "run" => {}
                _ => {
                    needs.insert(root);
                }
            }
        }
        Ok(needs)
    }
}

pub(crate) fn wrong(problem: String) -> ToolError {
    ToolError::new(ErrorKind::InvalidInput, format!("campaign file: {problem}"))
        .field("file")
        .from_source("input")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_make_the_order() {
        let text = "name: x\nsteps:\n- {id: b, tool: t, input: {p: '${a.artifacts[0].path}'}}\n- {id: a, tool: t}\n- {id: c, tool: t, needs: [b]}\n";
        let campaign = Campaign::parse(text).unwrap();
        let ids: Vec<_> = campaign.order().unwrap().iter().map(|s| s.id.clone()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            ("name: x\nsteps: []\n", "1 to 200"),
            (
                "name: x\nsteps: [{id: a, tool: t}, {id: a, tool: t}]\n",
                "used twice",
            ),
            (
                "name: x\nsteps: [{id: a, tool: t, needs: [b]}, {id: b, tool: t, needs: [a]}]\n",
                "a, b wait for each other",
            ),
            (
                "name: x\nsteps: [{id: a, tool: t, input: {p: '${z.output}'}}]\n",
                "`z`, which is no step",
            ),
            ("name: x\nsteps: [{id: a}]\n", "either `tool` or `approval`"),
            (
                "name: x\nsteps: [{id: a, approval: ok?, approvers: 0}]\n",
                "1 to 9",
            ),
            ("name: x\nsteps: [{id: a, tool: t, approvers: 2}]\n", "belongs to"),
            ("name: x\nsteps: [{id: a, tool: t, input: {p: '${a'}}]\n", "`${a`"),
        ] {
            let error = Campaign::parse(text).unwrap_err();
            assert!(error.message.contains(named), "{text}: {}", error.message);
        }
    }
}
