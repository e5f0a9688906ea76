//! A crawl that is killed and started again.

use std::collections::BTreeMap;

use testkit::{Goods, Sandbox, Shop};

use crate::{crawl, products, program, sandbox, shop};

/// A shop with so many products.
fn large(count: usize) -> Shop {
    let texts: Vec<(String, String)> = (0..count)
        .map(|n| (format!("/p/{n}"), format!("Cup {n}")))
        .collect();
    let listed: Vec<(&str, &str, &str)> = texts
        .iter()
        .map(|(path, name)| (path.as_str(), name.as_str(), "1.00"))
        .collect();
    shop(&listed, vec![])
}

/// Pages that the store of a sandbox calls done, by looking at it from outside.
fn done(sandbox: &Sandbox) -> usize {
    let path = sandbox.root().join("state/checkpoints.sqlite3");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let count = rusqlite::Connection::open_with_flags(path, flags)
        .and_then(|store| store.query_row("SELECT count(*) FROM done_items", [], |row| row.get::<_, i64>(0)));
    count.map_or(0, |count| usize::try_from(count).unwrap())
}

/// Starts a crawl, kills it as soon as `pages` more are done and the next request has not gone out yet.
fn killed_after(sandbox: &Sandbox, shop: &Shop, pages: usize) {
    let url = shop.url();
    let (wanted, before) = (done(sandbox) + pages, shop.visits().len());
    let running = sandbox.start(
        program(),
        &[url.as_str(), "-o", "out", "--delay", "0.3", "--json"],
        b"",
    );
    let began = std::time::Instant::now();
    while done(sandbox) < wanted {
        assert!(
            began.elapsed().as_secs() < 60,
            "{} visits",
            shop.visits().len() - before
        );
        std::thread::yield_now();
    }
    running.signal("KILL");
    assert_eq!(running.finish().code, None, "it was killed and did not end");
}

#[test]
fn killed_ten_times_it_fetches_every_page_once() {
    let shop = large(14);
    let sandbox = sandbox();
    for _ in 0..10 {
        killed_after(&sandbox, &shop, 1);
        assert!(!sandbox.path("out").exists(), "files come at the end, whole");
    }
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(
        (&output["products"], &output["resumed"]),
        (&14.into(), &true.into())
    );
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in shop.paths() {
        *counts.entry(path).or_default() += 1;
    }
    assert_eq!(counts.len(), 14 + 3);
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert_eq!(shop.violations(), Vec::<String>::new());
    assert_eq!(products(&sandbox).len(), 14);
    // A crawl that has ended is not gone on with.
    shop.forget();
    let again = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(
        (&again["resumed"], &again["unchanged"]),
        (&false.into(), &14.into())
    );
}

#[test]
fn variants_found_before_the_kill_are_not_forgotten() {
    let socks = "<script type='application/ld+json'>{\"@type\":\"ProductGroup\",\"name\":\"Socks\",\"hasVariant\":[{\"@type\":\"Product\",\
        \"name\":\"Socks S\",\"offers\":{\"price\":1,\"priceCurrency\":\"EUR\"}},{\"@id\":\"/socks-l\"}]}</script><h1>Socks</h1>";
    let goods = vec![
        Goods::page("/p/socks", socks),
        Goods::product("/socks-l", "Socks L", "3.00"),
        crate::sitemap(&["/p/socks", "/p/1"]),
    ];
    let shop = shop(&[("/p/1", "Cup", "1.00")], goods);
    let sandbox = sandbox();
    killed_after(&sandbox, &shop, 1);
    let output = crawl(&sandbox, &shop, &[]);
    // Another delay is the same job.
    assert_eq!(output.expect_code(0).json()["products"], 3);
    assert_eq!(
        shop.paths(),
        ["/robots.txt", "/", "/sitemap.xml", "/p/socks", "/p/1", "/socks-l"]
    );
}

#[test]
fn it_begins_anew_when_asked_to() {
    let shop = large(3);
    let sandbox = sandbox();
    killed_after(&sandbox, &shop, 1);
    shop.forget();
    let output = crawl(&sandbox, &shop, &["--restart"]).expect_code(0).json();
    assert_eq!(output["resumed"], false);
    assert_eq!(
        shop.paths(),
        ["/robots.txt", "/", "/sitemap.xml", "/p/0", "/p/1", "/p/2"]
    );
}

#[test]
fn a_stop_is_obeyed_at_once_and_can_be_gone_on_from() {
    let shop = large(3);
    let sandbox = sandbox();
    let url = shop.url();
    let running = sandbox.start(program(), &[url.as_str(), "-o", "out", "--delay", "30"], b"");
    while shop.visits().is_empty() {
        std::thread::yield_now();
    }
    running.signal("TERM");
    let ended = running.finish().expect_code(143);
    assert!(ended.took.as_secs() < 10, "{:?}", ended.took);
    assert_eq!(sandbox.files(), Vec::<String>::new());
}
