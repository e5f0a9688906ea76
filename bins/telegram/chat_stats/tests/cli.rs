//! Statistics, over MTProto.

use std::path::Path;

use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_chat_stats");

fn bin() -> &'static Path {
    Path::new(BIN)
}

#[test]
fn the_layout_is_that_of_the_script() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["111", "-t", "3", "--text"]).expect_code(0);
    assert_eq!(
        run.stdout,
        "Analyzing chat: 111...\n\n=== Chat Statistics ===\n\n\
         Total messages analyzed: 3\nMessages with media: 0 (0.0%)\nUnique participants: 2\n\
         Date range: 2025-03-01 to 2025-03-01\nMessages per day: 3.0\n\n=== Top 3 Senders ===\n\n\
         #    Name                      Messages      Chars  Avg len\n\
         ------------------------------------------------------------\n\
         1    Alice Doe                        2          5        2\n\
         2    Owner Self                       1          8        8\n"
    );
}

#[test]
fn characters_reactions_and_days_are_counted() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["river_club", "--json", "-t", "100"])
        .expect_code(0)
        .json();
    assert_eq!(run["messages"], 20);
    assert_eq!(run["reactions"], 4);
    assert_eq!(run["reactions_by_emoji"][0]["emoji"], "🔥");
    assert_eq!(run["reactions_by_emoji"][0]["count"], 2);
    assert_eq!(run["days"][0]["date"], "2025-01-01");
    let days: u64 = run["days"]
        .as_array()
        .unwrap()
        .iter()
        .map(|day| day["messages"].as_u64().unwrap())
        .sum();
    assert_eq!(days, 20);
    let senders = run["senders"].as_array().unwrap();
    let arabic = senders.iter().find(|sender| sender["id"] == 113).unwrap();
    assert_eq!(arabic["characters"], "صباح الخير يا أصدقاء".chars().count());
    let all: u64 = senders.iter().map(|s| s["messages"].as_u64().unwrap()).sum();
    assert_eq!(all, 20);
}

#[test]
fn posts_of_a_channel_have_no_sender() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["@garden_news", "--json"])
        .expect_code(0)
        .json();
    assert_eq!((&run["messages"], &run["participants"]), (&5.into(), &0.into()));
    assert_eq!(run["per_day"], 1.25);
}

#[test]
fn an_empty_chat_is_counted_without_nan() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox.run(bin(), &["@quiet_channel", "--text"]).expect_code(0);
    assert!(
        run.stdout
            .contains("Total messages analyzed: 0\nMessages with media: 0 (0.0%)\n"),
        "{}",
        run.stdout
    );
    sandbox.run(bin(), &["@nobody_at_all", "--json"]).expect_code(66);
    sandbox.run(bin(), &["river_club", "-l", "0"]).expect_code(2);
}
