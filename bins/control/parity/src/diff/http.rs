//! Compares the requests of two sides, in order.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Found, Rules, content,
    sequence::{Step, align},
};
use crate::{case::Class, far_side::query_pairs, seen::Exchange};

/// Headers that belong to the client library, not to the request.
const CLIENTS_OWN: [&str; 10] = [
    "user-agent",
    "accept-encoding",
    "connection",
    "content-length",
    "transfer-encoding",
    "keep-alive",
    "te",
    "host",
    "proxy-connection",
    "proxy-authorization",
];

/// Extra and missing requests; of those on both sides query, headers and body.
pub(super) fn compare(control: &[Exchange], candidate: &[Exchange], rules: &Rules, found: &mut Found) {
    let (control, candidate) = (ordered(control, rules), ordered(candidate, rules));
    let targets = |side: &[&Exchange]| side.iter().map(|request| target(request)).collect::<Vec<_>>();
    let (a, b) = (targets(&control), targets(&candidate));
    for step in align(&a, &b) {
        match step {
            Step::Both(i, j) => same(i, control[i], candidate[j], rules, found),
            Step::Missing(i) => {
                found.add(
                    format!("http -{}", a[i]),
                    "missing request",
                    json!(a[i]),
                    Value::Null,
                );
            }
            Step::Extra(j) => {
                found.add(
                    format!("http +{}", b[j]),
                    "extra request",
                    Value::Null,
                    json!(b[j]),
                );
            }
        }
    }
}

/// In order of arrival, or in an order that does not depend on it.
fn ordered<'a>(requests: &'a [Exchange], rules: &Rules) -> Vec<&'a Exchange> {
    let mut ordered: Vec<&Exchange> = requests.iter().collect();
    if rules.any_order {
        ordered.sort_by_cached_key(|request| (target(request), request.query.clone(), request.body.clone()));
    }
    ordered
}

fn target(request: &Exchange) -> String {
    format!("{} {}{}", request.method, request.base, request.path)
}

fn same(index: usize, a: &Exchange, b: &Exchange, rules: &Rules, found: &mut Found) {
    let place = format!("http[{index}]");
    query(&place, a, b, rules, found);
    let (x, y) = (headers(a, rules), headers(b, rules));
    for (name, value) in &x {
        let here = format!("{place}.headers.{name}");
        match y.get(name) {
            Some(other) if rules.text(value) == rules.text(other) => {}
            Some(other) => found.add(here, "header differs", json!(value), json!(other)),
            None => found.add(here, "missing header", json!(value), Value::Null),
        }
    }
    for (name, value) in y.iter().filter(|(name, _)| !x.contains_key(*name)) {
        found.add(
            format!("{place}.headers.{name}"),
            "extra header",
            Value::Null,
            json!(value),
        );
    }
    if a.body.is_empty() ^ b.body.is_empty() {
        let told = |body: &[u8]| {
            json!(
                String::from_utf8_lossy(body)
                    .chars()
                    .take(300)
                    .collect::<String>()
            )
        };
        found.add(
            format!("{place}.body"),
            "empty body on one side",
            told(&a.body),
            told(&b.body),
        );
    } else {
        content::compare(&format!("{place}.body"), &a.body, &b.body, rules, found);
    }
}

fn query(place: &str, a: &Exchange, b: &Exchange, rules: &Rules, found: &mut Found) {
    if a.query == b.query {
        return;
    }
    let (x, y) = (query_pairs(&a.query), query_pairs(&b.query));
    let whole = format!("{place}.query");
    let raw = (json!(a.query), json!(b.query));
    let sorted = |pairs: &[(String, String)]| {
        let mut pairs = pairs.to_vec();
        pairs.sort();
        pairs
    };
    if sorted(&x) == sorted(&y) {
        if rules.class != Class::Semantic {
            let what = if x == y {
                "query written differently"
            } else {
                "query order differs"
            };
            found.add(whole, what, raw.0, raw.1);
        }
        return;
    }
    let by_name = |pairs: &[(String, String)]| {
        let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            map.entry(name.clone()).or_default().push(rules.text(value));
        }
        map
    };
    let (x, y) = (by_name(&x), by_name(&y));
    for name in x
        .keys()
        .chain(y.keys().filter(|name| !x.contains_key(*name)))
        .filter(|name| x.get(*name) != y.get(*name))
    {
        found.add(
            format!("{whole}.{name}"),
            "query parameter differs",
            json!(x.get(name)),
            json!(y.get(name)),
        );
    }
}

/// The headers that say something about the request.
fn headers(request: &Exchange, rules: &Rules) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in &request.headers {
        let any = name == "accept" && value == "*/*";
        if any || CLIENTS_OWN.contains(&name.as_str()) {
            continue;
        }
        let value = if rules.class == Class::Semantic && name == "content-type" {
            value.to_ascii_lowercase().replace(' ', "")
        } else {
            value.clone()
        };
        map.entry(name.clone())
            .and_modify(|all: &mut String| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert(value);
    }
    map
}
