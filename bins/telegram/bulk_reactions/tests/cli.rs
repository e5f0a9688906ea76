//! Reactions over MTProto: each message once, flood waits honoured by everybody, a stopped run gone on with.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use std::path::Path;

use testkit::telegram::world::{Message, Tally, World};
use testkit::telegram::{Dc, Fault, world};

const BIN: &str = env!("CARGO_BIN_EXE_bulk_reactions");
const CLUB: i64 = -1_000_000_001_002;

fn bin() -> &'static Path {
    Path::new(BIN)
}

/// A rate that does not slow a test down.
const FAST: &str = "[telegram.pace.reactions]\nburst = 100000\nper_minute = 100000\n";

fn crowd(count: i32) -> World {
    let mut town = world("town");
    let list = (1..=count)
        .map(|id| Message {
            id,
            text: format!("message {id}"),
            date: "2025-01-01T09:00:00".into(),
            from: Some(111),
            sender_known: true,
            ..Message::default()
        })
        .collect();
    town.messages.insert(CLUB.to_string(), list);
    town
}

fn chosen(dc: &Dc, id: i32) -> Vec<String> {
    let message = dc.message(CLUB, id).unwrap();
    message
        .reactions
        .iter()
        .filter(|tally| tally.chosen)
        .filter_map(|tally| tally.emoji.clone())
        .collect()
}

#[test]
fn it_plans_first_and_acts_with_apply() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = [
        "--chat",
        "river_club",
        "--ids",
        "3,4",
        "https://t.me/river_club/13",
        "999",
        "--delay",
        "0",
    ];
    let plan = sandbox
        .run(bin(), &[&args[..], &["--text"]].concat())
        .expect_code(0);
    assert!(
        plan.stdout
            .contains("Messages to react: 4\nDry run: no reactions will be sent."),
        "{}",
        plan.stdout
    );
    assert!(plan.stdout.contains("🔥 -> 999: [message not found]"));
    assert!(plan.stderr.contains("--apply"), "{}", plan.stderr);
    assert!(dc.calls("messages.sendReaction").is_empty());

    let run = sandbox
        .run(bin(), &[&args[..], &["--apply", "--json"]].concat())
        .expect_code(3);
    let told = run.json();
    assert_eq!((&told["sent"], &told["errors"]), (&3.into(), &1.into()), "{told}");
    assert_eq!(chosen(&dc, 3), ["🔥"]);
    let undo = std::fs::read_to_string(told["undo_list"].as_str().unwrap()).unwrap();
    let undo: serde_json::Value = serde_json::from_str(&undo).unwrap();
    assert_eq!((&undo["v"], &undo["action"]), (&2.into(), &"react".into()));
    assert_eq!(undo["items"][0]["set"]["emoji"], "🔥", "{undo}");

    // A second run finds everything done.
    dc.forget_requests();
    let again = sandbox
        .run(
            bin(),
            &["--chat", "river_club", "--ids", "3,4,13", "--apply", "--json"],
        )
        .expect_code(0);
    assert_eq!(again.json()["already"], 3);
    assert!(dc.calls("messages.sendReaction").is_empty());
}

#[test]
fn nothing_is_done_without_an_exact_target() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox().env("LIKE_CHAT_ID", "0");
    sandbox.run(bin(), &["--ids", "1", "--apply"]).expect_code(2);
    sandbox
        .run(bin(), &["--chat", "0", "--ids", "1", "--apply"])
        .expect_code(2);
    sandbox
        .run(bin(), &["--chat", "River Club", "--ids", "1", "--apply"])
        .expect_code(66);
    sandbox
        .run(bin(), &["--chat", "river_club", "--ids", "abc", "--apply"])
        .expect_code(2);
    let link = sandbox
        .run(
            bin(),
            &[
                "--chat",
                "river_club",
                "--ids",
                "https://t.me/garden_news/3",
                "--apply",
            ],
        )
        .expect_code(2);
    assert!(link.stderr.contains("@garden_news"), "{}", link.stderr);
    // An alias that was left at 0 never becomes the public name that happens to be the same.
    sandbox.file("config.yml", "chats:\n  river_club: {type: group, id: 0}\n");
    sandbox
        .run(bin(), &["--chat", "river_club", "--ids", "3", "--apply"])
        .expect_code(78);
    assert!(dc.calls("messages.sendReaction").is_empty());
}

