//! `dispatch` in front of a tool and in front of a script that stands in.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use serde_json::{Value, json};
use testkit::{Finished, Sandbox, tools};

/// The old dispatcher in small: an envelope around whatever the tool answers.
const OLD: &str = r#"
import json, sys
tool, parameters = sys.argv[1], json.loads(sys.argv[2])
print("working on", tool)
data = parameters["input_data"]
if data.get("inner"):
    print(json.dumps({"status": "success", "result": {"status": "error", "message": "no frames"}}))
elif data.get("outer"):
    print(json.dumps({"status": "error", "message": "An unexpected error occurred: boom"}))
else:
    print(json.dumps({"status": "success", "result": {"tool": tool, "got": data}}))
"#;

struct Host(Sandbox);

impl Host {
    fn new(config: &str) -> Self {
        let sandbox = Sandbox::new()
            .unwrap()
            .env("ONEJOB_TOOLS_DIR", tools::target_dir().display().to_string());
        sandbox.file("shared-config/old.py", OLD);
        let config = sandbox.file("shared-config/onejob.toml", config);
        // The operator's own: a file that merely lies in the working directory names no scripts.
        let folder = config.parent().unwrap().display().to_string();
        Self(sandbox.env("ONEJOB_CONFIG_DIR", folder))
    }

    fn call(&self, tool: &str, parameters: &Value) -> Finished {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_dispatch"));
        self.0.run(binary, &[tool, &parameters.to_string()])
    }
}

#[test]
fn a_tool_takes_both_shapes_under_both_names() {
    tools::binary("gif_generator");
    let host = Host::new("");
    let fields = json!({"output_path": "a.gif"});
    for name in ["gif_generator", "gif_generator_tool"] {
        let plain = host.call(name, &fields).expect_code(1);
        let wrapped = host.call(name, &json!({"input_data": fields})).expect_code(1);
        assert_eq!(plain.stdout, wrapped.stdout);
        // The tool ran and says no: two levels, and an exit code that says so too.
        let answer = plain.json();
        assert_eq!(
            (&answer["status"], &answer["result"]["status"]),
            (&json!("success"), &json!("error"))
        );
    }
}

#[test]
fn a_script_named_by_a_file_of_the_working_directory_is_not_run() {
    let sandbox = Sandbox::new()
        .unwrap()
        .env("ONEJOB_TOOLS_DIR", tools::target_dir().display().to_string());
    sandbox.file("shared-config/old.py", "open('ran', 'w')\n");
    sandbox.file(
        "shared-config/onejob.toml",
        "[legacy.only_old]\npath = 'old.py'\nenvelope = 'dispatcher'\n",
    );
    let host = Host(sandbox);
    let answer = host.call("only_old", &json!({})).expect_code(1).json();
    assert!(
        answer["message"]
            .as_str()
            .unwrap()
            .contains("only found in the working directory"),
        "{answer}"
    );
    assert!(!host.0.path("ran").exists());
}

#[test]
fn programs_beside_the_tools_are_not_run_to_find_one() {
    let sandbox = Sandbox::new().unwrap();
    let folder = sandbox.root().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let (bystander, ran) = (folder.join("bystander"), folder.join("ran"));
    std::fs::write(&bystander, format!("#!/bin/sh\ntouch {}\n", ran.display())).unwrap();
    std::fs::set_permissions(&bystander, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let host = Host(sandbox.env("ONEJOB_TOOLS_DIR", folder.display().to_string()));
    host.call("bystander", &json!({})).expect_code(1);
    host.call("no_such_tool", &json!({})).expect_code(1);
    assert!(!ran.exists(), "a mistyped name runs nobody's programs");
}

#[test]
fn a_script_that_is_switched_to_answers_in_its_own_words() {
    tools::binary("gif_generator");
    let host = Host::new(
        "[tools.gif_generator]\nroute = 'legacy'\n[legacy.gif_generator]\npath = 'old.py'\nenvelope = 'dispatcher'\ncall = 'gif_generator_tool'\n\
         [legacy.only_old]\npath = 'old.py'\nenvelope = 'dispatcher'\ncall = 'ancient'\n",
    );
    for (name, own) in [
        ("gif_generator", "gif_generator_tool"),
        ("gif_generator_tool", "gif_generator_tool"),
        ("only_old", "ancient"),
        ("ancient", "ancient"),
    ] {
        for input in [json!({"a": 1}), json!({"input_data": {"a": 1}})] {
            let answer = host.call(name, &input).expect_code(0).json();
            assert_eq!(
                answer,
                json!({"status": "success", "result": {"tool": own, "got": {"a": 1}}})
            );
        }
    }
    let inner = host
        .call("ancient", &json!({"inner": true}))
        .expect_code(1)
        .json();
    assert_eq!(
        inner,
        json!({"status": "success", "result": {"status": "error", "message": "no frames"}})
    );
    let outer = host
        .call("ancient", &json!({"outer": true}))
        .expect_code(1)
        .json();
    assert_eq!(
        outer,
        json!({"status": "error", "message": "An unexpected error occurred: boom"})
    );
    let unknown = host.call("unknown", &json!({})).expect_code(1).json();
    assert_eq!(
        unknown,
        json!({"status": "error", "message": "Tool 'unknown' not found."})
    );
}
