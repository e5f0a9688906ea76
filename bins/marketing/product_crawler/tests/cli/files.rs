//! What a crawl writes, and what it makes of pages that are no pages.

use std::io::Write as _;

use testkit::{Goods, Shop};

use crate::{PACE, crawl, products, report, sandbox, shop, sitemap};

#[test]
fn a_second_crawl_asks_for_changes_only_and_tells_them() {
    let shop = shop(
        &[
            ("/p/1", "Cup", "1.00"),
            ("/p/2", "Box", "2.00"),
            ("/p/3", "Lid", "3.00"),
        ],
        vec![],
    );
    let sandbox = sandbox();
    let first = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(
        (&first["products"], &first["changes"]["compared"]),
        (&3.into(), &false.into())
    );
    shop.forget();
    shop.put(Goods::product("/p/2", "Box", "2.50"));
    shop.remove("/p/3");
    shop.put(Goods::product("/p/4", "Cup", "4.00"));
    shop.put(sitemap(&["/p/1", "/p/2", "/p/3", "/p/4"]));
    let second = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    let statuses: Vec<_> = shop
        .visits()
        .into_iter()
        .skip(3)
        .map(|visit| (visit.path, visit.status))
        .collect();
    let visit = |path: &str, status| (path.to_owned(), status);
    assert_eq!(
        statuses,
        [
            visit("/p/1", 304),
            visit("/p/2", 200),
            visit("/p/3", 404),
            visit("/p/4", 200)
        ]
    );
    assert_eq!(second["unchanged"], 1);
    let changes = &second["changes"];
    assert_eq!(
        (&changes["price"][0]["before"], &changes["price"][0]["now"]),
        (&"2.00 EUR".into(), &"2.50 EUR".into())
    );
    assert_eq!(
        (&changes["new"][0]["name"], &changes["vanished"][0]["name"]),
        (&"Cup".into(), &"Lid".into())
    );
    let files: Vec<_> = products(&sandbox)
        .iter()
        .map(|product| product["file"].clone())
        .collect();
    assert_eq!(files, ["cup.md", "box.md", "cup-2.md"]);
    assert!(
        std::fs::read_to_string(sandbox.path("out/box.md"))
            .unwrap()
            .contains("2.50 EUR")
    );
}

#[test]
fn names_stay_with_their_pages_and_files_of_others_stay_untouched() {
    let shop = shop(&[("/p/1", "Cup", "1.00"), ("/p/2", "CUP", "2.00")], vec![]);
    let sandbox = sandbox();
    sandbox.file("out/cup.md", "my notes");
    crawl(&sandbox, &shop, &[]).expect_code(0);
    assert_eq!(
        std::fs::read_to_string(sandbox.path("out/cup.md")).unwrap(),
        "my notes"
    );
    let files = |sandbox: &testkit::Sandbox| -> Vec<_> {
        products(sandbox)
            .iter()
            .map(|product| product["file"].clone())
            .collect()
    };
    assert_eq!(files(&sandbox), ["cup-2.md", "cup-3.md"]);
    // The other order, and on a host that does not know the names: they stand in the folder.
    shop.put(sitemap(&["/p/2", "/p/1"]));
    shop.put(Goods::product("/p/2", "Mug", "2.00"));
    std::fs::remove_dir_all(sandbox.root().join("state")).unwrap();
    std::fs::create_dir(sandbox.root().join("state")).unwrap();
    crawl(&sandbox, &shop, &[]).expect_code(0);
    assert_eq!(files(&sandbox), ["cup-3.md", "cup-2.md"]);
    assert!(
        std::fs::read_to_string(sandbox.path("out/cup-3.md"))
            .unwrap()
            .starts_with("Product Name: Mug\n\n## Detailed Description")
    );
}

#[test]
fn pages_that_are_too_much_are_named_and_cost_no_other() {
    let deep = "<div>".repeat(20_000);
    let bomb = {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&vec![b' '; 3_000_000]).unwrap();
        packer.finish().unwrap()
    };
    let mut packed = Goods::new("/p/bomb", "text/html", bomb);
    packed
        .headers
        .push(("content-encoding".to_owned(), "gzip".to_owned()));
    let cut = Goods {
        cut: true,
        ..Goods::page("/p/cut", &"x".repeat(5000))
    };
    let paths = ["/p/1", "/p/deep", "/p/large", "/p/bomb", "/p/cut", "/p/file"];
    let more = vec![
        sitemap(&paths),
        Goods::page("/p/deep", &deep),
        Goods::page("/p/large", &"x".repeat(2_000_000)),
        packed,
        cut,
        Goods::new("/p/file", "application/pdf", "%PDF"),
    ];
    let shop = shop(&[("/p/1", "Cup", "1.00")], more);
    let sandbox = sandbox();
    let run = crawl(&sandbox, &shop, &["--max-bytes", "1000000"]).expect_code(3);
    let output = run.json();
    assert_eq!((&output["products"], &output["failures"]), (&1.into(), &4.into()));
    for (page, why) in [
        ("/p/deep", "open at once"),
        ("/p/large", "larger than 1000000 bytes"),
        ("/p/bomb", "larger than 1000000 bytes"),
        ("/p/cut", "broke off"),
    ] {
        let named = output["failed"].as_array().unwrap().iter().any(|failed| {
            let text = |name: &str| failed[name].as_str().unwrap().to_owned();
            text("url").ends_with(page) && text("why").contains(why)
        });
        assert!(named, "{page}: {}", output["failed"]);
    }
    assert_eq!(
        report(&sandbox)["not_visited"][0]["why"],
        "not a web page but `application/pdf`"
    );
    assert_eq!(products(&sandbox).len(), 1);
}

