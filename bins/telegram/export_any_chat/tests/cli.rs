//! Exports over MTProto: formats, resume after SIGKILL, increments, files.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, Fault, media, world};

const BIN: &str = env!("CARGO_BIN_EXE_export_any_chat");
const CLUB: i64 = -1_000_000_001_002;
const LARGE: i64 = -1_000_000_002_001;

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn a_chat_found_by_part_of_its_title_becomes_text_with_real_names() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["новости", "--json"]).expect_code(0);
    assert_eq!(run.json()["messages"], 5);
    let text = std::fs::read_to_string(sandbox.path("chats/новости.txt")).unwrap();
    assert!(text.starts_with("# Чат: Новости сада 🌿\n"), "{text}");
    assert!(
        text.contains("[01.01.2025 08:00:00] Новости сада 🌿: Post number 1"),
        "{text}"
    );
}

#[test]
fn a_title_that_fits_several_chats_is_not_guessed() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["river", "--json"]).expect_code(2);
    assert!(
        run.stderr.contains("-1000000001002") && run.stderr.contains("-1000000001005"),
        "{}",
        run.stderr
    );
    assert!(dc.calls("messages.getHistory").is_empty());
    sandbox.run(bin(), &["0"]).expect_code(2);
    sandbox.run(bin(), &["nowhere at all"]).expect_code(66);
}

#[test]
fn desktop_json_holds_every_sort_of_message() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox
        .run(
            bin(),
            &["river_club", "0", "--format", "json", "-o", "club.json", "--json"],
        )
        .expect_code(0);
    let club: Value = serde_json::from_slice(&std::fs::read(sandbox.path("club.json")).unwrap()).unwrap();
    assert_eq!(club["type"], "public_supergroup");
    let messages = club["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 20);
    let by_id = |id: i64| messages.iter().find(|message| message["id"] == id).unwrap();
    assert_eq!(by_id(2)["action"], "invite_members");
    assert_eq!(by_id(2)["members"][0], "Борис Лесной");
    assert_eq!(by_id(3)["reactions"][0]["emoji"], "🔥");
    assert_eq!(by_id(4)["reply_to_message_id"], 3);
    assert_eq!(by_id(8)["poll"]["answers"][0]["voters"], 3);
    assert_eq!(by_id(11)["forwarded_from"], "Новости сада 🌿");
    assert_eq!(
        by_id(14)["from_id"],
        "channel1002",
        "an anonymous administrator speaks as the group"
    );
    assert_eq!(by_id(16)["edited_unixtime"], "1735723800");
    assert_eq!(by_id(18)["action"], "pin_message");
}

#[test]
fn a_topic_is_exported_alone() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(
            bin(),
            &[
                "Workshop forum",
                "--topic",
                "Tools",
                "--format",
                "ndjson",
                "-o",
                "tools.ndjson",
                "--json",
            ],
        )
        .expect_code(0);
    assert_eq!(run.json()["messages"], 3);
    let lines = std::fs::read_to_string(sandbox.path("tools.ndjson")).unwrap();
    assert!(
        lines.contains("hammer found") && !lines.contains("oak"),
        "{lines}"
    );
    sandbox
        .run(bin(), &["Workshop forum", "--topic", "Nails"])
        .expect_code(66);
}

#[test]
fn ranges_by_number_date_and_count_hold_just_what_they_say() {
    let dc = Dc::start(world("large"));
    let sandbox = dc.sandbox();
    let ids = |args: &[&str]| {
        let all = [
            &["large_club"],
            args,
            &["--format", "ndjson", "-o", "x.ndjson", "--json"],
        ]
        .concat();
        sandbox.run(bin(), &all).expect_code(0);
        let text = std::fs::read_to_string(sandbox.path("x.ndjson")).unwrap();
        let ids: Vec<i64> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["type"] == "message")
            .filter_map(|line| line["id"].as_i64())
            .collect();
        ids
    };
    assert_eq!(ids(&["250"]), (9751..=10000).collect::<Vec<_>>());
    assert_eq!(
        ids(&["0", "--min-id", "9990"]),
        (9990..=10000).collect::<Vec<_>>()
    );
    assert_eq!(ids(&["0", "--max-id", "150"]), (1..=150).collect::<Vec<_>>());
    assert_eq!(ids(&["10", "--max-id", "150"]), (141..=150).collect::<Vec<_>>());
    // One message a minute from midnight: the second hour.
    let hour = ids(&[
        "0",
        "--since",
        "2020-01-01T01:00:00Z",
        "--until",
        "2020-01-01T02:00:00Z",
    ]);
    assert_eq!(hour, (60..=119).collect::<Vec<_>>());
}

