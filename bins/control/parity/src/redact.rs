//! Keeps secrets out of what is written: in the places that hold them by name, and wherever their values turn up again.

use std::sync::LazyLock;

use base64::Engine as _;
use regex::Regex;
use serde_json::Value;

use crate::{
    far_side::{REDACTED, query_pairs},
    seen::{Exchange, Kind, Seen},
};

/// Shorter values are redacted only where they stand, because they turn up by chance elsewhere.
const MIN_LENGTH: usize = 6;

/// Names of headers, parameters, keys and variables that hold secrets.
static NAMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(^|[-_.])((proxy-)?authorization|auth|set-cookie|cookie|token|secret|password|passwd|pwd|api[-_]?key|apikey|access[-_]?key|private[-_]?key|client[-_]?secret|signature|sig|credentials?)2?$|(?i)^key$|[_-]KEY$|[a-z](Token|Secret|Password|ApiKey)$",
    )
    .ok()
});

/// A bot's token in a path.
static BOT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"/bot(\d+:[A-Za-z0-9_-]{20,})").ok());

/// Whether something of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    NAMES.as_ref().is_some_and(|names| names.is_match(name))
}

/// What stands for a secret in texts: as long as it was, because programs count and align.
pub fn filler(secret: &str) -> String {
    REDACTED.chars().cycle().take(secret.chars().count()).collect()
}

/// Whether this text stands for a secret.
fn is_filler(text: &str) -> bool {
    !text.is_empty() && text == filler(text)
}

/// Values that were found in places of secrets.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// Those of a run: its declared environment, its requests and their answers.
    pub fn of<'a>(env: impl IntoIterator<Item = (&'a String, &'a String)>, seen: &Seen) -> Self {
        let mut secrets = Self::default();
        for (_, value) in env.into_iter().filter(|(name, _)| is_secret(name)) {
            secrets.add(value);
        }
        for request in &seen.requests {
            secrets.of_request(request);
        }
        // Longer ones first: one may be a part of another.
        secrets.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets
    }

    fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.len() >= MIN_LENGTH && !is_filler(value) && !self.0.iter().any(|known| known == value) {
            self.0.push(value.to_owned());
        }
    }

    fn of_request(&mut self, request: &Exchange) {
        let answered = request.answer.iter().flat_map(|answer| &answer.headers);
        for (name, value) in request
            .headers
            .iter()
            .chain(answered)
            .filter(|(name, _)| is_secret(name))
        {
            if name.ends_with("cookie") {
                for pair in value.split(';') {
                    self.add(pair.split_once('=').map_or("", |(_, value)| value));
                }
                continue;
            }
            let bare = value.split_once(' ').map_or(value.as_str(), |(_, rest)| rest);
            self.add(bare);
            // A basic login is name and password in one.
            if let Ok(decoded) = base64::engine::general_purpose::STANDARD.decode(bare)
                && let Ok(login) = String::from_utf8(decoded)
                && let Some((_, password)) = login.split_once(':')
            {
                self.add(password);
            }
        }
        for (name, value) in query_pairs(&request.query) {
            if is_secret(&name) {
                self.add(&value);
            }
        }
        let bodies = [Some(&request.body), request.answer.as_ref().map(|a| &a.body)];
        for body in bodies.into_iter().flatten() {
            if let Ok(value) = serde_json::from_slice(body) {
                self.of_value(&value);
            }
        }
        if let Some(found) = BOT.as_ref().and_then(|bot| bot.captures(&request.path)) {
            self.add(&found[1]);
        }
    }

    fn of_value(&mut self, value: &Value) {
        let mut found = Vec::new();
        named(value, &mut found);
        for secret in &found {
            self.add(secret);
        }
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none was found.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without them.
    pub fn text(&self, text: &str) -> String {
        let mut clean = text.to_owned();
        for secret in &self.0 {
            if clean.contains(secret.as_str()) {
                clean = clean.replace(secret.as_str(), &filler(secret));
            }
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            if encoded != *secret && clean.contains(&encoded) {
                clean = clean.replace(&encoded, &filler(secret));
            }
        }
        clean
    }

    /// The same for bytes; what is no UTF-8 stays as it is.
    pub fn bytes(&self, bytes: &[u8]) -> Vec<u8> {
        std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| self.text(text).into_bytes())
    }

    /// The same for every text of a value.
    pub fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map
                .into_iter()
                .map(|(key, item)| (key, self.value(item)))
                .collect(),
            other => other,
        }
    }
}

