//! Signing in over MTProto: code, password, QR code, and taking over other programs' sessions.

use std::path::Path;

use testkit::telegram::{Dc, session, world};

const BIN: &str = env!("CARGO_BIN_EXE_init_session");

fn bin() -> &'static Path {
    Path::new(BIN)
}

/// A town whose account is signed out, and a sandbox with a session that leads there.
fn signed_out(password: Option<&str>) -> (Dc, testkit::Sandbox) {
    let mut town = world("town");
    town.authorized = false;
    if let Some(login) = &mut town.login {
        login.password = password.map(str::to_owned);
    }
    let dc = Dc::start(town);
    let sandbox = dc.sandbox().env("TELEGRAM_PHONE", "+1 000 000-00-00");
    (dc, sandbox)
}

#[test]
fn a_code_in_a_second_run_signs_in() {
    let (dc, sandbox) = signed_out(None);
    let first = sandbox.run(bin(), &["--json"]).expect_code(0).json();
    assert_eq!(first["status"], "code_sent");
    sandbox.run(bin(), &["--check"]).expect_code(77);
    // A mistyped code can be typed again.
    let wrong = sandbox.run(bin(), &["--code", "11111", "--json"]).expect_code(77);
    assert!(wrong.stderr.contains("code_wrong"), "{}", wrong.stderr);
    let done = sandbox.run(bin(), &["--code", "24680", "--json"]).expect_code(0);
    assert_eq!(done.json()["account_id"], 500);
    assert_eq!(done.json()["username"], "owner_self");
    assert!(!done.stderr.contains("24680") && !done.stdout.contains("24680"));
    sandbox.run(bin(), &["--check", "--json"]).expect_code(0);
    assert_eq!(dc.calls("auth.sendCode").len(), 1);
    assert!(
        !sandbox.files().iter().any(|name| name.contains(".login")),
        "{:?}",
        sandbox.files()
    );
}

#[test]
fn the_two_step_password_is_proved_and_never_shown() {
    let (_dc, sandbox) = signed_out(Some("river stone"));
    sandbox.run(bin(), &["--json"]).expect_code(0);
    let needed = sandbox.run(bin(), &["--code", "24680"]).expect_code(77);
    assert!(needed.stderr.contains("TELEGRAM_PASSWORD"), "{}", needed.stderr);
    let wrong = sandbox
        .run(bin(), &["--code", "24680", "--password", "river sand", "--json"])
        .expect_code(77);
    assert!(
        wrong.stderr.contains("password_wrong") && !wrong.stderr.contains("river sand"),
        "{}",
        wrong.stderr
    );
    sandbox.run(bin(), &["--json"]).expect_code(0);
    let sandbox = sandbox.env("TELEGRAM_PASSWORD", "river stone");
    let done = sandbox.run(bin(), &["--code", "24680", "--json"]).expect_code(0);
    assert_eq!(done.json()["status"], "signed_in");
    assert!(!done.stderr.contains("river stone") && !done.stdout.contains("river stone"));
}

#[test]
fn an_account_at_another_data_centre_is_followed() {
    let mut town = world("town");
    town.authorized = false;
    if let Some(login) = &mut town.login {
        login.password = None;
        login.dc = Some(2);
    }
    let dc = Dc::start(town);
    let sandbox = dc.sandbox().env("TELEGRAM_PHONE", "+10000000000");
    sandbox.run(bin(), &["--json"]).expect_code(0);
    sandbox.run(bin(), &["--code", "24680", "--json"]).expect_code(0);
    sandbox.run(bin(), &["--check"]).expect_code(0);
}

#[test]
fn a_scanned_code_signs_in() {
    let (dc, sandbox) = signed_out(None);
    let started = sandbox.start(bin(), &["--qr", "--json"], b"");
    std::thread::sleep(std::time::Duration::from_millis(1200));
    dc.accept_login_token();
    let run = started.finish().expect_code(0);
    assert_eq!(run.json()["account_id"], 500);
    assert!(
        run.stderr.contains('█') || run.stderr.contains('▀'),
        "a picture to scan: {}",
        run.stderr
    );
}