#[test]
fn an_export_killed_fifty_times_ends_with_the_same_bytes() {
    let dc = Dc::start(world("large"));
    let whole = dc.sandbox();
    let args = [
        "large_club",
        "0",
        "--format",
        "markdown",
        "-o",
        "club.md",
        "--json",
    ];
    whole.run(bin(), &args).expect_code(0);
    let expected = std::fs::read(whole.path("club.md")).unwrap();
    let requests = dc.calls("messages.getHistory").len();

    // Slow enough that a kill falls anywhere into the run, quick enough for a test.
    dc.forget_requests();
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        delay_ms: 4,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    for n in 0_usize..50 {
        let asked = dc.calls("messages.getHistory").len();
        let started = sandbox.start(bin(), &args, b"");
        // Some die before the first answer, the others after a few pages and at any point between two.
        let pages = n * 7 % 5;
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while dc.calls("messages.getHistory").len() < asked + pages && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros((n as u64 * 7919) % 9000));
        started.signal("KILL");
        assert_eq!(started.finish().code, None, "the export ended before kill {n}");
        assert!(!sandbox.path("club.md").exists(), "half a file");
    }
    dc.heal();
    let last = sandbox.run(bin(), &args).expect_code(0);
    assert_eq!(last.json()["resumed"], true);
    assert_eq!(std::fs::read(sandbox.path("club.md")).unwrap(), expected);
    // What had been fetched was not fetched again: a page at most is lost with each kill.
    let again = dc.calls("messages.getHistory").len();
    assert!(
        again <= requests + 50 * 7,
        "{again} requests instead of {requests}"
    );
}

#[test]
fn an_increment_fetches_only_what_changed_and_tells_of_it() {
    let dc = Dc::start(world("large"));
    let sandbox = dc.sandbox();
    let args = [
        "large_club",
        "0",
        "--incremental",
        "--format",
        "ndjson",
        "-o",
        "club.ndjson",
        "--json",
    ];
    let first = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(first["messages"], 10_000);
    assert_eq!(first["incremental"], false);

    for n in 0..100 {
        dc.post(
            LARGE,
            Message {
                text: format!("fresh {n}"),
                date: "2021-01-01T00:00:00".into(),
                from: Some(1000),
                ..Message::default()
            },
        );
    }
    for id in 500..520 {
        dc.edit(LARGE, id, "changed afterwards");
    }
    dc.delete(LARGE, &(700..710).collect::<Vec<_>>());
    dc.forget_requests();
    let second = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(second["incremental"], true);
    assert_eq!(
        (&second["new"], &second["edited"], &second["deleted"]),
        (&100.into(), &20.into(), &10.into())
    );
    assert_eq!(second["messages"], 10_090);
    assert_eq!(dc.calls("messages.getHistory").len(), 0);
    assert_eq!(
        dc.calls("updates.getChannelDifference").len(),
        2,
        "130 changes, a hundred at a time"
    );

    // The result is what a fresh export of the changed chat gives.
    let fresh = dc.sandbox();
    fresh.run(bin(), &args).expect_code(0);
    let body = |sandbox: &testkit::Sandbox| {
        let text = std::fs::read_to_string(sandbox.path("club.ndjson")).unwrap();
        text.split_once('\n').unwrap().1.to_owned()
    };
    assert_eq!(body(&sandbox), body(&fresh));

    // Nothing happened: one request says so.
    dc.forget_requests();
    let third = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(
        (&third["new"], &third["edited"], &third["deleted"]),
        (&0.into(), &0.into(), &0.into())
    );
    assert_eq!(dc.calls("updates.getChannelDifference").len(), 1);
}

#[test]
fn changes_too_long_ago_are_found_by_comparing() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = [
        "river_club",
        "0",
        "--incremental",
        "--format",
        "ndjson",
        "-o",
        "club.ndjson",
        "--json",
    ];
    sandbox.run(bin(), &args).expect_code(0);
    dc.post(
        CLUB,
        Message {
            text: "late".into(),
            date: "2025-02-01T00:00:00".into(),
            from: Some(111),
            ..Message::default()
        },
    );
    dc.edit(CLUB, 13, "written again");
    dc.delete(CLUB, &[12]);
    let tmp = std::fs::metadata(sandbox.root().join("tmp"))
        .unwrap()
        .permissions();
    let before = std::os::unix::fs::PermissionsExt::mode(&tmp) & 0o777;
    dc.forget_log();
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(
        (&run["new"], &run["edited"], &run["deleted"]),
        (&1.into(), &1.into(), &1.into())
    );
    // The comparison keeps to folders of its own, and nobody else can read what was kept.
    let mode = |path: &Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
    };
    assert_eq!(mode(&sandbox.root().join("tmp")), before);
    let kept = sandbox.root().join("state/telegram/500");
    for entry in std::fs::read_dir(kept).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    let text = std::fs::read_to_string(sandbox.path("club.ndjson")).unwrap();
    assert!(text.contains("written again") && !text.contains("hidden person"));
}

