//! The program from outside: shops on loopback, saved pages, rules and prices.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod files;
mod polite;
mod small;
mod stopped;

use std::{path::Path, time::Duration};

use serde_json::Value;
use testkit::{Finished, Goods, Sandbox, Shop};

/// Fast enough for a test, and slow enough that a request that does not wait is noticed.
const PACE: Duration = Duration::from_millis(50);

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_product_crawler"))
}

fn sandbox() -> Sandbox {
    Sandbox::new().unwrap().env("ONEJOB_ALLOW_PRIVATE", "1")
}

/// Crawls a shop into `out`.
fn crawl(sandbox: &Sandbox, shop: &Shop, more: &[&str]) -> Finished {
    let url = shop.url();
    let args = [&[url.as_str(), "-o", "out", "--delay", "0.06", "--json"], more].concat();
    sandbox.run(program(), &args)
}

fn report(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&std::fs::read(sandbox.path("out/crawl.json")).unwrap()).unwrap()
}

/// The products of a crawl, by name.
fn products(sandbox: &Sandbox) -> Vec<Value> {
    let text = std::fs::read_to_string(sandbox.path("out/products.ndjson")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn sitemap(paths: &[&str]) -> Goods {
    let entries: Vec<String> = paths
        .iter()
        .map(|path| format!("<url><loc>{path}</loc></url>"))
        .collect();
    Goods::new(
        "/sitemap.xml",
        "application/xml",
        format!("<urlset>{}</urlset>", entries.concat()),
    )
}

/// A shop with these products in its sitemap, besides `more`.
fn shop(products: &[(&str, &str, &str)], more: Vec<Goods>) -> Shop {
    let paths: Vec<&str> = products.iter().map(|(path, ..)| *path).collect();
    let mut goods = more;
    goods.push(Goods::page("/", "<h1>Shop</h1>"));
    if !goods.iter().any(|goods| goods.path == "/sitemap.xml") {
        goods.push(sitemap(&paths));
    }
    goods.extend(
        products
            .iter()
            .map(|(path, name, price)| Goods::product(path, name, price)),
    );
    Shop::open(goods, &["/cart"], PACE).unwrap()
}
