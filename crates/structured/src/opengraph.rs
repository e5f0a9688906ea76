//! OpenGraph: what a page tells social networks of itself.

use scraper::{ElementRef, Html, Selector};

use crate::{
    evidence::Source,
    node::{Entry, Node, Value},
    visible,
};

/// Names of OpenGraph and the properties of schema.org that they mean; those of the offer come second.
const PRODUCT: &[(&str, &str)] = &[
    ("og:title", "name"),
    ("og:description", "description"),
    ("og:image", "image"),
    ("og:url", "url"),
    ("product:brand", "brand"),
    ("og:brand", "brand"),
    ("product:retailer_item_id", "sku"),
    ("product:mfr_part_no", "mpn"),
    ("product:ean", "gtin"),
    ("product:category", "category"),
];
const OFFER: &[(&str, &str)] = &[
    ("product:price:amount", "price"),
    ("og:price:amount", "price"),
    ("product:sale_price:amount", "salePrice"),
    ("product:price:currency", "priceCurrency"),
    ("og:price:currency", "priceCurrency"),
    ("product:availability", "availability"),
    ("og:availability", "availability"),
];

/// What OpenGraph says.
#[derive(Clone, Debug, Default)]
pub struct OpenGraph {
    /// Title of the page.
    pub title: Option<String>,
    /// The product, when the page says that it is one.
    pub product: Option<Node>,
}

/// Reads the `meta` elements.
pub fn read(html: &Html) -> OpenGraph {
    let mut found = OpenGraph::default();
    let Ok(selector) = Selector::parse("meta[property], meta[name]") else {
        return found;
    };
    let mut product = node("Product");
    let mut offer = node("Offer");
    let mut is_product = false;
    for element in html.select(&selector) {
        let value = element.value();
        let Some(content) = value.attr("content").filter(|content| !content.trim().is_empty()) else {
            continue;
        };
        let name = value
            .attr("property")
            .or_else(|| value.attr("name"))
            .unwrap_or_default();
        let name = name.trim().to_ascii_lowercase();
        if name == "og:title" {
            found.title.get_or_insert_with(|| content.trim().to_owned());
        }
        is_product |= name == "og:type" && content.to_ascii_lowercase().contains("product");
        for (known, target, place) in [(PRODUCT, &mut product, false), (OFFER, &mut offer, true)] {
            if let Some((_, property)) = known.iter().find(|(known, _)| *known == name) {
                is_product |= place && *property == "price";
                target
                    .properties
                    .push(((*property).to_owned(), entry(element, content)));
            }
        }
    }
    if !offer.properties.is_empty() {
        let entry = Entry {
            place: "meta".to_owned(),
            value: Value::Node(Box::new(offer)),
            machine: true,
            number: false,
        };
        product.properties.push(("offers".to_owned(), entry));
    }
    found.product = is_product.then_some(product);
    found
}

fn node(kind: &str) -> Node {
    Node {
        source: Source::OpenGraph,
        place: "meta".to_owned(),
        types: vec![kind.to_owned()],
        id: None,
        properties: Vec::new(),
    }
}

fn entry(element: ElementRef<'_>, content: &str) -> Entry {
    Entry {
        value: Value::Text(content.to_owned()),
        place: visible::path(*element),
        machine: true,
        number: false,
    }
}