#[test]
fn private_chats_are_kept_up_to_date_as_well() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = [
        "alice_doe",
        "0",
        "--incremental",
        "--format",
        "ndjson",
        "-o",
        "alice.ndjson",
        "--json",
    ];
    sandbox.run(bin(), &args).expect_code(0);
    dc.post(
        111,
        Message {
            text: "are you there?".into(),
            date: "2025-04-01T00:00:00".into(),
            from: Some(111),
            ..Message::default()
        },
    );
    dc.post(
        112,
        Message {
            text: "for somebody else".into(),
            date: "2025-04-01T00:00:00".into(),
            from: Some(112),
            ..Message::default()
        },
    );
    dc.delete(111, &[101]);
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(
        (&run["new"], &run["deleted"], &run["messages"]),
        (&1.into(), &1.into(), &3.into())
    );
}

#[test]
fn files_are_downloaded_from_their_data_centre_and_gone_on_with() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = [
        "river_club",
        "0",
        "--format",
        "json",
        "--media",
        "2",
        "-o",
        "club.json",
        "--json",
    ];
    // The paper of message 16 lies at data centre 2 and comes in three parts; the second one fails for good.
    dc.fail(Fault {
        method: "upload.getFile".into(),
        after: 4,
        error: Some("INTERNAL_ERROR".into()),
        ..Fault::default()
    });
    let first = sandbox.run(bin(), &args).expect_code(3).json();
    assert_eq!(first["messages"], 20, "all messages are there: {first}");
    assert_eq!(first["files_missing"], first["files_left_out"]);
    let club = std::fs::read_to_string(sandbox.path("club.json")).unwrap();
    assert!(club.contains("(File unavailable, please try again later)"));
    dc.heal();
    dc.forget_requests();
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(
        (&run["files_left_out"], &run["resumed"]),
        (&0.into(), &true.into()),
        "{run}"
    );
    assert!(
        dc.calls("messages.getHistory").is_empty(),
        "nothing is read twice"
    );
    let paper = std::fs::read(sandbox.path("club_files/16_план.pdf")).unwrap();
    assert_eq!(paper, media::bytes(7_000_016, 1_500_000, 0, 1_500_000));
    assert!(
        !sandbox.files().iter().any(|name| name.contains(".part")),
        "{:?}",
        sandbox.files()
    );
    let club: Value = serde_json::from_slice(&std::fs::read(sandbox.path("club.json")).unwrap()).unwrap();
    let sixteen = club["messages"]
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["id"] == 16)
        .unwrap()
        .clone();
    assert_eq!(sixteen["file"], "club_files/16_план.pdf");
}

#[test]
fn the_second_of_two_programs_on_one_session_waits_or_fails() {
    let dc = Dc::start(world("large"));
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        delay_ms: 20,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let args = ["large_club", "2000", "--format", "ndjson", "-o", "a.ndjson"];
    let first = sandbox.start(bin(), &args, b"");
    std::thread::sleep(Duration::from_millis(400));
    let second = sandbox
        .run(bin(), &["large_club", "10", "-o", "b.txt"])
        .expect_code(75);
    assert!(second.stderr.contains("locked"), "{}", second.stderr);
    let patient = sandbox.env("TELEGRAM_LOCK_WAIT", "30");
    patient
        .run(bin(), &["large_club", "10", "-o", "b.txt"])
        .expect_code(0);
    first.finish().expect_code(0);
    assert_eq!(dc.most_sessions(), 1, "never two connections on one key");
}

#[test]
fn a_lock_held_as_the_old_python_helper_holds_it_is_respected() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for lock in ["telegram_session.lock", "telegram_session_py.lock"] {
        let script = format!(
            "import fcntl,sys,time\nf=open('{lock}','w')\nfcntl.flock(f,fcntl.LOCK_EX|fcntl.LOCK_NB)\nprint('held',flush=True)\ntime.sleep(60)"
        );
        let mut holder = std::process::Command::new("python3")
            .args(["-c", &script])
            .current_dir(sandbox.work())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(holder.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        sandbox.run(bin(), &["river_club", "5"]).expect_code(75);
        assert!(dc.requests().is_empty(), "no connection while the lock is held");
        holder.kill().unwrap();
        holder.wait().unwrap();
    }
    sandbox.run(bin(), &["river_club", "5"]).expect_code(0);
}

