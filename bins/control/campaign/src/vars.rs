//! Variables of a campaign: they may refer to each other, and name and objective to them.

use std::collections::{BTreeMap, BTreeSet};

use app_core::ToolResult;
use serde_json::{Map, Value};

use crate::{
    file::{Campaign, wrong},
    reference,
};

impl Campaign {
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
                let still = self.circle(still)?;
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
        self.fill_texts()
    }

    /// Of variables that cannot be settled, those that refer to each other, without what merely refers to them.
    fn circle(&self, mut names: Vec<String>) -> ToolResult<Vec<String>> {
        loop {
            let mut referred = BTreeSet::new();
            for name in &names {
                referred.extend(self.vars_named(name, &self.vars[name])?);
            }
            let before = names.len();
            names.retain(|name| referred.contains(name));
            if names.len() == before {
                return Ok(names);
            }
        }
    }

    /// Name and objective with the variables filled in.
    fn fill_texts(&mut self) -> ToolResult<()> {
        let scope = serde_json::json!({"vars": self.vars});
        for (field, text) in [("objective", &mut self.objective), ("name", &mut self.name)] {
            let filled = reference::resolve(&Value::from(text.as_str()), &scope)
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("{a: '${vars.a}'}", "variables a refer to each other"),
            (
                "{a: '${vars.b}', b: '${vars.a}', c: '${vars.a}'}",
                "variables a, b refer to each other",
            ),
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
}
