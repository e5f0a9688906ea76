//! Questions to people: waiting is not failing, answers need no lock, and count for what was shown.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::{Path, PathBuf},
};

use app_core::state::{Approvals, Decision, Principal};
use serde_json::Value;
use testkit::{Finished, Sandbox, tools};

const CARD: &str = "{id: card, tool: image_generation, input: {action: generate, prompt: one, size: 200x100, output: a.png}}";

fn sandbox() -> Sandbox {
    Sandbox::new()
        .unwrap()
        .env("ONEJOB_TOOLS_DIR", tools::target_dir().display().to_string())
        .env("ONEJOB_ALLOW_PRIVATE", "1")
}

fn campaign(sandbox: &Sandbox, args: &[&str]) -> Finished {
    sandbox.run(&tools::binary("campaign"), args)
}

fn folder(run: &Value) -> String {
    run["run_dir"].as_str().unwrap().to_owned()
}

fn step<'a>(run: &'a Value, id: &str) -> &'a Value {
    let steps = run["summary"]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["id"] == id).unwrap()
}

/// A run with a card and a question about it, waiting.
fn waiting(sandbox: &Sandbox, question: &str) -> (String, Value) {
    sandbox.file(
        "ask.yml",
        format!(
            "name: ask\nvars: {{brand: Tin}}\nsteps:\n- {CARD}\n- {{id: look, needs: [card], {question}}}\n\
             - {{id: page, tool: css_analyzer, needs: [look], input: {{html: '<style>a{{b:c}}</style>'}}}}\n"
        ),
    );
    let waiting = campaign(sandbox, &["run", "ask.yml"]).expect_code(3);
    assert!(
        waiting.stderr.contains("`look` waits for approval"),
        "{}",
        waiting.stderr
    );
    let ended = waiting.events.last().unwrap().clone();
    assert_eq!(ended["error"]["code"], "waiting_for_approval");
    let run = waiting.json();
    (folder(&run), run)
}

#[test]
fn a_run_waits_until_somebody_agrees_and_the_system_says_who() {
    let sandbox = sandbox();
    let (dir, run) = waiting(&sandbox, "approval: 'Print the ${vars.brand} card?'");
    assert_eq!(run["summary"]["status"], "waiting_for_approval");
    assert_eq!(step(&run, "look")["question"], "Print the Tin card?");
    assert_eq!(step(&run, "page")["status"], "pending");
    let shown = step(&run, "look")["approval"]["shown"]
        .as_array()
        .unwrap()
        .clone();
    assert!(
        shown.iter().any(|one| one["what"] == "steps/card/a.png"),
        "{shown:?}"
    );
    campaign(&sandbox, &["approve", &dir, "card"]).expect_code(73);
    campaign(&sandbox, &["approve", &dir, "nothing"]).expect_code(66);
    let said = campaign(
        &sandbox,
        &["approve", &dir, "look", "--by", "Ana Q.", "-m", "fine"],
    )
    .expect_code(0)
    .json();
    let me = Principal::os_user("cli");
    assert_eq!(said["request"]["decisions"][0]["principal"], me.as_str());
    assert!(said["next"].as_str().unwrap().contains("resume"));
    // Nothing of the run is written by an answer.
    let shown = campaign(&sandbox, &["show", &dir]).expect_code(0).json();
    assert_eq!(shown["summary"]["status"], "waiting_for_approval");
    let done = campaign(&sandbox, &["resume", &dir]).expect_code(0).json();
    assert_eq!(step(&done, "look")["approved_by"], me.name());
    assert_eq!(
        step(&done, "look")["approval"]["said"][0]["comment"],
        "signed Ana Q.: fine"
    );
    assert_eq!(step(&done, "page")["status"], "succeeded");
    assert_eq!(step(&done, "card")["attempt"], 1);
    // The same person once more changes nothing, and a change of mind comes too late.
    campaign(&sandbox, &["approve", &dir, "look"]).expect_code(0);
    campaign(&sandbox, &["reject", &dir, "look"]).expect_code(73);
}

