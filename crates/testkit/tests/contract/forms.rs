//! What a form, a help page and a host need to know of every tool.

use serde_json::Value;
use testkit::Sandbox;

use crate::{evidence::each_tool, examples, inputs::branches};

#[test]
fn every_field_can_be_shown_in_a_form() {
    each_tool("forms", |tool| {
        let d = tool.describe();
        let mut missing = Vec::new();
        for branch in branches(&d) {
            fields(&branch, &tool.name, "input", &mut missing);
        }
        assert!(missing.is_empty(), "{}", missing.join("\n"));
        let with_input = examples(&d).iter().filter(|e| e["input"].is_object()).count();
        assert!(with_input > 0, "{}: no example that a form can offer", tool.name);
    });
}

/// Words at the end of a field's name that say that a number has a unit.
const MEASURES: [&str; 16] = [
    "_ms", "_seconds", "_secs", "_s", "_minutes", "_hours", "_days", "_bytes", "_kb", "_mb", "_usd", "width",
    "height", "duration", "timeout", "delay",
];

fn fields(schema: &Value, tool: &str, path: &str, missing: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let here = format!("{tool}: `{path}.{name}`");
        if property.get("const").is_some() {
            continue;
        }
        for key in ["title", "description"] {
            let text = property[key].as_str().unwrap_or_default();
            if text.trim().is_empty() {
                missing.push(format!("{here} has no {key}"));
            }
        }
        let plain = property["anyOf"].get(0).unwrap_or(property);
        let kinds = &plain["type"];
        let number = ["integer", "number"].iter().any(|kind| {
            kinds == kind
                || kinds
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&Value::from(*kind)))
        });
        if number && MEASURES.iter().any(|measure| name.ends_with(measure)) {
            let unit = property["x-unit"].as_str().or(plain["x-unit"].as_str());
            if unit.is_none_or(str::is_empty) {
                missing.push(format!("{here} has no x-unit"));
            }
        }
        fields(property, tool, &format!("{path}.{name}"), missing);
        if plain["items"].is_object() {
            fields(&plain["items"], tool, &format!("{path}.{name}[]"), missing);
        }
    }
}

#[test]
fn every_policy_is_chosen_and_says_why() {
    each_tool("policy_chosen", |tool| {
        let d = tool.describe();
        let reason = d["policy_reason"].as_str().unwrap_or_default();
        assert!(
            reason.len() > 20,
            "{}: the policy has no reason: `{reason}`",
            tool.name
        );
        let acts_far = d["effects"].as_array().unwrap().iter().any(|effect| {
            ["sends", "changes_remote", "spends"]
                .iter()
                .any(|far| effect == far)
        });
        let anywhere = d["reaches"].as_array().is_some_and(|far| !far.is_empty());
        // A control program acts through the tools it starts.
        assert!(
            !acts_far || anywhere || tool.family == "control",
            "{}: acts on a far side and names none",
            tool.name
        );
    });
}

/// `--help` of the tool, or of one of its actions, names every field as a flag or a positional, and nothing else.
#[test]
fn help_and_schema_name_the_same_fields() {
    each_tool("help_fields", |tool| {
        let sandbox = Sandbox::new().unwrap();
        for branch in branches(&tool.describe()) {
            let properties = branch["properties"].as_object().cloned().unwrap_or_default();
            let tag = properties
                .values()
                .find_map(|property| property["const"].as_str());
            let mut args: Vec<&str> = tag.into_iter().collect();
            args.push("--help");
            let help = sandbox.run(&tool.binary, &args).expect_code(0).stdout;
            for (name, property) in &properties {
                if property.get("const").is_some() {
                    continue;
                }
                let plain = property["anyOf"].get(0).unwrap_or(property);
                let cli = if property["x-cli"].is_object() {
                    &property["x-cli"]
                } else {
                    &plain["x-cli"]
                };
                if cli["hidden"] == true {
                    continue;
                }
                let flag = format!("--{}", name.replace('_', "-"));
                let positional = cli["positional"].is_u64();
                let named = help.lines().any(|line| {
                    let line = line.trim_start();
                    if positional {
                        line.starts_with('<') || line.starts_with('[')
                    } else {
                        line.split([' ', ',', '=', '[']).any(|word| word == flag)
                    }
                });
                assert!(named, "{} {args:?}: no `{flag}` in\n{help}", tool.name);
            }
        }
    });
}
