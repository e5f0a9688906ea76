//! From a declared reply to the bytes of an answer.

use std::time::Duration;

use base64::Engine as _;

use super::{Mode, Reply, Shared};
use crate::seen::Answer;

/// What the declared routes say to a request.
pub(super) enum Told {
    /// This answer, after a wait.
    Answer(Answer, Duration),
    /// The connection ends without an answer.
    HangUp,
    /// Nothing is declared for it.
    Unknown,
}

/// The first route that matches answers; its replies are used in order, the last one repeats.
pub(super) fn declared(shared: &Shared, method: &str, base: &str, path: &str, query: &str) -> Told {
    let Mode::Answer(routes) = &shared.mode else {
        return Told::Unknown;
    };
    let Some(index) = routes
        .iter()
        .position(|route| route.matches(method, base, path, query))
    else {
        return Told::Unknown;
    };
    let responses = &routes[index].responses;
    let reply = {
        let mut state = shared.state();
        let served = state.served.get(index).copied().unwrap_or(0);
        if let Some(count) = state.served.get_mut(index) {
            *count += 1;
        }
        responses.get(served.min(responses.len().saturating_sub(1)))
    };
    match reply {
        None => Told::Unknown,
        Some(reply) if reply.close => Told::HangUp,
        Some(reply) => {
            let wait = Duration::try_from_secs_f64(reply.delay_s).unwrap_or_default();
            Told::Answer(answer(reply), wait)
        }
    }
}

fn answer(reply: &Reply) -> Answer {
    let mut headers: Vec<(String, String)> = reply
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    if reply.body_json.is_some() && !headers.iter().any(|(name, _)| name == "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let decoded = |text: &String| base64::engine::general_purpose::STANDARD.decode(text).ok();
    let body = match (&reply.body_json, &reply.body_text) {
        (Some(json), _) => json.to_string().into_bytes(),
        (None, Some(text)) => text.clone().into_bytes(),
        (None, None) => reply.body_base64.as_ref().and_then(decoded).unwrap_or_default(),
    };
    Answer {
        status: reply.status.unwrap_or(200),
        headers,
        body,
    }
}

/// The answer to a request nobody declared.
pub(super) fn unknown(proxied: bool) -> Answer {
    let (status, text) = if proxied {
        (502, "parity: nothing is recorded for this request")
    } else {
        (404, "not found")
    };
    Answer {
        status,
        headers: Vec::new(),
        body: text.as_bytes().to_vec(),
    }
}
