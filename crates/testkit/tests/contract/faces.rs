//! Help, description, refusals, examples, secrets.

use serde_json::Value;
use testkit::Sandbox;

use crate::{ExampleRun, check_events, evidence::each_tool, examples};

#[test]
fn help_shows_usage_every_flag_and_the_examples() {
    each_tool("help", |tool| {
        let sandbox = Sandbox::new().unwrap();
        let run = sandbox.run(&tool.binary, &["--help"]).expect_code(0);
        assert!(run.stdout.contains("Usage:"), "{}", tool.name);
        assert!(
            run.stdout.contains("Examples:") && run.stdout.contains("Exit codes:"),
            "{}",
            tool.name
        );
        assert_eq!(run.stderr, "", "{}", tool.name);
        let lines: Vec<&str> = run.stdout.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let flag = line.trim_start();
            if !flag.starts_with("--") || !flag.ends_with('>') {
                continue;
            }
            // A long value leaves no room beside it: the help stands below.
            let below = lines.get(index + 1).map_or("", |below| below.trim_start());
            assert!(
                !below.is_empty() && !below.starts_with('-'),
                "{}: flag without help: {line}",
                tool.name
            );
        }
        sandbox.run(&tool.binary, &["--version"]).expect_code(0);
    });
}

#[test]
fn the_description_is_complete_and_agrees_with_the_folder() {
    each_tool("description", |tool| {
        let d = tool.describe();
        let name = &tool.name;
        assert_eq!(d["contract"], "onejob.tool.v1", "{name}");
        assert_eq!(d["name"], name.as_str());
        assert_eq!(d["family"], tool.family.as_str(), "{name}");
        let manifest = std::fs::read_to_string(tool.folder.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains(&format!("description = \"{}\"", d["summary"].as_str().unwrap())),
            "{name}"
        );
        assert!(!d["effects"].as_array().unwrap().is_empty(), "{name}: no effects");
        assert!(
            d["policy"]["timeout_s"].is_u64() && d["policy"]["retry"]["attempts"].is_u64(),
            "{name}"
        );
        assert!(!examples(&d).is_empty(), "{name}: no examples");
        assert!(
            d["wave"] == 0 || !d["replaces"].as_array().unwrap().is_empty(),
            "{name}"
        );
        undocumented(&d["input_schema"], name, "input");
    });
}

/// Every property of the input has a description.
fn undocumented(schema: &Value, tool: &str, path: &str) {
    let is_tag = |property: &Value| property.get("const").is_some();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let here = format!("{path}.{name}");
        assert!(
            property["description"].is_string() || is_tag(property),
            "{tool}: `{here}` has no description"
        );
        undocumented(property, tool, &here);
    }
    for key in ["oneOf", "anyOf"] {
        for branch in schema[key].as_array().into_iter().flatten() {
            undocumented(branch, tool, path);
        }
    }
    if schema["items"].is_object() {
        undocumented(&schema["items"], tool, &format!("{path}[]"));
    }
}

#[test]
fn wrong_flags_and_wrong_json_are_refused_with_one_clear_message() {
    each_tool("wrong_calls", |tool| {
        let name = &tool.name;
        let sandbox = Sandbox::new().unwrap();
        sandbox.file("broken.json", "{\"a\": ");
        sandbox.file("list.json", "[1, 2]");
        let cases: [(&[&str], &str, i32); 5] = [
            (&["--no-such-flag-here"], "--no-such-flag-here", 2),
            (&["--input", "broken.json"], "broken.json", 2),
            (&["--input", "list.json"], "object", 2),
            (&["--input", "absent.json"], "absent.json", 66),
            (&["--run-timeout", "soon"], "soon", 2),
        ];
        for (args, named, code) in cases {
            let run = sandbox.run(&tool.binary, args).expect_code(code);
            assert_eq!(run.stdout, "", "{name} {args:?}");
            assert!(run.stderr.contains(named), "{name} {args:?}: {}", run.stderr);
            let errors = run
                .stderr
                .lines()
                .filter(|line| line.starts_with("error:"))
                .count();
            assert_eq!(errors, 1, "{name} {args:?}: {}", run.stderr);
            assert!(
                !run.stderr.contains("panicked"),
                "{name} {args:?}: {}",
                run.stderr
            );
            check_events(name, &run);
        }
        assert_eq!(
            sandbox.files(),
            ["broken.json", "list.json"],
            "{name}: a refused call left files"
        );
    });
}

