//! What is told of a site.

use alerting::{Change, Occasion, Severity};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::{Cause, Timings};

/// One thing to tell.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Alert {
    /// Name or address of the site.
    pub(crate) site: String,
    /// Its address.
    pub(crate) url: String,
    /// Why it is told.
    pub(crate) occasion: Occasion,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The condition, or `reachable`.
    pub(crate) condition: String,
    /// What was seen.
    pub(crate) detail: String,
    /// Which part of the request failed.
    pub(crate) cause: Option<Cause>,
    /// Where the time went.
    pub(crate) timings: Timings,
    /// Since when it has been failing.
    pub(crate) since: Timestamp,
}

impl Alert {
    /// As the channels take it.
    pub(crate) fn raised(&self, key: &str, change: Change) -> alerting::Alert {
        let stage = self
            .cause
            .and_then(|cause| serde_json::to_value(cause).ok())
            .and_then(|cause| cause.as_str().map(|word| word.replace('_', " ")));
        alerting::Alert {
            key: key.to_owned(),
            change,
            title: self.site.clone(),
            severity: self.severity,
            condition: self.condition.clone(),
            detail: self.detail.clone(),
            stage,
            data: serde_json::to_value(self).unwrap_or_default(),
        }
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let change = Change {
            occasion: self.occasion,
            incident: 0,
            step: 0,
            since: self.since,
        };
        self.raised("", change).line()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_where_why_and_since_when() {
        let alert = Alert {
            site: "Shop".into(),
            url: "https://shop.example".into(),
            occasion: Occasion::Reminder,
            severity: Severity::Critical,
            condition: "reachable".into(),
            detail: "no answer within 10 s".into(),
            cause: Some(Cause::FirstByte),
            timings: Timings::default(),
            since: "2026-01-01T10:00:00Z".parse().unwrap(),
        };
        assert_eq!(
            alert.line(),
            "🚨 Shop still fails: reachable (no answer within 10 s) [stage: first byte] since 2026-01-01 10:00 UTC"
        );
    }
}
