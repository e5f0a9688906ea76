//! The plan of a run, against what the run then does.

use serde_json::Value;

use testkit::tools::BuiltTool;

use crate::{ExampleRun, check_exit, evidence::each_tool, examples};

/// Every example of every tool that does more than read, with a name for messages.
fn each_acting_example(check: &str, mut examine: impl FnMut(&BuiltTool, &str, ExampleRun)) {
    each_tool(check, |tool| {
        let d = tool.describe();
        let effects = d["effects"].as_array().unwrap();
        if effects.iter().all(|effect| effect == "reads") {
            return;
        }
        for example in examples(&d) {
            let run = ExampleRun::of(tool, &example);
            examine(tool, &format!("{} {:?}", tool.name, run.args), run);
        }
    });
}

/// The run, held to a plan.
fn held_to(mut run: ExampleRun, plan: &str) -> ExampleRun {
    let file = run.sandbox.root().join("plan.json");
    std::fs::write(&file, plan).unwrap();
    run.sandbox = run.sandbox.env("ONEJOB_PLAN_FILE", file.display().to_string());
    run
}

/// Every tool with an effect plans it in the one shape, and does what it planned when it is held to the plan.
#[test]
fn what_is_done_is_what_was_planned() {
    let mut planned = 0;
    each_acting_example("plan", |tool, name, mut example_run| {
        let args = example_run.args.clone();
        let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
        example_run.args.insert(end, "--dry-run".into());
        let dry = example_run.run(tool);
        if dry.code != Some(example_run.exit) {
            check_exit(&tool.name, "dry run", &dry);
        }
        let output = &dry.events.last().unwrap()["output"];
        if output.is_null() {
            // Refused, or a report about something else than this run.
            assert_ne!(dry.code, Some(0), "{name}: no output: {}", dry.stderr);
            return;
        }
        let plan = &output["plan"];
        assert!(plan["actions"].is_array(), "{name}: no plan in {output}");
        for action in plan["actions"].as_array().unwrap() {
            for field in ["action", "target"] {
                let text = action[field].as_str().unwrap_or_default();
                assert!(!text.is_empty(), "{name}: no {field} in {action}");
            }
        }
        example_run = held_to(example_run, &plan.to_string());
        example_run.args = args;
        let before = example_run.sandbox.files();
        let run = example_run.run(tool);
        assert_eq!(
            run.code,
            Some(example_run.exit),
            "{name}: held to its plan {plan}\nstdout: {}\nstderr: {}",
            run.stdout,
            run.stderr
        );
        written_files_were_planned(name, &example_run, &before, plan);
        planned += plan["actions"].as_array().unwrap().len();
    });
    assert!(
        planned > 20 || app_core::config::process_env("ONEJOB_ONLY_TOOL").is_some(),
        "only {planned} planned actions in all examples"
    );
}

/// A file that appeared stands in the plan, or lies below a folder that does.
fn written_files_were_planned(name: &str, run: &ExampleRun, before: &[String], plan: &Value) {
    let targets: Vec<&str> = plan["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|action| action["target"].as_str())
        .collect();
    for file in run.sandbox.files() {
        if before.contains(&file) || file.ends_with(".manifest.json") {
            continue;
        }
        let covered = targets.iter().any(|target| {
            let target = target.trim_start_matches("sqlite:").trim_start_matches("./");
            let target = target.trim_end_matches('/');
            target == "."
                || file == *target
                || file.starts_with(&format!("{target}/"))
                || target.ends_with(&format!("/{file}"))
        });
        assert!(covered, "{name}: wrote `{file}`, planned were {targets:?}");
    }
}

/// Held to a plan of nothing, a run changes neither a file nor its far side.
#[test]
fn a_plan_that_names_nothing_lets_nothing_happen() {
    each_acting_example("empty_plan", |tool, name, mut example_run| {
        example_run = held_to(example_run, r#"{"actions":[],"total":0,"truncated":false}"#);
        let before = example_run.sandbox.files();
        let run = example_run.run(tool);
        if run.code != Some(example_run.exit) {
            check_exit(&tool.name, "empty plan", &run);
        }
        assert_eq!(
            example_run.sandbox.files(),
            before,
            "{name}: written outside its plan"
        );
        let changes = example_run.changes_seen();
        assert!(changes.is_empty(), "{name}: {changes:?} outside its plan");
    });
}
