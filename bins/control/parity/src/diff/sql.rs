//! Compares tables as sets of rows; rows with a primary key are paired by it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Found, Rules, content};
use crate::seen::Table;

/// Missing, extra and changed rows of every table.
pub(super) fn compare(
    control: &BTreeMap<String, Table>,
    candidate: &BTreeMap<String, Table>,
    rules: &Rules,
    found: &mut Found,
) {
    for (name, table) in control {
        match candidate.get(name) {
            Some(other) => same(&format!("sql {name}"), table, other, rules, found),
            None => found.add(
                format!("sql {name}"),
                "missing table",
                json!(table.columns),
                Value::Null,
            ),
        }
    }
    for (name, table) in candidate.iter().filter(|(name, _)| !control.contains_key(*name)) {
        found.add(
            format!("sql {name}"),
            "extra table",
            Value::Null,
            json!(table.columns),
        );
    }
}

fn same(place: &str, a: &Table, b: &Table, rules: &Rules, found: &mut Found) {
    if a.columns != b.columns {
        found.add(
            format!("{place}.columns"),
            "columns differ",
            json!(a.columns),
            json!(b.columns),
        );
        return;
    }
    if a.key.is_empty() || a.key != b.key {
        return sets(place, a, b, rules, found);
    }
    let key = |row: &Vec<Value>| {
        let parts: Vec<Value> = a.key.iter().filter_map(|&i| row.get(i).cloned()).collect();
        Value::Array(parts).to_string()
    };
    let keyed = |table: &Table| -> BTreeMap<String, Vec<Value>> {
        table.rows.iter().map(|row| (key(row), row.clone())).collect()
    };
    let (x, y) = (keyed(a), keyed(b));
    for (key, row) in &x {
        let Some(other) = y.get(key) else {
            found.add(format!("{place}{key}"), "missing row", named(a, row), Value::Null);
            continue;
        };
        for ((column, p), q) in a.columns.iter().zip(row).zip(other) {
            content::values(&format!("{place}{key}.{column}"), p, q, rules, found);
        }
    }
    for (key, row) in y.iter().filter(|(key, _)| !x.contains_key(*key)) {
        found.add(format!("{place}{key}"), "extra row", Value::Null, named(b, row));
    }
}

/// Without a key, rows are a multiset.
fn sets(place: &str, a: &Table, b: &Table, rules: &Rules, found: &mut Found) {
    let text = |row: &Vec<Value>| rules.text(&Value::Array(row.clone()).to_string());
    let mut left: Vec<&Vec<Value>> = b.rows.iter().collect();
    for row in &a.rows {
        match left.iter().position(|other| text(other) == text(row)) {
            Some(index) => drop(left.swap_remove(index)),
            None => found.add(format!("{place}.rows"), "missing row", named(a, row), Value::Null),
        }
    }
    for row in left {
        found.add(format!("{place}.rows"), "extra row", Value::Null, named(b, row));
    }
}

fn named(table: &Table, row: &[Value]) -> Value {
    table.columns.iter().cloned().zip(row.iter().cloned()).collect()
}

/// A table as the recordings write it: a list of rows by column name.
pub fn table_value(table: &Table) -> Value {
    table.rows.iter().map(|row| named(table, row)).collect()
}
