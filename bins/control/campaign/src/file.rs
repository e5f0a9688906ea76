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

    /// Fills in the references of variables to each other, and of the objective to variables. `given` are those of the
    /// command line: they win, and are taken as they are written.
    ///
    /// Fails with `invalid_input` when variables refer to each other in a circle, or to anything but variables.
    pub(crate) fn settle_vars(&mut self, given: &BTreeMap<String, String>) -> ToolResult<()> {
        let mut settled: Map<String, Value> = Map::new();
        for (name, value) in given {
            self.vars.insert(name.clone(), Value::from(value.as_str()));
            settled.insert(name.clone(), Value::from(value.as_str()));
        }
        let mut waiting: Vec<String> = self
            .vars
            .keys()
            .filter(|name| !given.contains_key(*name))
            .cloned()
            .collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            let mut still = Vec::new();
            for name in waiting {
                let value = &self.vars[&name];
                let needs = self.vars_named(&format!("variable `{name}`"), value)?;
                if needs.iter().all(|need| settled.contains_key(need)) {
                    let scope = serde_json::json!({"vars": settled});
                    let value = reference::resolve(value, &scope)
                        .map_err(|problem| wrong(format!("variable `{name}`: {problem}")))?;
                    settled.insert(name, value);
                } else {
                    still.push(name);
                }
            }
            if still.len() == before {
                return Err(wrong(format!(
                    "the variables {} refer to each other",
                    still.join(", ")
                )));
            }
            waiting = still;
        }
        // In the order of the file.
        let order: Vec<String> = self.vars.keys().cloned().collect();
        self.vars = order
            .into_iter()
            .filter_map(|name| settled.remove(&name).map(|value| (name, value)))
            .collect();
        for field in ["objective", "name"] {
            let text = if field == "name" {
                &mut self.name
            } else {
                &mut self.objective
            };
            let value = Value::from(text.as_str());
            let scope = serde_json::json!({"vars": self.vars});
            let filled = reference::resolve(&value, &scope)
                .map_err(|problem| wrong(format!("`{field}`: {problem}")))?;
            *text = filled.as_str().map_or_else(|| filled.to_string(), str::to_owned);
        }
        Ok(())
    }

    /// The variables that a value refers to.
    fn vars_named(&self, what: &str, value: &Value) -> ToolResult<BTreeSet<String>> {
        let fail = |problem: String| wrong(format!("{what}: {problem}"));
        let mut named = BTreeSet::new();
        for path in reference::paths(value).map_err(fail)? {
            let Some(rest) = path.strip_prefix("vars.") else {
                return Err(fail(format!(
                    "`${{{path}}}` is no variable; variables are known before any step runs"
                )));
            };
            let name = rest.split(['.', '[']).next().unwrap_or_default();
            if !self.vars.contains_key(name) {
                return Err(fail(format!("`${{{path}}}` refers to nothing")));
            }
            named.insert(name.to_owned());
        }
        Ok(named)
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
        for root in reference::roots(&Value::Object(self.input.clone()))
            .map_err(|e| wrong(format!("step `{}`: {e}", self.id)))?
        {
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
    fn variables_may_refer_to_variables() {
        let text = "name: x\nobjective: 'Sell ${vars.head}'\nvars: {head: '${vars.brand} spring $${sale}', brand: Tin, all: ['${vars.n}', '${vars.head}'], n: 3}\nsteps: [{id: a, tool: t}]\n";
        let mut campaign = Campaign::parse(text).unwrap();
        campaign.settle_vars(&BTreeMap::new()).unwrap();
        assert_eq!(campaign.vars["head"], "Tin spring ${sale}");
        assert_eq!(campaign.vars["all"], serde_json::json!([3, "Tin spring ${sale}"]));
        assert_eq!(campaign.objective, "Sell Tin spring ${sale}");
        // What the command line gives is a text, not a template.
        let mut campaign = Campaign::parse(text).unwrap();
        let given = BTreeMap::from([("brand".to_owned(), "${vars.n}".to_owned())]);
        campaign.settle_vars(&given).unwrap();
        assert_eq!(campaign.vars["head"], "${vars.n} spring ${sale}");
        for (vars, named) in [
            ("{a: '${vars.b}', b: '${vars.a}'}", "a, b refer to each other"),
            ("{a: '${vars.a}'}", "a refer to each other"),
            ("{a: '${vars.c}'}", "`${vars.c}` refers to nothing"),
            ("{a: '${card.output}'}", "is no variable"),
        ] {
            let text = format!("name: x\nvars: {vars}\nsteps: [{{id: a, tool: t}}]\n");
            let error = Campaign::parse(&text)
                .unwrap()
                .settle_vars(&BTreeMap::new())
                .unwrap_err();
            assert!(error.message.contains(named), "{vars}: {}", error.message);
        }
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
            ("name: x\nsteps: [{id: a, tool: t, input: {p: '${a'}}]\n", "`${a`"),
        ] {
            let error = Campaign::parse(text).unwrap_err();
            assert!(error.message.contains(named), "{text}: {}", error.message);
        }
    }
}
