//! From a described thing to a product.

use std::collections::BTreeMap;

use url::Url;

use super::{
    Product, Variant, offer,
    summary::{availability_of, price_of, tell},
};
use crate::{
    evidence::{Evidence, shortened},
    node::{Entry, Node, Value},
    price::Hint,
};

/// Types that are products; all others need an offer to be one.
const PRODUCTS: &[&str] = &[
    "Product",
    "ProductGroup",
    "ProductModel",
    "IndividualProduct",
    "SomeProducts",
    "Vehicle",
    "Car",
    "Drug",
    "DietarySupplement",
];

/// What variants differ in, in the words of schema.org.
const OPTIONS: &[&str] = &[
    "size", "color", "material", "pattern", "width", "height", "depth", "weight",
];

/// Variants of one product, at most.
const MOST_VARIANTS: usize = 500;

/// Whether a thing is a product.
pub fn is_product(node: &Node) -> bool {
    node.is(PRODUCTS)
        || node.is(&["Book", "Movie", "MusicAlbum", "VideoGame", "SoftwareApplication"])
            && node.nodes("offers").next().is_some()
}

/// Reads a product; `None` when it has neither a name nor anything to sell.
pub fn product(node: &Node, base: Option<&Url>, hint: &Hint) -> Option<Product> {
    let mut product = Product::default();
    let mut said = Said {
        product: &mut product.evidence,
    };
    product.name = said
        .text(node, "name", &["name", "title"])
        .unwrap_or_default()
        .replace('\n', " ");
    product.sku = said.text(node, "sku", &["sku", "productID"]);
    product.gtin = said.text(
        node,
        "gtin",
        &["gtin13", "gtin", "gtin14", "gtin12", "gtin8", "isbn"],
    );
    product.mpn = said.text(node, "mpn", &["mpn"]);
    product.brand = said.text(node, "brand", &["brand", "manufacturer"]);
    product.category = said.text(node, "category", &["category"]);
    product.description = said.text(node, "description", &["description"]);
    product.url = said.text(node, "url", &["url"]).map(|url| whole(&url, base));
    product.images = images(node, base, &mut said);
    product.varies_by = varies_by(node);
    product.group = said.text(node, "group", &["productGroupID"]);
    let offers = offer::of(node, hint);
    variants(node, base, hint, &mut product);
    let (price, notes) = price_of(&offers, &product.variants);
    product.notes.extend(notes);
    tell(&offers, price.as_ref(), &product.variants, &mut product.evidence);
    product.price = price;
    product.availability = availability_of(&offers, &product.variants);
    let sells = product.price.is_some()
        || product.sku.is_some()
        || product.gtin.is_some()
        || !product.variants.is_empty();
    (!product.name.is_empty() || sells).then_some(product)
}

/// Notes where each field comes from.
struct Said<'a> {
    product: &'a mut BTreeMap<String, Vec<Evidence>>,
}

impl Said<'_> {
    fn text(&mut self, node: &Node, field: &str, names: &[&str]) -> Option<String> {
        let fact = node.fact(names)?;
        self.product.insert(field.to_owned(), vec![fact.evidence]);
        Some(fact.value)
    }
}

fn whole(address: &str, base: Option<&Url>) -> String {
    let joined = base.and_then(|base| base.join(address).ok());
    joined.map_or_else(|| address.to_owned(), String::from)
}

fn images(node: &Node, base: Option<&Url>, said: &mut Said<'_>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut evidence = Vec::new();
    for entry in node.all("image").take(100) {
        let fact = match &entry.value {
            Value::Node(picture) => picture.fact(&["url", "contentUrl", "@id"]),
            _ => entry.fact(node.source),
        };
        let Some(mut fact) = fact else { continue };
        let address = whole(&fact.value, base);
        fact.evidence.value.clone_from(&address);
        if evidence.is_empty() {
            evidence.push(fact.evidence);
        }
        if !found.contains(&address) && !address.starts_with("data:") {
            found.push(address);
        }
    }
    if !found.is_empty() {
        said.product.insert("images".to_owned(), evidence);
    }
    found
}

fn varies_by(node: &Node) -> Vec<String> {
    let named = node.all("variesBy").filter_map(|entry| entry.fact(node.source));
    named
        .map(|fact| {
            fact.value
                .rsplit(['/', '#', ':'])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .filter(|name| !name.is_empty())
        .collect()
}

fn variants(node: &Node, base: Option<&Url>, hint: &Hint, group: &mut Product) {
    for entry in node.all("hasVariant").take(MOST_VARIANTS) {
        if let Some(link) = link_only(entry, base) {
            if !group.links.contains(&link) {
                group.links.push(link);
            }
            continue;
        }
        let Value::Node(node) = &entry.value else { continue };
        let Some(mut read) = product(node, base, hint) else {
            continue;
        };
        let options = OPTIONS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), shortened(&node.fact(&[name])?.value, 100))));
        read.evidence
            .retain(|field, _| matches!(field.as_str(), "price" | "availability" | "list_price"));
        group.notes.extend(
            read.notes
                .iter()
                .map(|note| format!("variant `{}`: {note}", read.name)),
        );
        group.variants.push(Variant {
            name: read.name,
            sku: read.sku,
            gtin: read.gtin,
            options: options.collect(),
            price: read.price,
            availability: read.availability,
            url: read.url,
            evidence: read.evidence,
        });
    }
    if node.all("hasVariant").count() > MOST_VARIANTS {
        group
            .notes
            .push(format!("only the first {MOST_VARIANTS} variants read"));
    }
}

/// The address of a variant that has nothing else here: a page to visit.
fn link_only(entry: &Entry, base: Option<&Url>) -> Option<String> {
    let address = match &entry.value {
        Value::Reference(id) => id.clone(),
        Value::Node(node) if !node.properties.iter().any(|(name, _)| name != "url") => node
            .fact(&["url"])
            .map(|fact| fact.value)
            .or_else(|| node.id.clone())?,
        Value::Text(text) if text.contains('/') => text.clone(),
        _ => return None,
    };
    let url = match base {
        Some(base) => base.join(&address).ok()?,
        None => Url::parse(&address).ok()?,
    };
    // A part of this page is no page.
    let same = base.is_some_and(|base| base.as_str().split('#').next() == url.as_str().split('#').next());
    (matches!(url.scheme(), "http" | "https") && !(same && url.fragment().is_some())).then(|| url.into())
}