#[test]
fn an_unknown_field_is_named_with_its_path() {
    each_tool("unknown_field", |tool| {
        let d = tool.describe();
        let mut input = serde_json::Map::new();
        if let Some(branch) = d["input_schema"]["oneOf"]
            .as_array()
            .and_then(|branches| branches.first())
        {
            let tag = branch["properties"]
                .as_object()
                .unwrap()
                .iter()
                .find(|(_, p)| p["const"].is_string())
                .unwrap();
            input.insert(tag.0.clone(), tag.1["const"].clone());
        }
        input.insert("zz_unknown_field".into(), Value::Bool(true));
        let sandbox = Sandbox::new().unwrap();
        let text = Value::Object(input).to_string();
        let run = sandbox
            .run_with(&tool.binary, &["--json", "--input", "-"], text.as_bytes())
            .expect_code(2);
        let error: Value = serde_json::from_str(run.stderr.lines().last().unwrap()).unwrap();
        assert_eq!(error["error"]["kind"], "invalid_input", "{}", tool.name);
        let paths = error["error"]["field_paths"].as_array().unwrap();
        assert!(
            paths.iter().any(|p| p == "zz_unknown_field"),
            "{}: {paths:?}",
            tool.name
        );
    });
}

#[test]
fn every_example_works_and_its_output_fits_the_schema() {
    each_tool("examples", |tool| {
        let d = tool.describe();
        for example in examples(&d) {
            let example_run = ExampleRun::of(tool, &example);
            let run = example_run.run(tool);
            let name = format!("{} {:?}", tool.name, example_run.args);
            assert_eq!(
                run.code,
                Some(example_run.exit),
                "{name}\nstdout: {}\nstderr: {}",
                run.stdout,
                run.stderr
            );
            check_events(&name, &run);
            if example_run.exit == 0 {
                // A long-running tool prints parts before its result; the result is the last line.
                let last = run.stdout.lines().last().unwrap_or_default();
                let output = serde_json::from_str(last).unwrap_or_else(|e| {
                    // What the replaced script printed; the result is in the last event.
                    assert_eq!(tool.name, "parity", "{name}: {e}: {last}");
                    run.events.last().unwrap()["output"].clone()
                });
                let mistakes = app_core::contract::schema::check(&d["output_schema"], &output);
                assert!(mistakes.is_empty(), "{name}: {mistakes:?}\n{}", run.stdout);
            }
            let left: Vec<_> = example_run
                .sandbox
                .files()
                .into_iter()
                .filter(|f| f.contains(".part"))
                .collect();
            assert!(left.is_empty(), "{name}: {left:?}");
        }
    });
}

#[test]
fn a_dry_run_changes_nothing() {
    each_tool("dry_run", |tool| {
        let d = tool.describe();
        if d["effects"].as_array().unwrap().iter().all(|e| e == "reads") {
            return;
        }
        for example in examples(&d) {
            let mut example_run = ExampleRun::of(tool, &example);
            let before = example_run.sandbox.files();
            // What stands behind `--` belongs to somebody else.
            let end = example_run.args.iter().position(|arg| arg == "--");
            let end = end.unwrap_or(example_run.args.len());
            example_run.args.insert(end, "--dry-run".into());
            let run = example_run.run(tool);
            crate::check_exit(&tool.name, "dry run", &run);
            assert_eq!(
                example_run.sandbox.files(),
                before,
                "{} {:?}",
                tool.name,
                example_run.args
            );
        }
    });
}

#[test]
fn no_secret_reaches_a_stream_or_a_file() {
    const CANARY: &str = "c4n4ry-51d0-secret-value";
    each_tool("secrets", |tool| {
        let d = tool.describe();
        let secrets: Vec<_> = d["env"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|v| v["secret"] == true)
            .cloned()
            .collect();
        for example in examples(&d) {
            let mut example_run = ExampleRun::of(tool, &example);
            example_run.sandbox = example_run
                .sandbox
                .env("ONEJOB_LOG", "trace")
                .env("SOME_API_KEY", CANARY);
            example_run
                .sandbox
                .file(".env", format!("OTHER_TOKEN={CANARY}\n"));
            for secret in &secrets {
                example_run.sandbox = example_run.sandbox.env(secret["name"].as_str().unwrap(), CANARY);
            }
            let run = example_run.run(tool);
            for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
                assert!(!text.contains(CANARY), "{}: secret on {stream}", tool.name);
            }
            assert!(
                !format!("{:?}", run.events).contains(CANARY),
                "{}: secret in the events",
                tool.name
            );
            let root = example_run.sandbox.root();
            let grep = std::process::Command::new("grep")
                .args(["-rlF", CANARY])
                .arg(root)
                .output()
                .unwrap();
            let hits = String::from_utf8_lossy(&grep.stdout).into_owned();
            assert!(
                hits.lines().all(|l| l.ends_with("/.env")),
                "{}: secret in {hits}",
                tool.name
            );
        }
    });
}