#[test]
fn a_take_out_session_wraps_the_reading_and_its_delay_is_told() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox
        .run(bin(), &["river_club", "5", "--takeout"])
        .expect_code(0);
    assert!(dc.calls("messages.getHistory").iter().all(|call| call.takeout));
    assert_eq!(dc.calls("account.finishTakeoutSession")[0].args["success"], true);
    dc.fail(Fault {
        method: "account.initTakeoutSession".into(),
        error: Some("TAKEOUT_INIT_DELAY_85763".into()),
        ..Fault::default()
    });
    let delayed = sandbox
        .run(bin(), &["river_club", "5", "--takeout"])
        .expect_code(75);
    assert!(
        delayed.stderr.contains("85763") && delayed.stderr.contains("official"),
        "{}",
        delayed.stderr
    );
}

#[test]
fn a_chat_is_found_by_alias_id_of_either_space_and_link() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.file(
        "config.yml",
        "chats:\n  club: {type: channel, id: 1002}\n  club2: {type: group, id: -1000000001002}\n  клуб: {type: username, username: '@river_club'}\n  broken: {type: channel}\n  zero: {type: group, id: 0}\n",
    );
    for named in [
        "club",
        "club2",
        "клуб",
        "-1000000001002",
        "1002",
        "@river_club",
        "https://t.me/c/1002/5",
        "t.me/river_club",
    ] {
        let run = sandbox
            .run(bin(), &[named, "1", "-o", "x.txt", "--json"])
            .expect_code(0);
        assert_eq!(run.json()["chat_id"], CLUB, "{named}");
    }
    // A bad alias is skipped with a warning, and never stands for another chat.
    let zero = sandbox.run(bin(), &["zero", "1", "-o", "y.txt"]).expect_code(78);
    assert!(zero.stderr.contains("zero"), "{}", zero.stderr);
    assert!(!sandbox.path("y.txt").exists());
}

#[test]
fn a_bare_id_that_several_chats_have_is_not_guessed() {
    let mut town = world("town");
    let mut twin = town.entities[1].clone();
    twin.id = 1002;
    twin.username = None;
    town.entities.push(twin);
    town.dialogs.push(testkit::telegram::world::Dialog {
        chat: 1002,
        ..Default::default()
    });
    let dc = Dc::start(town);
    let run = dc.sandbox().run(bin(), &["1002", "1"]).expect_code(2);
    assert!(
        run.stderr.contains("-1000000001002") && run.stderr.contains("[1002]"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_login_that_ends_midway_is_told_and_the_rest_can_follow() {
    let dc = Dc::start(world("large"));
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        after: 20,
        error: Some("AUTH_KEY_UNREGISTERED".into()),
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let args = [
        "large_club",
        "0",
        "--format",
        "ndjson",
        "-o",
        "a.ndjson",
        "--json",
    ];
    let run = sandbox.run(bin(), &args).expect_code(77);
    assert!(run.stderr.contains("init_session"), "{}", run.stderr);
    assert!(!sandbox.path("a.ndjson").exists());
    dc.heal();
    assert_eq!(sandbox.run(bin(), &args).expect_code(0).json()["resumed"], true);
}

#[test]
fn a_count_that_was_guessed_wrong_does_not_reach_the_file() {
    // The service counts a message that is gone by the time its page is read.
    let dc = std::sync::Arc::new(Dc::start(world("large")));
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        delay_ms: 10,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let args = ["large_club", "0", "--format", "markdown", "-o", "a.md", "--json"];
    let started = sandbox.start(bin(), &args, b"");
    while dc.calls("messages.getHistory").len() < 10 {
        std::thread::sleep(Duration::from_millis(1));
    }
    dc.delete(LARGE, &[9000, 9001]);
    let run = started.finish().expect_code(0);
    assert_eq!(run.json()["messages"], 9998);
    let text = std::fs::read_to_string(sandbox.path("a.md")).unwrap();
    assert!(
        text.contains("\nMessages: 9998\n"),
        "{}",
        &text[..200.min(text.len())]
    );
    assert_eq!(
        text.lines()
            .filter(|line| line.starts_with("**") && line.ends_with("):"))
            .count(),
        9998
    );
    assert!(
        !sandbox.files().iter().any(|name| name.contains(".part")),
        "{:?}",
        sandbox.files()
    );
}

#[test]
fn messages_that_the_service_leaves_out_neither_end_an_export_nor_count() {
    let dc = Dc::start(testkit::telegram::scenes::gappy(
        1000,
        &[120..=380, 700..=702, 1000..=1000],
    ));
    let ids = |args: &[&str]| -> Vec<i64> {
        let sandbox = dc.sandbox();
        let all = [&["@gappy_club"], args, &["--format", "ndjson", "-o", "x.ndjson"]].concat();
        sandbox.run(bin(), &all).expect_code(0);
        let text = std::fs::read_to_string(sandbox.path("x.ndjson")).unwrap();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["type"] == "message")
            .filter_map(|line| line["id"].as_i64())
            .collect()
    };
    let shown = |from: i64, to: i64| -> Vec<i64> {
        (from..=to)
            .filter(|id| !((120..=380).contains(id) || (700..=702).contains(id) || *id == 1000))
            .collect()
    };
    assert_eq!(ids(&["0"]), shown(1, 1000));
    assert_eq!(ids(&["500"]), shown(497, 999), "five hundred that are shown");
    assert_eq!(ids(&["700"]), shown(36, 999));
    assert_eq!(ids(&["0", "--max-id", "701"]), shown(1, 701));
    // One message a minute from midnight on.
    let since = ids(&[
        "0",
        "--since",
        "2025-01-01T05:00:00Z",
        "--until",
        "2025-01-01T11:41:00Z",
    ]);
    assert_eq!(since, shown(300, 700));
}

#[test]
fn two_topics_of_one_title_are_not_guessed_and_the_first_topic_needs_no_mark() {
    let mut town = world("town");
    let forum = "-1000000001003";
    town.topics.get_mut(forum).unwrap().iter_mut().for_each(|topic| {
        if topic.id != 1 {
            topic.title = "Tools".into();
        }
    });
    let plain = |id: i32, reply_to: Option<i32>, topic: Option<i32>| Message {
        id,
        text: format!("general {id}"),
        date: "2025-01-01T12:00:00".into(),
        from: Some(111),
        reply_to,
        topic,
        sender_known: true,
        ..Message::default()
    };
    let messages = town.messages.get_mut(forum).unwrap();
    messages.retain(|message| message.id < 20);
    messages.extend([
        plain(52, None, None),
        plain(53, Some(52), None),
        plain(54, None, Some(1)),
    ]);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let args = |topic: &'static str| {
        [
            "Workshop forum",
            "0",
            "--topic",
            topic,
            "-f",
            "ndjson",
            "-o",
            "t.ndjson",
            "--json",
        ]
    };
    let two = sandbox.run(bin(), &args("Tools")).expect_code(2);
    assert!(
        two.stderr.contains("Tools (20)") && two.stderr.contains("Tools (10)"),
        "{}",
        two.stderr
    );
    assert!(dc.calls("messages.search").is_empty());
    sandbox.run(bin(), &args("20")).expect_code(0);
    sandbox.run(bin(), &args("General")).expect_code(0);
    let text = std::fs::read_to_string(sandbox.path("t.ndjson")).unwrap();
    let ids: Vec<i64> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["type"] == "message")
        .filter_map(|line| line["id"].as_i64())
        .collect();
    assert_eq!(ids, [52, 53, 54]);
}

