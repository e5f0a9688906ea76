//! References in a step's input: `${card.output.path}`, `${card.artifacts[0].path}`, `${vars.title}`, `${run.dir}`.
//!
//! A text that is one reference takes the value with its type; inside a longer text the value is written out.
//! `$${` stands for a literal `${`. The old pipeline's `{"from_step": "card", "path": "/output/path"}` is understood too.

use std::collections::BTreeSet;

use serde_json::Value;

/// A part of a text.
enum Part<'a> {
    Literal(&'a str),
    Reference(&'a str),
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if let Some(before) = rest[..at].strip_suffix('$') {
            parts.push(Part::Literal(before));
            parts.push(Part::Literal("${"));
            rest = &rest[at + 2..];
            continue;
        }
        parts.push(Part::Literal(&rest[..at]));
        let end = rest[at..]
            .find('}')
            .ok_or_else(|| format!("`{}` has no closing brace", &rest[at..]))?;
        parts.push(Part::Reference(rest[at + 2..at + end].trim()));
        rest = &rest[at + end + 1..];
    }
    parts.push(Part::Literal(rest));
    Ok(parts)
}

fn from_step(value: &Value) -> Option<(&str, &str)> {
    let map = value.as_object().filter(|map| map.len() == 2)?;
    Some((map.get("from_step")?.as_str()?, map.get("path")?.as_str()?))
}

/// The first names of all references in a value.
pub(crate) fn roots(value: &Value) -> Result<BTreeSet<String>, String> {
    let root = |path: &String| path.split(['.', '[']).next().unwrap_or_default().to_owned();
    Ok(paths(value)?.iter().map(root).collect())
}

/// All references in a value, as they are written between the braces.
pub(crate) fn paths(value: &Value) -> Result<BTreeSet<String>, String> {
    let mut found = BTreeSet::new();
    collect(value, &mut found)?;
    Ok(found)
}

fn collect(value: &Value, found: &mut BTreeSet<String>) -> Result<(), String> {
    if let Some((step, pointer)) = from_step(value) {
        found.insert(format!("{step}{}", pointer.replace('/', ".")));
        return Ok(());
    }
    match value {
        Value::String(text) => {
            for part in parts(text)? {
                if let Part::Reference(path) = part {
                    let root = path.split(['.', '[']).next().unwrap_or_default();
                    if root.is_empty() {
                        return Err(format!("`${{{path}}}` names nothing"));
                    }
                    found.insert(path.to_owned());
                }
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| collect(item, found)),
        Value::Object(map) => map.values().try_for_each(|inner| collect(inner, found)),
        _ => Ok(()),
    }
}

/// The value with every reference replaced from `scope`. A reference to nothing is an error that names it.
pub(crate) fn resolve(value: &Value, scope: &Value) -> Result<Value, String> {
    if let Some((step, pointer)) = from_step(value) {
        let found = scope.get(step).and_then(|step| step.pointer(pointer));
        return found
            .cloned()
            .ok_or_else(|| format!("step `{step}` has nothing at `{pointer}`"));
    }
    match value {
        Value::String(text) => resolve_text(text, scope),
        Value::Array(items) => {
            let mut resolved = Vec::with_capacity(items.len());
            for item in items {
                // `${frames.artifacts[*].path}` in a list stands for all of them.
                match (item, resolve(item, scope)?) {
                    (Value::String(text), Value::Array(many)) if text.contains("[*]") => {
                        resolved.extend(many);
                    }
                    (_, one) => resolved.push(one),
                }
            }
            Ok(Value::Array(resolved))
        }
        Value::Object(map) => map
            .iter()
            .map(|(key, inner)| Ok((key.clone(), resolve(inner, scope)?)))
            .collect::<Result<_, _>>()
            .map(Value::Object),
        other => Ok(other.clone()),
    }
}

fn resolve_text(text: &str, scope: &Value) -> Result<Value, String> {
    let parts = parts(text)?;
    if let [Part::Literal(""), Part::Reference(path), Part::Literal("")] = parts.as_slice() {
        return look_up(path, scope);
    }
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) => out.push_str(literal),
            Part::Reference(path) => match look_up(path, scope)? {
                Value::String(inner) => out.push_str(&inner),
                other => out.push_str(&other.to_string()),
            },
        }
    }
    Ok(Value::String(out))
}

fn look_up(path: &str, scope: &Value) -> Result<Value, String> {
    let nothing = || format!("`${{{path}}}` refers to nothing");
    let mut here = vec![scope];
    let mut many = false;
    for name in path.replace('[', ".[").split('.').filter(|part| !part.is_empty()) {
        let index = name.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
        let mut next = Vec::new();
        for value in here {
            match index {
                Some("*") => {
                    many = true;
                    next.extend(value.as_array().ok_or_else(nothing)?);
                }
                Some(number) => next.push(
                    number
                        .parse::<usize>()
                        .ok()
                        .and_then(|n| value.get(n))
                        .ok_or_else(nothing)?,
                ),
                None => next.push(value.get(name).ok_or_else(nothing)?),
            }
        }
        here = next;
    }
    match (many, here.as_slice()) {
        (true, values) => Ok(values.iter().map(|v| (*v).clone()).collect()),
        (false, [one]) => Ok((*one).clone()),
        _ => Err(nothing()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_keep_their_type_alone_and_are_written_out_inside_texts() {
        let scope = json!({"card": {"output": {"count": 3, "path": "a.png"}, "artifacts": [{"path": "a.png"}, {"path": "b.png"}]}, "vars": {"t": "Tea"}});
        let cases = [
            (json!("${card.output.count}"), json!(3)),
            (json!("n=${card.output.count} ${vars.t}!"), json!("n=3 Tea!")),
            (
                json!(["${card.artifacts[*].path}", "c.png"]),
                json!(["a.png", "b.png", "c.png"]),
            ),
            (json!({"p": "${card.artifacts[1].path}"}), json!({"p": "b.png"})),
            (json!("costs $${5}"), json!("costs ${5}")),
            (
                json!({"from_step": "card", "path": "/output/path"}),
                json!("a.png"),
            ),
        ];
        for (value, resolved) in cases {
            assert_eq!(resolve(&value, &scope).unwrap(), resolved, "{value}");
        }
        assert!(
            resolve(&json!("${card.output.nope}"), &scope)
                .unwrap_err()
                .contains("card.output.nope")
        );
        assert_eq!(
            roots(&json!(["${a.b} ${c[0]}", {"x": {"from_step": "d", "path": "/y"}}]))
                .unwrap()
                .len(),
            3
        );
    }
}
