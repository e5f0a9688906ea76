//! Compares two file trees.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Found, Rules, content};
use crate::{
    case::Class,
    seen::{Entry, Kind, Seen},
};

/// Missing and extra files, kinds, modes, contents.
pub(super) fn compare(
    control: &BTreeMap<String, Entry>,
    candidate: &BTreeMap<String, Entry>,
    rules: &Rules,
    found: &mut Found,
) {
    for (name, entry) in control {
        let place = format!("file {name}");
        match candidate.get(name) {
            Some(other) => same(&place, entry, other, rules, found),
            None => found.add(place, "missing file", json!(told(entry)), Value::Null),
        }
    }
    for (name, entry) in candidate.iter().filter(|(name, _)| !control.contains_key(*name)) {
        found.add(
            format!("file {name}"),
            "extra file",
            Value::Null,
            json!(told(entry)),
        );
    }
}

/// A file that lay there before and is equal on both sides is only the same work when both wrote it.
pub(super) fn written(control: &Seen, candidate: &Seen, found: &mut Found) {
    let (Some(control_wrote), Some(candidate_wrote)) = (&control.written, &candidate.written) else {
        return;
    };
    let told = |wrote: bool| json!(if wrote { "written" } else { "left as it was" });
    let is_file = |name: &str| {
        control
            .files
            .get(name)
            .is_some_and(|entry| !matches!(entry.kind, Kind::Folder))
    };
    for name in control
        .files
        .keys()
        .filter(|name| candidate.files.contains_key(*name) && is_file(name))
    {
        let (a, b) = (control_wrote.contains(name), candidate_wrote.contains(name));
        if a != b && control.files.get(name) == candidate.files.get(name) {
            found.add(
                format!("file {name}"),
                "written by one side only",
                told(a),
                told(b),
            );
        }
    }
}

fn same(place: &str, a: &Entry, b: &Entry, rules: &Rules, found: &mut Found) {
    // By meaning, only what the owner may do counts.
    let mask = if rules.class == Class::Semantic {
        0o700
    } else {
        0o777
    };
    if a.mode & mask != b.mode & mask {
        found.add(
            format!("{place}.mode"),
            "permissions differ",
            json!(format!("{:03o}", a.mode)),
            json!(format!("{:03o}", b.mode)),
        );
    }
    match (&a.kind, &b.kind) {
        (Kind::File(x), Kind::File(y)) => content::compare(place, x, y, rules, found),
        (x, y) if x == y => {}
        _ => found.add(place, "different kind or content", json!(told(a)), json!(told(b))),
    }
}

fn told(entry: &Entry) -> String {
    match &entry.kind {
        Kind::Folder => "folder".to_owned(),
        Kind::File(bytes) => format!("file of {} bytes", bytes.len()),
        Kind::Large(size, hash) => format!("file of {size} bytes, sha256 {hash}"),
        Kind::Link(target) => format!("link to {target}"),
    }
}
