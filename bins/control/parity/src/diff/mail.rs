//! Compares the mails of two sides, decoded.

use mail_parser::{Message, MessageParser, MimeHeaders as _, PartType};
use serde_json::{Value, json};

use super::{
    Found, Rules, content,
    sequence::{Step, align},
};
use crate::seen::Mail;

/// Headers that every message has anew, or that only describe its wrapping; presence still counts for the first two.
const WRAPPING: [&str; 8] = [
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "received",
    "user-agent",
    "x-mailer",
];

/// A mail as its reader sees it.
pub(crate) fn decoded(mail: &Mail) -> Value {
    let Some(message) = MessageParser::default().parse(&mail.source) else {
        return json!({"from": mail.from, "to": mail.to, "unreadable": true});
    };
    let mut headers = serde_json::Map::new();
    for (name, value) in message.headers_raw() {
        let name = name.to_ascii_lowercase();
        if name == "date" || name == "message-id" {
            headers.insert(name, json!("present"));
        } else if !WRAPPING.contains(&name.as_str()) {
            headers.insert(name.clone(), json!(readable(&message, &name, value)));
        }
    }
    let text = |part: &PartType<'_>| match part {
        PartType::Text(text) | PartType::Html(text) => Some(text.replace("\r\n", "\n")),
        _ => None,
    };
    let bodies = |ids: &[u32]| -> Vec<String> {
        ids.iter()
            .filter_map(|&id| message.parts.get(id as usize))
            .filter_map(|part| text(&part.body))
            .collect()
    };
    let attachments: Vec<Value> = message
        .attachments()
        .map(|part| {
            let kind = part
                .content_type()
                .map(|t| format!("{}/{}", t.ctype(), t.subtype().unwrap_or_default()));
            json!({"name": part.attachment_name(), "type": kind, "bytes": part.contents().len(),
                   "sha256": hex::encode(<sha2::Sha256 as sha2::Digest>::digest(part.contents()))})
        })
        .collect();
    // An HTML-only message also reads as text: that reading is derived and says nothing of its own.
    let html: Vec<String> = bodies(&message.html_body);
    json!({"from": mail.from, "to": mail.to, "headers": headers,
           "text": bodies(&message.text_body), "html": html, "attachments": attachments})
}

/// The decoded text of a header where it is text or addresses, else its source unfolded.
fn readable(message: &Message<'_>, name: &str, raw: &str) -> String {
    if name == "subject"
        && let Some(subject) = message.subject()
    {
        return subject.to_owned();
    }
    if let Some(addresses) = message
        .header(name.to_owned())
        .and_then(|value| value.as_address())
    {
        let told = addresses.iter().map(|a| match (a.name(), a.address()) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (_, address) => address.unwrap_or_default().to_owned(),
        });
        return told.collect::<Vec<_>>().join(", ");
    }
    raw.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Extra and missing messages (a message sent twice is an extra one); of those on both sides everything decoded.
pub(super) fn compare(control: &[Mail], candidate: &[Mail], rules: &Rules, found: &mut Found) {
    let (a, b): (Vec<_>, Vec<_>) = (
        control.iter().map(decoded).collect(),
        candidate.iter().map(decoded).collect(),
    );
    let key = |mail: &Value| format!("mail to {}", mail["to"]);
    let (x, y): (Vec<_>, Vec<_>) = (a.iter().map(key).collect(), b.iter().map(key).collect());
    for step in align(&x, &y) {
        match step {
            Step::Both(i, j) => parts(&format!("smtp[{i}]"), &a[i], &b[j], rules, found),
            Step::Missing(i) => found.add(
                format!("smtp -{}", x[i]),
                "missing message",
                short(&a[i]),
                Value::Null,
            ),
            Step::Extra(j) => found.add(
                format!("smtp +{}", y[j]),
                "extra message",
                Value::Null,
                short(&b[j]),
            ),
        }
    }
}

/// Bodies are compared as texts, so that one changed word is told as one.
fn parts(place: &str, a: &Value, b: &Value, rules: &Rules, found: &mut Found) {
    let (mut rest_a, mut rest_b) = (a.clone(), b.clone());
    for body in ["text", "html"] {
        let (x, y) = (rest_a[body].take(), rest_b[body].take());
        let count = |v: &Value| v.as_array().map_or(0, Vec::len);
        if count(&x) != count(&y) {
            found.add(
                format!("{place}.{body}"),
                "different number of parts",
                json!(count(&x)),
                json!(count(&y)),
            );
        }
        for (index, (p, q)) in x
            .as_array()
            .into_iter()
            .flatten()
            .zip(y.as_array().into_iter().flatten())
            .enumerate()
        {
            let bytes = |v: &Value| v.as_str().unwrap_or_default().as_bytes().to_vec();
            content::compare(
                &format!("{place}.{body}[{index}]"),
                &bytes(p),
                &bytes(q),
                rules,
                found,
            );
        }
    }
    content::values(place, &rest_a, &rest_b, rules, found);
}

fn short(mail: &Value) -> Value {
    json!({"to": mail["to"], "subject": mail["headers"]["subject"]})
}
