//! The program from outside: cards that repeat by seed, sidecars, refusals.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod answers;
mod asking;
mod before;
mod bounds;
mod extremes;
mod kept;
mod town;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_image_generation"))
        .args(args)
        .current_dir(dir)
        .env("ONEJOB_STATE_DIR", dir.join(".state"))
        .output()
        .unwrap()
}

fn ok(dir: &Path, args: &[&str]) -> serde_json::Value {
    let output = run(dir, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_card_and_another_seed_another() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let make = |name: &str, seed: &str| {
        ok(
            dir,
            &[
                "generate",
                "Чай & <мёд>",
                "-o",
                name,
                "--seed",
                seed,
                "--size",
                "160x120",
                "--json",
            ],
        );
        fs::read(dir.join(name)).unwrap()
    };
    let (a, b, c) = (make("a.png", "5"), make("b.png", "5"), make("c.png", "6"));
    assert!(a == b && a != c);
    assert_eq!(a[16..24], [0, 0, 0, 160, 0, 0, 0, 120]);
}

#[test]
fn a_sidecar_lies_beside_every_picture() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let answer = ok(
        dir,
        &[
            "generate",
            "Summer tea",
            "-n",
            "2",
            "-O",
            "cards",
            "--seed",
            "9",
            "--size",
            "96x96",
            "--negative-prompt",
            "people",
            "--json",
        ],
    );
    assert_eq!(
        (&answer["cost_usd"], answer["images"].as_array().map(Vec::len)),
        (&0.0.into(), Some(2))
    );
    let sidecar: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("cards/summer-tea_9-2.json")).unwrap()).unwrap();
    for (key, value) in [
        ("prompt", "Summer tea"),
        ("negative_prompt", "people"),
        ("provider", "canvas"),
        ("image", "summer-tea_9-2.png"),
    ] {
        assert_eq!(sidecar[key], value);
    }
    assert_eq!(
        (&sidecar["seed"], &sidecar["cost_usd"]),
        (&10.into(), &0.0.into())
    );
}

#[test]
fn wrong_input_is_refused_with_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::write(dir.join("bad.png"), "no").unwrap();
    fs::write(dir.join("noise.json"), "[[[1,2,3]]]").unwrap();
    for (args, code, needle) in [
        (&["generate", "x", "--provider", "dream"][..], 2, "canvas"),
        (&["generate", "  "], 2, "blank"),
        (&["generate", "x", "--size", "9999999x1"], 2, "is not a size"),
        (
            &["generate", "x", "--size", "64x64", "--reference", "bad.png"],
            2,
            "`bad.png` is not an image",
        ),
        (&["humanize", "absent.png", "-o", "o.png"], 66, "absent.png"),
        (
            &["humanize", "bad.png", "-o", "o.png"],
            2,
            "`bad.png` is not an image",
        ),
    ] {
        let output = run(dir, args);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        assert!(text.contains(needle), "{args:?}: {text}");
    }
}

#[test]
fn the_reference_is_on_the_card() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    ok(
        dir,
        &[
            "generate",
            "photo",
            "-o",
            "photo.png",
            "--size",
            "64x64",
            "--json",
        ],
    );
    let with = [
        "generate",
        "x",
        "-o",
        "with.png",
        "--layout",
        "band",
        "--size",
        "128x128",
        "--reference",
        "photo.png",
        "--json",
    ];
    let without = [
        "generate",
        "x",
        "-o",
        "without.png",
        "--layout",
        "band",
        "--size",
        "128x128",
        "--json",
    ];
    ok(dir, &with);
    ok(dir, &without);
    assert_ne!(
        fs::read(dir.join("with.png")).unwrap(),
        fs::read(dir.join("without.png")).unwrap()
    );
}
