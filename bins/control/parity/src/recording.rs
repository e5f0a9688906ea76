//! A recorded case in full: what was seen as `case.json` with `in/` and `out/`, and back again.

mod format;
mod written;

use std::{collections::BTreeMap, path::PathBuf};

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::Value;

use crate::{
    case::Case,
    place,
    seen::{Entry, Exchange, Exit, Kind, Mail, Seen, Table},
    stderr::StderrClass,
};
use format::from_text;

pub use format::{CaseText, Details, FORMAT, RequestText, details};
pub use written::{expected, routes};

/// HOME and paths of the host are not part of a case.
pub fn in_work(name: &str) -> bool {
    !name.starts_with("~/") && !name.starts_with('/')
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
