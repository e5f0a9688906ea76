//! Campaigns from outside: order, references, failure, resume after a kill, approval.
//!
//! The steps are the workspace's own tools; build it first (`cargo build --workspace`).

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::PathBuf;

use serde_json::Value;
use testkit::{Finished, Sandbox, tools};

fn sandbox() -> Sandbox {
    Sandbox::new()
        .unwrap()
        .env("ONEJOB_TOOLS_DIR", tools::target_dir().display().to_string())
}

fn campaign(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(&tools::binary("campaign"), args)
}

fn run_dir(run: &Value) -> PathBuf {
    PathBuf::from(run["run_dir"].as_str().unwrap())
}

const TWO_CARDS: &str = "name: two\nobjective: Two cards\nsteps:\n\
    - {id: gif, tool: gif_generator, input: {images: ['${a.artifacts[0].path}', '${b.artifacts[0].path}'], output: x.gif}}\n\
    - {id: a, tool: image_generation, input: {action: generate, prompt: one, size: 200x100, output: a.png}}\n\
    - {id: b, tool: image_generation, input: {action: generate, prompt: two, size: 200x100, output: b.png, seed: 2}}\n";

#[test]
fn steps_run_in_the_order_of_their_references_and_end_in_a_report() {
    let sandbox = sandbox();
    sandbox.file("two.yml", TWO_CARDS);
    let run = campaign(&sandbox, &["run", "two.yml"]).expect_code(0).json();
    let dir = run_dir(&run);
    assert!(dir.join("steps/gif/x.gif").is_file());
    assert!(
        std::fs::read_to_string(run["report"].as_str().unwrap())
            .unwrap()
            .contains("x.gif")
    );
    let steps = run["summary"]["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .all(|s| s["status"] == "succeeded" && s["version"].is_string()),
        "{steps:?}"
    );
    assert_eq!(steps[0]["needs"], serde_json::json!(["a", "b"]));
    let saved: Value = serde_json::from_slice(&std::fs::read(dir.join("run.json")).unwrap()).unwrap();
    assert_eq!(saved["status"], "succeeded");
}

