//! Inputs with absurd but well-formed numbers and texts, made from a tool's input schema.
//!
//! A tool must answer each of them: do it or refuse it, without a panic, in bounded time and memory.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Map, Value, json};

/// `count` inputs for `schema` (one branch of it where it has several). `fixed` are fields that every input has, such as
/// files that exist. The same seed gives the same inputs.
pub fn inputs(schema: &Value, fixed: &Value, seed: u64, count: usize) -> Vec<Value> {
    let mut random = Random(seed);
    let properties = schema.get("properties").and_then(Value::as_object);
    (0..count)
        .map(|_| {
            let mut input = Map::new();
            for (name, property) in properties.into_iter().flatten() {
                if random.below(100) < 35 {
                    input.insert(name.clone(), value(property, &mut random));
                }
            }
            for (name, value) in fixed.as_object().into_iter().flatten() {
                input.insert(name.clone(), value.clone());
            }
            Value::Object(input)
        })
        .collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

fn value(property: &Value, random: &mut Random) -> Value {
    let plain = property
        .get("anyOf")
        .and_then(Value::as_array)
        .and_then(|kinds| kinds.iter().find(|kind| kind.get("type") != Some(&json!("null"))))
        .unwrap_or(property);
    let choices: Vec<Value> = ["enum", "oneOf"]
        .iter()
        .filter_map(|key| plain.get(key)?.as_array())
        .flatten()
        .map(|choice| choice.get("const").unwrap_or(choice).clone())
        .collect();
    if !choices.is_empty() {
        return choices[random.below(choices.len() as u64) as usize].clone();
    }
    let kind = match plain.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().find(|k| *k != "null").cloned(),
        other => other.cloned(),
    };
    let limit = |key: &str| plain.get(key).cloned();
    match kind.as_ref().and_then(Value::as_str) {
        Some("integer") => {
            let known = [
                limit("minimum"),
                limit("maximum"),
                limit("default"),
                Some(json!(1)),
            ];
            // Mostly at the limits, so that many inputs are valid; sometimes far beyond.
            if random.below(15) > 0 {
                let known: Vec<Value> = known.into_iter().flatten().filter(|v| !v.is_null()).collect();
                return known[random.below(known.len() as u64) as usize].clone();
            }
            let beyond = [
                json!(0),
                json!(u32::MAX),
                json!(i64::MAX),
                json!(u64::MAX),
                json!(-1),
                json!(65535),
            ];
            beyond[random.below(beyond.len() as u64) as usize].clone()
        }
        Some("number") => {
            let known = [
                limit("minimum"),
                limit("maximum"),
                limit("default"),
                Some(json!(0.5)),
            ];
            if random.below(15) > 0 {
                let known: Vec<Value> = known.into_iter().flatten().filter(|v| !v.is_null()).collect();
                return known[random.below(known.len() as u64) as usize].clone();
            }
            let beyond = [
                json!(0.0),
                json!(-0.0),
                json!(1e-300),
                json!(1e300),
                json!(-1e9),
                json!(655.0),
            ];
            beyond[random.below(beyond.len() as u64) as usize].clone()
        }
        Some("boolean") => json!(random.below(2) == 1),
        Some("array") => {
            let length = [1, 2, 3, 200][random.below(4) as usize];
            let item = plain.get("items").cloned().unwrap_or_default();
            (0..length).map(|_| value(&item, random)).collect()
        }
        _ if plain.get("format") == Some(&json!("color")) => {
            json!(["#000", "#ffffff00", "transparent"][random.below(3) as usize])
        }
        _ => {
            let texts = [
                "x",
                "16:9",
                "64x64",
                "8192x8192",
                "1e300:1e-300",
                "\u{202e}\u{0}",
                "🍵第\n\n\t",
            ];
            match random.below(8) {
                7 => json!("w ".repeat(1000)),
                index => json!(texts[index as usize]),
            }
        }
    }
}

/// Runs a program with an input on stdin, allowed `cpu_seconds` of processor time and `mebibytes` of address space;
/// one that wants more dies by a signal.
pub fn run_bounded(
    program: &Path,
    dir: &Path,
    input: &Value,
    cpu_seconds: u32,
    mebibytes: u64,
) -> std::io::Result<Output> {
    let limits = format!(
        "ulimit -t {cpu_seconds}; ulimit -v {}; exec \"$0\" --input - --json -q",
        mebibytes * 1024
    );
    let mut child = Command::new("sh")
        .args(["-c", &limits])
        .arg(program)
        .current_dir(dir)
        .env("ONEJOB_STATE_DIR", dir.join(".state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.to_string().as_bytes())?;
    }
    child.wait_with_output()
}

/// Runs `count` inputs of each branch (its schema, and the fields that every input has) and fails the test unless each is
/// done or refused within 20 seconds of processor time and 1.6 GiB of addresses, and `share` percent are done.
///
/// `ONEJOB_EXTREMES` asks for more inputs, `ONEJOB_EXTREMES_SEED` for others; a failure names the input itself.
pub fn every_input_is_answered(
    program: &Path,
    dir: &Path,
    branches: &[(Value, Value)],
    count: usize,
    share: usize,
) {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = setting("ONEJOB_EXTREMES").map_or(count, |count| count as usize);
    let seed = setting("ONEJOB_EXTREMES_SEED").unwrap_or(7);
    let (mut all, mut done) = (0, 0);
    for (schema, fixed) in branches {
        for input in inputs(schema, fixed, seed, count) {
            let output = run_bounded(program, dir, &input, 20, 1600)
                .unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
            let code = output.status.code();
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert!(
                matches!(code, Some(0 | 2 | 3 | 66 | 73)),
                "seed {seed}, {input}: {code:?} {stderr}"
            );
            all += 1;
            done += usize::from(code == Some(0));
        }
    }
    assert!(
        done * 100 >= all * share,
        "only {done} of {all} were done (seed {seed})"
    );
}

/// The input schema that a program describes.
pub fn input_schema(program: &Path) -> Value {
    let output = Command::new(program)
        .arg("--describe")
        .output()
        .unwrap_or_else(|error| panic!("{} cannot be run: {error}", program.display()));
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    whole["input_schema"].clone()
}

/// `count` variants of an input that is known to work: in each, one to three fields have a value at or beyond a limit of
/// the schema, or a text that programs stumble over. The same seed gives the same inputs.
pub fn variants(schema: &Value, base: &Map<String, Value>, seed: u64, count: usize) -> Vec<Value> {
    let mut random = Random(seed);
    let properties: Vec<(&String, &Value)> = schema["properties"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, property)| property.get("const").is_none())
        .collect();
    (0..count)
        .map(|_| {
            let mut input = base.clone();
            for _ in 0..=random.below(3) {
                if properties.is_empty() {
                    break;
                }
                let (name, property) = properties[random.below(properties.len() as u64) as usize];
                // What names a file of the example stays: the interesting part comes after it was opened.
                let names_a_file =
                    property["x-cli"]["path"].is_string() || property["x-cli"]["positional"].is_u64();
                if !(names_a_file && base.contains_key(name)) {
                    input.insert(name.clone(), value(property, &mut random));
                }
            }
            Value::Object(input)
        })
        .collect()
}
