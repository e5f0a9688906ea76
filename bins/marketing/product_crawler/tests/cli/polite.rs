//! What a shop may expect of its crawler.

use std::time::Duration;

use testkit::{Goods, Shop};

use crate::{PACE, crawl, products, program, report, sandbox, shop, sitemap};

#[test]
fn rules_and_pace_are_kept_and_every_address_has_its_reason() {
    let robots = "User-agent: *\nDisallow: /cart\nDisallow: /p/secret\n";
    let map = sitemap(&[
        "/p/1",
        "/p/2",
        "/p/secret",
        "/cart/add",
        "https://other.example/p/3",
        "/about",
        "/p/gone",
        "/p/1#top",
    ]);
    let shop = shop(
        &[
            ("/p/1", "Cup", "1.00"),
            ("/p/2", "Box", "2.00"),
            ("/p/secret", "Hidden", "9.00"),
        ],
        vec![
            Goods::new("/robots.txt", "text/plain", robots),
            map,
            Goods::page("/about", "<h1>About</h1>"),
        ],
    );
    let sandbox = sandbox();
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(shop.violations(), Vec::<String>::new());
    assert_eq!(
        shop.paths(),
        [
            "/robots.txt",
            "/",
            "/sitemap.xml",
            "/p/1",
            "/p/2",
            "/about",
            "/p/gone"
        ]
    );
    assert!(
        shop.visits()
            .iter()
            .all(|visit| visit.agent.starts_with("onejob-product_crawler/"))
    );
    assert_eq!(
        (&output["products"], &output["gone"], &output["without_product"]),
        (&2.into(), &1.into(), &1.into())
    );
    let left: Vec<_> = report(&sandbox)["not_visited"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| {
            let text = |name: &str| left[name].as_str().unwrap_or_default().to_owned();
            (text("url").replace(&shop.url(), ""), text("why"), text("rule"))
        })
        .collect();
    let own = |url: &str, why: &str, rule: &str| (url.to_owned(), why.to_owned(), rule.to_owned());
    assert_eq!(
        left,
        [
            own("https://other.example/p/3", "another host", ""),
            own(
                "/p/secret",
                "forbidden by robots.txt",
                "line 3: Disallow: /p/secret"
            ),
            own("/cart/add", "forbidden by robots.txt", "line 2: Disallow: /cart"),
        ]
    );
    let names: Vec<_> = products(&sandbox)
        .iter()
        .map(|product| product["name"].clone())
        .collect();
    assert_eq!(names, ["Cup", "Box"]);
}

#[test]
fn a_longer_crawl_delay_wins() {
    let pace = Duration::from_millis(400);
    let robots = "User-agent: onejob\nCrawl-delay: 0.45\n\nUser-agent: *\nDisallow: /\n";
    let goods = vec![
        Goods::new("/robots.txt", "text/plain", robots),
        Goods::page("/", ""),
        sitemap(&["/p/1"]),
        Goods::product("/p/1", "Cup", "1.00"),
    ];
    // What robots.txt asks for is known only once it was read, so that request alone comes at the other pace.
    let shop = Shop::open(goods, &[], pace).unwrap();
    let sandbox = sandbox();
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(output["delay"], 0.45);
    assert_eq!(shop.violations(), Vec::<String>::new());
}

#[test]
fn a_shop_of_others_is_never_asked_faster_than_once_a_second() {
    let sandbox = sandbox();
    let refused = sandbox
        .run(program(), &["https://shop.example", "--delay", "0.5"])
        .expect_code(2);
    assert!(refused.stderr.contains("once a second"), "{}", refused.stderr);
}

#[test]
fn nothing_is_fetched_while_the_rules_are_unknown() {
    let shop = shop(
        &[("/p/1", "Cup", "1.00")],
        vec![Goods::status("/robots.txt", 503)],
    );
    let sandbox = sandbox();
    let run = crawl(&sandbox, &shop, &[]).expect_code(75);
    assert!(run.stderr.contains("robots.txt answered 503"), "{}", run.stderr);
    assert_eq!(shop.paths(), ["/robots.txt"]);
    assert_eq!(sandbox.files(), Vec::<String>::new());
}

