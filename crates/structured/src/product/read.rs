//! From a described thing to a product.

use std::collections::BTreeMap;

use url::Url;

use super::{
    Price, Product, Variant,
    offer::{self, Amount, Offers},
};
use crate::{
    evidence::{Evidence, Source, shortened},
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

/// One price, or the range of several: of the offers, else of the variants.
fn price_of(offers: &Offers, variants: &[Variant]) -> (Option<Price>, Vec<String>) {
    let mut notes = offers.notes.clone();
    let lowest = offers.prices.iter().min_by_key(|amount| amount.value);
    let highest = offers.prices.iter().max_by_key(|amount| amount.value);
    if let (Some(low), Some(high)) = (lowest, highest) {
        let listed = offers
            .list_price
            .as_ref()
            .filter(|listed| listed.value > high.value);
        if offers.list_price.is_some() && listed.is_none() {
            notes.push("a list price that is no higher than the price left aside".to_owned());
        }
        let price = Price {
            amount: low.value.to_string(),
            to: (high.value > low.value).then(|| high.value.to_string()),
            currency: offers.currency.as_ref().map(|fact| fact.value.clone()),
            currency_inferred: offers.currency_inferred,
            list_price: listed.map(|listed| listed.value.to_string()),
            ambiguous: offers.ambiguous.clone(),
        };
        return (Some(price), notes);
    }
    let prices: Vec<&Price> = variants
        .iter()
        .filter_map(|variant| variant.price.as_ref())
        .collect();
    let Some(first) = prices.first() else {
        return (None, notes);
    };
    if prices.iter().any(|price| price.currency != first.currency) {
        notes.push("variants in several currencies: no common price".to_owned());
        return (None, notes);
    }
    let ends = |price: &&Price| [Some(price.amount.clone()), price.to.clone()];
    let mut amounts: Vec<_> = prices
        .iter()
        .flat_map(ends)
        .flatten()
        .filter_map(|text| number(&text))
        .collect();
    amounts.sort_unstable();
    let (Some(low), Some(high)) = (amounts.first(), amounts.last()) else {
        return (None, notes);
    };
    let price = Price {
        amount: low.to_string(),
        to: (high > low).then(|| high.to_string()),
        currency: first.currency.clone(),
        currency_inferred: first.currency_inferred,
        list_price: None,
        ambiguous: prices.iter().find_map(|price| price.ambiguous.clone()),
    };
    (Some(price), notes)
}

fn number(text: &str) -> Option<crate::price::Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    crate::price::Decimal::new(whole, fraction)
}

fn availability_of(offers: &Offers, variants: &[Variant]) -> Vec<String> {
    let own: Vec<String> = offers
        .availability
        .iter()
        .map(|fact| fact.value.clone())
        .collect();
    if !own.is_empty() {
        return own;
    }
    let mut all: Vec<String> = Vec::new();
    for value in variants.iter().flat_map(|variant| &variant.availability) {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    all
}

/// Evidence of price, currency and availability; one of variants is summed up.
fn tell(
    offers: &Offers,
    price: Option<&Price>,
    variants: &[Variant],
    evidence: &mut BTreeMap<String, Vec<Evidence>>,
) {
    let mut add = |field: &str, found: Vec<Evidence>| {
        if !found.is_empty() {
            evidence.insert(field.to_owned(), found);
        }
    };
    let amounts = |amounts: &[Amount]| -> Vec<Evidence> {
        amounts.iter().take(20).map(|a| a.evidence.clone()).collect()
    };
    let mut prices = amounts(&offers.prices);
    if prices.is_empty()
        && let Some(price) = price
    {
        let of_variants =
            |variant: &Variant| variant.evidence.get("price").and_then(|all| all.first().cloned());
        prices = variants.iter().filter_map(of_variants).take(20).collect();
        if prices.is_empty() {
            prices.push(Evidence {
                source: Source::JsonLd,
                place: "variants".to_owned(),
                raw: String::new(),
                value: price.to_string(),
                repairs: Vec::new(),
            });
        }
    }
    add("price", prices);
    add(
        "currency",
        offers.currency.iter().map(|fact| fact.evidence.clone()).collect(),
    );
    add(
        "list_price",
        offers
            .list_price
            .iter()
            .map(|amount| amount.evidence.clone())
            .collect(),
    );
    let mut availability: Vec<Evidence> = offers
        .availability
        .iter()
        .map(|fact| fact.evidence.clone())
        .collect();
    if availability.is_empty() {
        let of_variants = |variant: &Variant| {
            variant
                .evidence
                .get("availability")
                .and_then(|all| all.first().cloned())
        };
        availability = variants.iter().filter_map(of_variants).take(20).collect();
    }
    add("availability", availability);
}
