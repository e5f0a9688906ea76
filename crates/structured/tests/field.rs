//! Pages, prices, rules and sitemaps as shops really have them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::Path;

use structured::{
    Page, Product, Source, extract,
    price::{self, Hint, Reading},
    robots::Robots,
    slug::Names,
    walk::Walk,
};
use url::Url;

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page(name: &str, url: &str) -> Page {
    let html = String::from_utf8(bytes(&format!("{name}/page.html"))).unwrap();
    extract(&html, Some(&Url::parse(url).unwrap()))
}

fn price_of(product: &Product) -> String {
    product
        .price
        .as_ref()
        .map_or_else(|| "none".to_owned(), ToString::to_string)
}

#[test]
fn one_bad_script_costs_no_other() {
    let page = page(
        "jsonld-one-bad-script",
        "https://shop.quillmoss.example/lunch-box",
    );
    let product = page.product.as_ref().unwrap();
    assert_eq!(product.name, "Tin lunch box");
    assert_eq!(product.sku.as_deref(), Some("LB-7"));
    assert_eq!(price_of(product), "18.50 EUR");
    assert_eq!(product.availability, ["in_stock"]);
    assert!(page.others.is_empty());
    for field in ["name", "price"] {
        let evidence = &product.evidence[field][0];
        assert_eq!(evidence.source, Source::JsonLd);
        assert!(evidence.place.starts_with("script 2 /"), "{evidence:?}");
    }
    let repairs: Vec<Vec<&str>> = page
        .scripts
        .iter()
        .map(|script| script.repairs.iter().map(String::as_str).collect())
        .collect();
    assert_eq!(repairs[0], ["extra `}` at the end"]);
    assert_eq!(
        repairs[1],
        [
            "CDATA",
            "comment lines",
            "block comment",
            "trailing comma",
            "trailing `;`"
        ]
    );
    assert_eq!(repairs[2], ["HTML comment"]);
    assert_eq!(page.scripts[0].types, ["BreadcrumbList"]);
    assert_eq!(page.scripts[2].types, ["Organization"]);
    assert!(page.scripts[3].unreadable.as_ref().unwrap().contains("not JSON"));
    assert_eq!(page.scripts[4].unreadable.as_deref(), Some("empty"));
}

#[test]
fn control_characters_and_entities_are_repaired_and_told() {
    let page = page(
        "jsonld-control-and-entities",
        "https://shop.quillmoss.example/bowl",
    );
    let product = page.product.unwrap();
    assert_eq!(product.name, "Bowl \"Moss\" & lid");
    assert_eq!(product.brand.as_deref(), Some("Kühn & Co"));
    assert_eq!(
        product.description.as_deref(),
        Some("Line one\nLine two\tafter a tab")
    );
    assert_eq!(product.images, ["https://shop.quillmoss.example/a.jpg?x=1&y=2"]);
    assert_eq!(product.gtin.as_deref(), Some("4006381333931"));
    assert_eq!(price_of(&product), "12.00 EUR");
    assert_eq!(page.scripts[0].repairs, ["raw control characters"]);
    let name = &product.evidence["name"][0];
    assert_eq!(name.raw, "Bowl &amp;quot;Moss&amp;quot; &amp;#038; lid");
    assert_eq!(name.repairs, ["entities decoded twice"]);
    assert_eq!(product.evidence["brand"][0].repairs, ["entities decoded"]);
    assert_eq!(product.evidence["currency"][0].raw, "eur");
    assert_eq!(
        product.evidence["currency"][0].repairs,
        ["currency in upper case"]
    );
}

/// What was read, in the words of the table.
fn told(reading: &Reading) -> String {
    let Some(amount) = reading.amount else {
        return "none".to_owned();
    };
    let mut text = amount.to_string();
    if let Some(to) = reading.to {
        text += &format!("..{to}");
    }
    if let Some(currency) = &reading.currency {
        text += &format!(" {currency}");
    }
    if let Some(list) = reading.list_price {
        text += &format!(", list {list}");
    }
    if let Some(unit) = &reading.unit {
        text += &format!(", unit {unit}");
    }
    for (flag, name) in [
        (reading.from, "from"),
        (reading.free, "free"),
        (reading.ambiguous.is_some(), "ambiguous"),
    ] {
        if flag {
            text += &format!(", {name}");
        }
    }
    text
}

