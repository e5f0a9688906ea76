//! What the tool returns. No body of a letter is in it.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use app_core::text::visible_line;
use jiff::Timestamp;
use mail::{
    Reason, Skipped,
    book::{DeliveryState, Entry},
    bounce::Bounced,
    suppression::Suppressed,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most rows that a report names one by one; all are counted.
pub(crate) const NAMED: usize = 100;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Output {
    /// A letter that was sent, or would be.
    Send(Box<Report>),
    /// Who would get a letter.
    Plan(Box<Report>),
    /// How far a campaign is.
    Status(Standing),
    /// A delivery that was settled.
    Resolve(Entry),
    /// The list of those who get nothing.
    Suppress(Listed),
    /// What a report said.
    Bounce(Taken),
    /// Whom a link takes off a list.
    UnsubscribeLink(Checked),
}

/// What became of a letter.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Report {
    /// Name of the campaign.
    pub(crate) key: String,
    /// Nothing was sent: this is what would be.
    pub(crate) planned: bool,
    /// How the recipients were read.
    pub(crate) read_as: String,
    /// Addresses that are to get it.
    pub(crate) recipients: u64,
    /// Sent now; in a plan: would be.
    pub(crate) sent: u64,
    /// Sent, or settled, by an earlier run.
    pub(crate) earlier: u64,
    /// On the list of those who get nothing.
    pub(crate) suppressed: u64,
    /// Refused for good by the server.
    pub(crate) failed: u64,
    /// Not taken now: a later run of the same key tries again.
    pub(crate) deferred: u64,
    /// Nobody knows whether the server has it: `resolve` settles it.
    pub(crate) undecided: u64,
    /// Not tried, since the run ended before.
    pub(crate) left: u64,
    /// Rows of the list that get nothing: empty, twice there, or no address.
    pub(crate) skipped: u64,
    /// Of these, rows with something wrong.
    pub(crate) invalid: u64,
    /// The first of the skipped rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) skipped_rows: Vec<Skipped>,
    /// The first deliveries that did not end well.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Problem>,
    /// When the first deferred one may be tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) again_at: Option<Timestamp>,
    /// What the server said to the one letter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<String>,
    /// What should be known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
    /// Letters that were written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) files: Vec<PathBuf>,
}

/// A delivery that did not end well.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// Line of the list.
    pub(crate) line: u64,
    /// The address.
    pub(crate) address: String,
    /// Where the delivery is now.
    pub(crate) state: DeliveryState,
    /// What the server said, or what happened.
    pub(crate) said: String,
}

/// How far a campaign is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Standing {
    /// Name of the campaign.
    pub(crate) key: String,
    /// Deliveries by state.
    pub(crate) counts: BTreeMap<DeliveryState, u64>,
    /// The first deliveries, of the state that was asked for.
    pub(crate) deliveries: Vec<Entry>,
}

/// The list of those who get nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Listed {
    /// Whether this run did something; not in a dry run.
    pub(crate) done: bool,
    /// Addresses that this run put on the list, or took off.
    pub(crate) changed: u64,
    /// Rows of the imported file that are no addresses.
    pub(crate) invalid: u64,
    /// How many are on the list now.
    pub(crate) count: u64,
    /// The newest ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) addresses: Vec<Suppressed>,
}

/// What a report said, and what was done.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Taken {
    /// Whether this run did something; not in a dry run.
    pub(crate) done: bool,
    /// Whom it speaks of.
    pub(crate) recipients: Vec<Bounced>,
    /// Addresses that were put on the list of those who get nothing.
    pub(crate) suppressed: u64,
    /// Why they are on it.
    pub(crate) reason: Reason,
    /// The letter that bounced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message_id: Option<String>,
}

/// Whom a link takes off a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Checked {
    /// Name of the campaign.
    pub(crate) key: String,
    /// The address as it is compared.
    pub(crate) address: String,
}

pub(crate) fn render(output: &Output, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Send(report) | Output::Plan(report) => render_report(report, out),
        Output::Status(standing) => {
            for (state, count) in &standing.counts {
                writeln!(out, "{:<11} {count}", word(*state))?;
            }
            for one in &standing.deliveries {
                writeln!(
                    out,
                    "  {:<11} {}  {}",
                    word(one.state),
                    visible_line(&one.address),
                    visible_line(one.said.as_deref().unwrap_or_default())
                )?;
            }
            Ok(())
        }
        Output::Resolve(entry) => writeln!(out, "{} is {}", visible_line(&entry.address), word(entry.state)),
        Output::Suppress(listed) => {
            writeln!(out, "{} changed, {} on the list", listed.changed, listed.count)?;
            for one in &listed.addresses {
                writeln!(
                    out,
                    "  {:<12} {}",
                    one.reason.as_str(),
                    visible_line(&one.address)
                )?;
            }
            Ok(())
        }
        Output::Bounce(taken) => {
            for one in &taken.recipients {
                let (action, status) = (visible_line(&one.action), visible_line(&one.status));
                writeln!(out, "{} {action} {status}", visible_line(&one.address))?;
            }
            writeln!(out, "{} will get nothing any more", taken.suppressed)
        }
        Output::UnsubscribeLink(checked) => {
            writeln!(
                out,
                "takes {} off {}",
                visible_line(&checked.address),
                visible_line(&checked.key)
            )
        }
    }
}

fn render_report(report: &Report, out: &mut dyn fmt::Write) -> fmt::Result {
    let verb = if report.planned { "would be sent" } else { "sent" };
    writeln!(
        out,
        "{}: {} of {} {verb}",
        visible_line(&report.key),
        report.sent,
        report.recipients
    )?;
    for (count, what) in [
        (report.earlier, "sent or settled before"),
        (report.suppressed, "get nothing any more"),
        (report.failed, "refused"),
        (report.deferred, "deferred: run it again"),
        (report.undecided, "undecided: settle them with `resolve`"),
        (report.left, "not tried"),
        (report.skipped, "rows of the list skipped"),
    ] {
        if count > 0 {
            writeln!(out, "  {count} {what}")?;
        }
    }
    for row in &report.skipped_rows {
        writeln!(out, "  line {}: {}", row.line, visible_line(&row.message))?;
    }
    for one in &report.problems {
        let (address, said) = (visible_line(&one.address), visible_line(&one.said));
        writeln!(out, "  line {}: {address} {}: {said}", one.line, word(one.state))?;
    }
    for warning in &report.warnings {
        writeln!(out, "  note: {}", visible_line(warning))?;
    }
    Ok(())
}

const fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Planned => "planned",
        DeliveryState::Sending => "sending",
        DeliveryState::Sent => "sent",
        DeliveryState::Failed => "failed",
        DeliveryState::Undecided => "undecided",
        DeliveryState::Suppressed => "suppressed",
    }
}
