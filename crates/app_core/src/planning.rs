//! Planning before acting, and acting only on what was planned.

use std::sync::Mutex;

use crate::{
    config::process_env,
    context::Context,
    contract::{Mode, Plan, PlannedAction, ToolError, ToolResult},
    mutex::lock,
};

/// The plan that a run is held to (`ONEJOB_PLAN_FILE`, a JSON file that the job manager writes).
#[derive(Debug)]
pub(crate) struct Bound {
    plan: Plan,
    /// Whether each planned action was asked for.
    met: Mutex<Vec<bool>>,
    /// What the run would have done beside the plan.
    outside: Mutex<Plan>,
}

impl Bound {
    /// Reads the plan named by `ONEJOB_PLAN_FILE`, if any. Fails with `config` when it cannot be read: acting without
    /// the plan that somebody agreed to would be worse than not acting.
    pub(crate) fn from_env() -> ToolResult<Option<Self>> {
        let Some(path) = process_env("ONEJOB_PLAN_FILE") else {
            return Ok(None);
        };
        let wrong = |what: String| ToolError::config(format!("cannot read the plan `{path}`: {what}"));
        let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
        let plan: Plan = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        if plan.truncated {
            return Err(wrong(format!(
                "it lists only {} of its {} actions",
                plan.actions.len(),
                plan.total
            )));
        }
        Ok(Some(Self {
            met: Mutex::new(vec![false; plan.actions.len()]),
            plan,
            outside: Mutex::default(),
        }))
    }

    fn allows(&self, action: &PlannedAction) -> bool {
        let mut met = lock(&self.met);
        // The first that was not asked for yet: a plan may name one target twice.
        let same =
            |planned: &PlannedAction| planned.action == action.action && planned.target == action.target;
        let found = self
            .plan
            .actions
            .iter()
            .enumerate()
            .filter(|(_, planned)| same(planned));
        let Some(place) = found.map(|(place, _)| place).find(|place| !met[*place]) else {
            return self.plan.actions.iter().any(same);
        };
        met[place] = true;
        true
    }
}

/// What a run that was held to a plan left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unplanned {
    /// Would have been done, but was not in the plan.
    pub(crate) not_planned: Plan,
    /// Stood in the plan, but was not there any more.
    pub(crate) vanished: Vec<PlannedAction>,
}

impl Context {
    /// Whether `action` may be done to `target` now. To be asked before each effect.
    ///
    /// When the run only plans: notes it in the plan of the output and answers no. When it is held to a plan:
    /// answers yes only for what the plan names, and counts the rest. Otherwise yes.
    pub fn may(&self, action: &str, target: &str, detail: &str) -> bool {
        let planned = PlannedAction {
            action: action.to_owned(),
            target: target.to_owned(),
            detail: detail.to_owned(),
        };
        let inner = self.inner();
        if inner.mode == Mode::Plan {
            lock(&inner.plan).push(planned);
            return false;
        }
        match &inner.bound {
            Some(bound) if !bound.allows(&planned) => {
                lock(&bound.outside).push(planned);
                false
            }
            _ => true,
        }
    }

    /// What the run would have done, when it only planned.
    pub(crate) fn plan(&self) -> Option<Plan> {
        (self.inner().mode == Mode::Plan).then(|| lock(&self.inner().plan).clone())
    }

    /// What was left alone because of the plan that the run is held to.
    pub(crate) fn unplanned(&self) -> Option<Unplanned> {
        let bound = self.inner().bound.as_ref()?;
        let met = lock(&bound.met);
        let vanished = bound.plan.actions.iter().zip(met.iter());
        Some(Unplanned {
            not_planned: lock(&bound.outside).clone(),
            vanished: vanished
                .filter(|(_, met)| !**met)
                .map(|(action, _)| action.clone())
                .collect(),
        })
    }
}
