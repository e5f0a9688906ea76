//! The recorded cases over MTProto and a real MariaDB.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testkit::telegram::{Dc, world};
use testkit::{Golden, MariaDb};

const BIN: &str = env!("CARGO_BIN_EXE_export_chats_to_mysql");

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../fixtures/parity/export_chats_to_mysql")
        .join(name)
}

fn with_type(rows: Vec<Value>, id: i64, kind: &str) -> Vec<Value> {
    rows.into_iter()
        .map(|mut row| {
            if row["id"] == id {
                row["chat_type"] = json!(kind);
            }
            row
        })
        .collect()
}

#[test]
fn recorded_cases_give_their_rows_and_their_report() {
    let server = MariaDb::start();
    // A forbidden group is a group; a group that became a supergroup is told anew.
    for (name, changed) in [
        ("happy_path", Some((-78, "group"))),
        ("second_run_updates", Some((-1_000_000_001_002, "supergroup"))),
        ("no_dialogs", None),
    ] {
        let golden = Golden::set_up(&case(name), &server);
        let run = golden.run(Path::new(BIN)).expect_code(0);
        let (recorded, now) = golden.rows(&server, "telegram_chats");
        let wanted = match changed {
            Some((id, kind)) => with_type(recorded, id, kind),
            None => recorded,
        };
        assert_eq!(now.len(), wanted.len(), "{name}");
        for (now, wanted) in now.iter().zip(&wanted) {
            assert_eq!(now, wanted, "{name}");
        }
        let stdout = golden
            .stdout()
            .replace("[user      ] Closed", "[group     ] Closed");
        assert_eq!(run.stdout, stdout, "{name}");
    }
}

#[test]
fn a_missing_table_is_made_and_filled() {
    let server = MariaDb::start();
    let golden = Golden::set_up(&case("table_missing"), &server);
    let run = golden.run(Path::new(BIN)).expect_code(0);
    assert!(run.stdout.contains("  Inserted: 2\n"), "{}", run.stdout);
    assert_eq!(
        server
            .sql("SELECT id, title FROM telegram_chats ORDER BY id")
            .trim(),
        "111\tAlice Doe\n901\tHelper"
    );
}

#[test]
fn a_session_that_is_signed_out_stores_nothing() {
    let server = MariaDb::start();
    let golden = Golden::set_up(&case("not_authorised"), &server);
    let run = golden.run(Path::new(BIN)).expect_code(77);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("init_session"),
        "{}",
        run.stderr
    );
    assert_eq!(server.sql("SELECT COUNT(*) FROM telegram_chats").trim(), "0");
}

#[test]
fn without_a_server_the_rows_go_into_a_file_and_runs_repeat() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    let first = sandbox.run(Path::new(BIN), &["--json"]).expect_code(0).json();
    let all = first["chats"].as_array().unwrap().len();
    assert_eq!(
        (first["inserted"].as_u64(), first["updated"].as_u64()),
        (Some(all as u64), Some(0))
    );
    let again = sandbox.run(Path::new(BIN), &["--json"]).expect_code(0).json();
    assert_eq!(
        (again["inserted"].as_u64(), again["updated"].as_u64()),
        (Some(0), Some(all as u64))
    );
    assert!(sandbox.path("telegram.sqlite").exists());
}