#[test]
fn odd_prices_are_read_as_people_read_them() {
    let wanted = [
        "1298.00 EUR",
        "1299.00 RUB",
        "1299.90 PLN",
        "1299 CHF",
        "0.89 EUR",
        "0.99 GBP",
        "3350 EUR, ambiguous",
        "3.350 USD",
        "34.992001",
        "1234567.890",
        "123456.50 INR",
        "12800 JPY",
        "1200 RUB, from",
        "39.99 USD, list 49.99",
        "12.99 EUR, unit 0,5 kg",
        "12.99 EUR, unit 0,5 kg",
        "0, free",
        "none",
        "1250..1495 USD, ambiguous",
        "1299.90 BRL",
        "none",
        "none",
        "35.99 EUR",
        "1299 CZK",
    ];
    let table = String::from_utf8(bytes("odd-prices/prices.tsv")).unwrap();
    let rows: Vec<&str> = table.lines().skip(1).collect();
    assert_eq!(rows.len(), wanted.len());
    let mut wrong = Vec::new();
    for (row, wanted) in rows.iter().zip(wanted) {
        let (text, hint) = row.split_once('\t').unwrap();
        let reading = match hint {
            "" => price::display(text, &Hint::default()),
            "de" => price::display(text, &Hint::language("de")),
            _ => price::machine(text),
        };
        if told(&reading) != wanted {
            wrong.push(format!("{text}: {} instead of {wanted}", told(&reading)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let negative = price::display("-5,00 €", &Hint::default());
    assert!(
        negative.notes.iter().any(|note| note.starts_with("negative")),
        "{negative:?}"
    );
}

#[test]
fn the_sign_of_yen_and_yuan_is_decided_by_the_place() {
    let code = |hint: &Hint| price::display("¥12,800", hint).currency;
    assert_eq!(code(&Hint::language("ja")).as_deref(), Some("JPY"));
    assert_eq!(code(&Hint::language("zh-CN")).as_deref(), Some("CNY"));
    let jp = Hint {
        language: None,
        country: Some("jp".to_owned()),
    };
    assert_eq!(code(&jp).as_deref(), Some("JPY"));
    let open = price::display("¥12,800", &Hint::default());
    assert_eq!(
        (open.currency.as_deref(), open.ambiguous.as_deref()),
        (None, Some("`¥` is JPY or CNY"))
    );
}

#[test]
fn the_longest_rule_of_robots_decides() {
    let robots = Robots::parse(&bytes("robots-precedence/robots.txt"));
    let wanted = [
        ("/", false, "line 4: Disallow: /"),
        ("/robots.txt", true, ""),
        ("/shop", true, "line 5: Allow: /shop"),
        ("/shopping", true, "line 5: Allow: /shop"),
        ("/shop/tea", true, "line 5: Allow: /shop"),
        ("/shop/data.json", false, "line 6: Disallow: /shop/*.json$"),
        ("/shop/data.json?x=1", true, "line 5: Allow: /shop"),
        ("/shop/cart", false, "line 7: Disallow: /shop/cart"),
        ("/shop/cart-guide", true, "line 8: Allow: /shop/cart-guide"),
        ("/shop/secret/1", false, "line 21: disallow: /shop/secret"),
        ("/p/a%2Fb", false, "line 9: Disallow: /p/a%2Fb"),
        ("/p/a/b", false, "line 4: Disallow: /"),
        ("/cen%C3%ADk", false, "line 10: Disallow: /ceník"),
        ("/page.html", false, "line 12: Disallow: /*.htm"),
        ("/page", true, "line 11: Allow: /page"),
        ("/shop/x", true, "line 5: Allow: /shop"),
    ];
    let urls = String::from_utf8(bytes("robots-precedence/urls.txt")).unwrap();
    assert!(urls.lines().eq(wanted.iter().map(|(path, ..)| *path)));
    for (path, allowed, rule) in wanted {
        let url = Url::parse(&format!("https://shop.quillmoss.example{path}")).unwrap();
        let verdict = robots.verdict("onejob", &url);
        let named = verdict.rule.unwrap_or_default();
        assert_eq!(
            (verdict.allowed, named.to_lowercase()),
            (allowed, rule.to_lowercase()),
            "{path}"
        );
    }
    assert_eq!(robots.delay("onejob"), Some(0.5));
    assert_eq!(robots.sitemaps, ["https://shop.quillmoss.example/sitemap.xml"]);
    assert!(robots.warnings.is_empty());
}

#[test]
fn knotted_sitemaps_are_untied() {
    let home = Url::parse("https://shop.quillmoss.example/").unwrap();
    let mut walk = Walk::new(&home, 1000, |url| url.host_str() == Some("169.254.169.254"));
    assert!(walk.add("https://shop.quillmoss.example/sitemap.xml"));
    let mut asked = Vec::new();
    while let Some(url) = walk.upcoming() {
        asked.push(url.path().to_owned());
        let file = match url.path() {
            "/sitemap.xml" => "sitemap.xml",
            "/products.xml.gz" => "products.xml.gz",
            "/relative.txt" => "relative.txt.gz.body",
            _ => "",
        };
        if file.is_empty() {
            walk.take(Err("answered 404".to_owned()));
        } else {
            walk.take(Ok((&url, &bytes(&format!("sitemap-knots/{file}")))));
        }
    }
    assert_eq!(
        asked,
        ["/sitemap.xml", "/products.xml.gz", "/gone.xml", "/relative.txt"],
        "each once"
    );
    let pages: Vec<(&str, Option<&str>)> = walk
        .pages
        .iter()
        .map(|page| (page.url.as_str(), page.changed.as_deref()))
        .collect();
    assert_eq!(
        pages,
        [
            ("https://shop.quillmoss.example/p/1?a=1&b=2", None),
            (
                "https://shop.quillmoss.example/p/tea-cup",
                Some("2026-03-01T08:00:00Z")
            ),
            ("https://shop.quillmoss.example/p/%C4%8Daj", None),
            ("https://shop.quillmoss.example/p/9", None),
        ]
    );
    let left: Vec<(&str, &str)> = walk
        .not_followed
        .iter()
        .map(|left| (left.url.as_str(), left.why.as_str()))
        .collect();
    for expected in [
        (
            "https://shop.quillmoss.example/sitemap.xml",
            "a sitemap that was named before",
        ),
        ("http://169.254.169.254/latest/meta-data/", "a private address"),
        ("https://other.example/sitemap.xml", "another host"),
        ("https://other.example/p/3", "another host"),
        ("javascript:alert(1)", "not an http or https address"),
        ("not a url", "not an address"),
    ] {
        assert!(left.contains(&expected), "{expected:?} in {left:?}");
    }
    assert_eq!(left.len(), 6);
    assert_eq!(walk.seen[2].failed.as_deref(), Some("answered 404"));
    // `yesterday` in the index is a time of change too.
    for sitemap in &walk.seen[..2] {
        assert!(
            sitemap
                .notes
                .contains(&"1 times of change are none, dropped".to_owned()),
            "{sitemap:?}"
        );
    }
}

#[test]
fn variants_have_their_own_prices_and_conflicts_are_told() {
    let page = page("variants-and-conflicts", "https://shop.quillmoss.example/socks");
    let product = page.product.as_ref().unwrap();
    assert_eq!(
        (product.name.as_str(), product.group.as_deref()),
        ("Wool socks", Some("WS"))
    );
    assert_eq!(product.varies_by, ["size"]);
    assert_eq!(price_of(product), "9.90..11.90 EUR");
    let variants: Vec<_> = product
        .variants
        .iter()
        .map(|variant| {
            let price = variant.price.as_ref().unwrap();
            let size = variant.options.get("size").map(String::as_str);
            (
                variant.name.as_str(),
                size,
                price.to_string(),
                price.list_price.as_deref(),
                variant.availability.join(","),
            )
        })
        .collect();
    assert_eq!(
        variants,
        [
            (
                "Wool socks S",
                Some("S"),
                "9.90 EUR".to_owned(),
                None,
                "out_of_stock".to_owned()
            ),
            (
                "Wool socks M",
                Some("M"),
                "11.90 EUR".to_owned(),
                Some("14.90"),
                "in_stock".to_owned()
            ),
        ]
    );
    let small = &product.variants[0].evidence["price"][0];
    assert_eq!(
        (small.raw.as_str(), small.repairs.join(",").as_str()),
        ("9,90", "decimal comma")
    );
    assert_eq!(product.links, ["https://shop.quillmoss.example/socks-l"]);
    let conflict = |field: &str| {
        let found = product
            .conflicts
            .iter()
            .find(|conflict| conflict.field == field)
            .unwrap();
        assert_eq!(found.chosen, Source::JsonLd);
        let claims: Vec<_> = found
            .values
            .iter()
            .map(|claim| (claim.source, claim.value.clone()))
            .collect();
        claims
    };
    assert_eq!(
        conflict("price"),
        [
            (Source::JsonLd, "9.90..11.90".to_owned()),
            (Source::Microdata, "10.90".to_owned()),
            (Source::OpenGraph, "9.90".to_owned())
        ]
    );
    assert_eq!(
        conflict("availability"),
        [
            (Source::JsonLd, "out_of_stock,in_stock".to_owned()),
            (Source::Microdata, "in_stock".to_owned())
        ]
    );
    let sources: Vec<Source> = product.evidence["price"]
        .iter()
        .map(|evidence| evidence.source)
        .collect();
    assert!(sources.contains(&Source::Microdata) && sources.contains(&Source::OpenGraph));
    let others: Vec<_> = page
        .others
        .iter()
        .map(|other| (other.name.as_str(), price_of(other)))
        .collect();
    assert_eq!(
        others,
        [
            ("Matching hat", "1250..1495 USD".to_owned()),
            ("Gift wrap", "3.00..4.00 EUR".to_owned())
        ]
    );
    assert!(page.others[0].price.as_ref().unwrap().currency_inferred);
    assert!(
        page.others[1]
            .notes
            .iter()
            .any(|note| note.contains("`lowPrice` on an Offer"))
    );
}

#[test]
fn names_never_collide_and_stay_with_their_address() {
    let table = String::from_utf8(bytes("slug-collisions/names.txt")).unwrap();
    let listed: Vec<(String, &str)> = table
        .lines()
        .enumerate()
        .map(|(index, name)| (format!("https://shop.example/{index}"), name))
        .collect();
    let mut names = Names::new([], false);
    let given: Vec<String> = listed.iter().map(|(url, name)| names.name(url, name)).collect();
    let mut wanted = [
        "ready-mix-beef",
        "ready-mix-beef-2",
        "ready-mix-beef-3",
        "product",
        "product-2",
        "цена-10",
        "цена-10-2",
        "con",
    ]
    .map(str::to_owned)
    .to_vec();
    wanted.extend([
        "a".repeat(200),
        "ä".repeat(100),
        "äpfel".to_owned(),
        "äpfel-2".to_owned(),
    ]);
    assert_eq!(given, wanted);
    // A second run, in another order and with other names of the products.
    let mut later = Names::new(
        listed.iter().map(|(url, _)| url.clone()).zip(given.clone()),
        false,
    );
    for ((url, _), name) in listed.iter().zip(&given).rev() {
        assert_eq!(later.name(url, "renamed"), *name);
    }
    assert_eq!(
        later.name("https://shop.example/new", "Ready Mix Beef"),
        "ready-mix-beef-4"
    );
    assert_eq!(Names::new([], true).name("u", "CON"), "con_");
    let long = later.name("https://shop.example/long", &"a".repeat(300));
    assert!(long.len() <= 200 && long.ends_with("a-2"), "{long}");
}
