//! What a mail server reports of mail that it could not deliver (RFC 3464).
//!
//! Only the recipients that the report names are spoken of: one bounce says nothing about the others.

use app_core::{ToolError, ToolResult};
use mail_parser::{MessageParser, MimeHeaders as _};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, Rules},
    smtp::enhanced,
};

/// One recipient of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bounced {
    /// The address as it is compared; the text of the report where it is none.
    pub address: String,
    /// `failed`, `delayed`, `delivered`, ...
    pub action: String,
    /// `5.1.1`
    pub status: String,
    /// What the far server said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostic: Option<String>,
    /// It failed for good since the address does not exist (5.1.x).
    pub hard: bool,
}

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whom it speaks of.
    pub recipients: Vec<Bounced>,
    /// The `Message-ID` of the letter that bounced, when the report holds it.
    pub message_id: Option<String>,
}

/// Reads a report.
///
/// Fails when the message is none, or names no recipient.
pub fn read(bytes: &[u8]) -> ToolResult<Report> {
    let none =
        || ToolError::invalid("file", "the message is no delivery report (RFC 3464)").code("no_report");
    let message = MessageParser::default().parse(bytes).ok_or_else(none)?;
    let mut report = Report::default();
    for part in &message.parts {
        let Some(kind) = part.content_type() else { continue };
        match (kind.ctype(), kind.subtype().unwrap_or_default()) {
            ("message", "delivery-status" | "global-delivery-status") => {
                let text = String::from_utf8_lossy(part.contents());
                report
                    .recipients
                    .extend(groups(&text).iter().skip(1).filter_map(bounced));
            }
            ("message", "rfc822" | "global") | ("text", "rfc822-headers") => {
                let text = String::from_utf8_lossy(part.contents());
                let id = groups(&text).first().and_then(|group| field(group, "message-id"));
                report.message_id = id.map(|id| id.trim_matches(['<', '>']).to_owned());
            }
            _ => {}
        }
    }
    if report.recipients.is_empty() {
        return Err(none());
    }
    Ok(report)
}

type Group = Vec<(String, String)>;

/// Groups of fields, separated by empty lines; the first speaks of the whole message.
fn groups(text: &str) -> Vec<Group> {
    let mut groups = vec![Group::new()];
    for line in text.lines() {
        let last = groups.last_mut();
        if line.trim().is_empty() {
            if last.is_some_and(|group| !group.is_empty()) {
                groups.push(Group::new());
            }
        } else if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = last.and_then(|group| group.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let (Some((name, value)), Some(group)) = (line.split_once(':'), last) {
            group.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    groups
}

fn field(group: &Group, name: &str) -> Option<String> {
    group
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.clone())
}

/// `rfc822; ina@shop.example`
fn typed(value: &str) -> String {
    value
        .split_once(';')
        .map_or(value, |(_, rest)| rest)
        .trim()
        .to_owned()
}

fn bounced(group: &Group) -> Option<Bounced> {
    // Whom we wrote to, not where it was forwarded.
    let named = field(group, "original-recipient").or_else(|| field(group, "final-recipient"))?;
    let text = typed(&named);
    let rules = Rules {
        local_domains: true,
        utf8: true,
    };
    let address = Address::parse(text.trim_matches(['<', '>']), rules).map_or(text, |address| address.key());
    let action = field(group, "action").unwrap_or_default().to_ascii_lowercase();
    let status = field(group, "status").unwrap_or_default();
    let hard = action == "failed" && matches!(enhanced(&status), Some((5, 1, _)));
    Some(Bounced {
        address,
        action,
        status,
        diagnostic: field(group, "diagnostic-code").map(|value| typed(&value).chars().take(300).collect()),
        hard,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "From: MAILER-DAEMON@mx.example\r\nTo: news@shop.example\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n\
--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nOriginal-Recipient: rfc822;Ina@Shop.example\r\n\
Final-Recipient: rfc822; forward@other.example\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no\r\n such user\r\n\r\n\
Final-Recipient: rfc822; max@shop.example\r\nAction: failed\r\nStatus: 5.7.1\r\n\r\n\
Final-Recipient: rfc822; olga@shop.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
Message-ID: <abc@shop.example>\r\nSubject: x\r\n\r\n--b--\r\n";

    #[test]
    fn only_those_who_are_named_and_only_bad_addresses_are_hard() {
        let report = read(REPORT.as_bytes()).unwrap();
        let told: Vec<_> = report
            .recipients
            .iter()
            .map(|r| (r.address.as_str(), r.action.as_str(), r.status.as_str(), r.hard))
            .collect();
        assert_eq!(
            told,
            [
                ("ina@shop.example", "failed", "5.1.1", true),
                ("max@shop.example", "failed", "5.7.1", false),
                ("olga@shop.example", "delayed", "4.4.1", false)
            ]
        );
        assert_eq!(
            report.recipients[0].diagnostic.as_deref(),
            Some("550 5.1.1 no such user")
        );
        assert_eq!(report.message_id.as_deref(), Some("abc@shop.example"));
        assert_eq!(
            read(b"Subject: hello\r\n\r\nno report\r\n").unwrap_err().code,
            "no_report"
        );
    }
}