#[test]
fn a_dry_run_shows_the_order_and_finds_faults_without_doing_anything() {
    let sandbox = sandbox();
    sandbox.file("two.yml", TWO_CARDS);
    let plan = campaign(&sandbox, &["run", "two.yml", "--dry-run"])
        .expect_code(0)
        .json();
    let ids: Vec<_> = plan["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["a", "b", "gif"]);
    assert_eq!(sandbox.files(), ["two.yml"]);
    sandbox.file(
        "bad.yml",
        "name: x\nsteps: [{id: a, tool: gif_generator, input: {output: x.gif, rate: fast}}]\n",
    );
    let refused = campaign(&sandbox, &["run", "bad.yml"]).expect_code(2);
    assert!(
        refused.stderr.contains("`rate` must be a number"),
        "{}",
        refused.stderr
    );
    sandbox.file("unknown.yml", "name: x\nsteps: [{id: a, tool: gif_maker}]\n");
    campaign(&sandbox, &["run", "unknown.yml"]).expect_code(66);
}

#[test]
fn a_failed_step_skips_its_successors_and_resume_does_only_what_is_missing() {
    let sandbox = sandbox();
    let text = "name: f\nsteps:\n\
        - {id: card, tool: image_generation, input: {action: generate, prompt: one, size: 200x100, output: a.png}}\n\
        - {id: page, tool: html_bundler, input: {target: '${run.dir}/page.html', output: out.html}}\n\
        - {id: css, tool: css_analyzer, input: {target: '${page.artifacts[0].path}'}}\n";
    sandbox.file("f.yml", text);
    let failed = campaign(&sandbox, &["run", "f.yml", "-o", "runs"]).expect_code(3);
    let run = failed.json();
    let status = |run: &Value| -> Vec<String> {
        run["summary"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| s["status"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(status(&run), ["succeeded", "failed", "skipped"]);
    assert!(failed.stderr.contains("campaign resume"), "{}", failed.stderr);
    let dir = run_dir(&run);
    std::fs::write(dir.join("page.html"), "<style>a{color:red}</style><p>hi").unwrap();
    let resumed = campaign(&sandbox, &["resume", dir.to_str().unwrap()])
        .expect_code(0)
        .json();
    assert_eq!(status(&resumed), ["succeeded"; 3]);
    assert_eq!(
        resumed["summary"]["steps"][0]["attempt"], 1,
        "a finished step is not done again"
    );
    std::fs::remove_file(dir.join("steps/card/a.png")).unwrap();
    let mended = campaign(&sandbox, &["resume", dir.to_str().unwrap()])
        .expect_code(0)
        .json();
    assert_eq!(
        mended["summary"]["steps"][0]["attempt"], 2,
        "a step whose file is gone is done again"
    );
    assert!(dir.join("steps/card/a.png").is_file());
}

#[test]
fn a_run_killed_at_any_moment_is_resumed_to_its_end() {
    for delay in [60, 250, 600, 1200] {
        let sandbox = sandbox();
        sandbox.file("two.yml", TWO_CARDS);
        let started = sandbox.start(&tools::binary("campaign"), &["run", "two.yml", "-o", "runs"], b"");
        std::thread::sleep(std::time::Duration::from_millis(delay));
        started.signal("KILL");
        let killed = started.finish();
        let Some(entry) = std::fs::read_dir(sandbox.path("runs"))
            .ok()
            .and_then(|mut d| d.next())
        else {
            continue; // killed before there was a run
        };
        let dir = entry.unwrap().path();
        if !dir.join("run.json").is_file() {
            continue;
        }
        let resumed = campaign(&sandbox, &["resume", dir.to_str().unwrap()])
            .expect_code(0)
            .json();
        assert_eq!(
            resumed["summary"]["status"], "succeeded",
            "killed after {delay} ms: {}",
            killed.stderr
        );
        assert!(dir.join("steps/gif/x.gif").is_file());
    }
}

#[test]
fn ctrl_c_ends_the_steps_too_and_the_run_can_go_on() {
    let sandbox = sandbox();
    sandbox.file("two.yml", TWO_CARDS);
    let started = sandbox.start(&tools::binary("campaign"), &["run", "two.yml", "-o", "runs"], b"");
    for _ in 0..10_000 {
        if started.events().iter().any(|e| e["kind"] == "progress") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    started.signal("INT");
    let ended = started.finish();
    assert!(
        ended.code == Some(130) || ended.code == Some(0),
        "{:?} {}",
        ended.code,
        ended.stderr
    );
    let dir = std::fs::read_dir(sandbox.path("runs"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    campaign(&sandbox, &["resume", dir.to_str().unwrap()]).expect_code(0);
}

#[test]
fn the_mode_reaches_every_step() {
    let sandbox = sandbox();
    sandbox.file(
        "one.yml",
        "name: one\nsteps:\n- {id: a, tool: image_generation, input: {action: generate, prompt: one, size: 200x100, output: a.png}}\n",
    );
    for (mode, made) in [("plan", false), ("apply", true)] {
        let run = campaign(&sandbox, &["run", "one.yml", "-o", mode, "--mode", mode])
            .expect_code(0)
            .json();
        assert_eq!(run_dir(&run).join("steps/a/a.png").is_file(), made, "{mode}");
    }
}

#[test]
fn variables_are_filled_in_before_any_step() {
    let sandbox = sandbox();
    sandbox.file(
        "v.yml",
        "name: tin\nobjective: 'Sell ${vars.head}'\nvars: {brand: Tin Lantern, head: '${vars.brand} spring sale'}\nsteps:\n\
         - {id: card, tool: image_generation, input: {action: generate, prompt: P, title: '${vars.head}', size: 200x100, output: c.png}}\n",
    );
    let run = campaign(&sandbox, &["run", "v.yml"]).expect_code(0).json();
    assert_eq!(
        run["summary"]["steps"][0]["input"]["title"],
        "Tin Lantern spring sale"
    );
    assert_eq!(run["summary"]["objective"], "Sell Tin Lantern spring sale");
    assert!(
        run["summary"]["id"]
            .as_str()
            .unwrap()
            .ends_with("sell-tin-lantern-spring-sale")
    );
    sandbox.file(
        "circle.yml",
        "name: c\nvars: {a: '${vars.b}', b: '${vars.a}'}\nsteps: [{id: x, tool: css_analyzer}]\n",
    );
    let refused = campaign(&sandbox, &["run", "circle.yml"]).expect_code(2);
    assert!(
        refused.stderr.contains("a, b refer to each other"),
        "{}",
        refused.stderr
    );
}

#[test]
fn runs_begun_in_one_second_have_folders_of_their_own() {
    let sandbox = sandbox().env("ONEJOB_CLOCK", "2026-03-01T10:00:00Z");
    sandbox.file(
        "t.yml",
        "name: t\nsteps: [{id: a, tool: css_analyzer, input: {html: '<style>a{color:red}</style>'}}]\n",
    );
    let program = tools::binary("campaign");
    let started: Vec<_> = (0..3)
        .map(|_| sandbox.start(&program, &["run", "t.yml", "--json"], b""))
        .collect();
    let mut ids: Vec<String> = started
        .into_iter()
        .map(|one| {
            one.finish().expect_code(0).json()["summary"]["id"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    ids.sort();
    assert_eq!(
        ids,
        ["20260301-100000-2-t", "20260301-100000-3-t", "20260301-100000-t"]
    );
}

#[test]
fn relative_paths_mean_the_folder_of_the_campaign_and_order_is_that_of_the_inputs() {
    let sandbox = sandbox();
    let card = |name: &str, size: &str| {
        let args = ["generate", name, "-o", name, "--size", size, "--manifest", "none"];
        sandbox
            .run(&tools::binary("image_generation"), &args)
            .expect_code(0);
    };
    std::fs::create_dir(sandbox.path("plan")).unwrap();
    // The first is the slowest to make smaller.
    for (name, size) in [
        ("plan/1.png", "2000x1500"),
        ("plan/2.png", "80x64"),
        ("plan/3.png", "80x64"),
    ] {
        card(name, size);
    }
    sandbox.file(
        "plan/order.yml",
        "name: order\nsteps:\n\
         - {id: small, tool: image_manipulation, input: {action: resize, images: [1.png, 2.png, 3.png], width: 50, output_dir: s}}\n\
         - {id: gif, tool: gif_generator, input: {images: ['${small.artifacts[*].path}'], output: g.gif}}\n",
    );
    let run = campaign(&sandbox, &["run", "plan/order.yml"])
        .expect_code(0)
        .json();
    let images = run["summary"]["steps"][1]["input"]["images"].as_array().unwrap();
    let names: Vec<&str> = images
        .iter()
        .map(|image| image.as_str().unwrap().rsplit('/').next().unwrap())
        .collect();
    assert_eq!(names, ["1.png", "2.png", "3.png"]);
}
