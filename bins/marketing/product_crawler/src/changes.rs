//! What is different from the last crawl.

use std::collections::{HashMap, HashSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::store::Sold;

/// Differences; the lists hold at most a thousand entries each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changes {
    /// Whether there was a crawl to compare with.
    pub compared: bool,
    /// Products that were not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub new: Vec<Change>,
    /// Products that are not there any more; only told after a crawl that looked everywhere, or when their page is gone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vanished: Vec<Change>,
    /// Products with another price.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub price: Vec<Change>,
    /// Products with another availability.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub availability: Vec<Change>,
    /// Products with another name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renamed: Vec<Change>,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Page of the product.
    pub url: String,
    /// Its name now, or last.
    pub name: String,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<String>,
}

const MOST: usize = 1000;

/// Compares; `whole` says that the crawl looked everywhere, so that what was not found is not there.
pub fn between(
    last: &HashMap<String, Sold>,
    found: &[(String, Sold)],
    gone: &[String],
    whole: bool,
) -> Changes {
    let mut changes = Changes {
        compared: !last.is_empty(),
        ..Changes::default()
    };
    if last.is_empty() {
        return changes;
    }
    let change = |url: &str, name: &str, before: Option<String>, now: Option<String>| Change {
        url: url.to_owned(),
        name: name.to_owned(),
        before,
        now,
    };
    let push = |list: &mut Vec<Change>, change: Change| {
        if list.len() < MOST {
            list.push(change);
        }
    };
    for (url, now) in found {
        let Some(before) = last.get(url) else {
            push(&mut changes.new, change(url, &now.name, None, now.price.clone()));
            continue;
        };
        if before.price != now.price {
            push(
                &mut changes.price,
                change(url, &now.name, before.price.clone(), now.price.clone()),
            );
        }
        if before.availability != now.availability {
            let told = |sold: &Sold| Some(sold.availability.join(", "));
            push(
                &mut changes.availability,
                change(url, &now.name, told(before), told(now)),
            );
        }
        if before.name != now.name {
            push(
                &mut changes.renamed,
                change(url, &now.name, Some(before.name.clone()), Some(now.name.clone())),
            );
        }
    }
    let here: HashSet<&String> = found.iter().map(|(url, _)| url).collect();
    let gone: HashSet<&String> = gone.iter().collect();
    let mut missing: Vec<_> = last
        .iter()
        .filter(|(url, _)| !here.contains(url) && (whole || gone.contains(url)))
        .collect();
    missing.sort_by_key(|(url, _)| url.as_str());
    for (url, before) in missing {
        push(
            &mut changes.vanished,
            change(url, &before.name, before.price.clone(), None),
        );
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sold(name: &str, price: &str) -> Sold {
        Sold {
            name: name.to_owned(),
            price: Some(price.to_owned()),
            availability: vec!["in_stock".to_owned()],
        }
    }

    #[test]
    fn what_was_not_looked_for_has_not_vanished() {
        let last = HashMap::from([
            ("a".to_owned(), sold("A", "1 EUR")),
            ("b".to_owned(), sold("B", "2 EUR")),
            ("c".to_owned(), sold("C", "3 EUR")),
        ]);
        let found = [
            ("a".to_owned(), sold("A", "1.50 EUR")),
            ("d".to_owned(), sold("D", "4 EUR")),
        ];
        let urls = |list: &[Change]| list.iter().map(|change| change.url.clone()).collect::<Vec<_>>();
        let whole = between(&last, &found, &[], true);
        assert_eq!(
            (urls(&whole.new), urls(&whole.vanished)),
            (vec!["d".to_owned()], vec!["b".to_owned(), "c".to_owned()])
        );
        assert_eq!(whole.price[0].before.as_deref(), Some("1 EUR"));
        let part = between(&last, &found, &["c".to_owned()], false);
        assert_eq!(urls(&part.vanished), ["c"]);
        assert_eq!(between(&HashMap::new(), &found, &[], true), Changes::default());
    }
}
