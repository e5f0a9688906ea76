//! Searches, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_search_messages");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn the_layout_is_that_of_the_script_without_colour_in_a_pipe() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["@river_club", "my \\w+ words|утро", "--text"])
        .expect_code(0);
    assert_eq!(
        run.stdout,
        "Searching for 'my \\w+ words|утро' in @river_club...\n\n\
         --- #1 [2025-01-01 09:15] Owner Self ---\nmy own words\n\n\
         --- #2 [2025-01-01 09:05] Борис Лесной ---\nДоброе утро! 🌞\n\n\
         Found 2 matches in 20 messages\n"
    );
}

#[test]
fn case_sender_own_messages_and_the_limit_count() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let ids = |args: &[&str]| {
        let mut all = vec!["river_club"];
        all.extend(args);
        all.push("--json");
        let output = sandbox.run(bin(), &all).expect_code(0).json();
        let hits = output["hits"].as_array().cloned().unwrap_or_default();
        let ids: Vec<i64> = hits.iter().filter_map(|hit| hit["id"].as_i64()).collect();
        (ids, output["scanned"].as_u64().unwrap_or_default())
    };
    assert_eq!(ids(&["доброе"]), (vec![], 20));
    assert_eq!(ids(&["доброе", "-i"]), (vec![3], 20));
    assert_eq!(ids(&["o", "--outgoing"]), (vec![10, 9], 20));
    assert_eq!(ids(&["o", "--user-id", "112"]), (vec![12, 11], 20));
    assert_eq!(ids(&["pictures", "--limit", "3"]), (vec![], 3), "too far back");
    assert_eq!(ids(&["pictures"]), (vec![6], 20), "captions count");
}

#[test]
fn telegram_searches_by_itself_when_asked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let output = sandbox
        .run(bin(), &["Workshop forum", "HAMMER", "--server", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(output["hits"][0]["id"], 12, "{output}");
    assert_eq!(output["hits"][1]["matches"][0], serde_json::json!([0, 6]));
    assert_eq!(output["scanned"], 2);
    assert_eq!(dc.calls("messages.search").len(), 1);
    assert!(dc.calls("messages.getHistory").is_empty());
}

#[test]
fn a_bad_expression_is_refused_before_anything_is_asked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["river_club", "(unclosed"]).expect_code(2);
    assert!(
        run.stderr.contains("`(unclosed`") && run.stderr.contains("unclosed group"),
        "{}",
        run.stderr
    );
    assert!(dc.requests().is_empty());
}

#[test]
fn a_title_of_two_chats_is_not_guessed_and_nothing_found_is_no_failure() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    sandbox.run(bin(), &["River Club", "x", "--json"]).expect_code(2);
    let run = sandbox
        .run(bin(), &["river_club", "zzz", "--text"])
        .expect_code(0);
    assert!(
        run.stdout.ends_with("\n\nFound 0 matches in 20 messages\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn messages_that_the_service_leaves_out_do_not_end_the_search() {
    let dc = Dc::start(testkit::telegram::scenes::gappy(1000, &[820..=820, 300..=555]));
    let sandbox = dc.sandbox();
    for more in [&["--server"][..], &[]] {
        let args = [&["@gappy_club", "note", "--limit", "5000", "--json"], more].concat();
        let run = sandbox.run(Path::new(BIN), &args).expect_code(0).json();
        assert_eq!(run["scanned"], 743, "{more:?}");
        assert_eq!(run["hits"].as_array().unwrap().len(), 743);
    }
}
