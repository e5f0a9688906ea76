//! A recorded case in full: what was seen as `case.json` with `in/` and `out/`, and back again.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use app_core::{ErrorKind, ToolError, ToolResult};
use base64::Engine as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    case::{Case, Class},
    diff::table_value,
    far_side::{Reply, Route, query_pairs, text_pairs},
    normalise::Normaliser,
    place,
    seen::{Entry, Exchange, Exit, Kind, Mail, Seen, Table},
    stderr::StderrClass,
};

/// Value of `format` in cases that `parity record` wrote.
pub const FORMAT: &str = "onejob.parity.v1";

/// The part of `case.json` that only these cases have.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Details {
    pub format: String,
    /// Binary that is run: the tool, or `dispatch`.
    pub program: String,
    /// Arguments only the candidate gets, before the others.
    #[serde(default)]
    pub candidate_args: Vec<String>,
    /// What may differ.
    #[serde(default)]
    pub normalisers: Vec<Normaliser>,
    /// Whether requests may come in any order.
    #[serde(default)]
    pub any_order: bool,
    /// Whether only the last line of stdout counts, as an envelope.
    #[serde(default)]
    pub envelope: bool,
    /// Whether the kernel keeps the tool from writing elsewhere and connecting to anything but the far side.
    #[serde(default = "yes")]
    pub confined: bool,
    pub stderr_class: String,
    /// Permission bits of the files in `out/`, octal.
    #[serde(default)]
    pub modes: BTreeMap<String, String>,
    /// Folders it made.
    #[serde(default)]
    pub folders: BTreeMap<String, String>,
    /// Inputs it deleted.
    #[serde(default)]
    pub deleted: Vec<String>,
    /// Requests in order.
    #[serde(default)]
    pub requests: Vec<RequestText>,
    /// Columns and key of every table in `sql_rows`.
    #[serde(default)]
    pub tables: BTreeMap<String, (Vec<String>, Vec<usize>)>,
    /// SQLite files whose rows are compared.
    #[serde(default)]
    pub sqlite: Vec<String>,
    /// Mails in order: sender, recipients, source.
    #[serde(default)]
    pub mails: Vec<(String, Vec<String>, String)>,
}

/// A request in full.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestText {
    pub method: String,
    #[serde(default)]
    pub base: String,
    pub path: String,
    #[serde(default)]
    pub query: String,
    pub headers: Vec<(String, String)>,
    /// Text, or `base64:` and the bytes.
    #[serde(default)]
    pub body: String,
}

fn yes() -> bool {
    true
}

const BASE64: &str = "base64:";

fn to_text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| {
            format!(
                "{BASE64}{}",
                base64::engine::general_purpose::STANDARD.encode(bytes)
            )
        },
        str::to_owned,
    )
}

