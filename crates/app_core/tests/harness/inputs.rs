//! Where the input comes from, and how a wrong one is refused.

use serde_json::{Value, json};
use testkit::Sandbox;

use crate::{error_line, run, sandbox, terminal, tool};

/// The input a run would use.
#[track_caller]
fn printed(sandbox: &Sandbox, args: &[&str], stdin: &str) -> Value {
    let mut all = vec!["--print-input"];
    all.extend_from_slice(args);
    sandbox
        .run_with(&tool(), &all, stdin.as_bytes())
        .expect_code(0)
        .json()
}

#[test]
fn every_kind_of_field_can_be_given_by_flag() {
    let input = printed(
        &sandbox(),
        &[
            "hello",
            "-n",
            "7",
            "--token=t0p",
            "--tags=a",
            "--tags=b",
            "--labels=x=1",
            "--labels=y=-2",
            "--frame={\"delay\": 10}",
            "--frames={\"delay\": 20}",
            "--fit=contain",
            "--shiny=false",
        ],
        "",
    );
    assert_eq!(
        input,
        json!({
            "text": "hello", "count": 7, "token": "***", "tags": ["a", "b"], "labels": {"x": 1, "y": -2},
            "frame": {"delay": 10}, "frames": [{"delay": 20}], "fit": "contain", "shiny": false, "step": [],
        })
    );
    let defaults = printed(&sandbox(), &[], "");
    assert_eq!(
        (&defaults["count"], &defaults["shiny"], &defaults["fit"]),
        (&json!(3), &json!(true), &json!("cover"))
    );
    assert_eq!(
        printed(&sandbox(), &["--shiny", "--input", "-"], "{\"shiny\": false}")["shiny"],
        true
    );
}

#[test]
fn a_text_may_begin_with_a_dash_and_swallows_no_flag() {
    let input = printed(
        &sandbox(),
        &[
            "-50 % today",
            "--tags",
            "-15 %",
            "--tags",
            "- one",
            "--tags",
            "-.5",
        ],
        "",
    );
    assert_eq!(
        (&input["text"], &input["tags"]),
        (&json!("-50 % today"), &json!(["-15 %", "- one", "-.5"]))
    );
    let negative = printed(&sandbox(), &["-5", "--labels", "a=-1"], "");
    assert_eq!(
        (&negative["text"], &negative["labels"]["a"]),
        (&json!("-5"), &json!(-1))
    );
    // A forgotten text, and a flag that is spelled wrongly, are still found.
    for args in [
        &["x", "--tags", "--shiny"][..],
        &["x", "--tags", "-n", "3"],
        &["x", "--cuont", "3"],
        &["--cuont", "-15 %"],
    ] {
        sandbox().run_with(&tool(), args, b"").expect_code(2);
    }
}

#[test]
fn a_flag_wins_over_input_over_environment_over_configuration_over_the_default() {
    let count =
        |sandbox: &Sandbox, args: &[&str], stdin: &str| printed(sandbox, args, stdin)["count"].clone();
    let bare = sandbox();
    assert_eq!(count(&bare, &[], ""), 3);

    let configured = sandbox();
    configured.file("conf/onejob.toml", "[tools.sample_tool.settings]\ncount = 4\n");
    let configured = configured.env("ONEJOB_CONFIG_DIR", "conf");
    assert_eq!(count(&configured, &[], ""), 4);

    configured.file(".env", "SAMPLE_COUNT=5\n");
    assert_eq!(count(&configured, &[], ""), 5, "`.env` is environment");
    let full = configured.env("SAMPLE_COUNT", "6");
    assert_eq!(
        count(&full, &[], ""),
        6,
        "the process's own variable wins over `.env`"
    );
    assert_eq!(count(&full, &["--input", "-"], "{\"count\": 7}"), 7);
    assert_eq!(
        count(&full, &["--input", "-", "--count", "8"], "{\"count\": 7}"),
        8
    );

    let emptied = full.env("SAMPLE_COUNT", "");
    assert_eq!(
        count(&emptied, &[], ""),
        5,
        "an empty variable counts as unset, so `.env` speaks"
    );
    emptied.file(".env", "SAMPLE_COUNT=\n");
    assert_eq!(count(&emptied, &[], ""), 4);
}

#[test]
fn a_wrong_variable_or_setting_is_named() {
    let by_variable = sandbox().env("SAMPLE_COUNT", "many");
    let refused = by_variable.run(&tool(), &["--json"]).expect_code(78);
    let error = error_line(&refused);
    assert_eq!(error["kind"], "config");
    assert!(
        error["message"].as_str().unwrap().contains("`SAMPLE_COUNT`"),
        "{error}"
    );

    let by_setting = sandbox();
    by_setting.file("shared-config/onejob.toml", "[sample\n");
    let refused = by_setting.run(&tool(), &["x"]).expect_code(78);
    assert!(refused.stderr.contains("onejob.toml"), "{}", refused.stderr);
    terminal(&refused);

    let no_folder = sandbox().env("ONEJOB_CONFIG_DIR", "absent");
    let refused = no_folder.run(&tool(), &["x"]).expect_code(78);
    assert!(refused.stderr.contains("`absent`"), "{}", refused.stderr);
}

