//! A page as a whole: its products, the main one among them, and what became of every script.

use std::collections::HashSet;

use schemars::JsonSchema;
use scraper::{Html, Selector};
use serde::Serialize;
use url::Url;

use crate::{
    evidence::{Evidence, Source},
    jsonld::{self, Script},
    microdata,
    node::{Node, Value},
    opengraph,
    price::{self, Hint},
    product::{Price, Product, bare_name, is_product, merged, product},
    rdfa, visible,
};

/// Products of one page, at most.
const MOST_PRODUCTS: usize = 1000;

/// What a page says about products.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Page {
    /// The product that the page is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// Other products: related ones, or those of a list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Product>,
    /// Every JSON-LD script.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scripts: Vec<Script>,
    /// Language of the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// What was noticed on the page as a whole.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// A description of a product that was not merged yet.
struct Candidate {
    source: Source,
    product: Product,
}

/// Reads the products of a page. `url` is where it was found; relative addresses are told from there.
///
/// The page must have been looked at by a guard against absurd nesting; this only reads.
pub fn extract(html: &str, url: Option<&Url>) -> Page {
    let html = Html::parse_document(html);
    let base = base(&html, url);
    let base = base.as_ref();
    let language = language(&html);
    let hint = Hint {
        language: language.clone(),
        country: url
            .and_then(Url::domain)
            .and_then(|host| Some(host.rsplit_once('.')?.1.to_owned())),
    };
    let (scripts, things) = jsonld::read(&scripts(&html));
    let open_graph = opengraph::read(&html);
    let mut page = Page {
        scripts,
        language,
        ..Page::default()
    };
    let headline = visible::headline(&html);
    let mut candidates = Vec::new();
    for node in things
        .iter()
        .chain(&microdata::read(&html, base))
        .chain(&rdfa::read(&html, base))
    {
        collect(node, base, &hint, 0, &mut candidates);
    }
    drop_variants(&things, base, &mut candidates);
    let og = open_graph
        .product
        .as_ref()
        .and_then(|node| product(node, base, &hint));
    let wanted: Vec<String> = open_graph
        .title
        .iter()
        .chain(&headline)
        .map(|name| bare_name(name))
        .collect();
    let main = main_of(&candidates, &wanted, &mut page.notes);
    let (mut told, others) = part(candidates, main);
    told.extend(og.map(|product| (Source::OpenGraph, product)));
    if told.is_empty() && others.is_empty() {
        told.extend(seen(&html, headline, &hint).map(|product| (Source::VisibleText, product)));
    }
    page.product = merged(told).filter(|product| !product.name.is_empty());
    page.others = others;
    page
}

fn base(html: &Html, url: Option<&Url>) -> Option<Url> {
    let selector = Selector::parse("base[href]").ok()?;
    let stated = html
        .select(&selector)
        .next()
        .and_then(|element| element.value().attr("href"));
    match (stated, url) {
        (Some(stated), Some(url)) => Some(url.join(stated.trim()).unwrap_or_else(|_| url.clone())),
        (Some(stated), None) => Url::parse(stated.trim()).ok(),
        (None, url) => url.cloned(),
    }
}

fn language(html: &Html) -> Option<String> {
    let language = html.root_element().value().attr("lang")?.trim();
    let plausible = !language.is_empty()
        && language.len() <= 35
        && language
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    plausible.then(|| language.to_owned())
}

/// The JSON-LD scripts of the page.
fn scripts(html: &Html) -> Vec<String> {
    let Ok(selector) = Selector::parse("script[type]") else {
        return Vec::new();
    };
    let is_json_ld = |kind: &str| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/ld+json")
    };
    html.select(&selector)
        .filter(|script| script.value().attr("type").is_some_and(is_json_ld))
        .map(|script| script.text().collect())
        .collect()
}

/// Products at the top, and those that a page or list has for its subject.
fn collect(node: &Node, base: Option<&Url>, hint: &Hint, depth: usize, found: &mut Vec<Candidate>) {
    if depth > 4 || found.len() >= MOST_PRODUCTS {
        return;
    }
    if is_product(node) {
        found.extend(product(node, base, hint).map(|product| Candidate {
            source: node.source,
            product,
        }));
        return;
    }
    for name in [
        "mainEntity",
        "mainEntityOfPage",
        "itemListElement",
        "item",
        "about",
        "makesOffer",
        "itemOffered",
        "hasPart",
    ] {
        for inner in node.nodes(name) {
            collect(inner, base, hint, depth + 1, found);
        }
    }
}

