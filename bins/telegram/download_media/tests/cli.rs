//! Files of chats over MTProto: which are taken, what is there already, going on within a file.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::Sandbox;
use testkit::telegram::world::Message;
use testkit::telegram::{Dc, Fault, World, media, world};

const CLUB: i64 = -1_000_000_001_002;
const FOLDER: &str = "media/River_Club_1000000001002";

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_download_media"))
}

fn message(id: i32, from: i64, kind: &str, attached: Value) -> Message {
    Message {
        id,
        text: format!("message {id}"),
        date: format!("2025-01-{id:02}T09:00:00"),
        from: Some(from),
        media: Some(kind.into()),
        attached,
        sender_known: true,
        ..Message::default()
    }
}

fn club() -> World {
    let mut town = world("town");
    let messages = vec![
        message(
            1,
            111,
            "document",
            json!({"file_name": "a.pdf", "size": 1000, "file_id": 1}),
        ),
        message(
            2,
            112,
            "document",
            json!({"file_name": "b.ZIP", "size": 3_000_000, "file_id": 2}),
        ),
        message(3, 111, "photo", json!({"size": 2000, "file_id": 3})),
        message(4, 112, "voice", json!({"size": 500, "file_id": 4})),
        message(5, 111, "video", json!({"size": 1_300_000, "file_id": 5, "dc": 2})),
        message(6, 111, "geo", Value::Null),
        message(
            7,
            112,
            "document",
            json!({"file_name": "c.pdf", "size": 700, "file_id": 7}),
        ),
    ];
    town.messages.insert(CLUB.to_string(), messages);
    town
}

fn names(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<String> = sandbox
        .files()
        .iter()
        .filter_map(|name| name.strip_prefix(&format!("{FOLDER}/")).map(str::to_owned))
        .collect();
    names.sort();
    names
}

#[test]
fn files_are_taken_by_type_extension_size_date_and_sender() {
    let dc = Dc::start(club());
    for (args, taken) in [
        (
            &[][..],
            &[
                "1_a.pdf",
                "2_b.ZIP",
                "3_photo.jpg",
                "4_voice.ogg",
                "5_video.mp4",
                "7_c.pdf",
            ][..],
        ),
        (
            &["--types", "photo", "--types", "voice"],
            &["3_photo.jpg", "4_voice.ogg"],
        ),
        (
            &["--extensions", "zip", "--extensions", ".pdf"],
            &["1_a.pdf", "2_b.ZIP", "7_c.pdf"],
        ),
        (&["--min-size", "1"], &["2_b.ZIP", "5_video.mp4"]),
        (&["--max-size", "0.0007"], &["4_voice.ogg", "7_c.pdf"]),
        (
            &["--since", "2025-01-03", "--until", "2025-01-05"],
            &["3_photo.jpg", "4_voice.ogg"],
        ),
        (&["--sender", "112"], &["2_b.ZIP", "4_voice.ogg", "7_c.pdf"]),
        (&["--limit", "3"], &["5_video.mp4", "7_c.pdf"]),
    ] {
        let sandbox = dc.sandbox();
        let all = [&["@river_club", "--json"][..], args].concat();
        let run = sandbox.run(bin(), &all).expect_code(0).json();
        assert_eq!(names(&sandbox), taken, "{args:?} {run}");
        assert_eq!(run["files"], taken.len(), "{run}");
        let (planned, empty) = (dc.sandbox(), [&all[..], &["--dry-run"]].concat());
        let plan = planned.run(bin(), &empty).expect_code(0).json();
        assert_eq!(
            (&plan["files"], &plan["planned"]),
            (&taken.len().into(), &true.into())
        );
        assert!(names(&planned).is_empty());
    }
    let sandbox = dc.sandbox();
    sandbox
        .run(bin(), &["@river_club", "--min-size", "2", "--max-size", "1"])
        .expect_code(2);
    sandbox
        .run(
            bin(),
            &["@river_club", "--since", "2025-02-01", "--until", "2025-01-01"],
        )
        .expect_code(2);
}

#[test]
fn what_is_there_is_kept_and_a_file_that_was_cut_off_is_gone_on_with() {
    let dc = Dc::start(club());
    let sandbox = dc.sandbox();
    let args = ["@river_club", "--extensions", "zip", "--json"];
    // The third of six parts is never answered; the run is killed while it waits.
    dc.fail(Fault {
        method: "upload.getFile".into(),
        after: 2,
        delay_ms: 60_000,
        ..Fault::default()
    });
    let running = sandbox.start(bin(), &args, b"");
    let part = || {
        let folder = std::fs::read_dir(sandbox.path(FOLDER)).ok()?;
        let sizes = folder.flatten().filter_map(|entry| entry.metadata().ok());
        sizes.map(|there| there.len()).max()
    };
    while part() != Some(2 * 512 * 1024) {
        std::thread::sleep(Duration::from_millis(5));
    }
    running.signal("KILL");
    let _ = running.finish();
    dc.heal();
    dc.forget_requests();
    sandbox.run(bin(), &args).expect_code(0);
    let offsets: Vec<i64> = dc
        .calls("upload.getFile")
        .iter()
        .filter_map(|call| call.args["offset"].as_i64())
        .collect();
    assert_eq!(offsets.iter().min(), Some(&(2 * 512 * 1024)), "{offsets:?}");
    let zip = std::fs::read(sandbox.path(&format!("{FOLDER}/2_b.ZIP"))).unwrap();
    assert!(zip == media::bytes(2, 3_000_000, 0, 3_000_000));
    assert_eq!(names(&sandbox), ["2_b.ZIP"]);
    // Everything: the archive is kept, the others come, some of them from another data centre.
    dc.forget_requests();
    let run = sandbox
        .run(bin(), &["@river_club", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&run["files"], &run["chats"][0]["files_kept"]),
        (&5.into(), &1.into()),
        "{run}"
    );
    dc.forget_requests();
    let run = sandbox
        .run(bin(), &["@river_club", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&run["files"], dc.calls("upload.getFile").len()),
        (&0.into(), 0),
        "{run}"
    );
}

#[test]
fn what_is_missing_is_told_and_fetched_next_time() {
    let dc = Dc::start(club());
    dc.fail(Fault {
        method: "upload.getFile".into(),
        error: Some("FLOOD_WAIT_4000".into()),
        after: 1,
        times: 1,
        ..Fault::default()
    });
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["@river_club", "--json"])
        .expect_code(3)
        .json();
    let missing = run["files_missing"].as_u64().unwrap();
    assert!(missing >= 1, "{run}");
    assert_eq!(run["files"].as_u64().unwrap() + missing, 6);
    assert!(
        run["chats"][0]["reasons"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("wait"),
        "{run}"
    );
}
