//! Products that elements describe, and the traps of offers.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use structured::{Page, Product, Source, extract};
use url::Url;

fn page(html: &str) -> Page {
    extract(html, Some(&Url::parse("https://shop.example/p/1").unwrap()))
}

fn product(html: &str) -> Product {
    page(html).product.unwrap()
}

fn json_ld(json: &str) -> Product {
    product(&format!("<script type=application/ld+json>{json}</script>"))
}

fn price(product: &Product) -> String {
    product
        .price
        .as_ref()
        .map_or_else(|| "none".to_owned(), ToString::to_string)
}

#[test]
fn microdata_is_read_with_what_stands_elsewhere() {
    let found = product(
        "<html lang=de><div itemscope itemtype='http://schema.org/Product' itemref='more'><h1 itemprop=name>Tasse <b>blau</b></h1>\
         <img itemprop=image src=/a.jpg><span itemprop='brand' itemscope itemtype='https://schema.org/Brand'><i itemprop=name>Quill</i></span>\
         <p itemprop=description>Eine&nbsp;Tasse.<script>x()</script></div><aside id=more><div itemprop=offers itemscope \
         itemtype='https://schema.org/Offer'><span itemprop=price>1.298,00 €</span><link itemprop=availability href=http://schema.org/SoldOut></div></aside>",
    );
    assert_eq!(
        (found.name.as_str(), found.brand.as_deref()),
        ("Tasse blau", Some("Quill"))
    );
    assert_eq!(found.images, ["https://shop.example/a.jpg"]);
    assert_eq!(
        (price(&found), found.availability.join(",")),
        ("1298.00 EUR".to_owned(), "sold_out".to_owned())
    );
    let evidence = &found.evidence["price"][0];
    assert_eq!(
        (evidence.source, evidence.raw.as_str()),
        (Source::Microdata, "1.298,00 €")
    );
    assert!(evidence.place.starts_with("#more > "), "{}", evidence.place);
}

#[test]
fn rdfa_is_read_and_other_vocabularies_are_not() {
    let found = product(
        "<html prefix='og: http://ogp.me/ns#'><meta property='og:title' content='Cup'><div vocab='https://schema.org/' typeof=Product>\
         <span property=name>Cup</span><span property='sku' content='C-1'></span><div property=offers typeof='schema:Offer'>\
         <span property='schema:price' content='4.50'>4,50</span><meta property=priceCurrency content=EUR></div></div>",
    );
    assert_eq!(
        (found.name.as_str(), found.sku.as_deref(), price(&found).as_str()),
        ("Cup", Some("C-1"), "4.50 EUR")
    );
    assert_eq!(found.evidence["sku"][0].source, Source::Rdfa);
}

#[test]
fn open_graph_alone_is_a_product_only_when_it_says_so() {
    let found = product(
        "<meta property='og:type' content='product'><meta property='og:title' content='Cup &amp;amp; lid'>\
         <meta property='product:price:amount' content='3.350'><meta property='product:price:currency' content='usd'>\
         <meta property='product:availability' content='in stock'>",
    );
    assert_eq!(
        (found.name.as_str(), price(&found).as_str()),
        ("Cup & lid", "3.350 USD")
    );
    assert_eq!(found.availability, ["in_stock"]);
    assert_eq!(
        page("<meta property='og:title' content='Our blog'><h1>Our blog</h1>").product,
        None
    );
}

#[test]
fn a_price_that_only_readers_see_is_taken_with_its_currency_only() {
    let found = product("<html lang=de><main><h1>Tasse</h1><p class='product-price'>3,50 €</p></main>");
    assert_eq!(
        (price(&found).as_str(), found.evidence["price"][0].source),
        ("3.50 EUR", Source::VisibleText)
    );
    assert_eq!(
        page("<main><h1>Cube</h1><p class=price>10</p></main>").product,
        None
    );
    assert_eq!(
        page("<main><h1>Cube</h1><p>Price 10 EUR</p></main>").product,
        None
    );
}

#[test]
fn a_price_of_nothing_beside_others_is_a_placeholder() {
    let found = json_ld(
        r#"{"@type":"Product","name":"Set","offers":[{"@type":"Offer","price":"0.00","priceCurrency":"EUR"},
        {"@type":"Offer","price":"7.00","priceCurrency":"EUR"},{"@type":"Offer","price":"9","priceCurrency":"EUR"}]}"#,
    );
    assert_eq!(price(&found), "7.00..9 EUR");
    assert!(
        found.notes[0].contains("a price of 0 beside others"),
        "{:?}",
        found.notes
    );
    let alone = json_ld(r#"{"@type":"Product","name":"Set","offers":{"price":0,"priceCurrency":"EUR"}}"#);
    assert_eq!(price(&alone), "0.00 EUR");
    assert!(
        alone.notes[0].contains("free, or a placeholder"),
        "{:?}",
        alone.notes
    );
}

#[test]
fn signs_in_numbers_and_currencies_without_change_are_understood() {
    let found = json_ld(r#"{"@type":"Product","name":"x","offers":{"@type":"Offer","price":"$3.350"}}"#);
    let told = found.price.as_ref().unwrap();
    assert_eq!(
        (price(&found).as_str(), told.currency_inferred),
        ("3.350 USD", true)
    );
    let yen = json_ld(r#"{"@type":"Product","name":"x","offers":{"price":1200,"priceCurrency":"JPY"}}"#);
    assert_eq!(price(&yen), "1200 JPY");
    let bad = json_ld(r#"{"@type":"Product","name":"x","offers":{"price":"-5","priceCurrency":"EUR"}}"#);
    assert_eq!(price(&bad), "none");
    assert!(bad.notes[0].contains("negative"), "{:?}", bad.notes);
}

#[test]
fn a_list_of_products_has_no_main_one() {
    let item = |name: &str| {
        format!(
            "{{\"@type\":\"ListItem\",\"item\":{{\"@type\":\"Product\",\"name\":\"{name}\",\"sku\":\"{name}\"}}}}"
        )
    };
    let html = format!(
        "<title>All</title><h1>All cups</h1><script type=application/ld+json>{{\"@type\":\"ItemList\",\"itemListElement\":[{},{}]}}</script>",
        item("Red"),
        item("Blue")
    );
    let found = page(&html);
    assert_eq!((found.product, found.others.len()), (None, 2));
    assert!(found.notes[0].contains("taken for a list"), "{:?}", found.notes);
}

#[test]
fn two_descriptions_of_one_product_are_one_product() {
    let found = page(
        "<meta property='og:title' content='Cup | Quillmoss'><script type=application/ld+json>{\"@type\":\"Product\",\"name\":\"Cup\"}</script>\
         <div itemscope itemtype='https://schema.org/Product'><span itemprop=name>cup</span><meta itemprop=sku content=C-1></div>\
         <div itemscope itemtype='https://schema.org/Product'><span itemprop=name>Lid</span></div>",
    );
    let main = found.product.unwrap();
    assert_eq!((main.name.as_str(), main.sku.as_deref()), ("Cup", Some("C-1")));
    assert!(main.conflicts.is_empty(), "{:?}", main.conflicts);
    assert_eq!(found.others.len(), 1);
}
