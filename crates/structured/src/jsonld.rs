//! JSON-LD: each script is read by itself, so that a bad one costs no other; `@graph`, references by `@id`, lists of
//! types and full addresses of names are resolved.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    evidence::Source,
    json::{self, Json},
    node::{Entry, Node, Value, term},
};

/// Things of one page, at most: references can multiply what is written.
const MOST_NODES: usize = 20_000;

/// References followed into each other, at most.
const DEEPEST: usize = 12;

/// What became of one script.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Script {
    /// Its number among the JSON-LD scripts of the page, from 1.
    pub number: usize,
    /// Types of the things it describes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// What had to be repaired.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<String>,
    /// Why nothing could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

/// A thing in a script and where it stands there.
#[derive(Clone, Copy)]
struct Spot<'a> {
    json: &'a Json,
    script: usize,
}

/// The things that scripts describe at their top, and what became of each script.
pub fn read(scripts: &[String]) -> (Vec<Script>, Vec<Node>) {
    let parsed: Vec<_> = scripts.iter().map(|text| json::read(text)).collect();
    let mut tops: Vec<(Spot<'_>, String)> = Vec::new();
    let mut reports = Vec::new();
    for (index, outcome) in parsed.iter().enumerate() {
        let number = index + 1;
        let mut report = Script {
            number,
            types: Vec::new(),
            repairs: Vec::new(),
            unreadable: None,
        };
        match outcome {
            Err(why) => report.unreadable = Some(why.to_string()),
            Ok(read) => {
                report.repairs.clone_from(&read.repairs);
                let begun = tops.len();
                for (place, value) in read.values.iter().enumerate() {
                    let path = if place == 0 {
                        String::new()
                    } else {
                        format!("value {}", place + 1)
                    };
                    collect(value, number, &path, 0, &mut tops);
                }
                for (spot, _) in &tops[begun..] {
                    for name in types(spot.json) {
                        if !report.types.contains(&name) && report.types.len() < 50 {
                            report.types.push(name);
                        }
                    }
                }
            }
        }
        reports.push(report);
    }
    let mut index = HashMap::new();
    for (spot, path) in &tops {
        name_all(spot.json, spot.script, path, &mut index, 0);
    }
    let mut reader = Reader {
        index,
        left: MOST_NODES,
    };
    let nodes = tops
        .iter()
        .filter_map(|(spot, path)| reader.node(spot.json, spot.script, path, &mut Vec::new()))
        .collect();
    (reports, nodes)
}

/// The things at the top: of lists, and of `@graph`.
fn collect<'a>(json: &'a Json, script: usize, path: &str, depth: usize, found: &mut Vec<(Spot<'a>, String)>) {
    if depth > 20 || found.len() >= MOST_NODES {
        return;
    }
    match json {
        Json::Array(entries) => {
            for (index, entry) in entries.iter().enumerate() {
                collect(entry, script, &format!("{path}/{index}"), depth + 1, found);
            }
        }
        Json::Object(members) => {
            if let Some(graph) = json.get("@graph") {
                collect(graph, script, &format!("{path}/@graph"), depth + 1, found);
            }
            let says = |name: &str| !name.starts_with('@') || name == "@type";
            if members.iter().any(|(name, _)| says(name)) {
                found.push((Spot { json, script }, path.to_owned()));
            }
        }
        _ => {}
    }
}

fn types(json: &Json) -> Vec<String> {
    let named = json.get("@type").or_else(|| json.get("type"));
    named.map_or_else(Vec::new, |named| {
        named
            .entries()
            .iter()
            .filter_map(Json::as_text)
            .map(|name| term(name).to_owned())
            .collect()
    })
}

/// Whether an object only refers to a thing.
fn is_reference(members: &[(String, Json)]) -> bool {
    members.iter().all(|(name, _)| name == "@id" || name == "@type")
}

/// Everything with an `@id`, by it; what says most of a thing stands for it.
fn name_all<'a>(
    json: &'a Json,
    script: usize,
    path: &str,
    index: &mut HashMap<&'a str, (&'a Json, usize, String)>,
    depth: usize,
) {
    if depth > 200 || index.len() >= MOST_NODES {
        return;
    }
    match json {
        Json::Array(entries) => {
            for (place, entry) in entries.iter().enumerate() {
                name_all(entry, script, &format!("{path}/{place}"), index, depth + 1);
            }
        }
        Json::Object(members) => {
            if let Some(id) = json.get("@id").and_then(Json::as_text)
                && !is_reference(members)
            {
                let size = |json: &Json| {
                    if let Json::Object(members) = json {
                        members.len()
                    } else {
                        0
                    }
                };
                if index
                    .get(id)
                    .is_none_or(|(known, ..)| size(known) < members.len())
                {
                    index.insert(id, (json, script, path.to_owned()));
                }
            }
            for (name, value) in members {
                if matches!(value, Json::Object(_) | Json::Array(_)) && name != "@context" && name != "@graph"
                {
                    name_all(value, script, &format!("{path}/{name}"), index, depth + 1);
                }
            }
        }
        _ => {}
    }
}

struct Reader<'a> {
    index: HashMap<&'a str, (&'a Json, usize, String)>,
    left: usize,
}