/// A town in whose club only these messages stand.
fn club(messages: Vec<Message>) -> testkit::telegram::World {
    let mut town = world("town");
    town.messages.insert(CLUB.to_string(), messages);
    town
}

/// A message with a file.
fn filed(id: i32, name: &str, size: i64, file: i64) -> Message {
    Message {
        id,
        text: format!("message {id}"),
        date: format!("2025-01-01T09:{:02}:00", id % 60),
        from: Some(111),
        media: Some("document".into()),
        attached: serde_json::json!({"file_name": name, "size": size, "file_id": file}),
        sender_known: true,
        ..Message::default()
    }
}

const CLUB_JSON: [&str; 9] = [
    "river_club",
    "0",
    "-f",
    "json",
    "-o",
    "a.json",
    "--media",
    "5",
    "--json",
];

#[test]
fn an_edited_message_gets_its_new_file_and_a_full_export_too() {
    let dc = Dc::start(club(vec![
        filed(1, "report.pdf", 4000, 11),
        filed(2, "same.pdf", 5000, 12),
    ]));
    let sandbox = dc.sandbox();
    let bytes = |name: &str| std::fs::read(sandbox.path(&format!("a_files/{name}"))).unwrap();
    sandbox.run(bin(), &CLUB_JSON).expect_code(0);
    assert_eq!(bytes("1_report.pdf"), media::bytes(11, 4000, 0, 4000));
    // The first gets another name and size, the second keeps both.
    dc.replace(CLUB, filed(1, "final.pdf", 7777, 21));
    dc.replace(CLUB, filed(2, "same.pdf", 5000, 22));
    let incremental = [&CLUB_JSON[..], &["-i"]].concat();
    let run = sandbox.run(bin(), &incremental).expect_code(0).json();
    assert_eq!((&run["edited"], &run["files"]), (&2.into(), &2.into()), "{run}");
    assert_eq!(bytes("1_final.pdf"), media::bytes(21, 7777, 0, 7777));
    assert_eq!(bytes("2_same.pdf"), media::bytes(22, 5000, 0, 5000));
    assert!(
        std::fs::read_to_string(sandbox.path("a.json"))
            .unwrap()
            .contains("a_files/1_final.pdf")
    );
    // A full export: what is there is kept, what was replaced is fetched.
    dc.replace(CLUB, filed(2, "same.pdf", 5000, 32));
    let run = sandbox.run(bin(), &CLUB_JSON).expect_code(0).json();
    assert_eq!(
        (&run["files"], &run["files_kept"]),
        (&1.into(), &1.into()),
        "{run}"
    );
    assert_eq!(bytes("2_same.pdf"), media::bytes(32, 5000, 0, 5000));
}

