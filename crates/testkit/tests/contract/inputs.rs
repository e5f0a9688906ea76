//! The same input by flags and by JSON is the same input.

use serde_json::{Map, Value, json};
use testkit::Sandbox;

use crate::{check_exit, evidence::each_tool};

/// A small deterministic generator (xorshift64*), so that a failure can be repeated.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % sides.max(1)
    }
}

/// A value that fits the schema, as far as one can tell.
pub(crate) fn fitting(schema: &Value, dice: &mut Dice) -> Value {
    if let Some(options) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let real: Vec<_> = options.iter().filter(|o| o["type"] != "null").collect();
        return fitting(real[dice.roll(real.len())], dice);
    }
    if schema.get("const").is_some() {
        return schema["const"].clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        let real: Vec<_> = values.iter().filter(|v| !v.is_null()).collect();
        return real[dice.roll(real.len())].clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|k| *k != "null").cloned().unwrap_or_default(),
        kind => kind.clone(),
    };
    let low = schema["minimum"]
        .as_f64()
        .or(schema["exclusiveMinimum"].as_f64().map(|n| n + 1.0));
    match kind.as_str().unwrap_or_default() {
        "string" => {
            let words = [
                "a",
                "b-c",
                "x y",
                "Привет",
                "key=value",
                "--dash",
                "-1",
                "#fff",
                "10",
            ];
            json!(words[dice.roll(words.len())])
        }
        "integer" => {
            let low = low.unwrap_or(0.0) as i64;
            let high = schema["maximum"].as_f64().map_or(low + 50, |n| n as i64);
            json!(low + dice.roll(((high - low).clamp(0, 50) + 1) as usize) as i64)
        }
        "number" => {
            let low = low.unwrap_or(0.0);
            let high = schema["maximum"].as_f64().unwrap_or(low + 5.0);
            json!(low + (high - low) * (dice.roll(9) as f64) / 8.0)
        }
        "boolean" => json!(dice.roll(2) == 1),
        "array" => {
            let at_least = schema["minItems"].as_u64().unwrap_or(0) as usize;
            (0..at_least.max(dice.roll(4)))
                .map(|_| fitting(&schema["items"], dice))
                .collect()
        }
        "object" => match schema["properties"].as_object() {
            Some(properties) => object(schema, properties, dice),
            None => match &schema["additionalProperties"] {
                values @ Value::Object(_) => (0..dice.roll(3))
                    .map(|n| (format!("k{n}"), fitting(values, dice)))
                    .collect::<Map<_, _>>()
                    .into(),
                _ => json!({}),
            },
        },
        _ => json!("x"),
    }
}

fn object(schema: &Value, properties: &Map<String, Value>, dice: &mut Dice) -> Value {
    let required: Vec<_> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut object = Map::new();
    for (name, property) in properties {
        if required.contains(&name.as_str()) || dice.roll(2) == 1 {
            object.insert(name.clone(), fitting(property, dice));
        }
    }
    object.into()
}

/// The branches of the input: by subcommand, or the one.
pub(crate) fn branches(description: &Value) -> Vec<Value> {
    let schema = &description["input_schema"];
    schema["oneOf"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![schema.clone()])
}

/// The object as a command line: flags first, then `--`, then positionals; `None` when flags cannot say it.
fn as_flags(branch: &Value, object: &Map<String, Value>) -> Option<Vec<String>> {
    let properties = branch["properties"].as_object()?;
    let mut command = Vec::new();
    let mut flags = Vec::new();
    let mut positionals: Vec<(u64, Vec<String>)> = Vec::new();
    let text_of_item = |item: &Value| match item {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in object {
        let property = &properties[name];
        if let Some(tag) = property["const"].as_str() {
            command.push(tag.to_owned());
            continue;
        }
        let plain = property["anyOf"]
            .get(0)
            .filter(|_| property["anyOf"][1]["type"] == "null")
            .unwrap_or(property);
        let cli = if property["x-cli"].is_object() {
            &property["x-cli"]
        } else {
            &plain["x-cli"]
        };
        let texts: Vec<String> = match value {
            Value::Array(items) if items.is_empty() => return None,
            // Items of any kind are given as JSON; items of one kind as they are.
            Value::Array(items)
                if plain["items"]["type"].is_string()
                    || plain["items"]["enum"].is_array()
                    || plain["items"]["oneOf"][0]["const"].is_string() =>
            {
                items.iter().map(text_of_item).collect()
            }
            Value::Array(items) => items.iter().map(Value::to_string).collect(),
            Value::Object(map) if map.is_empty() => return None,
            // A field of any kind is given as JSON.
            value if ["type", "enum", "oneOf"].iter().all(|key| plain[key].is_null()) => {
                vec![value.to_string()]
            }
            value => vec![text(value)],
        };
        if let Some(index) = cli["positional"].as_u64() {
            positionals.push((index, texts));
        } else if value == &Value::Bool(true) {
            flags.push(format!("--{}", name.replace('_', "-")));
        } else if value == &Value::Bool(false) && property["default"] == false {
            // Leaving it out says the same.
        } else {
            flags.extend(
                texts
                    .into_iter()
                    .map(|text| format!("--{}={text}", name.replace('_', "-"))),
            );
        }
    }
    positionals.sort_by_key(|(index, _)| *index);
    if positionals
        .iter()
        .enumerate()
        .any(|(n, (index, _))| *index != n as u64 + 1)
    {
        return None;
    }
    command.append(&mut flags);
    if !positionals.is_empty() {
        command.push("--".to_owned());
        command.extend(positionals.into_iter().flat_map(|(_, texts)| texts));
    }
    Some(command)
}

#[test]
fn flags_and_json_give_the_same_input() {
    let mut compared = 0;
    each_tool("flags_and_json", |tool| {
        let sandbox = Sandbox::new().unwrap();
        for (seed, branch) in branches(&tool.describe()).iter().enumerate() {
            let mut dice = Dice(0x9E37_79B9 + seed as u64);
            for _ in 0..12 {
                let Value::Object(object) = fitting(branch, &mut dice) else {
                    continue;
                };
                let Some(mut flags) = as_flags(branch, &object) else {
                    continue;
                };
                flags.insert(0, "--print-input".into());
                let by_flags = sandbox.run(&tool.binary, &flags);
                let json = Value::Object(object.clone()).to_string();
                let by_json =
                    sandbox.run_with(&tool.binary, &["--print-input", "--input", "-"], json.as_bytes());
                let what = format!("{} {json} as {flags:?}", tool.name);
                assert_eq!(
                    by_flags.code, by_json.code,
                    "{what}\nflags: {}\njson: {}",
                    by_flags.stderr, by_json.stderr
                );
                assert_eq!(by_flags.stdout, by_json.stdout, "{what}");
                check_exit(&tool.name, &what, &by_json);
                compared += usize::from(by_json.code == Some(0));
            }
        }
    });
    assert!(
        compared > 50 || app_core::config::process_env("ONEJOB_ONLY_TOOL").is_some(),
        "only {compared} inputs were accepted: the generator no longer fits the schemas"
    );
}
