//! A run that is stopped leaves nothing; one that is killed leaves a folder that the next one removes.

use std::time::{Duration, Instant};

use testkit::{Sandbox, Site};

use crate::{nothing_left, page, processes, program, run, sandbox, slow};

/// Waits until the page was asked for.
fn until_asked(site: &Site) {
    let begun = Instant::now();
    while site.requests().is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the page was never asked for"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn folders(sandbox: &Sandbox) -> usize {
    std::fs::read_dir(sandbox.root().join("tmp")).unwrap().count()
}

#[test]
fn a_stopped_run_leaves_no_browser_no_folder_and_no_picture() {
    let site = Site::routes(vec![slow(page("late"), 600.0)]).unwrap();
    let sandbox = sandbox();
    let started = sandbox.start(program(), &[site.url().as_str(), "a.png"], b"");
    until_asked(&site);
    assert_eq!(folders(&sandbox), 1);
    started.signal("INT");
    assert_eq!(started.finish().code, Some(130));
    assert!(sandbox.files().is_empty());
    nothing_left(&sandbox);
}

#[test]
fn what_a_killed_run_left_is_removed_by_the_next() {
    let site = Site::routes(vec![slow(page("late"), 600.0)]).unwrap();
    let quick = Site::routes(vec![page("quick")]).unwrap();
    let sandbox = sandbox();
    let started = sandbox.start(program(), &[site.url().as_str(), "a.png"], b"");
    until_asked(&site);
    started.signal("KILL");
    started.finish();
    assert_eq!(folders(&sandbox), 1);
    // The browser ends by itself once nobody speaks to it.
    let begun = Instant::now();
    while !processes(&sandbox.root().join("tmp")).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the browser outlived its run"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    run(&sandbox, &[&quick.url(), "b.png"]).expect_code(0);
    nothing_left(&sandbox);
}