#[test]
fn two_exports_that_share_a_folder_of_files_keep_them_apart() {
    let mut town = club(vec![filed(1, "a.pdf", 4000, 11)]);
    let other = "-1000000001005";
    town.messages
        .insert(other.into(), vec![filed(1, "a.pdf", 4000, 99)]);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &CLUB_JSON).expect_code(0);
    let args = [other, "0", "-f", "html", "-o", "a.html", "--media", "5"];
    sandbox.run(bin(), &args).expect_code(0);
    let bytes = |name: &str| std::fs::read(sandbox.path(&format!("a_files/{name}"))).unwrap();
    assert_eq!(bytes("1_a.pdf"), media::bytes(11, 4000, 0, 4000));
    assert_eq!(bytes("1_a_63.pdf"), media::bytes(99, 4000, 0, 4000));
    assert!(
        std::fs::read_to_string(sandbox.path("a.html"))
            .unwrap()
            .contains("a_files/1_a_63.pdf")
    );
    // Where nothing is remembered of a folder, what lies in it is not taken for another's, nor lost.
    std::fs::remove_dir_all(sandbox.root().join("state/telegram")).unwrap();
    sandbox.run(bin(), &args).expect_code(0);
    assert_eq!(bytes("1_a.pdf"), media::bytes(11, 4000, 0, 4000));
}

#[test]
fn no_name_stops_an_export_or_deceives() {
    let dc = Dc::start(club(vec![
        filed(1, &format!("{}.pdf", "文".repeat(82)), 2000, 11),
        filed(2, &"😀".repeat(90), 2000, 12),
        filed(3, "68_\u{202e}gpj.exe", 2000, 13),
        filed(4, "../../..", 2000, 14),
        filed(5, "a\u{200b}b\n\u{7}c.txt", 2000, 15),
    ]));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &CLUB_JSON).expect_code(0).json();
    assert_eq!(run["files"], 5, "{run}");
    let names: Vec<String> = std::fs::read_dir(sandbox.path("a_files"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    for name in ["3_68_gpj.exe", "4_file.bin", "5_abc.txt"] {
        assert!(names.iter().any(|one| one == name), "{names:?}");
    }
    assert!(names.iter().all(|name| name.len() < 250), "{names:?}");
    // A name made of what was typed is one as well.
    let mut town = world("town");
    let long = "文".repeat(120);
    for (id, title) in [(6001, "..."), (6002, long.as_str())] {
        town.entities.push(testkit::telegram::world::Entity {
            kind: "supergroup".into(),
            id,
            title: Some(title.into()),
            ..Default::default()
        });
        let chat = -(1_000_000_000_000 + id);
        town.dialogs.push(testkit::telegram::world::Dialog {
            chat,
            ..Default::default()
        });
        town.messages
            .insert(chat.to_string(), vec![filed(1, "x", 10, id)]);
    }
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["...", "0"]).expect_code(0);
    assert!(sandbox.path("chats/chat.txt").is_file(), "{:?}", sandbox.files());
    sandbox.run(bin(), &[&long, "0", "--media", "1"]).expect_code(0);
}

#[test]
fn a_slow_service_is_asked_again_and_an_expired_reference_renewed() {
    let dc = Dc::start(club(
        (1..=6)
            .map(|id| filed(id, "a.bin", 1_200_000, id.into()))
            .collect(),
    ));
    let fail = |method: &str, error: &str, after: u32, times: u32| {
        dc.fail(Fault {
            method: method.into(),
            error: Some(error.into()),
            after,
            times,
            ..Fault::default()
        });
    };
    fail("messages.getHistory", "Timeout", 1, 1);
    fail("upload.getFile", "FILE_REFERENCE_EXPIRED", 4, 2);
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &CLUB_JSON).expect_code(0).json();
    assert_eq!(
        (&run["files"], &run["files_left_out"]),
        (&6.into(), &0.into()),
        "{run}"
    );
    for id in 1..=6 {
        let bytes = std::fs::read(sandbox.path(&format!("a_files/{id}_a.bin"))).unwrap();
        assert!(bytes == media::bytes(id, 1_200_000, 0, 1_200_000), "file {id}");
    }
    // One that cannot be renewed is missing, and that is said.
    let sandbox = dc.sandbox();
    dc.heal();
    fail("upload.getFile", "FILE_REFERENCE_EXPIRED", 0, 0);
    let run = sandbox.run(bin(), &CLUB_JSON).expect_code(3);
    assert_eq!(run.json()["files_missing"], 6, "{}", run.stderr);
    assert_eq!(run.json()["messages"], 6);
}