#[test]
fn a_secret_comes_from_the_credentials_directory_first_and_is_never_shown() {
    const CREDENTIAL: &str = "credential-canary";
    const VARIABLE: &str = "variable-canary-longer";
    let sandbox = sandbox().env("SAMPLE_TOKEN", VARIABLE).env("ONEJOB_LOG", "trace");
    let chars = |sandbox: &Sandbox, steps: &[Value]| {
        let run = run(sandbox, steps, &["--manifest", "m.json"]).expect_code(0);
        let manifest = std::fs::read_to_string(sandbox.path("m.json")).unwrap();
        for text in [&run.stdout, &run.stderr, &format!("{:?}", run.events), &manifest] {
            assert!(!text.contains("canary"), "{text}");
        }
        assert!(manifest.contains("\"***\""), "{manifest}");
        run.json()["token_chars"].clone()
    };
    let write = json!({"do": "write", "path": "a"});
    let asked = json!({"do": "secret", "name": "SAMPLE_TOKEN"});
    assert_eq!(chars(&sandbox, std::slice::from_ref(&write)), VARIABLE.len());
    sandbox.file("cred/SAMPLE_TOKEN", format!("{CREDENTIAL}\n"));
    let sandbox = sandbox.env("CREDENTIALS_DIRECTORY", "cred");
    assert_eq!(
        chars(&sandbox, &[write.clone(), asked]),
        CREDENTIAL.len(),
        "asked for in the run"
    );
    assert_eq!(chars(&sandbox, &[write]), CREDENTIAL.len(), "given as a field");
    assert_eq!(printed(&sandbox, &[], "")["token"], "***");
}

#[test]
fn a_refused_secret_is_not_repeated() {
    let sandbox = sandbox();
    let refused = sandbox
        .run_with(&tool(), &["--input", "-"], b"{\"token\": 271828}")
        .expect_code(2);
    assert!(refused.stderr.contains("`token`"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("271828"), "{}", refused.stderr);
    assert!(!format!("{:?}", refused.events).contains("271828"));
}

#[test]
fn a_missing_secret_is_a_config_error_that_names_it() {
    let refused = run(
        &sandbox(),
        &[json!({"do": "secret", "name": "OTHER_TOKEN"})],
        &["--json"],
    )
    .expect_code(78);
    let error = error_line(&refused);
    assert_eq!(
        (&error["kind"], &error["code"]),
        (&json!("config"), &json!("missing_secret"))
    );
    assert!(error["message"].as_str().unwrap().contains("`OTHER_TOKEN`"));
    assert_eq!(terminal(&refused)["error"]["trace_id"], error["trace_id"]);
    assert!(error["trace_id"].as_str().unwrap().starts_with("trace_"));
}

#[test]
fn every_bad_field_is_named_with_its_path_in_one_message() {
    let input = json!({
        "count": 101, "txet": "x", "tags": ["a", 5], "labels": {"k": "v"}, "frame": {"delay": 9},
        "frames": [{"delay": 10}, {}], "fit": "melt", "shiny": "no",
    });
    let refused = sandbox()
        .run_with(&tool(), &["--json", "--input", "-"], input.to_string().as_bytes())
        .expect_code(2);
    assert_eq!(refused.stdout, "");
    let error = error_line(&refused);
    assert_eq!(
        error["field_paths"],
        json!([
            "count",
            "txet",
            "tags[1]",
            "labels.k",
            "frame.delay",
            "frames[1].delay",
            "fit",
            "shiny"
        ])
    );
    let message = error["message"].as_str().unwrap();
    for part in [
        "`count` must be at most 100, not 101",
        "`txet` is not a field; did you mean `text`?",
        "`tags[1]` must be a text, not 5",
        "`labels.k` must be a whole number, not `v`",
        "`frame.delay` must be at least 10, not 9",
        "`frames[1].delay` is required",
        "`fit` must be one of",
        "`shiny` must be true or false, not `no`",
    ] {
        assert!(message.contains(part), "no `{part}` in: {message}");
    }
    assert_eq!(terminal(&refused)["error"]["kind"], "invalid_input");
}

#[test]
fn a_bad_flag_is_refused_by_name_with_exit_2() {
    for (args, named) in [
        (vec!["--count", "x"], "`--count`"),
        (vec!["--labels", "x"], "key=value"),
        (vec!["--frame", "{"], "`--frame`"),
        (vec!["--fit", "melt"], "contain"),
        (vec!["--cuont", "1"], "--count"),
        (vec!["--count", "0"], "`count` must be at least 1"),
        (vec!["one", "two"], "two"),
    ] {
        let sandbox = sandbox();
        let refused = sandbox.run(&tool(), &args).expect_code(2);
        assert!(refused.stderr.contains(named), "{args:?}: {}", refused.stderr);
        assert_eq!(
            refused.stderr.matches("error:").count(),
            1,
            "{args:?}: {}",
            refused.stderr
        );
        terminal(&refused);
        let mut as_json = args.clone();
        as_json.push("--json");
        let refused = sandbox.run(&tool(), &as_json).expect_code(2);
        assert_eq!(error_line(&refused)["kind"], "invalid_input", "{args:?}");
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
    }
}

#[test]
fn broken_json_is_told_with_file_line_and_column() {
    let sandbox = sandbox();
    sandbox.file("in.json", "{\n  \"text\": \"a\",\n  \"count\": ,\n}");
    let refused = sandbox
        .run(&tool(), &["--json", "--input", "in.json"])
        .expect_code(2);
    let error = error_line(&refused);
    assert_eq!(error["code"], "invalid_json");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("`in.json`") && message.contains("line 3 column 12"),
        "{message}"
    );
    let refused = sandbox.run_with(&tool(), &["--input", "-"], b"[").expect_code(2);
    assert!(refused.stderr.contains("standard input"), "{}", refused.stderr);
    sandbox.run(&tool(), &["--input", "absent.json"]).expect_code(66);
    sandbox.run(&tool(), &["--input", "."]).expect_code(74);
}