#[test]
fn a_robots_txt_that_is_a_web_page_allows_with_a_warning() {
    let page = Goods::page(
        "/robots.txt",
        "<!doctype html><html><body>Disallow: /</body></html>",
    );
    let shop = shop(&[("/p/1", "Cup", "1.00")], vec![page]);
    let sandbox = sandbox();
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(output["products"], 1);
    assert!(
        output["warnings"][0]
            .as_str()
            .unwrap()
            .contains("robots.txt is a web page"),
        "{output}"
    );
}

#[test]
fn private_addresses_are_refused_unless_allowed_and_never_reached_by_redirect() {
    let shop = shop(
        &[("/p/1", "Cup", "1.00")],
        vec![
            sitemap(&["/p/1", "/p/away", "/p/near"]),
            Goods::redirect("/p/near", "/p/1"),
            Goods::redirect("/p/away", "http://169.254.169.254/latest/"),
        ],
    );
    let strict = testkit::Sandbox::new().unwrap();
    let refused = crawl(&strict, &shop, &[]).expect_code(2);
    assert!(refused.stderr.contains("private address"), "{}", refused.stderr);
    assert_eq!(shop.visits(), []);
    let sandbox = sandbox();
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(
        output["products"], 1,
        "the redirect leads to the same product: {output}"
    );
    let left = report(&sandbox)["not_visited"].clone();
    assert_eq!(left[0]["why"], "leads to a private address", "{left}");
    assert_eq!(shop.paths().iter().filter(|path| *path == "/p/1").count(), 1);
}

#[test]
fn a_shop_in_trouble_gets_time_and_then_peace() {
    let busy = Goods {
        busy: 1,
        ..Goods::product("/p/2", "Box", "2.00")
    };
    let one = shop(&[("/p/1", "Cup", "1.00")], vec![sitemap(&["/p/1", "/p/2"]), busy]);
    let sandbox = sandbox();
    let run = crawl(&sandbox, &one, &[]).expect_code(0);
    assert_eq!(run.json()["products"], 2);
    assert!(
        run.took >= Duration::from_secs(1),
        "it waited as long as it was asked to: {:?}",
        run.took
    );
    let down: Vec<Goods> = (1..8).map(|n| Goods::status(&format!("/d/{n}"), 500)).collect();
    let paths: Vec<String> = (1..8).map(|n| format!("/d/{n}")).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let other = shop(&[], [down, vec![sitemap(&paths)]].concat());
    let run = crawl(&sandbox, &other, &["--max", "9"]).expect_code(75);
    assert!(run.stderr.contains("pages in a row failed"), "{}", run.stderr);
    assert_eq!(
        other
            .paths()
            .iter()
            .filter(|path| path.starts_with("/d/"))
            .count(),
        6,
        "three pages, twice each"
    );
    assert_eq!(other.violations(), Vec::<String>::new());
}

#[test]
fn two_crawls_of_one_host_do_not_run_at_once() {
    let slow = Goods {
        delay: Duration::from_secs(2),
        ..Goods::page("/", "<h1>Shop</h1>")
    };
    let goods = vec![slow, sitemap(&["/p/1"]), Goods::product("/p/1", "Cup", "1.00")];
    let shop = Shop::open(goods, &[], PACE).unwrap();
    let sandbox = sandbox();
    let url = shop.url();
    let first = sandbox.start(program(), &[url.as_str(), "-o", "a", "--delay", "0.06"], b"");
    while shop.visits().len() < 2 {
        std::thread::yield_now();
    }
    let second = sandbox
        .run(program(), &[url.as_str(), "-o", "b", "--delay", "0.06"])
        .expect_code(75);
    assert!(second.stderr.contains("another crawl"), "{}", second.stderr);
    first.finish().expect_code(0);
}