#[test]
fn a_long_wait_for_a_file_withholds_no_message() {
    let dc = Dc::start(club(
        (1..=30).map(|id| filed(id, "a.bin", 1000, id.into())).collect(),
    ));
    dc.fail(Fault {
        method: "upload.getFile".into(),
        error: Some("FLOOD_WAIT_7200".into()),
        after: 10,
        times: 1,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let args = [
        "river_club",
        "0",
        "-f",
        "ndjson",
        "-o",
        "a.ndjson",
        "--media",
        "5",
        "--json",
    ];
    let run = sandbox.run(bin(), &args).expect_code(3);
    let told = run.json();
    assert_eq!((&told["messages"], &told["written"]), (&30.into(), &30.into()));
    let missing = told["files_missing"].as_u64().unwrap();
    assert_eq!(told["files"].as_u64().unwrap() + missing, 30);
    let text = std::fs::read_to_string(sandbox.path("a.ndjson")).unwrap();
    assert_eq!(text.matches("\"unavailable\"").count() as u64, missing);
    assert!(
        dc.calls("upload.getFile").len() <= 14,
        "nothing is asked for while a wait is on"
    );
    assert!(
        run.stderr.contains("7200") || run.stderr.contains("7199"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_export_killed_among_its_files_does_not_read_again() {
    let dc = Dc::start(club(
        (1..=400).map(|id| filed(id, "a.bin", 1000, id.into())).collect(),
    ));
    let sandbox = dc.sandbox();
    let args = [
        "river_club",
        "0",
        "-f",
        "html",
        "-o",
        "a.html",
        "--media",
        "5",
        "--json",
        "--quiet",
    ];
    // The fortieth file is never answered; the run is killed while it waits.
    dc.fail(Fault {
        method: "upload.getFile".into(),
        after: 40,
        delay_ms: 60_000,
        ..Fault::default()
    });
    let running = sandbox.start(bin(), &args, b"");
    while dc.calls("upload.getFile").len() <= 40 {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("KILL");
    let _ = running.finish();
    dc.heal();
    dc.forget_requests();
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert!(dc.calls("messages.getHistory").is_empty());
    assert_eq!(run["resumed"], true);
    let (files, kept) = (
        run["files"].as_u64().unwrap(),
        run["files_kept"].as_u64().unwrap(),
    );
    assert_eq!(files + kept, 400, "{run}");
    assert!(
        (30..=45).contains(&kept),
        "only those of this run count as fetched: {run}"
    );
    // A finished one is read anew.
    sandbox.run(bin(), &args).expect_code(0);
    assert!(!dc.calls("messages.getHistory").is_empty());
}

#[test]
fn the_group_before_its_upgrade_is_part_of_the_export() {
    let mut town = world("town");
    let own = |id: i32, text: &str, minute: i32| Message {
        id,
        text: text.into(),
        date: format!("2025-01-01T09:{minute:02}:00"),
        from: Some(111),
        sender_known: true,
        ..Message::default()
    };
    let entry = |id: i32, minute: i32, service: &str, attached: Value| Message {
        service: service.into(),
        attached,
        ..own(id, "", minute)
    };
    let entity = |kind: &str, id: i64, extra: Value| testkit::telegram::world::Entity {
        kind: kind.into(),
        id,
        title: Some("Family".into()),
        extra,
        ..Default::default()
    };
    town.entities
        .push(entity("group", 78, serde_json::json!({"migrated_to": 2077})));
    town.entities.push(entity("supergroup", 2077, Value::Null));
    let chat = -1_000_000_002_077;
    town.dialogs.push(testkit::telegram::world::Dialog {
        chat,
        ..Default::default()
    });
    let answer = Message {
        reply_to: Some(201),
        ..own(202, "old answer", 22)
    };
    let photo = Message {
        media: Some("photo".into()),
        ..own(203, "old photo", 23)
    };
    let moved = entry(204, 24, "migrate_to", serde_json::json!({"channel": 2077}));
    town.messages
        .insert("-78".into(), vec![own(201, "old talk", 21), answer, photo, moved]);
    let from = entry(
        1,
        30,
        "migrate_from",
        serde_json::json!({"title": "Family", "chat": 78}),
    );
    town.messages
        .insert(chat.to_string(), vec![from, own(2, "new talk", 31)]);
    let dc = Dc::start(town);
    let sandbox = dc.sandbox();
    let args = [
        "Family", "0", "-f", "json", "-o", "a.json", "--media", "1", "--json",
    ];
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(
        (&run["messages"], &run["before_upgrade"]),
        (&6.into(), &4.into()),
        "{run}"
    );
    let json: Value = serde_json::from_slice(&std::fs::read(sandbox.path("a.json")).unwrap()).unwrap();
    let list = json["messages"].as_array().unwrap();
    let ids: Vec<i64> = list
        .iter()
        .map(|message| message["id"].as_i64().unwrap())
        .collect();
    let old = |id: i64| id - 1_000_000_000;
    assert_eq!(ids, [old(201), old(202), old(203), old(204), 1, 2]);
    assert_eq!(list[1]["reply_to_message_id"], old(201));
    assert!(
        sandbox.path("a_files/old203_photo.jpg").is_file(),
        "{:?}",
        sandbox.files()
    );
    // The newest three reach back into it; by date as well.
    let limited = ["Family", "3", "-f", "json", "-o", "b.json", "--json"];
    assert_eq!(sandbox.run(bin(), &limited).expect_code(0).json()["messages"], 3);
    let since = [
        "Family",
        "0",
        "--since",
        "2025-01-01T09:23:00Z",
        "-f",
        "json",
        "-o",
        "c.json",
        "--json",
    ];
    assert_eq!(sandbox.run(bin(), &since).expect_code(0).json()["messages"], 4);
    // The group itself can be named, though it is in no list.
    let group = ["-78", "0", "-f", "json", "-o", "g.json", "--json"];
    assert_eq!(sandbox.run(bin(), &group).expect_code(0).json()["messages"], 4);
}

#[test]
fn nobody_else_can_read_an_export_or_its_files() {
    let dc = Dc::start(club(vec![filed(1, "a.pdf", 4000, 11)]));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &CLUB_JSON).expect_code(0);
    sandbox
        .run(bin(), &["river_club", "0", "-f", "markdown", "-o", "a.md"])
        .expect_code(0);
    let mode = |name: &str| {
        let there = std::fs::metadata(sandbox.path(name)).unwrap();
        std::os::unix::fs::PermissionsExt::mode(&there.permissions()) & 0o777
    };
    assert_eq!(
        (
            mode("a.json"),
            mode("a.md"),
            mode("a_files/1_a.pdf"),
            mode("a_files")
        ),
        (0o600, 0o600, 0o600, 0o700)
    );
}

#[test]
fn a_lock_file_that_was_deleted_lets_no_second_program_in() {
    let dc = Dc::start(world("large"));
    dc.fail(Fault {
        method: "messages.getHistory".into(),
        delay_ms: 60_000,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let first = sandbox.start(bin(), &["large_club", "2000", "-o", "a.txt"], b"");
    while dc.calls("messages.getHistory").is_empty() {
        std::thread::sleep(Duration::from_millis(5));
    }
    for lock in ["telegram_session.lock", "telegram_session_py.lock"] {
        std::fs::remove_file(sandbox.path(lock)).unwrap();
    }
    let second = sandbox
        .run(bin(), &["large_club", "10", "-o", "b.txt"])
        .expect_code(75);
    assert!(second.stderr.contains("locked"), "{}", second.stderr);
    first.signal("KILL");
    let _ = first.finish();
    assert_eq!(dc.most_sessions(), 1);
}

#[test]
fn a_far_away_service_is_asked_side_by_side_but_never_too_often() {
    let mut large = world("large");
    large.latency_ms = 60;
    for method in ["messages.getHistory", "channels.getMessages"] {
        large.allowed_per_second.insert(method.into(), 30);
    }
    large
        .generated
        .values_mut()
        .for_each(|generated| generated.count = 6000);
    let dc = Dc::start(large);
    let args = ["large_club", "0", "-f", "ndjson", "-o", "a.ndjson", "--json"];
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(run["messages"], 6000);
    let text = std::fs::read_to_string(sandbox.path("a.ndjson")).unwrap();
    let ids: Vec<i64> = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| line["type"] == "message")
        .filter_map(|line| line["id"].as_i64())
        .collect();
    assert_eq!(ids, (1..=6000).collect::<Vec<_>>(), "in order, each once");
    assert!(
        dc.requests().iter().all(|request| request.error.is_none()),
        "no flood wait"
    );
    let pages = dc.calls("messages.getHistory");
    for (n, page) in pages.iter().enumerate() {
        let second = pages[n..]
            .iter()
            .take_while(|other| (other.at - page.at).as_millis() < 900);
        assert!(second.count() <= 10, "at most ten pages a second");
    }
    // Where messages by number are refused, pages are enough.
    dc.fail(Fault {
        method: "channels.getMessages".into(),
        error: Some("FLOOD_WAIT_500".into()),
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let run = sandbox.run(
        bin(),
        &["large_club", "2500", "-f", "ndjson", "-o", "a.ndjson", "--json"],
    );
    assert_eq!(run.expect_code(0).json()["messages"], 2500);
}
