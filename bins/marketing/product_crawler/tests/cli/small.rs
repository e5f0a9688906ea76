//! The actions beside the crawl.

use testkit::{Goods, Shop};

use crate::{PACE, program, sandbox};

/// A field case that the crate of the readers has too.
fn field(name: &str) -> Vec<u8> {
    let workspace = testkit::tools::workspace();
    std::fs::read(workspace.join("crates/structured/tests/fixtures").join(name)).unwrap()
}

#[test]
fn a_saved_page_is_read_without_the_network() {
    let sandbox = testkit::Sandbox::new().unwrap();
    sandbox.file("page.html", field("variants-and-conflicts/page.html"));
    let url = "https://shop.quillmoss.example/socks";
    let output = sandbox
        .run(program(), &["extract", "page.html", "--url", url, "--json"])
        .expect_code(0)
        .json();
    assert_eq!(output["product"]["price"]["to"], "11.90");
    assert_eq!(
        output["product"]["links"][0],
        "https://shop.quillmoss.example/socks-l"
    );
    let text = sandbox
        .run(program(), &["extract", "page.html", "--text"])
        .expect_code(0)
        .stdout;
    assert!(
        text.contains("conflict, price: JSON-LD 9.90..11.90 / Microdata 10.90 / OpenGraph 9.90"),
        "{text}"
    );
    sandbox.file("none.html", "<h1>Nothing\u{1b}[31m for sale</h1>");
    let none = sandbox
        .run(program(), &["extract", "none.html", "--text"])
        .expect_code(3);
    assert!(none.stderr.contains("no product was found"), "{}", none.stderr);
    sandbox.file("deep.html", "<div>".repeat(20_000));
    let deep = sandbox.run(program(), &["extract", "deep.html"]).expect_code(2);
    assert!(deep.stderr.contains("open at once"), "{}", deep.stderr);
}

#[test]
fn the_words_of_a_page_do_not_act_on_the_terminal() {
    let sandbox = testkit::Sandbox::new().unwrap();
    let page = "<script type='application/ld+json'>{\"@type\":\"Product\",\"name\":\"Cup \\u001b[31m\\u202ered\",\"sku\":\"1\\nerror: forged\"}</script>";
    sandbox.file("page.html", page);
    let text = sandbox
        .run(program(), &["extract", "page.html", "--text"])
        .expect_code(0)
        .stdout;
    assert!(
        text.contains("Cup ␛[31m<U+202E>red") && text.contains("sku: 1␊error: forged"),
        "{text:?}"
    );
}

#[test]
fn robots_tells_the_line_that_decides() {
    let sandbox = testkit::Sandbox::new().unwrap();
    sandbox.file("robots.txt", field("robots-precedence/robots.txt"));
    let run = sandbox
        .run(
            program(),
            &[
                "robots",
                "/shop/cart",
                "/shop/tea",
                "--file",
                "robots.txt",
                "--json",
            ],
        )
        .expect_code(3);
    let output = run.json();
    assert_eq!(output["urls"][0]["rule"], "line 7: Disallow: /shop/cart");
    assert_eq!(
        (&output["urls"][1]["allowed"], &output["crawl_delay"]),
        (&true.into(), &0.5.into())
    );
    sandbox
        .run(program(), &["robots", "/shop/tea", "--file", "robots.txt"])
        .expect_code(0);
    let shop = Shop::open(
        vec![Goods::new(
            "/robots.txt",
            "text/plain",
            "User-agent: *\nDisallow: /x",
        )],
        &[],
        PACE,
    )
    .unwrap();
    let own = crate::sandbox();
    let url = format!("{}/x/1", shop.url());
    own.run(program(), &["robots", &url]).expect_code(3);
    assert_eq!(shop.paths(), ["/robots.txt"]);
    let other = own
        .run(program(), &["robots", &url, "https://other.example/"])
        .expect_code(2);
    assert!(other.stderr.contains("another site"), "{}", other.stderr);
}

#[test]
fn a_price_is_read_or_its_absence_told() {
    let sandbox = sandbox();
    let price = |args: &[&str], code| {
        sandbox
            .run(program(), &[&["price"], args].concat())
            .expect_code(code)
    };
    assert_eq!(price(&["3.350 €", "--lang", "de"], 0).json()["amount"], "3350");
    assert!(
        price(&["3.350 €", "--lang", "de", "--text"], 0)
            .stdout
            .contains("ambiguous: `3.350`: `.` taken for thousands")
    );
    assert_eq!(price(&["3.350 USD", "--machine"], 0).json()["amount"], "3.350");
    assert_eq!(
        price(&["¥12,800", "--country", "JP"], 0).json()["currency"],
        "JPY"
    );
    assert_eq!(price(&["-5,00 €"], 3).json()["notes"][0], "negative: `-5,00`");
    assert!(
        price(&["Call for price"], 3)
            .stderr
            .contains("no price in the text")
    );
}

#[test]
fn wrong_addresses_are_refused_and_their_secrets_not_told() {
    let sandbox = sandbox();
    for (url, named) in [
        ("shop", "`shop` is not an address"),
        ("ftp://shop.example/", "`ftp:` addresses"),
        ("https://bob:CANARY@shop.example/", "user and password"),
        ("https://bob:CANARY@[shop/?t=CANARY", "is not an address"),
    ] {
        let run = sandbox.run(program(), &[url, "-o", "out"]).expect_code(2);
        assert!(
            run.stderr.contains(named) && !run.stderr.contains("CANARY"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(sandbox.files(), Vec::<String>::new());
}
