//! Answers calls of the replaced Markdown export library in its own shapes.
//!
//! A call names its `function` and carries what the old driver was given; messages come from the file
//! `world.json` beside it, the description of a chat that the recorded cases share.

use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::names::{UNKNOWN_CHAT, UNKNOWN_SENDER, file_name, sender_id};
use super::{Format, Header, Options, Senders, dates, markdown, reactions};
use crate::aliases::{AliasFile, ChatKind};
use crate::model::{MarkedId, Message};

pub mod world;

use world::World;

/// What a call gives back: its value, and the files the old function wrote (path and content).
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The old driver's result.
    pub value: Value,
    /// Files, by path relative to the working directory.
    pub files: Vec<(String, Vec<u8>)>,
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self {
            value,
            files: Vec::new(),
        }
    }
}

/// Messages the old fetch asked for when no limit was given.
const DEFAULT_LIMIT: usize = 200;

/// Answers a call, or `None` when the function is not one of this library or its parameters make no sense.
/// `read` gives the text of a file of the working directory.
pub fn answer(call: &Value, read: &dyn Fn(&str) -> Option<String>) -> Option<Answer> {
    let inputs = || call["inputs"].as_array();
    let each = |f: &dyn Fn(&Value) -> Value| Some(inputs()?.iter().map(f).collect::<Value>().into());
    match call["function"].as_str()? {
        "sanitize_filename" => each(&|input| {
            let fallback = input["fallback"].as_str().unwrap_or(UNKNOWN_CHAT);
            Value::from(file_name(input["name"].as_str(), fallback))
        }),
        "format_timestamp" => each(&timestamp),
        "load_chats_from_config" => each(&|input| chats(input, read)),
        "build_message_text" => over(
            call,
            read,
            |message, _| json!({"message_id": message.id, "text": markdown::text(message, None)}),
        ),
        "reactions" => over(call, read, |message, _| {
            json!({
                "message_id": message.id,
                "total": reactions::total(&message.reactions),
                "emojis": reactions::emojis(&message.reactions),
                "breakdown": reactions::breakdown(&message.reactions),
            })
        }),
        "build_markdown_entry" => over(call, read, |message, senders| {
            let text = markdown::text(message, None);
            let entry = (!text.trim().is_empty()).then(|| {
                let emojis = reactions::emojis(&message.reactions);
                markdown::entry(
                    &senders.name(message),
                    &dates::formatted(message.date, &TimeZone::UTC, time_format(call)),
                    &text,
                    &emojis,
                )
            });
            json!({"message_id": message.id, "entry": entry})
        }),
        "resolve_sender_name" => sender_names(call, read),
        "fetch_and_export_messages" => export(call, read),
        _ => None,
    }
}

fn timestamp(input: &Value) -> Value {
    // The offset does not matter: the old function never converted.
    let date = input["date"]
        .as_str()
        .and_then(|date| date.get(..19)?.parse::<DateTime>().ok());
    let format = input["format"].as_str().unwrap_or("%d.%m.%Y %H:%M");
    Value::from(date.map_or_else(String::new, |date| date.strftime(format).to_string()))
}

fn chats(input: &Value, read: &dyn Fn(&str) -> Option<String>) -> Value {
    let text = input["path"].as_str().and_then(read).unwrap_or_default();
    match AliasFile::parse(&text, &|_| None) {
        Ok((config, _)) => {
            let chats: Map<String, Value> = config
                .chats
                .into_iter()
                .map(|(alias, entry)| {
                    let chat = match entry.kind {
                        ChatKind::Channel(id) => json!({"kind": "channel", "id": id}),
                        ChatKind::Group(id) => json!({"kind": "group", "id": id}),
                        ChatKind::User(id) => json!({"kind": "user", "id": id}),
                        ChatKind::Username(name) => json!({"kind": "username", "value": format!("@{name}")}),
                    };
                    (alias, chat)
                })
                .collect();
            json!({"ok": chats, "stdout": ""})
        }
        Err(message) => json!({"error": "YAMLError", "message": message, "stdout": ""}),
    }
}