#[test]
fn an_answer_counts_for_what_was_shown() {
    let sandbox = sandbox();
    let (dir, _) = waiting(&sandbox, "approval: ok?");
    let card = Path::new(&dir).join("steps/card/a.png");
    let original = std::fs::read(&card).unwrap();
    std::fs::write(&card, "another picture").unwrap();
    let refused = campaign(&sandbox, &["approve", &dir, "look"]).expect_code(73);
    assert!(
        refused.stderr.contains("not what was looked at"),
        "{}",
        refused.stderr
    );
    std::fs::write(&card, &original).unwrap();
    campaign(&sandbox, &["approve", &dir, "look", "--seen", "000000000000"]).expect_code(73);
    let list = campaign(&sandbox, &["list", "CAMPAIGNS"]).expect_code(0).json();
    let seen = list["runs"][0]["waiting"][0]["seen"].as_str().unwrap().to_owned();
    campaign(&sandbox, &["approve", &dir, "look", "--seen", &seen]).expect_code(0);
    // What is done afterwards is a part of it: with another file the question is another one.
    let file = Path::new(&dir).join("campaign.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("a{b:c}", "a{b:d}")).unwrap();
    let again = campaign(&sandbox, &["resume", &dir]).expect_code(3);
    assert_eq!(step(&again.json(), "look")["status"], "waiting_for_approval");
    // What was agreed to is there again, and counts again.
    std::fs::write(&file, &text).unwrap();
    let done = campaign(&sandbox, &["resume", &dir]).expect_code(0);
    assert_eq!(step(&done.json(), "look")["status"], "succeeded");
}

#[test]
fn one_no_ends_the_run() {
    let sandbox = sandbox();
    let (dir, _) = waiting(&sandbox, "approval: ok?");
    campaign(&sandbox, &["reject", &dir, "look", "-m", "too dark"]).expect_code(0);
    let ended = campaign(&sandbox, &["resume", &dir]).expect_code(3);
    assert!(
        ended.stderr.contains("rejected step `look`: too dark"),
        "{}",
        ended.stderr
    );
    let run = ended.json();
    assert_eq!(run["summary"]["status"], "rejected");
    assert_eq!(step(&run, "look")["error"]["code"], "rejected");
    assert_eq!(step(&run, "page")["status"], "skipped");
    let list = campaign(&sandbox, &["list", "CAMPAIGNS", "--state", "rejected"])
        .expect_code(0)
        .json();
    assert_eq!(list["total"], 1);
}

#[test]
fn two_approvals_are_two_people() {
    let sandbox = sandbox();
    let (dir, run) = waiting(&sandbox, "approval: ok?, approvers: 2");
    campaign(&sandbox, &["approve", &dir, "look", "--by", "Ana"]).expect_code(0);
    // Another name typed by the same person is the same person.
    let half = campaign(&sandbox, &["approve", &dir, "look", "--by", "Bob"])
        .expect_code(0)
        .json();
    assert_eq!(half["request"]["state"], "waiting");
    assert_eq!(half["request"]["decisions"].as_array().unwrap().len(), 1);
    let still = campaign(&sandbox, &["resume", &dir]).expect_code(3).json();
    assert_eq!(
        step(&still, "look")["approval"]["said"].as_array().unwrap().len(),
        1
    );
    let store = Approvals::open(&sandbox.root().join("state")).unwrap();
    let request = store
        .get(step(&run, "look")["approval"]["request"].as_str().unwrap())
        .unwrap();
    let bob = Principal::token("console", "bob-of-the-console").unwrap();
    let now = app_core::Clock::System.now();
    store
        .decide(&request.id, &bob, Decision::Approve, &request.shown, "", now)
        .unwrap();
    let done = campaign(&sandbox, &["resume", &dir]).expect_code(0).json();
    assert_eq!(step(&done, "page")["status"], "succeeded");
}

#[test]
fn answers_are_taken_up_while_other_steps_run() {
    let sandbox = sandbox();
    // A page that is answered only once the question was.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    sandbox.file(
        "slow.yml",
        format!(
            "name: slow\nsteps:\n- {{id: slow, tool: html_bundler, input: {{target: 'http://{address}/', output: o.html}}}}\n\
             - {{id: look, approval: ok?}}\n\
             - {{id: css, tool: css_analyzer, needs: [look], input: {{html: '<style>a{{b:c}}</style>'}}}}\n"
        ),
    );
    let started = sandbox.start(
        &tools::binary("campaign"),
        &["run", "slow.yml", "-o", "runs"],
        b"",
    );
    let (mut page, _) = listener.accept().unwrap();
    let told = |step: &str, status: &str| {
        let told = |e: &Value| e["kind"] == "step" && e["step"] == step && e["status"] == status;
        until(|| started.events().iter().any(&told), step);
    };
    told("look", "waiting_for_approval");
    let runs = std::fs::read_dir(sandbox.path("runs")).unwrap();
    let dir: PathBuf = runs.map(|entry| entry.unwrap().path()).next().unwrap();
    let listed = campaign(&sandbox, &["list", "runs"]).expect_code(0).json();
    assert_eq!(listed["runs"][0]["state"], "running");
    assert_eq!(listed["runs"][0]["waiting"][0]["text"], "ok?");
    let said = campaign(&sandbox, &["approve", dir.to_str().unwrap(), "look"])
        .expect_code(0)
        .json();
    assert!(said["next"].as_str().unwrap().contains("at work"), "{said}");
    told("css", "succeeded");
    let mut request = [0; 1024];
    assert!(page.read(&mut request).unwrap() > 0);
    page.write_all(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p>x",
    )
    .unwrap();
    drop(page);
    drop(listener);
    let done = started.finish().expect_code(0).json();
    assert_eq!(step(&done, "slow")["status"], "succeeded");
    assert_eq!(step(&done, "look")["status"], "succeeded");
}

/// Waits for a state, not for a time; the limit only ends a test that hangs.
fn until(mut so: impl FnMut() -> bool, what: &str) {
    for _ in 0..15_000 {
        if so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    assert!(so(), "{what}: never");
}

#[test]
fn what_cannot_be_read_is_said() {
    let sandbox = sandbox();
    let (dir, _) = waiting(&sandbox, "approval: ok?");
    let broken = sandbox.path("CAMPAIGNS/broken");
    std::fs::create_dir(&broken).unwrap();
    std::fs::write(broken.join("run.json"), "{").unwrap();
    std::fs::create_dir(sandbox.path("CAMPAIGNS/photos")).unwrap();
    let list = campaign(&sandbox, &["list", "CAMPAIGNS"]).expect_code(3);
    assert!(
        list.stderr.contains("1 runs could not be read"),
        "{}",
        list.stderr
    );
    let list = list.json();
    assert_eq!(list["runs"].as_array().unwrap().len(), 1);
    assert_eq!(list["runs"][0]["state"], "waiting_for_approval");
    campaign(&sandbox, &["show", "CAMPAIGNS/photos"]).expect_code(66);
    campaign(&sandbox, &["resume", "CAMPAIGNS/photos"]).expect_code(66);
    assert!(!sandbox.path("CAMPAIGNS/photos/.lock").exists());
    drop(dir);
}
