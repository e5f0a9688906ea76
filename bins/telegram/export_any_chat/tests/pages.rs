//! HTML exports of many messages: pages, their index, what it searches, and the checksums.

use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

use testkit::Sandbox;
use testkit::telegram::world::{Generated, Message};
use testkit::telegram::{Dc, World, world};

const LARGE: &str = "-1000000002001";
const COUNT: i32 = 12_000;
const ARGS: [&str; 7] = ["large_club", "0", "-f", "html", "-o", "club.html", "--json"];

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_export_any_chat"))
}

/// A chat of so many messages, some of which are what a test needs.
fn large(count: i32, messages: Vec<Message>) -> World {
    let mut large = world("large");
    if let Some(generated) = large.generated.get_mut(LARGE) {
        *generated = Generated {
            count,
            ..generated.clone()
        };
    }
    large.messages.insert(LARGE.to_owned(), messages);
    large
}

fn message(id: i32, minutes: i32, text: &str) -> Message {
    let (day, hour, minute) = (1 + minutes / 1440, minutes / 60 % 24, minutes % 60);
    Message {
        id,
        text: text.into(),
        date: format!("2020-01-{day:02}T{hour:02}:{minute:02}:00"),
        from: Some(1001),
        sender_known: true,
        ..Message::default()
    }
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    std::fs::read_to_string(sandbox.path(name)).unwrap_or_default()
}