/// A variant that its group names stands in the group already.
fn drop_variants(things: &[Node], base: Option<&Url>, candidates: &mut Vec<Candidate>) {
    let mut variants: HashSet<(String, Option<String>)> = HashSet::new();
    for node in things {
        for entry in node.all("hasVariant") {
            if let Value::Node(variant) = &entry.value
                && let Some(read) = product(variant, base, &Hint::default())
            {
                variants.insert((read.name, read.sku));
            }
        }
    }
    if !variants.is_empty() {
        candidates.retain(|candidate| {
            !candidate.product.variants.is_empty()
                || !variants.contains(&(candidate.product.name.clone(), candidate.product.sku.clone()))
        });
    }
}

/// The name of the product that the page is about: the one named like its title or headline, or the only one.
fn main_of(candidates: &[Candidate], wanted: &[String], notes: &mut Vec<String>) -> Option<String> {
    let names: Vec<String> = candidates
        .iter()
        .map(|candidate| bare_name(&candidate.product.name))
        .collect();
    let exact = wanted.iter().find(|name| names.contains(name));
    if let Some(exact) = exact.filter(|name| !name.is_empty()) {
        return Some(exact.clone());
    }
    let begins = |wanted: &&String| {
        let fits = |name: &&String| {
            !name.is_empty()
                && !wanted.is_empty()
                && (wanted.starts_with(name.as_str()) || name.starts_with(wanted.as_str()))
        };
        names.iter().filter(fits).max_by_key(|name| name.len())
    };
    if let Some(near) = wanted.iter().find_map(|wanted| begins(&wanted)) {
        return Some(near.clone());
    }
    let first = names.first()?;
    if names.iter().all(|name| name == first) {
        return Some(first.clone());
    }
    notes.push(format!(
        "{} products and none named like the page: taken for a list",
        candidates.len()
    ));
    None
}

/// The descriptions of the main product, one a source, and the other products, each merged.
fn part(candidates: Vec<Candidate>, main: Option<String>) -> (Vec<(Source, Product)>, Vec<Product>) {
    let mut groups: Vec<(String, Vec<(Source, Product)>)> = Vec::new();
    for candidate in candidates {
        let name = bare_name(&candidate.product.name);
        let fits = |(known, told): &&mut (String, Vec<(Source, Product)>)| {
            // Two of one source with one name are two products, unless the page is about them.
            *known == name
                && (main.as_ref() == Some(&name)
                    || told.iter().all(|(source, _)| *source != candidate.source))
        };
        match groups.iter_mut().find(fits) {
            Some((_, told)) => told.push((candidate.source, candidate.product)),
            None => groups.push((name, vec![(candidate.source, candidate.product)])),
        }
    }
    let mut told = Vec::new();
    if let Some(at) = main.and_then(|main| groups.iter().position(|(name, _)| *name == main)) {
        told = groups.remove(at).1;
    }
    (
        told,
        groups.into_iter().filter_map(|(_, told)| merged(told)).collect(),
    )
}

/// A product that only readers can see: a headline and a text marked as a price.
fn seen(html: &Html, headline: Option<String>, hint: &Hint) -> Option<Product> {
    let name = headline?;
    let (text, place) = visible::price(html)?;
    let reading = price::display(&text, hint);
    let amount = reading.amount?;
    reading.currency.as_ref()?;
    let evidence = |place: &str, raw: &str, value: &str| {
        vec![Evidence {
            source: Source::VisibleText,
            place: place.to_owned(),
            raw: raw.to_owned(),
            value: value.to_owned(),
            repairs: Vec::new(),
        }]
    };
    let mut product = Product {
        price: Some(Price {
            amount: amount.to_string(),
            to: reading.to.map(|to| to.to_string()),
            currency: reading.currency,
            currency_inferred: reading.currency_inferred,
            list_price: reading.list_price.map(|list| list.to_string()),
            ambiguous: reading.ambiguous,
        }),
        notes: vec!["no data for machines: name and price from the visible text".to_owned()],
        ..Product::default()
    };
    product
        .evidence
        .insert("name".to_owned(), evidence("h1", &name, &name));
    product
        .evidence
        .insert("price".to_owned(), evidence(&place, &text, &amount.to_string()));
    product.name = name;
    Some(product)
}
