//! Several descriptions of one product as one: the most trusted source wins, the others stay in the evidence, and what
//! they say differently is a conflict.

use super::{Price, Product, bare_name};
use crate::evidence::{Claim, Conflict, Source};

/// A description and its source.
pub type Told = (Source, Product);

/// Merges descriptions of one product. `told` is not empty; its order is the order of trust.
pub fn merged(mut told: Vec<Told>) -> Option<Product> {
    told.sort_by_key(|(source, _)| *source);
    let conflicts = conflicts(&told);
    let mut all = told.into_iter();
    let (_, mut product) = all.next()?;
    for (_, other) in all {
        take_over(&mut product, other);
    }
    product.conflicts = conflicts;
    Some(product)
}

/// Fields that `product` lacks, and all evidence.
fn take_over(product: &mut Product, other: Product) {
    if product.name.is_empty() {
        product.name = other.name;
    }
    let fields = [
        (&mut product.url, other.url),
        (&mut product.sku, other.sku),
        (&mut product.gtin, other.gtin),
        (&mut product.mpn, other.mpn),
        (&mut product.brand, other.brand),
        (&mut product.category, other.category),
        (&mut product.description, other.description),
        (&mut product.group, other.group),
    ];
    for (own, theirs) in fields {
        if own.is_none() {
            *own = theirs;
        }
    }
    if product.images.is_empty() {
        product.images = other.images;
    }
    if product.variants.is_empty() {
        product.variants = other.variants;
        product.varies_by = other.varies_by;
    }
    for link in other.links {
        if !product.links.contains(&link) {
            product.links.push(link);
        }
    }
    match (&mut product.price, other.price) {
        (None, theirs) => product.price = theirs,
        // A currency that was concluded, or none, is completed by one that is stated for the same amount.
        (Some(own), Some(theirs)) if own.currency.is_none() && own.amount == theirs.amount => {
            own.currency = theirs.currency;
            own.currency_inferred = theirs.currency_inferred;
        }
        _ => {}
    }
    if product.availability.is_empty() {
        product.availability = other.availability;
    }
    for (field, evidence) in other.evidence {
        product.evidence.entry(field).or_default().extend(evidence);
    }
    for note in other.notes {
        if !product.notes.contains(&note) {
            product.notes.push(note);
        }
    }
}

/// How a field is told and compared in a conflict.
struct Field {
    name: &'static str,
    value: fn(&Product) -> Option<String>,
    same: fn(&str, &str) -> bool,
}

fn conflicts(told: &[Told]) -> Vec<Conflict> {
    let fields = [
        Field {
            name: "name",
            value: |product| (!product.name.is_empty()).then(|| product.name.clone()),
            same: |a, b| {
                let (a, b) = (bare_name(a), bare_name(b));
                // A title often has the shop's name behind it.
                a.starts_with(&b) || b.starts_with(&a)
            },
        },
        Field {
            name: "price",
            value: |product| product.price.as_ref().map(amounts),
            same: same_amounts,
        },
        Field {
            name: "currency",
            value: |product| product.price.as_ref()?.currency.clone(),
            same: |a, b| a == b,
        },
        Field {
            name: "availability",
            value: |product| (!product.availability.is_empty()).then(|| product.availability.join(",")),
            same: |a, b| a == b,
        },
        Field {
            name: "sku",
            value: |product| product.sku.clone(),
            same: |a, b| a == b,
        },
        Field {
            name: "gtin",
            value: |product| product.gtin.clone(),
            same: |a, b| a.trim_start_matches('0') == b.trim_start_matches('0'),
        },
        Field {
            name: "brand",
            value: |product| product.brand.clone(),
            same: |a, b| bare_name(a) == bare_name(b),
        },
    ];
    let mut found = Vec::new();
    for field in fields {
        let claims: Vec<Claim> = told
            .iter()
            .filter_map(|(source, product)| {
                let value = (field.value)(product)?;
                Some(Claim {
                    source: *source,
                    value,
                })
            })
            .collect();
        let Some(first) = claims.first() else { continue };
        if claims
            .iter()
            .any(|claim| !(field.same)(&first.value, &claim.value))
        {
            found.push(Conflict {
                field: field.name.to_owned(),
                chosen: first.source,
                values: claims,
            });
        }
    }
    found
}

fn amounts(price: &Price) -> String {
    match &price.to {
        Some(to) => format!("{}..{to}", price.amount),
        None => price.amount.clone(),
    }
}

fn same_amounts(a: &str, b: &str) -> bool {
    let bare = |text: &str| -> Vec<String> {
        let ends = text.split("..").map(|end| {
            let end = if end.contains('.') {
                end.trim_end_matches('0')
            } else {
                end
            };
            end.trim_end_matches('.').to_owned()
        });
        ends.collect()
    };
    bare(a) == bare(b)
}
