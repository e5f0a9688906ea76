//! Finding people, over MTProto.

use std::path::Path;

use serde_json::Value;
use testkit::telegram::{Dc, world};

const BIN: &str = env!("CARGO_BIN_EXE_find_user");

fn bin() -> &'static Path {
    Path::new(BIN)
}

fn ids(output: &Value) -> Vec<i64> {
    let users = output["users"].as_array().cloned().unwrap_or_default();
    users.iter().filter_map(|user| user["id"].as_i64()).collect()
}

#[test]
fn the_layout_is_that_of_the_script() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let run = sandbox
        .run(bin(), &["@alice_doe", "ALI", "--text"])
        .expect_code(0);
    assert_eq!(
        run.stdout,
        "Found 1 users matching 'ALI':\n\n\
         User ID         Name                             Messages\n\
         ----------------------------------------------------------\n\
         111             Alice Doe                               2\n"
    );
    let run = sandbox
        .run(bin(), &["river_club", "zzz", "--text"])
        .expect_code(0);
    assert_eq!(run.stdout, "No users found matching 'zzz'\n");
}

#[test]
fn last_names_and_usernames_are_searched() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    for (name, wanted) in [
        ("лесн", vec![112]),
        ("@layla", vec![113]),
        ("doe", vec![111]),
        ("e", vec![111, 500, -1_000_000_001_002]),
    ] {
        let run = sandbox.run(bin(), &["river_club", name, "--json"]).expect_code(0);
        let mut found = ids(&run.json());
        found.sort_by_key(|id| wanted.iter().position(|wanted| wanted == id));
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn the_setting_names_the_chat_and_zero_is_none() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox().env("FIND_USER_CHAT_ID", "1002");
    assert_eq!(
        ids(&sandbox.run(bin(), &["Борис", "--json"]).expect_code(0).json()),
        [112]
    );
    dc.forget_requests();
    let sandbox = dc.sandbox().env("FIND_USER_CHAT_ID", "0");
    let run = sandbox.run(bin(), &["Борис", "--json"]).expect_code(2);
    assert!(run.stderr.contains("FIND_USER_CHAT_ID"), "{}", run.stderr);
    sandbox.run(bin(), &[] as &[&str]).expect_code(2);
    sandbox.run(bin(), &["river_club", " @ "]).expect_code(2);
    assert!(dc.requests().is_empty());
}

#[test]
fn the_member_list_adds_those_who_wrote_nothing() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let args = ["-1000000001005", "owner", "--json"];
    assert_eq!(ids(&sandbox.run(bin(), &args).expect_code(0).json()), [0_i64; 0]);
    let mut args = args.to_vec();
    args.push("--members");
    let output = sandbox.run(bin(), &args).expect_code(0).json();
    assert_eq!(ids(&output), [500]);
    assert_eq!(output["users"][0]["messages"], 0);
}

#[test]
fn members_left_out_of_their_page_do_not_end_the_list() {
    let mut world = testkit::telegram::scenes::gappy(3, &[]);
    let members: Vec<i64> = (7000..7450).collect();
    for id in &members {
        world.entities.push(testkit::telegram::world::Entity {
            kind: "user".into(),
            id: *id,
            first_name: Some(format!("Guest {id}")),
            extra: serde_json::json!({"hidden": *id == 7100 || (7200..7400).contains(id)}),
            ..Default::default()
        });
    }
    world
        .entities
        .iter_mut()
        .filter(|entity| entity.id == 2500)
        .for_each(|club| club.members.clone_from(&members));
    let dc = Dc::start(world);
    let args = ["@gappy_club", "guest", "--members", "--json"];
    let run = dc.sandbox().run(Path::new(BIN), &args).expect_code(0).json();
    assert_eq!(run["users"].as_array().unwrap().len(), 450 - 201);
}
