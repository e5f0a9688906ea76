//! Judges a case: differences must be meant, meant ones must occur, and what is promised instead must hold.

use std::path::Path;

use app_core::ToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    case::{Case, Verdict},
    compare::{self, Difference},
    observe, recording, replay,
};

/// The result of one case.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CaseResult {
    /// `tool/case`.
    pub case: String,
    /// What the case is about.
    pub summary: String,
    /// Whether it holds.
    pub passed: bool,
    /// Differences that are meant, each with its reason.
    pub intended: Vec<String>,
    /// What is wrong.
    pub problems: Vec<String>,
}

/// Runs and judges one case.
pub fn judge(case: &Case, tools: &Path) -> ToolResult<CaseResult> {
    if !tools.join(&case.tool).is_file() {
        return Ok(CaseResult {
            case: format!("{}/{}", case.tool, case.name),
            summary: case.recorded.summary.clone(),
            passed: false,
            intended: Vec::new(),
            problems: vec![format!("there is no `{}` in `{}`", case.tool, tools.display())],
        });
    }
    if let Some(details) = recording::details(&case.folder)? {
        let (differences, observed) = replay::replay(case, &details, tools)?;
        return Ok(weigh(case, &differences, &observed));
    }
    let site = observe::site(case)?;
    let recorded = observe::recorded(case)?;
    let observed = observe::observed(case, tools, &recorded, site.as_ref())?;
    let differences = compare::compare(&recorded, &observed, case.recorded.class);
    Ok(weigh(case, &differences, &observed))
}

/// The pure part.
pub fn weigh(case: &Case, differences: &[Difference], observed: &Value) -> CaseResult {
    let mut problems = Vec::new();
    let mut intended = Vec::new();
    for difference in differences {
        match case.intended.differences.get(&difference.path) {
            Some(reason) => intended.push(format!("{}: {reason}", difference.path)),
            None => problems.push(format!(
                "{}: recorded {}, observed {}",
                difference.path,
                short(&difference.recorded),
                short(&difference.observed)
            )),
        }
    }
    for path in case.intended.differences.keys() {
        if !differences.iter().any(|d| d.path == *path) {
            problems.push(format!(
                "{path}: listed as an intended difference, but no longer different"
            ));
        }
    }
    if case.recorded.verdict == Verdict::Fix && differences.is_empty() && case.intended.expect.is_empty() {
        let should = case.recorded.should.as_deref().unwrap_or("be fixed");
        problems.push(format!("the recorded defect is still there; it should: {should}"));
    }
    let wanted = Value::Object(case.intended.expect.clone());
    problems.extend(compare::missing(&wanted, observed, ""));
    if let Some(should) = &case.recorded.should_expected {
        let mut files = serde_json::Map::new();
        for (key, name) in [("gif_facts", "out.gif"), ("image_facts", "out.png")] {
            if let Some(facts) = should.get(key) {
                files.insert(name.to_owned(), facts.clone());
            }
        }
        problems.extend(compare::missing(&json!({"files": files}), observed, ""));
    }
    CaseResult {
        case: format!("{}/{}", case.tool, case.name),
        summary: case.recorded.summary.clone(),
        passed: problems.is_empty(),
        intended,
        problems,
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 300 {
        format!("{}...", text.chars().take(300).collect::<String>())
    } else {
        text
    }
}
