//! Alternatives: which branch of an enum is meant, and what it complains about.

use serde_json::{Map, Value};

use super::{
    Mistake,
    rules::{type_fits, type_names},
    walk,
    words::{join, plain, short},
};

pub(super) fn alternatives(
    schema: &Map<String, Value>,
    options: &[Value],
    value: &Value,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    // A tagged enum: the tag picks the branch, so that its mistakes can be told.
    if let Some((tag, branches)) = tagged(options) {
        let given = value.get(tag);
        let names: Vec<_> = branches.iter().map(|(name, _)| *name).collect();
        match given
            .and_then(Value::as_str)
            .and_then(|given| branches.iter().find(|(name, _)| *name == given))
        {
            Some((_, branch)) => walk(branch, value, path, mistakes),
            None if !value.is_object() => {
                mistakes.push((
                    path.to_owned(),
                    format!("must be an object, not {}", short(value)),
                ));
            }
            None => {
                let text = match given {
                    None => format!("is required: one of {}", names.join(", ")),
                    Some(other) => format!("must be one of {}, not {}", names.join(", "), short(other)),
                };
                mistakes.push((join(path, tag), text));
            }
        }
        return;
    }
    let mut tries: Vec<Vec<Mistake>> = Vec::new();
    for option in options {
        let mut found = Vec::new();
        walk(option, value, path, &mut found);
        if found.is_empty() {
            return;
        }
        tries.push(found);
    }
    // `Option<T>` and unit enums: tell what the fitting kind of branch complains about.
    let of_type = options.iter().zip(&tries).filter(|(option, _)| {
        option.as_object().is_some_and(|o| type_fits(o, value)) && option.get("const").is_none()
    });
    if let Some((_, found)) = of_type.min_by_key(|(_, found)| found.len()) {
        mistakes.extend(found.iter().cloned());
        return;
    }
    let mut names: Vec<String> = Vec::new();
    for option in options.iter().filter_map(Value::as_object) {
        if let Some(value) = option.get("const") {
            names.push(plain(value));
        } else {
            names.extend(
                option
                    .get("enum")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .map(plain),
            );
            if option.get("enum").is_none() {
                names.extend(type_names(option));
            }
        }
    }
    names.retain(|name| name != "null");
    let _ = schema;
    mistakes.push((
        path.to_owned(),
        format!("must be {}, not {}", one_of(&names), short(value)),
    ));
}

fn one_of(names: &[String]) -> String {
    match names {
        [one] => one.clone(),
        many => format!("one of {}", many.join(", ")),
    }
}

/// The tag's name and each branch by its tag value, if every option is an object with one `const` property in common.
pub fn tagged(options: &[Value]) -> Option<(&str, Vec<(&str, &Value)>)> {
    let first = options.first()?.get("properties")?.as_object()?;
    let (tag, _) = first
        .iter()
        .find(|(_, schema)| schema.get("const").is_some_and(Value::is_string))?;
    let branches: Option<Vec<_>> = options
        .iter()
        .map(|option| {
            Some((
                option.get("properties")?.get(tag)?.get("const")?.as_str()?,
                option,
            ))
        })
        .collect();
    Some((tag, branches?))
}
