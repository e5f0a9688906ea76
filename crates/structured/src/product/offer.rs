//! Offers: price, currency, price before a reduction, availability.

use crate::{
    evidence::{Evidence, Source},
    node::{Entry, Fact, Node},
    price::{self, Decimal, Hint, Reading, currency},
};

/// What the offers of one description say together.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers {
    pub(super) prices: Vec<Amount>,
    pub(super) list_price: Option<Amount>,
    pub(super) currency: Option<Fact>,
    pub(super) currency_inferred: bool,
    pub(super) ambiguous: Option<String>,
    pub(super) availability: Vec<Fact>,
    pub(super) notes: Vec<String>,
}

/// An amount and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Amount {
    pub(super) value: Decimal,
    pub(super) evidence: Evidence,
}

impl Offers {
    fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

/// All offers of a product.
pub(super) fn of(product: &Node, hint: &Hint) -> Offers {
    let mut offers = Offers::default();
    for offer in product.nodes("offers").chain(product.nodes("offer")).take(500) {
        read(offer, hint, &mut offers);
    }
    // Some shops put the price on the product itself.
    if offers.prices.is_empty() && product.all("price").next().is_some() {
        read(product, hint, &mut offers);
    }
    placeholders(&mut offers);
    pad(&mut offers);
    offers
}

fn read(offer: &Node, hint: &Hint, offers: &mut Offers) {
    let aggregate = offer.is(&["AggregateOffer"]);
    read_currency(offer, hint, offers);
    let sale = offer.all("salePrice").next();
    let before = offers.prices.len();
    match sale {
        Some(sale) => {
            take(sale, offer.source, hint, offers, false);
            for entry in offer.all("price") {
                take(entry, offer.source, hint, offers, true);
            }
        }
        None => {
            for entry in offer.all("price") {
                take(entry, offer.source, hint, offers, false);
            }
        }
    }
    for specification in offer.nodes("priceSpecification") {
        read_currency(specification, hint, offers);
        let kind = specification
            .fact(&["priceType"])
            .map(|fact| fact.value)
            .unwrap_or_default();
        let kind = kind.rsplit(['/', '#', ':']).next().unwrap_or_default();
        let list = matches!(
            kind,
            "ListPrice" | "StrikethroughPrice" | "SRP" | "MSRP" | "RegularPrice"
        );
        for entry in specification.all("price") {
            // The price of the offer itself comes first; a specification repeats or explains it.
            if list || offers.prices.len() == before {
                take(entry, offer.source, hint, offers, list);
            }
        }
    }
    if offers.prices.len() == before {
        let inner = offer.nodes("offers").count();
        for name in ["lowPrice", "highPrice"] {
            for entry in offer.all(name) {
                take(entry, offer.source, hint, offers, false);
            }
        }
        if !aggregate && offers.prices.len() > before {
            offers.note("`lowPrice` on an Offer, which has none; taken as a range");
        }
        if offers.prices.len() == before && inner > 0 {
            for nested in offer.nodes("offers").take(500) {
                read(nested, hint, offers);
            }
            return;
        }
    }
    for entry in offer.all("availability") {
        if let Some(fact) = entry.fact(offer.source).map(availability)
            && !offers.availability.iter().any(|known| known.value == fact.value)
        {
            offers.availability.push(fact);
        }
    }
}

fn read_currency(offer: &Node, hint: &Hint, offers: &mut Offers) {
    let Some(mut fact) = offer.fact(&["priceCurrency"]) else {
        return;
    };
    let Some((code, repair)) = currency::code(&fact.value, hint) else {
        offers.note(format!(
            "unknown currency `{}`",
            fact.value.chars().take(20).collect::<String>()
        ));
        return;
    };
    fact.evidence.repairs.extend(repair.map(str::to_owned));
    fact.value.clone_from(&code);
    fact.evidence.value = code;
    match &offers.currency {
        Some(known) if known.value != fact.value => {
            let note = format!("offers in several currencies, {} and {}", known.value, fact.value);
            offers.note(note);
        }
        // A stated currency beats one that a sign gave.
        Some(_) if !offers.currency_inferred => {}
        _ => {
            offers.currency = Some(fact);
            offers.currency_inferred = false;
        }
    }
}

/// Reads one price; `list` when it is the one before a reduction.
fn take(entry: &Entry, source: Source, hint: &Hint, offers: &mut Offers, list: bool) {
    let Some(mut fact) = entry.fact(source) else {
        return;
    };
    let reading = if entry.machine {
        price::machine(&fact.value)
    } else {
        price::display(&fact.value, hint)
    };
    let Some(amount) = reading.amount else {
        offers.note(format!(
            "no price in `{}`: {}",
            fact.value.chars().take(40).collect::<String>(),
            reading.notes.join(", ")
        ));
        return;
    };
    fact.evidence.repairs.extend(reading.notes.iter().cloned());
    if let Some(why) = &reading.ambiguous {
        offers.ambiguous.get_or_insert_with(|| why.clone());
        fact.evidence.repairs.push(why.clone());
    }
    from_sign(&reading, &fact, offers);
    let amount_of = |value: Decimal| Amount {
        value,
        evidence: Evidence {
            value: value.to_string(),
            ..fact.evidence.clone()
        },
    };
    // A JSON number has lost its last zeros; the note for `pad`.
    let mut first = amount_of(amount);
    if entry.number {
        first.evidence.repairs.push(NUMBER.to_owned());
    }
    if list {
        offers.list_price.get_or_insert(first);
        return;
    }
    offers.prices.push(first);
    if let Some(to) = reading.to {
        offers.prices.push(amount_of(to));
    }
    if let Some(listed) = reading.list_price {
        offers.list_price.get_or_insert(amount_of(listed));
    }
}

const NUMBER: &str = "zeros of a JSON number";

fn from_sign(reading: &Reading, fact: &Fact, offers: &mut Offers) {
    if let (Some(code), None) = (&reading.currency, &offers.currency) {
        offers.currency = Some(Fact {
            value: code.clone(),
            evidence: Evidence {
                value: code.clone(),
                repairs: vec!["currency from the price".to_owned()],
                ..fact.evidence.clone()
            },
        });
        offers.currency_inferred = reading.currency_inferred;
    }
}

/// A price of nothing beside real ones stands for "choose a variant".
fn placeholders(offers: &mut Offers) {
    let real = offers.prices.iter().any(|amount| !amount.value.is_zero());
    let nothing = offers.prices.iter().any(|amount| amount.value.is_zero());
    if nothing && real {
        offers.prices.retain(|amount| !amount.value.is_zero());
        offers.note("a price of 0 beside others left aside");
    } else if nothing {
        offers.note("the price is 0: free, or a placeholder");
    }
}

/// JSON numbers get the zeros back that amounts of their currency have.
fn pad(offers: &mut Offers) {
    let Some(code) = offers.currency.as_ref().map(|fact| fact.value.clone()) else {
        return;
    };
    let digits = currency::minor_digits(&code);
    for amount in offers.prices.iter_mut().chain(&mut offers.list_price) {
        if amount.evidence.repairs.iter().any(|repair| repair == NUMBER) {
            amount.value = amount.value.padded(digits);
            amount.evidence.value = amount.value.to_string();
        }
        amount.evidence.repairs.retain(|repair| repair != NUMBER);
    }
}

/// Availability in snake case, from an address of schema.org or the words of OpenGraph.
fn availability(mut fact: Fact) -> Fact {
    let bare = fact
        .value
        .trim()
        .rsplit(['/', '#', ':'])
        .next()
        .unwrap_or_default();
    let letters: String = bare
        .chars()
        .filter(|c| c.is_alphabetic())
        .flat_map(char::to_lowercase)
        .collect();
    let known = match letters.as_str() {
        "instock" | "available" | "availablefororder" => "in_stock",
        "outofstock" | "oos" | "unavailable" => "out_of_stock",
        "soldout" => "sold_out",
        "preorder" | "presale" => "pre_order",
        "backorder" => "back_order",
        "discontinued" => "discontinued",
        "limitedavailability" => "limited",
        "instoreonly" => "in_store_only",
        "onlineonly" => "online_only",
        "madetoorder" => "made_to_order",
        "reserved" => "reserved",
        _ => "",
    };
    if known.is_empty() {
        fact.evidence
            .repairs
            .push("unknown word for availability, kept".to_owned());
        fact.value = bare.chars().take(60).collect();
    } else {
        known.clone_into(&mut fact.value);
    }
    fact.evidence.value.clone_from(&fact.value);
    fact
}
