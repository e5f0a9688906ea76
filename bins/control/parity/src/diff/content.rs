//! Compares two contents: bytes, text by line and word, or JSON by meaning, as the class asks.

use serde_json::{Value, json};

use super::{Found, Rules};
use crate::case::Class;

/// Compares two contents at `place`.
pub(super) fn compare(place: &str, control: &[u8], candidate: &[u8], rules: &Rules, found: &mut Found) {
    if control == candidate {
        return;
    }
    let (Ok(a), Ok(b)) = (std::str::from_utf8(control), std::str::from_utf8(candidate)) else {
        let offset = control.iter().zip(candidate).take_while(|(x, y)| x == y).count();
        found.add(
            place,
            &format!("bytes differ from offset {offset}"),
            json!(format!("{} bytes", control.len())),
            json!(format!("{} bytes", candidate.len())),
        );
        return;
    };
    if rules.class != Class::Exact
        && let (Ok(x), Ok(y)) = (nested(a), nested(b))
    {
        return values(&format!("{place}$"), &x, &y, rules, found);
    }
    let (a, b) = (rules.text(a), rules.text(b));
    if a != b {
        lines(place, &a, &b, rules, found);
    }
}

/// JSON objects and arrays; a bare number or word is compared as text.
fn nested(text: &str) -> Result<Value, ()> {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Object(_) | Value::Array(_))) => Ok(value),
        _ => Err(()),
    }
}

fn lines(place: &str, a: &str, b: &str, rules: &Rules, found: &mut Found) {
    let (x, y): (Vec<&str>, Vec<&str>) = (a.split('\n').collect(), b.split('\n').collect());
    if x.len() != y.len() {
        let first = x.iter().zip(&y).take_while(|(p, q)| p == q).count();
        found.add(
            place,
            &format!(
                "{} and {} line ends, differing from line {}",
                x.len() - 1,
                y.len() - 1,
                first + 1
            ),
            json!(shown(x.get(first))),
            json!(shown(y.get(first))),
        );
        return;
    }
    for (index, (p, q)) in x.iter().zip(&y).enumerate().filter(|(_, (p, q))| p != q) {
        let here = format!("{place}:{}", index + 1);
        // A carriage return is a blank to JSON, but not to whoever reads the lines.
        if rules.class != Class::Exact
            && p.ends_with('\r') == q.ends_with('\r')
            && let (Ok(p), Ok(q)) = (nested(p), nested(q))
        {
            values(&format!("{here}$"), &p, &q, rules, found);
        } else {
            words(&here, p, q, found);
        }
    }
}

fn shown(line: Option<&&str>) -> Value {
    line.map_or(Value::Null, |line| {
        json!(line.chars().take(300).collect::<String>())
    })
}

/// Differing words of one line; the whole line when the lines are built differently.
fn words(place: &str, a: &str, b: &str, found: &mut Found) {
    let (x, y) = (tokens(a), tokens(b));
    let alike = x.len() == y.len() && x.iter().zip(&y).all(|(p, q)| p == q || is_word(p) && is_word(q));
    if !alike {
        found.add(place, "line differs", shown(Some(&a)), shown(Some(&b)));
        return;
    }
    for (index, (p, q)) in x.iter().zip(&y).enumerate().filter(|(_, (p, q))| p != q) {
        found.add(
            format!("{place}:{}", index + 1),
            "word differs",
            json!(p),
            json!(q),
        );
    }
}

fn word_char(c: char) -> bool {
    c.is_alphanumeric() || "_.:+-".contains(c)
}

fn is_word(token: &str) -> bool {
    token.starts_with(word_char)
}

/// Words, and every other character by itself.
fn tokens(line: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let end = if word_char(first) {
            rest.find(|c| !word_char(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(end);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Compares JSON: key order and escaping are free; a missing key is not `null`, and 1.0 is 1 only by meaning.
pub(super) fn values(place: &str, a: &Value, b: &Value, rules: &Rules, found: &mut Found) {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            for (key, value) in x {
                let here = format!("{place}.{key}");
                match y.get(key) {
                    Some(other) => values(&here, value, other, rules, found),
                    None => found.add(here, "missing key", value.clone(), Value::Null),
                }
            }
            for (key, value) in y.iter().filter(|(key, _)| !x.contains_key(*key)) {
                found.add(format!("{place}.{key}"), "extra key", Value::Null, value.clone());
            }
        }
        (Value::Array(x), Value::Array(y)) => {
            if x.len() != y.len() {
                found.add(
                    format!("{place}[]"),
                    "different number of elements",
                    json!(x.len()),
                    json!(y.len()),
                );
            }
            for (index, (p, q)) in x.iter().zip(y).enumerate() {
                values(&format!("{place}[{index}]"), p, q, rules, found);
            }
        }
        (Value::String(x), Value::String(y)) => {
            if x != y && rules.text(x) != rules.text(y) {
                found.add(place, "value differs", a.clone(), b.clone());
            }
        }
        (Value::Number(x), Value::Number(y)) => {
            let near = rules.class == Class::Semantic
                && x.as_f64()
                    .zip(y.as_f64())
                    .is_some_and(|(x, y)| (x - y).abs() <= 1e-9 * x.abs().max(1.0));
            // Declared normalisers see numbers too: an epoch is often one.
            if x != y && !near && rules.text(&x.to_string()) != rules.text(&y.to_string()) {
                found.add(place, "number differs", a.clone(), b.clone());
            }
        }
        (x, y) if x == y => {}
        (x, y) => found.add(place, "value differs", x.clone(), y.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(a: &str, b: &str, class: Class) -> Vec<String> {
        let mut found = Found::default();
        let rules = Rules {
            class,
            normalise: Vec::new(),
            any_order: false,
            envelope: false,
            max_slowdown: 10.0,
        };
        compare("stdout", a.as_bytes(), b.as_bytes(), &rules, &mut found);
        found.0.into_iter().map(|d| d.place).collect()
    }

    #[test]
    fn the_place_is_as_narrow_as_the_difference() {
        use Class::{Exact, Normalised, Semantic};
        assert_eq!(places("a\nb 12:00 c\n", "a\nb 12:01 c\n", Exact), ["stdout:2:3"]);
        assert_eq!(places("a\n", "a", Exact), ["stdout"]);
        assert_eq!(places("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", Exact).len(), 4);
        assert!(places("{\"a\":1,\"b\":2}", "{\"b\": 2, \"a\": 1}", Normalised).is_empty());
        assert_eq!(places("{\"a\":1}", "{\"a\":1.0}", Normalised), ["stdout$.a"]);
        assert!(places("{\"a\":1}", "{\"a\":1.0}", Semantic).is_empty());
        assert_eq!(places("{\"a\":null}", "{}", Semantic), ["stdout$.a"]);
        assert_eq!(places("x\r\n", "x\n", Normalised), ["stdout:1"]);
        assert!(places("x\r\n", "x\n", Semantic).is_empty());
    }
}