fn chat(call: &Value, read: &dyn Fn(&str) -> Option<String>) -> Option<(World, MarkedId)> {
    let world: Value = serde_json::from_str(&read("world.json")?).ok()?;
    Some((World::new(&world), MarkedId(call["chat"].as_i64()?)))
}

/// The first of these fields that is a text, of the call or of its options.
fn given<'c>(call: &'c Value, names: &[&str]) -> Option<&'c str> {
    let places = [call, &call["options"]];
    let mut found = names
        .iter()
        .flat_map(|name| places.map(|place| place[*name].as_str()));
    found.find_map(|text| text)
}

fn time_format(call: &Value) -> Option<&str> {
    given(
        call,
        &["timestamp_format", "time_format", "date_format", "format"],
    )
}

/// What callers of the library passed for senders of whom nothing is known.
fn fallback(call: &Value) -> Option<&str> {
    given(
        call,
        &["fallback", "sender_fallback", "unknown_sender", "fallback_name"],
    )
}

fn senders(call: &Value) -> Senders {
    let cache = call["cache"].as_object().into_iter().flatten();
    let names = cache
        .filter_map(|(id, name)| Some((MarkedId(id.parse().ok()?), name.as_str()?.to_owned())))
        .collect();
    let options = Options {
        names,
        ..Options::default()
    };
    Senders::new(&options, fallback(call).unwrap_or(UNKNOWN_SENDER))
}

fn over(
    call: &Value,
    read: &dyn Fn(&str) -> Option<String>,
    mut f: impl FnMut(&Message, &mut Senders) -> Value,
) -> Option<Answer> {
    let (world, id) = chat(call, read)?;
    let mut senders = senders(call);
    let values: Vec<Value> = world
        .messages(id)
        .iter()
        .map(|message| f(message, &mut senders))
        .collect();
    Some(Value::from(values).into())
}

fn sender_names(call: &Value, read: &dyn Fn(&str) -> Option<String>) -> Option<Answer> {
    let (world, id) = chat(call, read)?;
    let mut senders = senders(call);
    let mut values: Vec<Value> = world
        .messages(id)
        .iter()
        .map(|message| {
            let name = senders.name(message);
            json!({"message_id": message.id, "sender_id": sender_id(message), "name": &*name})
        })
        .collect();
    let cache: Map<String, Value> = senders
        .known()
        .map(|(id, name)| (id.to_string(), name.into()))
        .collect();
    values.push(json!({"cache_after": cache}));
    Some(Value::from(values).into())
}

fn export(call: &Value, read: &dyn Fn(&str) -> Option<String>) -> Option<Answer> {
    let (world, id) = chat(call, read)?;
    let options = &call["options"];
    let limit = options["limit"]
        .as_u64()
        .map_or(DEFAULT_LIMIT, |limit| limit as usize);
    let fetched: Vec<&Message> = world.messages(id).iter().take(limit).collect();
    let mut header = Header::new(world.peer(id), fetched.len(), jiff::Timestamp::UNIX_EPOCH);
    header.title = options["title"].as_str()?.to_owned();
    let meta = options["meta"].as_array().into_iter().flatten();
    header.meta = meta.filter_map(Value::as_str).map(str::to_owned).collect();
    let mut renderer = Format::Markdown.renderer(Options {
        unknown_sender: fallback(call).map(str::to_owned),
        time_format: time_format(call).map(str::to_owned),
        ..Options::default()
    });
    let mut content = Vec::new();
    renderer.begin(&mut content, &header).ok()?;
    for message in fetched.iter().rev() {
        renderer.message(&mut content, message, None).ok()?;
    }
    renderer.end(&mut content).ok()?;
    let folder = options["output_dir"].as_str().unwrap_or("chats");
    let path = Path::new(folder).join(format!("{}.md", options["filename"].as_str()?));
    let path = path.to_str()?.to_owned();
    Some(Answer {
        value: json!([{"path": path, "count": fetched.len()}]),
        files: vec![(path, content)],
    })
}

#[cfg(test)]
mod tests;