fn anchors(page: &str) -> HashSet<&str> {
    page.split("id=\"m")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

fn checked(sandbox: &Sandbox) {
    let sums = Command::new("sha256sum")
        .args(["--strict", "-c", "club_files.sha256"])
        .current_dir(sandbox.path("."))
        .output();
    let agree = sums
        .as_ref()
        .is_ok_and(|sums| sums.status.success() && sums.stderr.is_empty());
    assert!(agree, "{sums:?}");
}

#[test]
fn a_long_chat_has_pages_an_index_and_checksums() {
    let evil = "</script><script>alert(1)</script>\u{2028}\u{202e}needle \"'\\";
    let answer = Message {
        reply_to: Some(42),
        ..message(11_000, 11_000, "an answer to the first page")
    };
    let dc = Dc::start(large(
        COUNT,
        vec![message(42, 42, "a question"), message(7000, 7000, evil), answer],
    ));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &ARGS).expect_code(0).json();
    assert_eq!(
        (&run["messages"], &run["pages"]),
        (&12_000.into(), &3.into()),
        "{run}"
    );

    let names = ["club.html", "club_2.html", "club_3.html"];
    let pages = names.map(|name| read(&sandbox, name));
    assert!(!sandbox.path("club_4.html").exists());
    let found = pages.each_ref().map(|page| anchors(page));
    assert_eq!(found.each_ref().map(HashSet::len), [5000, 5000, 2000]);
    assert!(found[0].contains("5000") && found[1].contains("5001") && found[2].contains("12000"));
    for page in &pages {
        assert!(!page.contains("<script"), "a page with a script");
        assert!(page.contains("href=\"club_index.html\"") && page.ends_with("</html>\n"));
        assert!(page.contains("Member 1001, id 1001\"") && page.contains("<small>id 1001</small>"));
    }
    assert!(!pages[0].contains("rel=\"prev\"") && pages[0].contains("rel=\"next\" href=\"club_2.html\""));
    assert!(pages[1].contains("rel=\"prev\" href=\"club.html\""));
    assert!(pages[1].contains("rel=\"next\" href=\"club_3.html\"") && !pages[2].contains("rel=\"next\""));
    assert!(pages[2].contains("<a class=\"reply\" href=\"club.html#m42\">"));
    every_link_leads_somewhere(&names, &pages, &found);

    let index = read(&sandbox, "club_index.html");
    assert!(
        index.contains(
            "<a href=\"club_2.html\">Page 2</a><small>5000 messages · numbers 5001 – 10000</small>"
        )
    );
    // Message 1440 is the first of the second day: one a minute from midnight, and the first came after a minute.
    assert!(
        index.contains("href=\"club.html#m1440\" title=\"2 January 2020: 1440 messages\""),
        "{index}"
    );
    let days: usize = index
        .split(" messages\">")
        .filter_map(|before| before.rsplit(": ").next()?.parse::<usize>().ok())
        .sum();
    assert_eq!(days, 12_000);
    every_link_leads_somewhere(
        &["club_index.html"],
        std::slice::from_ref(&index),
        &[HashSet::new()],
    );
    for (link, page) in names.iter().zip(&found) {
        for rest in index.split(&format!("href=\"{link}#m")).skip(1) {
            let id = rest.split('"').next().unwrap();
            assert!(page.contains(id), "{link} has no message {id}");
        }
    }
    assert_eq!(
        index.matches("<script").count(),
        2,
        "the data and what searches it"
    );

    let search = read(&sandbox, "club_search.js");
    assert!(!search.contains("</") && !search.contains('\u{2028}') && !search.contains('\u{202e}'));
    let line = search.lines().find(|line| line.starts_with("[7000,")).unwrap();
    let row: serde_json::Value = serde_json::from_str(line.trim_end_matches(',')).unwrap();
    assert_eq!(row[1], 1);
    assert_eq!(
        (&row[2], &row[3]),
        (&"2020-01-05 20:40:00".into(), &"Member 1001".into())
    );
    assert_eq!(row[4], evil.replace('\u{2028}', " "));
    assert_eq!(
        search.lines().filter(|line| line.starts_with('[')).count(),
        12_000
    );

    checked(&sandbox);
    let sums = read(&sandbox, "club_files.sha256");
    assert_eq!(sums.lines().count(), 5, "{sums}");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(sandbox.path("club_search.js"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    // The same again, over what is there; and then a shorter one, which tells of what is no part of it.
    sandbox.run(bin(), &ARGS).expect_code(0);
    checked(&sandbox);
    let short = sandbox
        .run(
            bin(),
            &["large_club", "100", "-f", "html", "-o", "club.html", "--json"],
        )
        .expect_code(0);
    assert!(short.json()["pages"].is_null());
    let told = "still there: club_index.html, club_files.sha256, club_2.html, club_3.html, club_search.js";
    assert!(short.stderr.contains(told), "{}", short.stderr);
}

/// Links within a page and to other pages have anchors there.
fn every_link_leads_somewhere(names: &[&str], pages: &[String], found: &[HashSet<&str>]) {
    for (at, page) in pages.iter().enumerate() {
        for link in page
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
        {
            let Some((file, id)) = link.split_once("#m") else {
                continue;
            };
            let place = if file.is_empty() {
                Some(at)
            } else {
                names.iter().position(|name| *name == file)
            };
            if let Some(place) = place {
                assert!(found[place].contains(id), "{link} on {}", names[at]);
            }
        }
    }
}

#[test]
fn an_export_of_five_thousand_is_one_file() {
    let dc = Dc::start(large(5000, Vec::new()));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &ARGS).expect_code(0).json();
    assert!(run["pages"].is_null(), "{run}");
    assert_eq!(anchors(&read(&sandbox, "club.html")).len(), 5000);
    let beside = sandbox.files().into_iter().filter(|name| name.contains("club_"));
    assert_eq!(beside.count(), 0, "{:?}", sandbox.files());
}

#[test]
fn a_dry_run_plans_every_file_and_the_file_of_something_else_stays() {
    let dc = Dc::start(large(5001, Vec::new()));
    let sandbox = dc.sandbox();
    let planned = sandbox
        .run(bin(), &[&ARGS[..], &["--dry-run"]].concat())
        .expect_code(0);
    for name in [
        "club.html",
        "club_2.html",
        "club_index.html",
        "club_search.js",
        "club_files.sha256",
    ] {
        assert!(planned.stdout.contains(name), "{name}: {}", planned.stdout);
        assert!(!sandbox.path(name).exists());
    }
    std::fs::write(sandbox.path("club_2.html"), "<p>precious</p>").unwrap();
    let refused = sandbox.run(bin(), &ARGS).expect_code(73);
    assert!(
        refused.stderr.contains("is a file of something else"),
        "{}",
        refused.stderr
    );
    assert_eq!(read(&sandbox, "club_2.html"), "<p>precious</p>");
    assert!(!sandbox.path("club.html").exists());
}

#[test]
fn attachments_are_among_the_checksums_and_a_page_is_not_taken_for_another_chat() {
    let photo = Message {
        media: Some("document".into()),
        attached: serde_json::json!({"file_name": "a b.pdf", "size": 4000, "file_id": 11}),
        ..message(77, 77, "see here")
    };
    let mut world = large(5001, vec![photo]);
    world.entities.push(testkit::telegram::world::Entity {
        kind: "supergroup".into(),
        id: 6001,
        title: Some("large_club_2".into()),
        ..Default::default()
    });
    world.dialogs.push(testkit::telegram::world::Dialog {
        chat: -1_000_000_006_001,
        ..Default::default()
    });
    let small = vec![message(1, 1, "of another chat")];
    world.messages.insert("-1000000006001".into(), small);
    let dc = Dc::start(world);
    let sandbox = dc.sandbox();
    sandbox
        .run(bin(), &["large_club", "0", "-f", "html", "--media", "1"])
        .expect_code(0);
    let sums = Command::new("sha256sum")
        .args(["--strict", "-c", "large_club_files.sha256"])
        .current_dir(sandbox.path("chats"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&sums.stdout);
    assert!(sums.status.success() && sums.stderr.is_empty(), "{sums:?}");
    assert!(told.contains("large_club_files/77_a b.pdf: OK"), "{told}");
    let page = read(&sandbox, "chats/large_club_2.html");
    sandbox
        .run(
            bin(),
            &["-1000000006001", "0", "-f", "html", "-o", "chats/other.html"],
        )
        .expect_code(0);
    sandbox
        .run(bin(), &["large_club_2", "0", "-f", "html"])
        .expect_code(0);
    assert_eq!(
        read(&sandbox, "chats/large_club_2.html"),
        page,
        "another chat's page"
    );
    assert!(read(&sandbox, "chats/large_club_2_1000000006001.html").contains("of another chat"));
}