fn from_text(text: &str) -> Vec<u8> {
    let encoded = text.strip_prefix(BASE64);
    let decoded = encoded.and_then(|code| base64::engine::general_purpose::STANDARD.decode(code).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

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

/// HOME and paths of the host are not part of a case.
pub fn in_work(name: &str) -> bool {
    !name.starts_with("~/") && !name.starts_with('/')
}

fn request_value(request: &Exchange) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    json!({"method": request.method, "base": request.base, "path": request.path, "query": text_pairs(&request.query),
           "headers_of_interest": {}, "body_json": body})
}

/// Inputs of a case by their names.
pub fn inputs(case: &Case) -> Vec<(PathBuf, PathBuf)> {
    let entries = std::fs::read_dir(case.folder.join("in"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .map(|entry| (entry.path(), PathBuf::from(entry.file_name())))
        .collect()
}

/// What the control did, read back. `inputs` is the tree of a working directory with nothing but the inputs in it.
pub fn seen(case: &Case, details: &Details, inputs: BTreeMap<String, Entry>) -> ToolResult<Seen> {
    let wrong = |what: &str| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}`: {what}", case.folder.join("case.json").display()),
        )
    };
    let expected = &case.recorded.expected;
    let exit = expected.get("exit_code").and_then(Value::as_i64);
    let mut files = inputs;
    for name in &details.deleted {
        files.remove(name);
    }
    let bits = |text: &String| u32::from_str_radix(text, 8).map_err(|_| wrong("a mode is not octal"));
    for (name, mode) in &details.modes {
        let path = case.folder.join("out").join(name);
        let mut entry = place::entry(&path)
            .ok_or_else(|| ToolError::not_found(format!("`{}` does not exist", path.display())))?;
        entry.mode = bits(mode)?;
        files.insert(name.clone(), entry);
    }
    for (name, mode) in &details.folders {
        let entry = Entry {
            kind: Kind::Folder,
            mode: bits(mode)?,
        };
        files.insert(name.clone(), entry);
    }
    let stdout = expected.get("stdout").and_then(Value::as_str).unwrap_or_default();
    let stderr = StderrClass::sample(&details.stderr_class);
    Ok(Seen {
        beyond: [None, None],
        escapes: Vec::new(),
        written: None,
        exit: exit.map_or(Exit::Signal(0), |code| Exit::Code(code as i32)),
        stdout: from_text(stdout),
        stderr: stderr.as_bytes().to_vec(),
        files,
        requests: details.requests.iter().map(exchange).collect(),
        mails: details
            .mails
            .iter()
            .map(|(from, to, source)| Mail {
                from: from.clone(),
                to: to.clone(),
                source: from_text(source),
            })
            .collect(),
        tables: tables(details, expected.get("sql_rows")),
        took: std::time::Duration::ZERO,
    })
}

fn exchange(request: &RequestText) -> Exchange {
    Exchange {
        base: request.base.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        headers: request.headers.clone(),
        body: from_text(&request.body),
        answer: None,
        unexpected: false,
    }
}

fn tables(details: &Details, rows: Option<&Value>) -> BTreeMap<String, Table> {
    let table = |(name, (columns, key)): (&String, &(Vec<String>, Vec<usize>))| {
        let rows = rows.and_then(|rows| rows[name].as_array()).into_iter().flatten();
        let table = Table {
            columns: columns.clone(),
            key: key.clone(),
            rows: rows
                .map(|row| columns.iter().map(|column| row[column].clone()).collect())
                .collect(),
        };
        (name.clone(), table)
    };
    details.tables.iter().map(table).collect()
}

/// `case.json` as a value: the recording format first, the details behind it.
#[derive(Debug)]
pub struct CaseText<'a> {
    pub tool: &'a str,
    pub case: &'a str,
    pub script: &'a str,
    pub summary: &'a str,
    pub args: &'a [String],
    pub env: Value,
    pub stdin: Value,
    pub files_in: Vec<String>,
    pub clock: String,
    pub routes: Option<Vec<Route>>,
    pub class: Class,
}

impl CaseText<'_> {
    /// The whole file.
    pub fn value(&self, expected: Value, details: &Details) -> Value {
        let names: Vec<Value> = details.normalisers.iter().map(|n| json!(n)).collect();
        json!({
            "tool": self.tool, "case": self.case, "legacy_script": self.script, "summary": self.summary,
            "args": self.args, "env": self.env, "stdin": self.stdin, "files_in": self.files_in,
            "far_side": {"clock": self.clock, "http": self.routes},
            "call": null, "expected": expected, "class": self.class, "normalise": names,
            "verdict": "keep", "should": null, "recording": details,
        })
    }
}

/// Reads the details of a case that has them.
pub fn details(folder: &Path) -> ToolResult<Option<Details>> {
    let value: Value = crate::case::read_json(&folder.join("case.json"))?;
    let Some(details) = value.get("recording") else {
        return Ok(None);
    };
    let decoded: Details = serde_json::from_value(details.clone()).map_err(|e| {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{}`: recording: {e}", folder.join("case.json").display()),
        )
    })?;
    if decoded.format == FORMAT {
        Ok(Some(decoded))
    } else {
        Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!(
                "`{}` has format `{}`, which is not known here",
                folder.display(),
                decoded.format
            ),
        ))
    }
}
