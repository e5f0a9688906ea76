//! Telegram of a recorded case: its world is served by the data centre of the tests, and what was asked of it is brought
//! into the words of the recording.
//!
//! Acts count one by one and in order. Of reads only the chats count: the new tools page and look people up their own way.

use std::collections::BTreeSet;
use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Value, json};
use testkit::telegram::{Dc, Recorded, World};
use testkit::{Sandbox, tools::BuiltTool};

use crate::case::Case;

/// Calls of the recording that act.
const ACTS: [&str; 3] = ["send_reaction", "send_message", "delete_message"];

/// Calls of the recording that read messages of a chat.
const READS: [&str; 3] = ["get_messages", "get_messages_by_id", "iter_messages"];

/// The data centre of the case, with its session files in place.
pub fn start(case: &Case, sandbox: &Sandbox) -> ToolResult<Option<Dc>> {
    let far = &case.recorded.far_side;
    let Some(world) = &far.telegram else {
        return Ok(None);
    };
    let world = World::load(&case.folder.join("in").join(world))
        .map_err(|why| ToolError::new(ErrorKind::InvalidInput, why))?;
    let dc = Dc::start(world);
    for name in &far.session_files {
        dc.write_session(&sandbox.path(name));
    }
    // Some scripts had a session of their own making; where the recording got through, so must the new tool.
    let called = case
        .recorded
        .expected
        .get("telegram_calls")
        .and_then(Value::as_array);
    if far.session_files.is_empty() && called.is_some_and(|calls| !calls.is_empty()) {
        dc.write_session(&sandbox.path("telegram_session.session"));
    }
    Ok(Some(dc))
}

/// What the recording asked of Telegram.
pub fn recorded(case: &Case) -> Value {
    if case.recorded.far_side.telegram.is_none() {
        return Value::Null;
    }
    let none = Vec::new();
    let calls = case
        .recorded
        .expected
        .get("telegram_calls")
        .and_then(Value::as_array)
        .unwrap_or(&none);
    let name = |call: &Value| call["call"].as_str().unwrap_or_default().to_owned();
    let acts: Vec<Value> = calls
        .iter()
        .filter(|call| ACTS.contains(&name(call).as_str()))
        .map(|call| match name(call).as_str() {
            "send_reaction" => json!({"act": "react", "chat": call["chat"], "id": call["id"], "emoji": call["emoji"],
                                      "big": call["big"], "failed": failed(call)}),
            "delete_message" => json!({"act": "delete", "chat": call["chat"], "id": call["id"]}),
            _ => json!({"act": "send", "chat": call["chat"], "text": call["text"], "reply_to": call["reply_to"],
                        "silent": call["silent"], "failed": failed(call)}),
        })
        .collect();
    let reads: BTreeSet<i64> = calls
        .iter()
        .filter(|call| READS.contains(&name(call).as_str()))
        .filter_map(|call| call["chat"].as_i64())
        .collect();
    json!({"acts": acts, "reads": reads})
}

fn failed(call: &Value) -> Value {
    let error = call.get("error").and_then(Value::as_str);
    // Recordings carry the client's wording: `NAME (caused by ...)`.
    error.map_or(Value::Null, |text| json!(text.split(' ').next().unwrap_or(text)))
}

/// What the new tool asked of it.
pub fn observed(case: &Case, dc: Option<&Dc>) -> Value {
    let (Some(_), Some(dc)) = (&case.recorded.far_side.telegram, dc) else {
        return Value::Null;
    };
    let requests = dc.requests();
    let acts: Vec<Value> = requests.iter().flat_map(acts).collect();
    let reads: BTreeSet<i64> = requests
        .iter()
        .filter(|request| {
            let method = request.method.as_str();
            let pages = matches!(
                method,
                "messages.getHistory" | "messages.search" | "channels.getMessages"
            );
            pages && request.args["ids"] != json!([])
        })
        .filter_map(|request| request.args["chat"].as_i64())
        .collect();
    json!({"acts": acts, "reads": reads})
}

/// The acts in one request; a deletion of many is one act each.
fn acts(request: &Recorded) -> Vec<Value> {
    let args = &request.args;
    let ids = || args["ids"].as_array().cloned().unwrap_or_default();
    match request.method.as_str() {
        "messages.sendReaction" => {
            vec![
                json!({"act": "react", "chat": args["chat"], "id": args["id"], "emoji": args["emoji"],
                        "big": args["big"], "failed": request.error}),
            ]
        }
        "channels.deleteMessages" | "messages.deleteMessages" => ids()
            .into_iter()
            .map(|id| json!({"act": "delete", "chat": args["chat"], "id": id}))
            .collect(),
        "messages.sendMessage" => {
            vec![
                json!({"act": "send", "chat": args["chat"], "text": args["text"], "reply_to": args["reply_to"],
                        "silent": args["silent"], "failed": request.error}),
            ]
        }
        _ => Vec::new(),
    }
}

/// The one intended break of a command line: what acted at once now needs to be told, and the old text is asked for.
pub fn arguments(case: &Case, tools: &Path) -> Vec<String> {
    if case.recorded.far_side.telegram.is_none() || case.recorded.call.is_some() {
        return Vec::new();
    }
    let mut more = vec!["--text".to_owned()];
    let tool = BuiltTool {
        name: case.tool.clone(),
        family: String::new(),
        folder: case.folder.clone(),
        binary: tools.join(&case.tool),
    };
    let gate = tool.describe()["gate"].clone();
    let plans = case.recorded.args.iter().any(|arg| arg == "--dry-run");
    if gate != "direct" && !plans {
        more.push("--apply".to_owned());
    }
    more.extend(case.intended.arguments.iter().cloned());
    more
}