impl Secrets {
    /// Everything that was seen, without them.
    pub fn seen(&self, seen: &mut Seen) {
        seen.stdout = self.bytes(&seen.stdout);
        for entry in seen.files.values_mut() {
            if let Kind::File(bytes) = &mut entry.kind {
                *bytes = self.bytes(bytes);
            }
        }
        for request in &mut seen.requests {
            request.path = self.text(&request.path);
            request.query = self.text(&request.query);
            request.body = self.bytes(&request.body);
            let answer = request.answer.as_mut();
            if let Some(answer) = answer {
                answer.body = self.bytes(&answer.body);
                answer
                    .headers
                    .iter_mut()
                    .for_each(|(_, value)| *value = self.text(value));
            }
            request
                .headers
                .iter_mut()
                .for_each(|(_, value)| *value = self.text(value));
        }
        for mail in &mut seen.mails {
            mail.source = self.bytes(&mail.source);
        }
        for cell in seen
            .tables
            .values_mut()
            .flat_map(|table| table.rows.iter_mut().flatten())
        {
            *cell = self.value(cell.take());
        }
    }
}

/// Replaces what stands in places of secrets, on either side of a comparison.
pub fn places(seen: &mut Seen) {
    for request in &mut seen.requests {
        request_places(request);
    }
}

/// A query without its secrets, otherwise as it was.
pub fn query(query: &str) -> String {
    let parts = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    parts.collect::<Vec<_>>().join("&")
}

fn request_places(request: &mut Exchange) {
    headers(&mut request.headers);
    request.query = query(&request.query);
    body(&mut request.body, |_| REDACTED.to_owned());
    if let Some(answer) = &mut request.answer {
        headers(&mut answer.headers);
        body(&mut answer.body, filler);
    }
}

fn headers(headers: &mut [(String, String)]) {
    for (_, value) in headers.iter_mut().filter(|(name, _)| is_secret(name)) {
        REDACTED.clone_into(value);
    }
}

/// Replaces the values in place, so that every other byte of the body stays; only a body that writes its secrets in an
/// unusual way is written anew.
fn body(body: &mut Vec<u8>, stands: fn(&str) -> String) {
    let Ok(text) = std::str::from_utf8(body) else {
        return;
    };
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let mut secrets = Vec::new();
    named(&value, &mut secrets);
    let mut clean = text.to_owned();
    for secret in &secrets {
        let quoted = |text: &str| Value::from(text).to_string();
        clean = clean.replace(&quoted(secret), &quoted(&stands(secret)));
    }
    if hide(&mut value, stands) {
        let same = serde_json::from_str::<Value>(&clean).is_ok_and(|written| written == value);
        *body = if same { clean } else { value.to_string() }.into_bytes();
    }
}

/// Every text behind the name of a secret.
fn named(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if !text.is_empty() && is_secret(name) => found.push(text.clone()),
                    other => named(other, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| named(item, found)),
        _ => {}
    }
}

fn hide(value: &mut Value, stands: fn(&str) -> String) -> bool {
    let mut hidden = false;
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if !text.is_empty() && is_secret(name) => {
                        *inner = Value::from(stands(text));
                        hidden = true;
                    }
                    other => hidden |= hide(other, stands),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                hidden |= hide(item, stands);
            }
        }
        _ => {}
    }
    hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_known_and_others_are_left_alone() {
        for name in [
            "Authorization",
            "x-api-key",
            "cookie",
            "set-cookie",
            "api_key",
            "key",
            "access_token",
            "LINEAR_API_KEY",
            "SMTP_PASSWORD",
            "accessToken",
            "X-Goog-Api-Key",
            "client_secret",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "keyword",
            "total_tokens",
            "monkey",
            "content-type",
            "author",
            "passenger",
            "x-request-id",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn a_value_is_hidden_wherever_it_turns_up() {
        let basic = base64::engine::general_purpose::STANDARD.encode("anna:opensesame");
        let mut seen = Seen::not_started(String::new());
        seen.requests.push(Exchange {
            base: "https://api.example.com".into(),
            method: "POST".into(),
            path: "/bot123456:abcdefghijklmnopqrstuvwxyz/send".into(),
            query: "a=1&key=geheim%2F1234".into(),
            headers: vec![("authorization".into(), format!("Basic {basic}"))],
            body: br#"{"token": "tok-5678", "n": 1.0}"#.to_vec(),
            answer: None,
            unexpected: false,
        });
        let secrets = Secrets::of([], &seen);
        let clean = secrets
            .text("geheim/1234 geheim%2F1234 opensesame tok-5678 /bot123456:abcdefghijklmnopqrstuvwxyz/");
        let token = filler("123456:abcdefghijklmnopqrstuvwxyz");
        assert_eq!(
            clean,
            format!("REDACTEDRED REDACTEDRED REDACTEDRE REDACTED /bot{token}/")
        );
        places(&mut seen);
        let request = &seen.requests[0];
        assert_eq!(request.query, "a=1&key=REDACTED");
        assert_eq!(request.headers[0].1, "REDACTED");
        assert_eq!(request.body, br#"{"token": "REDACTED", "n": 1.0}"#);
    }
}