#[test]
fn five_hundred_messages_get_exactly_one_reaction_each_through_flood_waits() {
    let dc = Dc::start(crowd(500));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    dc.fail(Fault {
        method: "messages.sendReaction".into(),
        every: 120,
        error: Some("FLOOD_WAIT_2".into()),
        ..Fault::default()
    });
    // Every so often the answer to a reaction that was given is lost.
    dc.fail(Fault {
        method: "messages.sendReaction".into(),
        every: 90,
        cut_at: Some(10),
        ..Fault::default()
    });
    let all: Vec<String> = (1..=500).map(|id| id.to_string()).collect();
    let all = all.join(",");
    let args = [
        "--chat",
        "river_club",
        "--ids",
        &all,
        "--delay",
        "0",
        "--apply",
        "--json",
    ];
    let run = sandbox.run(bin(), &args).expect_code(0);
    let told = run.json();
    assert_eq!(
        told["sent"].as_u64().unwrap() + told["already"].as_u64().unwrap(),
        500,
        "{}",
        told["errors"]
    );
    for id in 1..=500 {
        assert_eq!(chosen(&dc, id), ["🔥"], "message {id}");
        assert_eq!(
            dc.message(CLUB, id).unwrap().reactions[0].count,
            1,
            "message {id}"
        );
    }
    assert_eq!(dc.impatient(), 0, "a call came before the wait was over");
    let spoke = run.events.iter().any(|event| {
        event["kind"] == "progress"
            && event["message"]
                .as_str()
                .is_some_and(|text| text.contains("s left"))
    });
    assert!(spoke, "progress tells how long it takes");
}

#[test]
fn a_second_program_honours_the_wait_of_the_first() {
    let dc = Dc::start(crowd(6));
    let sandbox = dc.sandbox().env("TELEGRAM_FLOOD_WAIT_MAX", "1");
    dc.fail(Fault {
        method: "messages.sendReaction".into(),
        after: 2,
        times: 1,
        error: Some("FLOOD_WAIT_4".into()),
        ..Fault::default()
    });
    let args = [
        "--chat",
        "river_club",
        "--ids",
        "1,2,3,4,5,6",
        "--delay",
        "0",
        "--apply",
        "--json",
    ];
    let first = sandbox.run(bin(), &args).expect_code(3).json();
    assert_eq!(first["sent"], 2, "{first}");
    assert_eq!(first["items"][3]["state"], "left");
    // Not patient enough: it says so without asking Telegram.
    let before = dc.calls("messages.sendReaction").len();
    sandbox.run(bin(), &args).expect_code(3);
    assert_eq!(dc.calls("messages.sendReaction").len(), before);
    // Patient enough: it waits for what is left, and goes on.
    let patient = sandbox.env("TELEGRAM_FLOOD_WAIT_MAX", "60");
    let last = patient.run(bin(), &args).expect_code(0).json();
    assert_eq!((&last["sent"], &last["already"]), (&4.into(), &2.into()));
    assert_eq!(dc.impatient(), 0);
}

/// A message that this account gave a custom emoji, one that it gave a plain one, and two without any.
fn reacted() -> World {
    let mut crowd = crowd(4);
    let list = crowd.messages.get_mut(&CLUB.to_string()).unwrap();
    let own = |emoji: Option<&str>, custom: Option<i64>| Tally {
        emoji: emoji.map(str::to_owned),
        custom_emoji_id: custom,
        count: 1,
        chosen: true,
        ..Tally::default()
    };
    list[0].reactions = vec![own(None, Some(5_368_324_170_671_202_286))];
    list[1].reactions = vec![own(Some("👍"), None)];
    crowd
}

