//! A gate is closed by evidence of the installed binary and by nothing else; waves add up; cut-over needs clean days.

use app_core::Definition;
use job_manager::Settings;

use super::*;
use crate::gather::{Plan, PlannedWave};

fn at() -> Timestamp {
    "2026-03-10T08:00:00Z".parse().unwrap()
}

fn evidence(gate: Acceptance, tool: &str) -> Evidence {
    Evidence {
        v: 1,
        gate,
        tool: tool.into(),
        command: "the command".into(),
        at: at(),
        passed: true,
        summary: "7 of 7 cases".into(),
        binary_sha256: "now".into(),
        tool_version: "1".into(),
    }
}

/// A tool with all its evidence (the plan puts it into another wave than it thinks), a script of the same wave without a tool, and a tool that replaces nothing.
fn facts(toml: &str) -> Facts {
    let tool = |name: &str, wave, replaces: &[&str]| {
        let definition = Definition::new(name, "1", "s", "f").replaces(wave, replaces);
        let sha256 = Some("now".to_owned());
        (name.to_owned(), Tool { definition, sha256 })
    };
    let mut all: Vec<_> = Acceptance::ALL.iter().map(|gate| evidence(*gate, "a")).collect();
    all.extend(Acceptance::ALL.iter().skip(1).map(|gate| evidence(*gate, "jobs")));
    Facts {
        tools: [tool("a", 3, &["a_tool"]), tool("jobs", 0, &[])].into(),
        settings: Settings::parse(toml, std::path::Path::new("/c/onejob.toml")).unwrap(),
        evidence: all,
        shadows: BTreeMap::new(),
        fallbacks: Vec::new(),
        plan: Plan {
            outside: Vec::new(),
            waves: vec![PlannedWave {
                number: 1,
                title: "First".into(),
                scripts: vec!["a_tool".into(), "later".into()],
            }],
        },
        rule: Rule::default(),
        unreadable: Vec::new(),
    }
}

fn state_of(report: &Report, tool: &str, gate: Acceptance) -> State {
    let row = report.tools.iter().find(|row| row.name == tool).unwrap();
    row.gates.iter().find(|g| g.gate == gate).unwrap().state
}

#[test]
fn all_evidence_closes_all_gates() {
    let report = report(&facts(""), at());
    assert!(report.complete);
    assert_eq!(state_of(&report, "a", Acceptance::Parity), State::Closed);
    assert_eq!(state_of(&report, "jobs", Acceptance::Parity), State::NotNeeded);
    assert_eq!((report.totals.closed, report.totals.gates), (9, 9));
    assert_eq!((report.totals.replaced, report.totals.scripts), (1, 2));
    let wave = report.waves.iter().find(|wave| wave.number == 1).unwrap();
    assert_eq!(
        wave.line,
        "1 of 2 scripts replaced, 1 without a tool; 5 of 5 gates closed"
    );
}

#[test]
fn a_gate_without_evidence_of_this_binary_is_open() {
    for gate in Acceptance::ALL {
        let change = |change: &dyn Fn(&mut Vec<Evidence>)| {
            let mut facts = facts("");
            change(&mut facts.evidence);
            let report = report(&facts, at());
            assert!(!report.complete, "{gate:?}");
            let script = report.waves[0]
                .scripts
                .iter()
                .find(|s| s.name == "a_tool")
                .unwrap();
            assert_eq!(script.stage, Stage::InProgress);
            state_of(&report, "a", gate)
        };
        let is_it = |e: &Evidence| e.tool == "a" && e.gate == gate;
        assert_eq!(change(&|all| all.retain(|e| !is_it(e))), State::Missing);
        let each = |all: &mut Vec<Evidence>, edit: &dyn Fn(&mut Evidence)| {
            all.iter_mut().filter(|e| is_it(e)).for_each(edit);
        };
        assert_eq!(change(&|all| each(all, &|e| e.passed = false)), State::Failed);
        assert_eq!(
            change(&|all| each(all, &|e| e.binary_sha256 = "before".into())),
            State::Stale
        );
        // What another tool showed shows nothing of this one.
        assert_eq!(change(&|all| each(all, &|e| e.tool = "b".into())), State::Missing);
    }
}

#[test]
fn a_script_without_a_tool_has_a_row_with_open_gates() {
    let report = report(&facts("[legacy.later]\nscript='later.py'\nwave=1\n"), at());
    let row = report.tools.iter().find(|row| row.name == "later").unwrap();
    assert_eq!(
        (row.binary, row.route.as_str(), row.ready),
        (false, "legacy", false)
    );
    assert!(row.gates.iter().all(|gate| gate.state == State::Missing));
    assert!(!report.complete);
}

#[test]
fn cut_over_needs_clean_days_or_clean_runs() {
    let marked = "[tools.a]\ncut_over=true\n[tools.jobs]\ncut_over=true\n";
    let with = |days, runs| {
        let mut facts = facts(marked);
        let shadow = Shadow {
            clean_days: days,
            clean_runs: runs,
            ..Shadow::default()
        };
        facts.shadows.insert("a".into(), shadow);
        report(&facts, at())
    };
    for (days, runs, early) in [(0, 0, true), (6, 49, true), (7, 7, false), (1, 50, false)] {
        let report = with(days, runs);
        assert_eq!(
            !report.cut_over_too_early.is_empty(),
            early,
            "{days} days, {runs} runs"
        );
        assert_eq!(report.complete, !early);
    }
    assert_eq!(
        with(0, 0).cut_over_too_early,
        ["a"],
        "what replaces nothing has nothing to wait for"
    );
}

#[test]
fn the_checklist_ends_with_the_switch() {
    let done = |toml: &str| -> Vec<bool> {
        report(&facts(toml), at())
            .checklist
            .iter()
            .map(|i| i.done)
            .collect()
    };
    assert_eq!(done(""), [false, true, true, true, false, true, false, false]);
    let off = done("[jobs]\npython_fallback_enabled=false\n");
    assert_eq!(off.last(), Some(&true));
    let switched = done("[legacy.a]\nscript='a.py'\n[tools.a]\nroute='legacy'\n");
    assert!(!switched[2]);
}

#[test]
fn a_script_without_a_wave_is_no_tool_that_replaces_nothing() {
    let last = |toml: &str| report(&facts(toml), at()).waves.pop().unwrap();
    assert_eq!(last("").title, "Tools that replace nothing");
    let mixed = last("[legacy.shots]\nscript='shots.py'\n");
    assert_eq!((mixed.title.as_str(), mixed.counts.scripts), ("In no wave", 1));
}
