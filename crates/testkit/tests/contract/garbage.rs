//! Any JSON at all: refused or done, never a crash.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::Sandbox;

use crate::{
    check_events, check_exit,
    evidence::each_tool,
    inputs::{Dice, branches, fitting},
};

/// Values that programs like to stumble over.
fn nasty(dice: &mut Dice) -> Value {
    let values = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1e308),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.1),
        json!(""),
        json!("\u{0}"),
        json!("/dev/null/x"),
        json!("/dev/full"),
        json!("."),
        json!("no such file"),
        json!("x".repeat(5000)),
        json!("\u{202e}\u{1F525}"),
        json!("{{"),
        json!("%s%n"),
        json!([]),
        json!([[]]),
        json!({}),
        json!([null, 1, "x"]),
        json!(true),
    ];
    values[dice.roll(values.len())].clone()
}

/// Replaces, removes or adds something somewhere.
fn mutate(value: &mut Value, dice: &mut Dice) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(dice.roll(map.len())).unwrap().clone();
            match dice.roll(5) {
                0 => drop(map.remove(&key)),
                1 => drop(map.insert(format!("{key}x"), nasty(dice))),
                2 => mutate(map.get_mut(&key).unwrap(), dice),
                _ => drop(map.insert(key, nasty(dice))),
            }
        }
        Value::Array(items) if !items.is_empty() && dice.roll(2) == 0 => {
            let index = dice.roll(items.len());
            mutate(&mut items[index], dice);
        }
        other => *other = nasty(dice),
    }
}

#[test]
fn any_json_is_refused_or_done_but_never_a_crash() {
    each_tool("any_json", |tool| {
        let mut kinds = BTreeSet::new();
        for (seed, branch) in branches(&tool.describe()).iter().enumerate() {
            let mut dice = Dice(0xDEAD_BEEF + seed as u64);
            for round in 0..20 {
                let mut input = fitting(branch, &mut dice);
                for _ in 0..dice.roll(3) {
                    mutate(&mut input, &mut dice);
                }
                let sandbox = Sandbox::new().unwrap();
                // Half of them for real: nothing outside the sandbox can be named by the words above.
                let mut args = vec!["--input", "-", "--run-timeout", "2", "--run-attempts", "1"];
                if round % 2 == 0 {
                    args.push("--dry-run");
                }
                let run = sandbox.run_with(&tool.binary, &args, input.to_string().as_bytes());
                let what = format!("{input}");
                check_exit(&tool.name, &what, &run);
                check_events(&tool.name, &run);
                assert!(
                    !run.stderr.contains("bug:"),
                    "{}: {what}: {}",
                    tool.name,
                    run.stderr
                );
                let half: Vec<_> = sandbox
                    .files()
                    .into_iter()
                    .filter(|f| f.contains(".part"))
                    .collect();
                assert!(half.is_empty(), "{}: {what}: {half:?}", tool.name);
                kinds.insert(run.code);
            }
        }
        assert!(
            kinds.contains(&Some(2)),
            "{}: nothing was refused: {kinds:?}",
            tool.name
        );
    });
}
