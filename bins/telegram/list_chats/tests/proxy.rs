//! The way to Telegram through a SOCKS5 proxy, which every Telegram tool goes in the same code.

use std::path::Path;

use testkit::Socks;
use testkit::telegram::{Dc, world};

fn bin() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_list_chats"))
}

#[test]
fn all_connections_go_through_the_proxy() {
    let dc = Dc::start(world("town"));
    let socks = Socks::start(Some(("ann", "hunter2")));
    let proxy = |login: &str| format!("socks5://{login}@{}", socks.address());
    let sandbox = dc.sandbox().env("TELEGRAM_PROXY", proxy("ann:hunter2"));
    let run = sandbox.run(bin(), &[] as &[&str]).expect_code(0);
    assert!(run.stdout.contains("River Club"), "{}", run.stdout);
    assert!(
        run.stderr.contains("through the proxy 127.0.0.1:"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    assert!(socks.connected() > 0 && socks.refused() == 0, "{socks:?}");

    // A proxy that turns one away is never gone round.
    let asked = dc.requests().len();
    let sandbox = dc
        .sandbox()
        .env("TELEGRAM_PROXY", proxy("ann:wrong"))
        .env("ONEJOB_STATE_DIR", sandbox.path("other").display().to_string());
    let run = sandbox.run(bin(), &["--refresh"]).expect_code(75);
    assert!(
        socks.refused() > 0 && dc.requests().len() == asked,
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("wrong@"), "{}", run.stderr);
}

#[test]
fn what_is_no_socks_proxy_is_refused_before_anything_is_asked() {
    let dc = Dc::start(world("town"));
    let sandbox = dc
        .sandbox()
        .env("TELEGRAM_PROXY", "http://ann:hunter2@127.0.0.1:8080");
    let run = sandbox.run(bin(), &[] as &[&str]).expect_code(78);
    assert!(
        run.stderr
            .contains("`TELEGRAM_PROXY` is not the address of a SOCKS5 proxy"),
        "{}",
        run.stderr
    );
    assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
    assert!(dc.requests().is_empty());
}
