//! JSON as Python's `json.dumps` writes it by default, because ids of documents are made from that.

use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use serde_json::{Map, Value};

/// MD5 of the document in Python's form, lower-case hex: the id that the replaced script gave it.
pub fn id(document: &Map<String, Value>) -> String {
    let mut text = String::new();
    object(document, &mut text);
    hex::encode(Md5::digest(text.as_bytes()))
}

fn value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => out.push_str(&float_text(float)),
            _ => out.push_str(&number.to_string()),
        },
        Value::String(text) => string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                self::value(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => object(map, out),
    }
}

fn object(map: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (index, (key, item)) in map.iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        string(key, out);
        out.push_str(": ");
        value(item, out);
    }
    out.push('}');
}

fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a String cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// `repr` of a Python float: the shortest digits, as a power of ten below 1e-4 and from 1e16.
fn float_text(float: f64) -> String {
    let size = float.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{float:e}");
        let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
        return format!("{digits}e{sign}{power:0>2}");
    }
    let text = float.to_string();
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Expected values by CPython 3.11.
    #[test]
    fn text_and_ids_are_those_of_python() {
        let document = json!({"a": [1, -2, 0.1, 1.0, 1e16, 1.5e-7, -0.0001, 123456789.125], "б": "é\u{7f}🔥\"\\\n\u{1}",
                              "n": null, "t": true, "o": {}, "l": []});
        let mut text = String::new();
        value(&document, &mut text);
        assert_eq!(
            text,
            r#"{"a": [1, -2, 0.1, 1.0, 1e+16, 1.5e-07, -0.0001, 123456789.125], "\u0431": "\u00e9\u007f\ud83d\udd25\"\\\n\u0001", "n": null, "t": true, "o": {}, "l": []}"#
        );
        let good = json!({"content": "Good"});
        assert_eq!(id(good.as_object().unwrap()), "544e038c42e032c819b9368e3c380844");
    }
}
