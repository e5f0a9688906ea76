//! The mail server and the database of a recorded case: how they behave, and what is compared of them.

use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value, json};

use crate::{
    case::Case,
    diff::{decoded, table_value},
    far_side::{FarSide, MailRules},
    seen::Mail,
    sqlite,
};

/// The SQLite file that stands for the recorded MySQL database, in the working directory.
pub const DATABASE: &str = "case.sqlite";

/// The text with the addresses of the far side in place of their names.
pub fn filled(text: &str, site: Option<&FarSide>) -> String {
    let Some(site) = site else {
        return text.to_owned();
    };
    let (http, smtp) = (site.http(), site.smtp());
    text.replace("{{SERVER}}", &site.url())
        .replace("{{SERVER_HOST}}", &http.ip().to_string())
        .replace("{{SERVER_PORT}}", &http.port().to_string())
        .replace("{{SMTP_HOST}}", &smtp.ip().to_string())
        .replace("{{SMTP_PORT}}", &smtp.port().to_string())
}

/// How the mail server of the recording behaved.
pub fn mail_rules(case: &Case) -> MailRules {
    let Some(rules) = &case.recorded.far_side.smtp else {
        return MailRules::default();
    };
    let flag = |name: &str| rules.get(name).and_then(Value::as_bool).unwrap_or(true);
    MailRules {
        starttls: flag("starttls"),
        login: flag("login_accepted"),
        refused: rules
            .get("refused_recipient")
            .and_then(Value::as_str)
            .map(str::to_owned),
        listens: !rules.is_string(),
    }
}

/// Number of messages and the last one as its reader sees it, from the recording.
pub fn recorded_mail(case: &Case) -> Value {
    if case.recorded.far_side.smtp.is_none() {
        return Value::Null;
    }
    let expected = &case.recorded.expected;
    let last = expected
        .get("smtp_message")
        .filter(|m| !m.is_null())
        .map(|message| {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            let to = message["rcpt_tos"].as_array().into_iter().flatten();
            readable(&Mail {
                from: text("mail_from"),
                to: to.filter_map(Value::as_str).map(str::to_owned).collect(),
                source: text("source").into_bytes(),
            })
        });
    json!({"received": expected.get("messages_received").cloned().unwrap_or(json!(0)), "last": last})
}

/// The same of the new tool.
pub fn observed_mail(case: &Case, site: Option<&FarSide>) -> Value {
    match (&case.recorded.far_side.smtp, site) {
        (Some(_), Some(site)) => {
            let mails = site.mails();
            json!({"received": mails.len(), "last": mails.last().map(readable)})
        }
        _ => Value::Null,
    }
}

/// Headers and bodies; what belongs to the envelope of every message anew is free.
fn readable(mail: &Mail) -> Value {
    let mut value = decoded(mail);
    if let Some(headers) = value["headers"].as_object_mut() {
        headers.retain(|name, _| name != "date" && name != "message-id");
    }
    for body in ["text", "html"] {
        for part in value[body].as_array_mut().into_iter().flatten() {
            *part = json!(part.as_str().unwrap_or_default().trim_end());
        }
    }
    value
}

/// Puts the rows the recording began with into the SQLite file, in tables of the recorded shape.
pub fn rows_before(case: &Case, database: &Path) -> ToolResult<()> {
    let named = |key: &str| {
        let name = case.recorded.far_side.mysql.as_ref()?.get(key)?.as_str()?;
        Some(case.folder.join("in").join(name))
    };
    let (Some(schema), Some(rows)) = (named("schema"), named("rows_before")) else {
        return Ok(());
    };
    let read = |path: &Path| std::fs::read_to_string(path).map_err(|e| ToolError::file("read", path, &e));
    let sql = format!("{}\n{}", sqlite::translated(&read(&schema)?), read(&rows)?);
    sqlite::run(database, &sql).map_err(|why| ToolError::new(ErrorKind::Io, why))
}

/// Rows of every table after the recorded run.
pub fn recorded_rows(case: &Case) -> Value {
    match case.recorded.expected.get("sql_rows") {
        Some(Value::Object(tables)) => {
            let sorted = tables
                .iter()
                .map(|(name, rows)| (name.clone(), sorted(rows.clone())));
            Value::Object(sorted.collect())
        }
        _ => Value::Null,
    }
}

/// The same tables and columns after the run of the new tool.
pub fn observed_rows(case: &Case, database: &Path, recorded: &Value) -> ToolResult<Value> {
    let (Some(_), Value::Object(wanted)) = (&case.recorded.far_side.mysql, recorded) else {
        return Ok(recorded.clone());
    };
    let tables = sqlite::tables(database).map_err(|why| ToolError::new(ErrorKind::Io, why))?;
    let mut observed = Map::new();
    for (name, rows) in wanted {
        let Some(table) = tables.get(name) else {
            // A table that was never made holds as little as an empty one.
            observed.insert(name.clone(), json!([]));
            continue;
        };
        // The new schema may have columns the old one had not.
        let columns: Vec<&String> = rows[0].as_object().into_iter().flat_map(Map::keys).collect();
        let mut all = table_value(table);
        for row in all.as_array_mut().into_iter().flatten() {
            if let Some(row) = row.as_object_mut().filter(|_| !columns.is_empty()) {
                row.retain(|column, _| columns.contains(&column));
            }
        }
        observed.insert(name.clone(), sorted(all));
    }
    Ok(Value::Object(observed))
}

/// Rows have no order.
fn sorted(rows: Value) -> Value {
    let Value::Array(mut rows) = rows else { return rows };
    rows.sort_by_cached_key(|row| {
        let fields: std::collections::BTreeMap<_, _> = row.as_object().into_iter().flatten().collect();
        json!(fields).to_string()
    });
    Value::Array(rows)
}
