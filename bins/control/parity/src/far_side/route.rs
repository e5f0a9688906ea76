//! Routes and their answers, in the format of the recorded cases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands in a recorded request for a secret; matches anything when it is replayed. A plain word, because it also has to
/// stand in addresses and headers.
pub const REDACTED: &str = "REDACTED";

/// What is answered to one kind of request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Route {
    /// Method, upper case.
    pub method: String,
    /// `https://host` of a request through the proxy; without it the far side's own address is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Path as sent.
    pub path: String,
    /// Query parameters that must be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<BTreeMap<String, Value>>,
    /// Answers in order; the last one repeats.
    pub responses: Vec<Reply>,
}

/// One answer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reply {
    /// Status, 200 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// JSON body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_json: Option<Value>,
    /// Text body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_text: Option<String>,
    /// Body that is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_base64: Option<String>,
    /// Seconds to wait before answering.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub delay_s: f64,
    /// Drop the connection instead of answering.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub close: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(number: &f64) -> bool {
    *number == 0.0
}

impl Route {
    /// Whether this route answers such a request.
    pub(super) fn matches(&self, method: &str, base: &str, path: &str, query: &str) -> bool {
        let pairs = query_pairs(query);
        let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.method == method
            && self.base.as_deref().unwrap_or_default() == base
            && self.path == path
            && self.query.iter().flatten().all(|(name, wanted)| {
                let wanted = plain(wanted);
                pairs
                    .iter()
                    .any(|(n, value)| n == name && (*value == wanted || wanted == REDACTED))
            })
    }
}

/// Names and values of a query, decoded, in order.
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// The same as the recordings write it: one value a name.
pub fn text_pairs(query: &str) -> BTreeMap<String, String> {
    query_pairs(query).into_iter().collect()
}
