//! What the checks showed of each tool, as evidence for its acceptance gates.
//!
//! Only when `ONEJOB_EVIDENCE_DIR` is set. Each check runs in a process of its own and leaves its result for each tool;
//! whichever completes the checks of a gate writes the evidence of that gate. A check that began and never ended leaves
//! its gates without evidence.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::{Path, PathBuf},
};

use migration::evidence::{self, Acceptance, Evidence};
use serde::{Deserialize, Serialize};
use testkit::tools::{self, BuiltTool};

/// Which checks a gate stands on. A check may speak for several gates.
const CHECKS: [(Acceptance, &[&str]); 4] = [
    (
        Acceptance::FailureTaxonomy,
        &[
            "wrong_calls",
            "unknown_field",
            "any_json",
            "extremes",
            "silent_far_side",
            "garbage_far_side",
        ],
    ),
    (
        Acceptance::Policy,
        &[
            "description",
            "policy_chosen",
            "told_to_stop",
            "out_of_time",
            "dry_run",
            "plan",
            "empty_plan",
        ],
    ),
    (
        Acceptance::Observability,
        &[
            "examples",
            "run_record_and_metrics",
            "secrets",
            "private_state",
            "bystander",
            "told_to_stop",
        ],
    ),
    (
        Acceptance::GenericUi,
        &[
            "help",
            "help_fields",
            "forms",
            "description",
            "flags_and_json",
            "examples",
            "dry_run",
        ],
    ),
];

/// What one check showed of one tool.
#[derive(Serialize, Deserialize)]
struct Shown {
    /// Size, time and inode of the binary: the cheap way to tell another one.
    stamp: (u64, i64, i64, u64),
    /// Why it did not hold.
    failure: Option<String>,
}

/// Runs a check on every tool, to the last of them, and fails if it failed on any.
pub(crate) fn each_tool(check: &str, mut examine: impl FnMut(&BuiltTool)) {
    assert!(
        CHECKS.iter().any(|(_, checks)| checks.contains(&check)),
        "`{check}` speaks for no gate"
    );
    let dir = app_core::config::process_env("ONEJOB_EVIDENCE_DIR").map(PathBuf::from);
    let mut failures = Vec::new();
    for tool in tools::all() {
        let record = dir.as_deref().map(|dir| Record::begin(dir, check, &tool));
        let result = catch_unwind(AssertUnwindSafe(|| examine(&tool)));
        if let Some(record) = record {
            record.end(result.as_ref().err().map(|panic| words(&**panic)));
        }
        if let Err(panic) = result {
            failures.push((tool.name.clone(), panic));
        }
    }
    let names: Vec<_> = failures.iter().map(|(name, _)| name.as_str()).collect();
    assert!(failures.len() < 2, "{check} does not hold for {names:?}");
    if let Some((_, panic)) = failures.pop() {
        resume_unwind(panic);
    }
}

/// A check of a tool that is being made.
struct Record<'a> {
    dir: &'a Path,
    check: &'a str,
    tool: &'a BuiltTool,
    stamp: (u64, i64, i64, u64),
}

impl<'a> Record<'a> {
    fn begin(dir: &'a Path, check: &'a str, tool: &'a BuiltTool) -> Self {
        let meta = fs::metadata(&tool.binary).unwrap();
        let stamp = (meta.size(), meta.mtime(), meta.mtime_nsec(), meta.ino());
        let record = Self {
            dir,
            check,
            tool,
            stamp,
        };
        let _one_at_a_time = record.lock();
        record.note(Some("it began and has not ended".to_owned()));
        for (gate, _) in record.gates() {
            // There may be none yet.
            let _ = fs::remove_file(dir.join(gate.as_str()).join(format!("{}.json", tool.name)));
        }
        record
    }

    fn end(self, failure: Option<String>) {
        let _one_at_a_time = self.lock();
        self.note(failure);
        for (gate, checks) in self.gates() {
            let shown: Vec<_> = checks.iter().map(|check| self.read(check)).collect();
            if shown.iter().any(Option::is_none) {
                continue;
            }
            let failed: Vec<_> = checks
                .iter()
                .zip(shown.into_iter().flatten())
                .filter_map(|(check, shown)| Some(format!("{check}: {}", shown.failure?)))
                .collect();
            let held = checks.len() - failed.len();
            let mut summary = format!("{held} of {} checks: {}", checks.len(), checks.join(", "));
            if let Some(first) = failed.first() {
                summary = format!("{held} of {} checks; {first}", checks.len());
            }
            let name = &self.tool.name;
            let version = self.tool.describe()["version"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            let shown = Evidence {
                command: format!("ONEJOB_ONLY_TOOL={name} cargo nextest run -p testkit"),
                passed: failed.is_empty(),
                summary,
                ..Evidence::now(*gate, name, &version, &self.tool.binary).unwrap()
            };
            evidence::write(self.dir, &shown).unwrap();
        }
    }

    fn gates(&self) -> impl Iterator<Item = &'static (Acceptance, &'static [&'static str])> {
        CHECKS.iter().filter(|(_, checks)| checks.contains(&self.check))
    }

    /// Checks of one tool end at the same time, in processes of their own.
    fn lock(&self) -> File {
        let folder = self.dir.join("checks").join(&self.tool.name);
        fs::create_dir_all(&folder).unwrap();
        let file = File::create(folder.join("lock")).unwrap();
        file.lock().unwrap();
        file
    }

    fn path(&self, check: &str) -> PathBuf {
        let folder = self.dir.join("checks").join(&self.tool.name);
        folder.join(format!("{check}.json"))
    }

    fn note(&self, failure: Option<String>) {
        let shown = Shown {
            stamp: self.stamp,
            failure,
        };
        fs::write(self.path(self.check), serde_json::to_vec(&shown).unwrap()).unwrap();
    }

    /// What a check showed of this very binary.
    fn read(&self, check: &str) -> Option<Shown> {
        let text = fs::read(self.path(check)).ok()?;
        let shown: Shown = serde_json::from_slice(&text).ok()?;
        (shown.stamp == self.stamp).then_some(shown)
    }
}

/// The first line of what a failed assertion said.
fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.unwrap_or("it failed").lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}
