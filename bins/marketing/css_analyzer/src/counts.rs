//! The shapes a metric can have: a tally of texts, a spread of numbers, defined and used names.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// `part / total`, and 0 for nothing.
pub fn ratio(part: usize, total: usize) -> f64 {
    if total == 0 {
        0.0
    } else {
        part as f64 / total as f64
    }
}

/// How often each text occurs. On the wire `total`, `totalUnique`, `uniquenessRatio`, `unique`.
#[derive(Debug, Default)]
pub struct Tally {
    counts: HashMap<String, (usize, u64)>,
    total: usize,
}

impl Tally {
    /// Counts one occurrence.
    pub fn add<'a>(&mut self, text: impl Into<Cow<'a, str>>) {
        let text = text.into();
        self.total += 1;
        if let Some(entry) = self.counts.get_mut(text.as_ref()) {
            entry.1 += 1;
        } else {
            let order = self.counts.len();
            self.counts.insert(text.into_owned(), (order, 1));
        }
    }

    /// Occurrences in all.
    pub fn total(&self) -> usize {
        self.total
    }

    /// Different texts.
    pub fn unique(&self) -> usize {
        self.counts.len()
    }

    /// Texts and their counts, in the order they were first seen.
    pub fn entries(&self) -> Vec<(&str, u64)> {
        let mut entries: Vec<_> = self
            .counts
            .iter()
            .map(|(text, &(order, n))| (order, text.as_str(), n))
            .collect();
        entries.sort_unstable_by_key(|entry| entry.0);
        entries.into_iter().map(|(_, text, n)| (text, n)).collect()
    }
}

struct Entries<'a>(&'a Tally);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.entries())
    }
}

impl Serialize for Tally {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("total", &self.total)?;
        map.serialize_entry("totalUnique", &self.unique())?;
        map.serialize_entry("uniquenessRatio", &ratio(self.unique(), self.total))?;
        map.serialize_entry("unique", &Entries(self))?;
        map.end()
    }
}

impl JsonSchema for Tally {
    fn schema_name() -> Cow<'static, str> {
        "Tally".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "total": {"type": "integer"},
                "totalUnique": {"type": "integer"},
                "uniquenessRatio": {"type": "number"},
                "unique": {"type": "object", "additionalProperties": {"type": "integer"}}
            }
        })
    }
}

/// A tally, and one more per context (for colours and units: the property they stand in).
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ContextTally {
    /// Over all contexts.
    #[serde(flatten)]
    pub all: Tally,
    /// By context.
    pub items_per_context: HashMap<String, Tally>,
}

impl ContextTally {
    /// Counts one occurrence in a context.
    pub fn add(&mut self, text: &str, context: &str) {
        self.all.add(text);
        if let Some(tally) = self.items_per_context.get_mut(context) {
            tally.add(text);
        } else {
            self.items_per_context
                .entry(context.to_owned())
                .or_default()
                .add(text);
        }
    }
}

/// A tally with its share of something larger.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Share {
    /// The occurrences.
    #[serde(flatten)]
    pub tally: Tally,
    /// Their share.
    pub ratio: f64,
}

impl Share {
    /// Of `total`.
    pub fn of(tally: Tally, total: usize) -> Self {
        Self {
            ratio: ratio(tally.total(), total),
            tally,
        }
    }
}

/// A count with its share of something larger.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub struct Part {
    /// How many.
    pub total: usize,
    /// Their share.
    pub ratio: f64,
}

impl Part {
    /// `total` of `of`.
    pub fn of(total: usize, of: usize) -> Self {
        Self {
            total,
            ratio: ratio(total, of),
        }
    }
}

/// Smallest, largest, mean, most frequent (the mean of them when several are equally frequent), range and sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    pub min: u64,
    pub max: u64,
    pub mean: f64,
    pub mode: f64,
    pub range: u64,
    pub sum: u64,
}

impl Spread {
    /// Of a list of numbers; all zero for an empty one.
    pub fn of(items: &[u64]) -> Self {
        let mut sorted = items.to_vec();
        sorted.sort_unstable();
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else {
            return Self::default();
        };
        let sum = sorted.iter().sum::<u64>();
        let mut best = 0;
        let mut modes: Vec<u64> = Vec::new();
        for run in sorted.chunk_by(|a, b| a == b) {
            if run.len() > best {
                best = run.len();
                modes.clear();
            }
            if run.len() == best {
                modes.push(run[0]);
            }
        }
        let mode = modes.iter().sum::<u64>() as f64 / modes.len().max(1) as f64;
        Self {
            min,
            max,
            mean: sum as f64 / sorted.len() as f64,
            mode,
            range: max - min,
            sum,
        }
    }
}

/// Numbers, one per rule or selector: their spread, how often each occurs, and the list itself when asked for.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Series {
    #[serde(flatten)]
    spread: Spread,
    #[serde(flatten)]
    tally: Tally,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<u64>>,
}

impl Series {
    /// Over `items`; keeps the list when `keep`.
    pub fn of(items: Vec<u64>, keep: bool) -> Self {
        let mut tally = Tally::default();
        for item in &items {
            tally.add(item.to_string());
        }
        Self {
            spread: Spread::of(&items),
            tally,
            items: keep.then_some(items),
        }
    }

    /// Sum of the numbers.
    pub fn sum(&self) -> u64 {
        self.spread.sum
    }
}

/// Names that are defined in one place and used in another.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct DefinedUsed {
    /// Defined, in order.
    pub defined: Vec<String>,
    /// Used, in order.
    pub used: Vec<String>,
    /// Defined and never used.
    pub unused: Vec<String>,
    /// Used and never defined.
    pub unknown: Vec<String>,
    #[serde(skip)]
    seen: (HashSet<String>, HashSet<String>),
}

impl DefinedUsed {
    /// A definition of `name`.
    pub fn define(&mut self, name: &str) {
        if self.seen.0.insert(name.to_owned()) {
            self.defined.push(name.to_owned());
        }
    }

    /// A use of `name`.
    pub fn apply(&mut self, name: &str) {
        if self.seen.1.insert(name.to_owned()) {
            self.used.push(name.to_owned());
        }
    }

    /// Fills in what is unused and unknown.
    pub fn settle(mut self) -> Self {
        let (defined, used) = &self.seen;
        self.unused = self
            .defined
            .iter()
            .filter(|name| !used.contains(*name))
            .cloned()
            .collect();
        self.unknown = self
            .used
            .iter()
            .filter(|name| !defined.contains(*name))
            .cloned()
            .collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equally_frequent_modes_are_averaged() {
        let spread = Spread::of(&[3, 1, 1, 3, 8]);
        assert_eq!((spread.min, spread.max, spread.range, spread.sum), (1, 8, 7, 16));
        assert!((spread.mode - 2.0).abs() < 1e-12);
        assert_eq!(Spread::of(&[]), Spread::default());
    }

    #[test]
    fn names_are_defined_used_unused_or_unknown() {
        let mut names = DefinedUsed::default();
        names.apply("--b");
        names.define("--a");
        names.define("--b");
        names.apply("--c");
        let names = names.settle();
        assert_eq!(
            (names.unused, names.unknown),
            (vec!["--a".to_owned()], vec!["--c".to_owned()])
        );
    }
}