#[test]
fn a_session_that_works_is_not_replaced_unasked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox().env("TELEGRAM_PHONE", "+10000000000");
    let before = std::fs::read(sandbox.path("telegram_session.session")).unwrap();
    let run = sandbox.run(bin(), &["--json"]).expect_code(73);
    assert!(run.stderr.contains("--force"), "{}", run.stderr);
    assert_eq!(
        std::fs::read(sandbox.path("telegram_session.session")).unwrap(),
        before
    );
    assert!(dc.calls("auth.sendCode").is_empty());
}

#[test]
fn a_telethon_session_is_taken_over_and_left_as_it_was() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    std::fs::remove_file(sandbox.path("telegram_session.session")).unwrap();
    session::write_telethon(&sandbox.path("old.session"), dc.port());
    let before = std::fs::read(sandbox.path("old.session")).unwrap();
    let run = sandbox
        .run(bin(), &["--import", "old.session", "--json"])
        .expect_code(0);
    assert_eq!(run.json()["account_id"], 500);
    assert!(
        run.stderr.contains("revoked"),
        "the danger of one key at two places is told: {}",
        run.stderr
    );
    assert_eq!(std::fs::read(sandbox.path("old.session")).unwrap(), before);
    sandbox.run(bin(), &["--check"]).expect_code(0);
    // What is no login is not taken over, and leaves nothing behind.
    sandbox.file("junk.session", b"not a database at all");
    sandbox
        .run(bin(), &["--import", "junk.session", "--force"])
        .expect_code(78);
    sandbox
        .run(bin(), &["--import", "missing.session", "--force"])
        .expect_code(66);
    sandbox.run(bin(), &["--check"]).expect_code(0);
    assert!(
        !sandbox.files().iter().any(|name| name.contains(".import")),
        "{:?}",
        sandbox.files()
    );
}

#[test]
fn a_grammers_session_is_taken_over_too() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    std::fs::rename(
        sandbox.path("telegram_session.session"),
        sandbox.path("other.session"),
    )
    .unwrap();
    sandbox
        .run(bin(), &["--import", "other.session", "--json"])
        .expect_code(0);
    sandbox.run(bin(), &["--check"]).expect_code(0);
}

#[test]
fn what_lies_beside_an_imported_session_is_left_alone() {
    let dc = Dc::start(world("town"));
    let sandbox = dc.sandbox();
    std::fs::remove_file(sandbox.path("telegram_session.session")).unwrap();
    session::write_telethon(&sandbox.path("old.session"), dc.port());
    for end in ["journal", "wal"] {
        sandbox.file(
            &format!("old.session-{end}"),
            format!("left by a program that was killed: {end}"),
        );
    }
    let listed = || {
        let mut files = sandbox.files();
        files.retain(|name| name.starts_with("old.session"));
        files
    };
    let before = listed();
    sandbox
        .run(bin(), &["--import", "old.session", "--json"])
        .expect_code(0);
    assert_eq!(listed(), before);
    for end in ["journal", "wal"] {
        let text = std::fs::read_to_string(sandbox.path(&format!("old.session-{end}"))).unwrap();
        assert_eq!(text, format!("left by a program that was killed: {end}"));
    }
}

#[test]
fn the_number_and_its_code_are_kept_from_others_and_not_for_long() {
    let (_dc, sandbox) = signed_out(None);
    let state = || {
        let mut found = Vec::new();
        let mut folders = vec![sandbox.root().join("state")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else if String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap())
                    .contains("the-hash-of-the-code")
                {
                    found.push(entry.path());
                }
            }
        }
        found
    };
    sandbox.run(bin(), &["--json"]).expect_code(0);
    let kept = state();
    assert_eq!(kept.len(), 1, "{kept:?}");
    let mode = |path: &Path| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
    };
    assert_eq!((mode(&kept[0]), mode(kept[0].parent().unwrap())), (0o600, 0o700));
    sandbox.run(bin(), &["--code", "24680"]).expect_code(0);
    assert!(state().is_empty(), "{:?}", state());
}
