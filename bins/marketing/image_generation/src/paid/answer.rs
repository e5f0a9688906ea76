//! What the answers of all providers have in common.

use app_core::{ErrorKind, ToolError, text::visible_line};
use serde_json::Value;
use web::Response;

use super::{Charge, Sent, Trouble, TroubleKind, Verdict};
use crate::provider::Provider;

/// Most characters of a provider's own words in a message.
const WORDS: usize = 300;

/// A provider's words, on one line, harmless, and not too many.
pub fn words(text: &str) -> String {
    let line = visible_line(text.trim()).into_owned();
    if line.chars().count() <= WORDS {
        return line;
    }
    let cut: String = line.chars().take(WORDS).collect();
    format!("{cut} ...")
}

/// `name: words`, or the name with a sentence of ours where the provider said nothing.
fn message(provider: Provider, did: &str, said: &str) -> String {
    let said = words(said);
    if said.is_empty() {
        format!("{provider} {did}")
    } else {
        format!("{provider} {did}: {said}")
    }
}

/// A picture for this price.
pub fn picture(sent: Sent, charge: Charge) -> Verdict {
    Verdict {
        result: Ok(sent),
        charge,
        usage: None,
        request_id: None,
    }
}

/// No picture.
pub fn none(trouble: Trouble, charge: Charge) -> Verdict {
    Verdict {
        result: Err(trouble),
        charge,
        usage: None,
        request_id: None,
    }
}

/// The provider does not want to draw this.
pub fn refused(provider: Provider, reason: &str, said: &str) -> Trouble {
    let error = ToolError::new(
        ErrorKind::ProviderRejected,
        message(
            provider,
            &format!("refuses to draw this (`{}`)", words(reason)),
            said,
        ),
    )
    .code("refused")
    .hint("say it otherwise; --fallback-on-refusal asks the next provider of the chain")
    .from_source(provider.name())
    .with("reason", words(reason));
    Trouble {
        kind: TroubleKind::Refused,
        error,
    }
}

/// The answer has no picture in it.
pub fn no_picture(provider: Provider, reason: &str, said: &str) -> Trouble {
    let did = if reason.is_empty() {
        "answered without a picture".to_owned()
    } else {
        format!("answered without a picture (`{}`)", words(reason))
    };
    failed(
        ToolError::new(ErrorKind::ProviderRejected, message(provider, &did, said))
            .code("no_picture")
            .from_source(provider.name()),
    )
}

/// Trouble of no special kind.
pub fn failed(error: ToolError) -> Trouble {
    Trouble {
        kind: TroubleKind::Failed,
        error,
    }
}

/// A 2xx answer that cannot be read: a model may have run for it.
pub fn unreadable(provider: Provider, what: &str) -> Verdict {
    let error = ToolError::new(
        ErrorKind::ProviderRejected,
        format!("the answer of {provider} cannot be read: {what}"),
    )
    .code("unexpected_body")
    .from_source(provider.name());
    none(failed(error), Charge::Unknown)
}

/// A model that the provider does not have (any more).
pub fn no_such_model(provider: Provider, said: &str) -> Trouble {
    let present = provider.remote().map_or(&[][..], |remote| remote.models());
    failed(
        ToolError::new(
            ErrorKind::ProviderRejected,
            message(provider, "does not have the model", said),
        )
        .code("model_not_found")
        .hint(format!(
            "models known here: {}; `image_generation models` shows prices and end dates",
            present.join(", ")
        ))
        .from_source(provider.name()),
    )
}

/// The account has no money left.
pub fn no_credit(provider: Provider, said: &str) -> Trouble {
    Trouble {
        kind: TroubleKind::NoCredit,
        error: ToolError::new(
            ErrorKind::BudgetExceeded,
            message(provider, "says that its account has no credit", said),
        )
        .code("provider_credit")
        .from_source(provider.name()),
    }
}

/// What a status that is not 2xx means, where the provider has no code of its own for it.
///
/// What was turned away at the door costs nothing. A server that broke while it worked may have asked its model.
pub fn by_status(provider: Provider, answer: &Response, said: &str) -> Verdict {
    let status = answer.status;
    let rejected = |kind: ErrorKind, did: &str| {
        let mut error = answer.error();
        error.kind = kind;
        error.retryable = kind.retryable();
        error.message = message(provider, &format!("{did} ({status})"), said);
        error.from_source(provider.name())
    };
    match status {
        401 | 403 => none(
            Trouble {
                kind: TroubleKind::Unauthorised,
                error: rejected(ErrorKind::Unauthorised, "does not take the key"),
            },
            Charge::Nothing,
        ),
        402 => none(no_credit(provider, said), Charge::Nothing),
        429 => none(
            failed(rejected(ErrorKind::RateLimited, "asks to come back later")),
            Charge::Nothing,
        ),
        503 => none(
            failed(rejected(ErrorKind::ProviderUnavailable, "is not available")),
            Charge::Nothing,
        ),
        408 | 500..=599 => {
            let mut error = rejected(ErrorKind::ProviderUnavailable, "broke off");
            // It may have been charged for, so nobody repeats it unasked.
            error.retryable = false;
            none(failed(error), Charge::Unknown)
        }
        _ => none(
            failed(rejected(ErrorKind::ProviderRejected, "refused the request")),
            Charge::Nothing,
        ),
    }
}

/// The body as JSON, if it is JSON.
pub fn json(answer: &Response) -> Option<Value> {
    serde_json::from_slice(&answer.body).ok()
}

/// The first of these headers that is there.
pub fn header(answer: &Response, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| answer.header(name)).map(words)
}