#[test]
fn list_pages_and_their_further_pages_are_followed_and_variants_visited() {
    let socks = "<script type='application/ld+json'>{\"@type\":\"ProductGroup\",\"name\":\"Socks\",\"hasVariant\":[{\"@type\":\"Product\",\
        \"name\":\"Socks S\",\"offers\":{\"price\":1,\"priceCurrency\":\"EUR\"}},{\"@id\":\"/other/socks-l\"}]}</script><h1>Socks</h1>";
    let goods = vec![
        Goods::page("/", "<a href=/our-products>all</a><a href=/blog>blog</a>"),
        Goods::page(
            "/our-products",
            "<a href=/product/1>1</a><a href=/product/1#x>1</a><a rel=next href='?page=2'>next</a>",
        ),
        Goods::page(
            "/our-products?page=2",
            "<a href=/product/socks>s</a><a href='/our-products'>back</a>",
        ),
        Goods::product("/product/1", "Cup", "1.00"),
        Goods::page("/product/socks", socks),
        Goods::product("/other/socks-l", "Socks L", "3.00"),
    ];
    let shop = Shop::open(goods, &[], PACE).unwrap();
    let sandbox = sandbox();
    let output = crawl(&sandbox, &shop, &[]).expect_code(0).json();
    assert_eq!(output["products"], 3);
    let expected = [
        "/robots.txt",
        "/",
        "/sitemap.xml",
        "/our-products",
        "/our-products?page=2",
        "/product/1",
        "/product/socks",
        "/other/socks-l",
    ];
    assert_eq!(shop.paths(), expected);
    let socks = &products(&sandbox)[1];
    assert_eq!(
        (&socks["price"]["amount"], &socks["variants"][0]["name"]),
        (&"1.00".into(), &"Socks S".into())
    );
}

#[test]
fn the_limit_of_products_is_told_and_nothing_vanishes_by_it() {
    let shop = shop(
        &[
            ("/p/1", "Cup", "1.00"),
            ("/p/2", "Box", "2.00"),
            ("/p/3", "Lid", "3.00"),
        ],
        vec![],
    );
    let sandbox = sandbox();
    crawl(&sandbox, &shop, &[]).expect_code(0);
    let output = crawl(&sandbox, &shop, &["--max", "1"]).expect_code(0).json();
    assert_eq!(
        (&output["products"], &output["over_limit"]),
        (&1.into(), &2.into())
    );
    assert!(output["changes"]["vanished"].is_null(), "{output}");
    assert!(sandbox.files().contains(&"out/lid.md".to_owned()));
}

#[test]
fn without_a_product_the_files_of_an_earlier_crawl_stay() {
    let shop = shop(&[("/p/1", "Cup", "1.00")], vec![]);
    let sandbox = sandbox();
    crawl(&sandbox, &shop, &[]).expect_code(0);
    shop.put(Goods::page("/p/1", "<h1>Closed</h1>"));
    let run = crawl(&sandbox, &shop, &[]).expect_code(3);
    assert!(run.stderr.contains("no product was found"), "{}", run.stderr);
    assert_eq!(products(&sandbox).len(), 1);
    assert_eq!(report(&sandbox)["pages"][0]["outcome"], "no product");
}

#[test]
fn the_shop_of_the_settings_is_crawled_without_arguments() {
    let shop = shop(&[("/p/1", "Cup", "1.00")], vec![]);
    let sandbox = sandbox();
    let settings = format!(
        "[tools.product_crawler.settings]\nbase_url = \"{}\"\n",
        shop.url()
    );
    sandbox.file("shared-config/onejob.toml", settings);
    let run = sandbox.run(crate::program(), &[] as &[&str]).expect_code(0);
    assert_eq!(run.json()["products"], 1);
    assert!(sandbox.files().contains(&"products/cup.md".to_owned()));
    let nothing = crate::sandbox()
        .run(crate::program(), &[] as &[&str])
        .expect_code(2);
    assert!(nothing.stderr.contains("no shop is named"), "{}", nothing.stderr);
}
