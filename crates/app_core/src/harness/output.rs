//! Shows a result to a person.

use std::fmt;

use serde_json::Value;

/// Indented `key: value` lines; what a tool without a rendering of its own prints on a terminal.
pub fn render_value(value: &Value, out: &mut dyn fmt::Write) -> fmt::Result {
    match value {
        Value::Object(_) | Value::Array(_) => nested(value, 0, out),
        Value::Null => Ok(()),
        scalar => writeln!(out, "{}", plain(scalar)),
    }
}

fn nested(value: &Value, depth: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(_, v)| !v.is_null()) {
                let label = key.replace('_', " ");
                if is_leaf(value) {
                    writeln!(out, "{indent}{label}: {}", plain(value))?;
                } else {
                    writeln!(out, "{indent}{label}:")?;
                    nested(value, depth + 1, out)?;
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_leaf(item) {
                    writeln!(out, "{indent}- {}", plain(item))?;
                } else {
                    let mut text = String::new();
                    nested(item, depth + 1, &mut text)?;
                    let marked = text.replacen(&"  ".repeat(depth + 1), &format!("{indent}- "), 1);
                    out.write_str(&marked)?;
                }
            }
        }
        leaf => writeln!(out, "{indent}{}", plain(leaf))?,
    }
    Ok(())
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            items.is_empty() || items.len() <= 8 && items.iter().all(|i| !i.is_array() && !i.is_object())
        }
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(_) => "none".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_values_are_indented() {
        let mut text = String::new();
        let value = json!({"path": "a.gif", "size": [3, 4], "frames": [{"n": 1, "ok": true}, {"n": 2, "ok": false}], "none": null});
        render_value(&value, &mut text).unwrap();
        assert_eq!(
            text,
            "path: a.gif\nsize: 3, 4\nframes:\n  - n: 1\n    ok: yes\n  - n: 2\n    ok: no\n"
        );
    }
}
