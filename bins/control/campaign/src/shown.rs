//! What is shown to whoever decides about a step, by its hashes.

use std::{collections::BTreeSet, path::Path};

use app_core::{
    ToolError, ToolResult,
    files::{sha256, sha256_of},
};

use crate::run::{Run, Shown, StepRun};

/// What is shown to whoever decides about a step of the run in `folder`, with the files as they are now.
///
/// Fails with `not_found` when there is no such step, or when a file of a step before it is gone.
pub(crate) fn shown(run: &Run, folder: &Path, id: &str) -> ToolResult<Vec<Shown>> {
    let step = find(run, id)?;
    let entry = |what: String, sha256: String| Shown { what, sha256 };
    let question = step.question.as_deref().unwrap_or_default();
    let mode = serde_json::to_string(&run.mode).unwrap_or_default();
    let mut shown = vec![
        entry("question".to_owned(), sha256(question.as_bytes())),
        entry("mode".to_owned(), sha256(mode.as_bytes())),
        // What is done after the answer stands here.
        entry(
            "campaign.yml".to_owned(),
            sha256_of(&folder.join("campaign.yml"))?,
        ),
    ];
    let before = before(run, id);
    for step in run.steps.iter().filter(|step| before.contains(&step.id)) {
        if step.tool.is_none() {
            continue;
        }
        let input = serde_json::json!([step.tool, step.input]).to_string();
        shown.push(entry(format!("input of {}", step.id), sha256(input.as_bytes())));
        for artifact in step.artifacts.iter().filter(|a| a.role != "manifest") {
            let file = folder.join(&artifact.path);
            shown.push(entry(artifact.path.display().to_string(), sha256_of(&file)?));
        }
    }
    Ok(shown)
}

/// The steps that come before one, directly or through others.
pub(crate) fn before(run: &Run, id: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![id.to_owned()];
    while let Some(id) = open.pop() {
        let needs = run.steps.iter().filter(|s| s.id == id).flat_map(|s| &s.needs);
        open.extend(needs.filter(|need| found.insert((*need).clone())).cloned());
    }
    found
}

/// The hashes alone, as the store keeps them.
pub(crate) fn hashes(shown: &[Shown]) -> Vec<String> {
    shown.iter().map(|one| one.sha256.clone()).collect()
}

/// A short word for all that is shown: the same only for exactly the same.
pub(crate) fn digest(shown: &[Shown]) -> String {
    let mut digest = sha256(hashes(shown).join("\n").as_bytes());
    digest.truncate(12);
    digest
}

/// A step of a run. Fails with `not_found` when there is none of that id.
pub(crate) fn find<'a>(run: &'a Run, id: &str) -> ToolResult<&'a StepRun> {
    let found = run.steps.iter().find(|step| step.id == id);
    found.ok_or_else(|| ToolError::not_found(format!("the run has no step `{id}`")))
}
