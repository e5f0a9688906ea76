//! What changed between two versions of a sheet.

use std::collections::{BTreeMap, BTreeSet};

use app_core::ToolResult;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::sheet::{self, Item};

/// A metric with another value.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Change {
    /// Path of the metric.
    pub metric: String,
    /// In the first version.
    pub before: f64,
    /// In the second version.
    pub after: f64,
}

/// What one rule gained and lost.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RuleChange {
    /// At-rules around it and its selector.
    pub rule: String,
    /// Declarations only in the second version.
    pub added: Vec<String>,
    /// Declarations only in the first version.
    pub removed: Vec<String>,
}

/// The difference of two versions.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Difference {
    /// Metrics with another value.
    pub metrics: Vec<Change>,
    /// Texts only in the second version, by metric: colours, font sizes, properties, ...
    pub added: BTreeMap<String, Vec<String>>,
    /// Texts only in the first version.
    pub removed: BTreeMap<String, Vec<String>>,
    /// Rules only in the second version.
    pub rules_added: Vec<String>,
    /// Rules only in the first version.
    pub rules_removed: Vec<String>,
    /// Rules in both with other declarations.
    pub rules_changed: Vec<RuleChange>,
}

/// Compares two sheets and their metrics.
pub fn compare(before: (&str, &Value), after: (&str, &Value)) -> ToolResult<Difference> {
    let mut difference = Difference::default();
    leaves(before.1, after.1, &mut String::new(), &mut difference);
    let (old, new) = (rules(before.0)?, rules(after.0)?);
    let minus = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>();
    for (rule, declarations) in &new {
        match old.get(rule) {
            None => difference.rules_added.push(rule.clone()),
            Some(earlier) if earlier != declarations => difference.rules_changed.push(RuleChange {
                rule: rule.clone(),
                added: minus(declarations, earlier),
                removed: minus(earlier, declarations),
            }),
            Some(_) => {}
        }
    }
    difference.rules_removed = old
        .keys()
        .filter(|rule| !new.contains_key(*rule))
        .cloned()
        .collect();
    Ok(difference)
}

/// Walks two results side by side: numbers become changes, keys of `unique` become additions and removals.
fn leaves(before: &Value, after: &Value, path: &mut String, out: &mut Difference) {
    match (before, after) {
        (Value::Number(old), Value::Number(new)) => {
            let (before, after) = (old.as_f64().unwrap_or_default(), new.as_f64().unwrap_or_default());
            if (before - after).abs() > f64::EPSILON {
                out.metrics.push(Change {
                    metric: path.clone(),
                    before,
                    after,
                });
            }
        }
        (Value::Object(old), Value::Object(new)) if path.ends_with(".unique") => {
            let keys =
                |a: &serde_json::Map<String, Value>, b: &serde_json::Map<String, Value>| -> Vec<String> {
                    a.keys().filter(|key| !b.contains_key(*key)).cloned().collect()
                };
            let metric = path.trim_end_matches(".unique").to_owned();
            let (added, removed) = (keys(new, old), keys(old, new));
            // Depths and sizes are numbers, not texts: their additions say nothing.
            let numeric = added.iter().chain(&removed).all(|key| key.parse::<f64>().is_ok());
            if !added.is_empty() && !numeric {
                out.added.insert(metric.clone(), added);
            }
            if !removed.is_empty() && !numeric {
                out.removed.insert(metric, removed);
            }
        }
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in new
                .iter()
                .filter(|(key, _)| *key != "itemsPerContext" && *key != "items")
            {
                if let Some(earlier) = old.get(key) {
                    let length = path.len();
                    if length > 0 {
                        path.push('.');
                    }
                    path.push_str(key);
                    leaves(earlier, value, path, out);
                    path.truncate(length);
                }
            }
        }
        (Value::Array(old), Value::Array(new))
            if old.len() == new.len() && old.iter().all(Value::is_number) =>
        {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                let length = path.len();
                path.push_str(&format!("[{at}]"));
                leaves(old, new, path, out);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Declarations by at-rules and selector; the same selector in two places is one rule.
fn rules(css: &str) -> ToolResult<BTreeMap<String, BTreeSet<String>>> {
    fn walk(css: &str, items: &[Item], path: &str, out: &mut BTreeMap<String, BTreeSet<String>>) {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for item in items {
            match item {
                Item::Rule(rule) => {
                    let inner = format!("{path}{}", squeeze(&css[rule.prelude.0..rule.prelude.1]));
                    out.entry(inner.clone()).or_default();
                    walk(css, &rule.items, &format!("{inner} "), out);
                }
                Item::AtRule(rule) => {
                    let prelude = rule.prelude.map_or("", |range| &css[range.0..range.1]);
                    let name = format!("{path}@{} {}", &css[rule.name.0..rule.name.1], squeeze(prelude));
                    let name = name.trim_end();
                    out.entry(name.to_owned()).or_default();
                    walk(
                        css,
                        rule.items.as_deref().unwrap_or_default(),
                        &format!("{name} "),
                        out,
                    );
                }
                Item::Declaration(found) => {
                    let text = css[found.range.0..found.range.1].trim_end_matches(';').trim();
                    out.entry(path.trim_end().to_owned())
                        .or_default()
                        .insert(squeeze(text));
                }
            }
        }
    }
    let sheet = sheet::parse(css)?;
    let mut out = BTreeMap::new();
    walk(css, &sheet.items, "", &mut out);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_declarations_and_values_are_compared() {
        let old = "a{color:red;top:0} b{c:d} @media print{a{e:f}}";
        let new = "a{color:#f00;top:0} @media print{a{e:f} x{y:z}}";
        let value = |css| serde_json::to_value(crate::metrics::measure(css, false).unwrap()).unwrap();
        let found = compare((old, &value(old)), (new, &value(new))).unwrap();
        assert_eq!(found.rules_added, ["@media print x"]);
        assert_eq!(found.rules_removed, ["b"]);
        assert_eq!(found.rules_changed[0].added, ["color:#f00"]);
        assert_eq!(found.added["values.colors"], ["#f00"]);
        assert!(
            found
                .metrics
                .iter()
                .any(|change| change.metric == "stylesheet.size")
        );
    }
}
