//! What was seen, in the words of a case.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::{
    format::{Details, FORMAT, RequestText, to_text},
    in_work,
};
use crate::{
    diff::table_value,
    far_side::{Reply, Route, query_pairs, text_pairs},
    seen::{Entry, Exchange, Exit, Kind, Seen},
    stderr::StderrClass,
};

/// Routes that answer what was answered: one a method, address, path and query, its answers in order.
pub fn routes(requests: &[Exchange]) -> Vec<Route> {
    let mut routes: Vec<Route> = Vec::new();
    for request in requests {
        let pairs = query_pairs(&request.query);
        let query: BTreeMap<String, Value> = pairs.into_iter().map(|(n, v)| (n, Value::from(v))).collect();
        let base = (!request.base.is_empty()).then(|| request.base.clone());
        let query = (!query.is_empty()).then_some(query);
        let same = |route: &&mut Route| {
            route.method == request.method
                && route.base == base
                && route.path == request.path
                && route.query == query
        };
        let reply = reply(request);
        match routes.iter_mut().find(same) {
            Some(route) => route.responses.push(reply),
            None => routes.push(Route {
                method: request.method.clone(),
                base,
                path: request.path.clone(),
                query,
                responses: vec![reply],
            }),
        }
    }
    // A route with a longer query is the narrower one and must be asked first.
    routes.sort_by_key(|route| std::cmp::Reverse(route.query.as_ref().map_or(0, BTreeMap::len)));
    routes
}

fn reply(request: &Exchange) -> Reply {
    let Some(answer) = &request.answer else {
        return Reply {
            close: true,
            ..Reply::default()
        };
    };
    let text = String::from_utf8(answer.body.clone()).ok();
    let base64 = text
        .is_none()
        .then(|| base64::engine::general_purpose::STANDARD.encode(&answer.body));
    Reply {
        status: Some(answer.status),
        headers: answer.headers.iter().cloned().collect(),
        body_text: text.filter(|text| !text.is_empty()),
        body_base64: base64,
        ..Reply::default()
    }
}

/// The expectation in the words of the recording format, and the details beside it.
pub fn expected(seen: &Seen, inputs: &BTreeMap<String, Entry>, sqlite: &[String]) -> (Value, Details) {
    let made: BTreeMap<&String, &Entry> = seen
        .files
        .iter()
        .filter(|(name, entry)| in_work(name) && inputs.get(*name) != Some(*entry))
        .collect();
    let files: Vec<&&String> = made
        .iter()
        .filter(|(_, entry)| entry.kind != Kind::Folder)
        .map(|(name, _)| name)
        .collect();
    let mode = |entry: &Entry| format!("{:03o}", entry.mode);
    let folder = |entry: &Entry| entry.kind == Kind::Folder;
    let requests: Vec<Value> = seen.requests.iter().map(request_value).collect();
    let mut rows = Map::new();
    for (name, table) in &seen.tables {
        rows.insert(name.clone(), table_value(table));
    }
    let exit = match seen.exit {
        Exit::Code(code) => json!(code),
        _ => Value::Null,
    };
    let expected = json!({
        "exit_code": exit,
        "stdout": to_text(&seen.stdout),
        "stderr_contains": [],
        "files_out": files,
        "http_requests": requests,
        "sql_rows": if rows.is_empty() { Value::Null } else { Value::Object(rows) },
        "messages_received": seen.mails.len(),
    });
    let details = Details {
        format: FORMAT.to_owned(),
        program: String::new(),
        candidate_args: Vec::new(),
        normalisers: Vec::new(),
        any_order: false,
        envelope: false,
        confined: true,
        stderr_class: StderrClass::of(&seen.stderr).as_str().to_owned(),
        modes: made
            .iter()
            .filter(|(_, e)| !folder(e))
            .map(|(n, e)| ((*n).clone(), mode(e)))
            .collect(),
        folders: made
            .iter()
            .filter(|(_, e)| folder(e))
            .map(|(n, e)| ((*n).clone(), mode(e)))
            .collect(),
        deleted: inputs
            .keys()
            .filter(|name| !seen.files.contains_key(*name))
            .cloned()
            .collect(),
        requests: seen
            .requests
            .iter()
            .map(|request| RequestText {
                method: request.method.clone(),
                base: request.base.clone(),
                path: request.path.clone(),
                query: request.query.clone(),
                headers: request.headers.clone(),
                body: to_text(&request.body),
            })
            .collect(),
        tables: seen
            .tables
            .iter()
            .map(|(name, table)| (name.clone(), (table.columns.clone(), table.key.clone())))
            .collect(),
        sqlite: sqlite.to_vec(),
        mails: seen
            .mails
            .iter()
            .map(|mail| (mail.from.clone(), mail.to.clone(), to_text(&mail.source)))
            .collect(),
    };
    (expected, details)
}

fn request_value(request: &Exchange) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    json!({"method": request.method, "base": request.base, "path": request.path, "query": text_pairs(&request.query),
           "headers_of_interest": {}, "body_json": body})
}
