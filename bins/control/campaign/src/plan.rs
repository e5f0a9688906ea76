//! What a run would do, without doing it: order, tools, and every fault that can be seen beforehand.

use std::collections::BTreeMap;

use app_core::{
    Context, Definition, Effect, ErrorKind, ToolError, ToolResult, contract::schema::check as check_schema,
};
use job_manager::{JobManager, Options, Role};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    file::{Campaign, Step, wrong},
    reference,
};

/// One step of the plan.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PlannedStep {
    /// Id in the campaign file.
    pub(crate) id: String,
    /// Tool, or `approval`.
    pub(crate) tool: String,
    /// Version of the tool.
    pub(crate) version: String,
    /// Steps that come before.
    pub(crate) needs: Vec<String>,
    /// What the tool can do to the world.
    pub(crate) effects: Vec<Effect>,
}

/// Checks tools and inputs. Needs no key and no network.
pub(crate) async fn plan(campaign: &Campaign, ctx: &Context) -> ToolResult<Vec<PlannedStep>> {
    let options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Client)?;
    let manager = JobManager::open(options)?;
    let tools: BTreeMap<String, Definition> = manager
        .list_tools()
        .await?
        .into_iter()
        .map(|entry| (entry.definition.name.clone(), entry.definition))
        .collect();
    let mut planned = Vec::new();
    for step in campaign.order()? {
        let needs = step.all_needs()?.into_iter().collect();
        let Some(tool) = &step.tool else {
            check_question(campaign, step)?;
            planned.push(PlannedStep {
                id: step.id.clone(),
                tool: "approval".into(),
                version: String::new(),
                needs,
                effects: Vec::new(),
            });
            continue;
        };
        let definition = tools.get(tool).ok_or_else(|| {
            let near = tools
                .keys()
                .find(|known| known.contains(tool.as_str()) || tool.contains(known.as_str()));
            let error = ToolError::new(
                ErrorKind::NotFound,
                format!("step `{}`: there is no tool `{tool}`", step.id),
            );
            match near {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("`onejob list_tools` shows what there is"),
            }
        })?;
        check_input(campaign, step, definition)?;
        planned.push(PlannedStep {
            id: step.id.clone(),
            tool: tool.clone(),
            version: definition.version.clone(),
            needs,
            effects: definition.effects.iter().copied().collect(),
        });
    }
    Ok(planned)
}

/// What a run knows before its first step.
fn known_scope(campaign: &Campaign) -> Value {
    serde_json::json!({
        "vars": campaign.vars,
        "run": {"dir": "/run", "id": "run", "name": campaign.name, "objective": campaign.objective},
    })
}

/// A question that refers only to what is known is filled in, so that a mistake in it is found before the run.
fn check_question(campaign: &Campaign, step: &Step) -> ToolResult<()> {
    let fail = |e: String| wrong(format!("step `{}`: {e}", step.id));
    let question = Value::from(step.approval.as_deref().unwrap_or_default());
    let roots = reference::roots(&question).map_err(fail)?;
    if roots.iter().all(|root| root == "vars" || root == "run") {
        reference::resolve(&question, &known_scope(campaign)).map_err(fail)?;
    }
    Ok(())
}

/// The input with what is known filled in. Fields that refer to other steps are not known yet and are not judged.
fn check_input(campaign: &Campaign, step: &Step, definition: &Definition) -> ToolResult<()> {
    let scope = known_scope(campaign);
    let mut known = serde_json::Map::new();
    let mut open = Vec::new();
    for (field, value) in &step.input {
        let roots = reference::roots(value).map_err(|e| wrong(format!("step `{}`: {e}", step.id)))?;
        if roots.iter().all(|root| root == "vars" || root == "run") {
            let value =
                reference::resolve(value, &scope).map_err(|e| wrong(format!("step `{}`: {e}", step.id)))?;
            known.insert(field.clone(), value);
        } else {
            open.push(field.clone());
        }
    }
    let mistakes = check_schema(definition.input_schema.as_value(), &Value::Object(known));
    let real: Vec<_> = mistakes
        .into_iter()
        .filter(|(path, _)| {
            !open.iter().any(|field| {
                path == field
                    || path.starts_with(&format!("{field}."))
                    || path.starts_with(&format!("{field}["))
            })
        })
        .map(|(path, problem)| format!("`{path}` {problem}"))
        .collect();
    if real.is_empty() {
        return Ok(());
    }
    Err(wrong(format!(
        "step `{}` ({}): {}",
        step.id,
        definition.name,
        real.join("; ")
    )))
}