#[test]
fn a_run_is_taken_back_by_its_list_custom_emoji_included() {
    let dc = Dc::start(reacted());
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    let before: Vec<_> = (1..=3)
        .map(|id| dc.message(CLUB, id).unwrap().reactions)
        .collect();
    let run = sandbox
        .run(
            bin(),
            &[
                "--chat",
                "river_club",
                "--ids",
                "1,2,3,4",
                "--delay",
                "0",
                "--apply",
                "--json",
            ],
        )
        .expect_code(0);
    assert_eq!(run.json()["sent"], 4);
    let list = run.json()["undo_list"].as_str().unwrap().to_owned();
    // Somebody changed this one since: it is not ours to touch.
    let mut changed = dc.message(CLUB, 4).unwrap();
    changed.reactions = vec![Tally {
        emoji: Some("👍".into()),
        count: 1,
        chosen: true,
        ..Tally::default()
    }];
    dc.replace(CLUB, changed.clone());

    dc.forget_requests();
    let plan = sandbox
        .run(bin(), &["--undo", &list, "--json"])
        .expect_code(0)
        .json();
    assert!(dc.calls("messages.sendReaction").is_empty());
    assert_eq!(plan["plan"]["total"], 3, "{plan}");
    let undo = ["--undo", &list, "--delay", "0", "--apply", "--json"];
    let told = sandbox.run(bin(), &undo).expect_code(0).json();
    assert_eq!(told["undone"], 3, "{told}");
    let state = |n: usize| told["items"][n]["state"].clone();
    assert_eq!(
        [state(0), state(1), state(2), state(3)],
        ["done", "done", "done", "spared"]
    );
    let after: Vec<_> = (1..=3)
        .map(|id| dc.message(CLUB, id).unwrap().reactions)
        .collect();
    assert_eq!(after, before);
    assert_eq!(dc.message(CLUB, 4).unwrap().reactions, changed.reactions);
    // Once more finds nothing to do.
    dc.forget_requests();
    let again = sandbox.run(bin(), &undo).expect_code(0).json();
    assert_eq!(
        (&again["undone"], &again["items"][0]["state"]),
        (&0.into(), &"already".into())
    );
    assert!(dc.calls("messages.sendReaction").is_empty());
}

#[test]
fn a_list_that_cannot_be_taken_back_is_refused() {
    let dc = Dc::start(crowd(1));
    let sandbox = dc.sandbox();
    sandbox.file(
        "old.json",
        r#"{"v": 1, "action": "react", "items": [{"id": 1, "reactions_before": ["x"]}]}"#,
    );
    sandbox.file(
        "deleted.json",
        r#"{"v": 2, "action": "delete_my_messages", "items": []}"#,
    );
    for (args, said) in [
        (&["--undo", "old.json"][..], "version 2"),
        (&["--undo", "deleted.json"], "no list of reactions"),
        (&["--undo", "old.json", "--ids", "1"], "nothing else"),
    ] {
        let run = sandbox.run(bin(), args).expect_code(2);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
}

#[test]
fn a_run_told_to_stop_says_what_it_did() {
    let dc = Dc::start(crowd(30));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    let ids: Vec<String> = (1..=30).map(|id| id.to_string()).collect();
    let ids = ids.join(",");
    let args = [
        "--chat",
        "river_club",
        "--ids",
        &ids,
        "--delay",
        "0.05",
        "--apply",
        "--json",
    ];
    let started = sandbox.start(bin(), &args, b"");
    while dc.calls("messages.sendReaction").len() < 4 {
        std::thread::yield_now();
    }
    started.signal("TERM");
    let run = started.finish().expect_code(143);
    let told = run.json();
    let of = |state: &str| {
        let items = told["items"].as_array().unwrap().iter();
        items.filter(|item| item["state"] == state).count()
    };
    let given = (1..=30).filter(|id| chosen(&dc, *id) == ["🔥"]).count();
    assert!((4..30).contains(&given), "{given} were given");
    // One may be given and its answer not heard: the next run finds it done.
    assert!(
        of("done") == given || of("done") + 1 == given,
        "{} of {given} told",
        of("done")
    );
    assert_eq!(of("done") + of("left"), 30, "{told}");
    assert_eq!(told["sent"], of("done"));
}

#[test]
fn what_was_planned_is_what_the_service_saw() {
    let dc = Dc::start(crowd(6));
    let sandbox = dc.sandbox();
    sandbox.file("shared-config/onejob.toml", FAST);
    let args = ["--chat", "river_club", "--ids", "2,3,5", "--delay", "0", "--json"];
    let plan = sandbox.run(bin(), &args).expect_code(0).json()["plan"].clone();
    let file = sandbox.file("plan.json", plan.to_string());
    let bound = sandbox.env("ONEJOB_PLAN_FILE", file.display().to_string());
    // Asked for more than was planned, it does only that, and says so.
    let more = [
        "--chat",
        "river_club",
        "--ids",
        "2,3,5,6",
        "--delay",
        "0",
        "--apply",
        "--json",
    ];
    let run = bound.run(bin(), &more).expect_code(3);
    let planned: Vec<String> = plan["actions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| action["target"].as_str().unwrap().to_owned())
        .collect();
    let seen: Vec<String> = dc
        .calls("messages.sendReaction")
        .iter()
        .map(|call| format!("chat {} message {}", call.args["chat"], call.args["id"]))
        .collect();
    assert_eq!(seen, planned);
    assert_eq!(
        run.json()["outside_plan"]["not_planned"]["total"],
        1,
        "{}",
        run.stdout
    );
}
