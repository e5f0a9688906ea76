//! What offers and variants say together: one price or a range, availability, and where it stands.

use std::collections::BTreeMap;

use super::{
    Price, Variant,
    offer::{Amount, Offers},
};
use crate::{
    evidence::{Evidence, Source},
    price::Decimal,
};

/// One price, or the range of several: of the offers, else of the variants.
pub(super) fn price_of(offers: &Offers, variants: &[Variant]) -> (Option<Price>, Vec<String>) {
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

fn number(text: &str) -> Option<Decimal> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    Decimal::new(whole, fraction)
}

pub(super) fn availability_of(offers: &Offers, variants: &[Variant]) -> Vec<String> {
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
pub(super) fn tell(
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