impl<'a> Reader<'a> {
    /// An object as a thing; `within` are the references that led here.
    fn node(&mut self, json: &'a Json, script: usize, path: &str, within: &mut Vec<&'a str>) -> Option<Node> {
        let Json::Object(members) = json else { return None };
        self.left = self.left.checked_sub(1)?;
        let mut node = Node {
            source: Source::JsonLd,
            place: place(script, path),
            types: types(json),
            id: json.get("@id").and_then(Json::as_text).map(str::to_owned),
            properties: Vec::new(),
        };
        for (name, value) in members {
            let known = matches!(
                name.as_str(),
                "@context" | "@type" | "@id" | "@graph" | "@reverse"
            );
            if known || name == "type" && !node.types.is_empty() {
                continue;
            }
            let path = format!("{path}/{name}");
            let several = matches!(value, Json::Array(_));
            for (index, entry) in value.entries().iter().enumerate() {
                let path = if several {
                    format!("{path}/{index}")
                } else {
                    path.clone()
                };
                self.entries(term(name), entry, script, &path, within, &mut node.properties);
            }
        }
        Some(node)
    }

    fn entries(
        &mut self,
        name: &str,
        json: &'a Json,
        script: usize,
        path: &str,
        within: &mut Vec<&'a str>,
        found: &mut Vec<(String, Entry)>,
    ) {
        let mut push = |value: Value, number: bool| {
            let entry = Entry {
                value,
                place: place(script, path),
                machine: true,
                number,
            };
            found.push((name.to_owned(), entry));
        };
        match json {
            Json::Null => {}
            Json::Bool(flag) => push(Value::Text(flag.to_string()), false),
            Json::Number(text) => push(Value::Text(text.clone()), true),
            Json::Text(text) => push(Value::Text(text.clone()), false),
            Json::Array(entries) => {
                for (index, entry) in entries.iter().enumerate() {
                    self.entries(name, entry, script, &format!("{path}/{index}"), within, found);
                }
            }
            Json::Object(members) => {
                for wrapper in ["@value", "@list", "@set"] {
                    if let Some(inner) = json.get(wrapper) {
                        return self.entries(
                            name,
                            inner,
                            script,
                            &format!("{path}/{wrapper}"),
                            within,
                            found,
                        );
                    }
                }
                let id = json.get("@id").and_then(Json::as_text);
                let Some(id) = id.filter(|_| is_reference(members)) else {
                    if let Some(node) = self.node(json, script, path, within) {
                        push(Value::Node(Box::new(node)), false);
                    }
                    return;
                };
                let target = self.index.get(id).cloned();
                let value = match target {
                    Some((json, script, path)) if !within.contains(&id) && within.len() < DEEPEST => {
                        within.push(id);
                        let node = self.node(json, script, &path, within);
                        within.pop();
                        node.map(|node| Value::Node(Box::new(node)))
                    }
                    _ => None,
                };
                push(value.unwrap_or_else(|| Value::Reference(id.to_owned())), false);
            }
        }
    }
}

fn place(script: usize, path: &str) -> String {
    if path.is_empty() {
        format!("script {script}")
    } else {
        format!("script {script} {path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(script: &str) -> Vec<Node> {
        read(&[script.to_owned()]).1
    }

    #[test]
    fn references_are_resolved_and_circles_end() {
        let found = nodes(
            r##"{"@context":"https://schema.org","@graph":[
            {"@id":"#p","@type":["Product","http://schema.org/Thing"],"http://schema.org/name":"Cup","offers":{"@id":"#o"}},
            {"@id":"#o","@type":"schema:Offer","price":1.50,"itemOffered":{"@id":"#p"}}]}"##,
        );
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].types, ["Product", "Thing"]);
        let name = found[0].fact(&["name"]).unwrap();
        assert_eq!(
            (name.value.as_str(), name.evidence.place.as_str()),
            ("Cup", "script 1 /@graph/0/http://schema.org/name")
        );
        let offer = found[0].nodes("offers").next().unwrap();
        assert_eq!(offer.fact(&["price"]).unwrap().value, "1.50");
        let back = offer.nodes("itemOffered").next().unwrap();
        let inner = back.all("offers").next().unwrap();
        assert_eq!(inner.value, Value::Reference("#o".to_owned()));
    }

    #[test]
    fn what_multiplies_by_references_is_bounded() {
        // Each thing names the next one ten times: ten to the thirtieth in all.
        let things: Vec<String> = (0..30)
            .map(|n| {
                let next = format!("{{\"@id\":\"#{}\"}}", n + 1);
                format!(
                    "{{\"@id\":\"#{n}\",\"name\":\"x\",\"a\":[{}]}}",
                    vec![next; 10].join(",")
                )
            })
            .collect();
        let found = nodes(&format!("[{}]", things.join(",")));
        assert!(!found.is_empty());
    }

    #[test]
    fn a_script_that_cannot_be_read_costs_no_other() {
        let scripts = ["x = {};", "{\"@type\":\"Product\",\"name\":\"a\"}", ""].map(str::to_owned);
        let (reports, nodes) = read(&scripts);
        assert_eq!(nodes.len(), 1);
        assert!(reports[0].unreadable.is_some() && reports[1].types == ["Product"]);
        assert_eq!(reports[2].unreadable.as_deref(), Some("empty"));
    }
}
