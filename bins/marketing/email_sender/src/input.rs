//! What each action needs.

use std::path::PathBuf;

use garde::Validate;
use mail::Reason;
use mail::book::DeliveryState;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Send a letter: to one allowed address at once, to a list with `--apply`.
    Send(#[garde(dive)] Box<Sending>),
    /// See who would get a letter, and write the letters as files; nothing is sent.
    Plan(#[garde(dive)] Box<Sending>),
    /// Tell how far a campaign is.
    Status(#[garde(dive)] Status),
    /// Say what became of an undecided delivery.
    Resolve(#[garde(dive)] Resolve),
    /// Keep the list of those who get nothing any more.
    Suppress(#[garde(dive)] Suppress),
    /// Take up a delivery report: addresses that do not exist get nothing any more.
    Bounce(#[garde(dive)] Bounce),
    /// Tell whom a link for unsubscribing takes off which list, if it is ours.
    UnsubscribeLink(#[garde(dive)] Link),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(default)]
pub(crate) struct Sending {
    /// The letter: .mjml, .html or .txt, a template with the columns of the list
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub(crate) letter: Option<PathBuf>,
    /// One address, or a list: a file in CSV or JSON
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<String>,
    /// What it is about, a template
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "s"}))]
    pub(crate) subject: Option<String>,
    /// The text, a template, instead of a file
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
    /// Text for readers without HTML, a template; made from the HTML without it
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"path": "file", "exists": true}))]
    pub(crate) plain_text: Option<PathBuf>,
    /// Name of the campaign: an address gets the letter of a key once
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// Name of the one recipient
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Who writes; must be allowed by the settings
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// Where answers go
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply_to: Option<String>,
    /// File that goes with it
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-cli" = {"short": "a", "path": "file", "exists": true}))]
    pub(crate) attach: Vec<PathBuf>,
    /// Picture of the letter, as NAME=FILE; the HTML calls it `cid:NAME`
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inline: Vec<String>,
    /// Column of the list with the addresses, when its name does not tell
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) column: Option<String>,
    /// Encoding of the list, when it does not tell
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<String>,
    /// Send to the others although rows of the list are no addresses
    pub(crate) skip_invalid: bool,
    /// Take domains without a dot
    pub(crate) allow_local: bool,
    /// Take letters outside ASCII before the `@`, for servers with SMTPUTF8
    pub(crate) smtputf8: bool,
    /// Folder for the letters as .eml files (`plan` only)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"short": "o", "path": "out"}))]
    pub(crate) output: Option<PathBuf>,
    /// See also whether the server answers and takes the login (`plan` only)
    pub(crate) check_server: bool,
    /// Subject and body are texts, not templates
    pub(crate) literal: bool,
}

/// Whether the recipient is a file.
pub(crate) fn is_list(to: &str) -> bool {
    let lower = to.to_lowercase();
    !to.contains('@')
        || [".csv", ".json", ".tsv", ".txt"]
            .iter()
            .any(|end| lower.ends_with(end) && std::path::Path::new(to).is_file())
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Status {
    /// Name of the campaign
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) key: String,
    /// List only deliveries in this state
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) state: Option<DeliveryState>,
    /// Most deliveries to list
    #[serde(default = "hundred")]
    pub(crate) limit: u32,
}

const fn hundred() -> u32 {
    100
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Found {
    /// The server has it.
    Sent,
    /// It was not sent, and will not be.
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Resolve {
    /// Name of the campaign
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) key: String,
    /// The address
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(length(min = 1))]
    pub(crate) address: String,
    /// What became of it
    #[schemars(extend("x-cli" = {"positional": 3}))]
    pub(crate) outcome: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// Put an address on the list.
    Add,
    /// Take an address off the list.
    Remove,
    /// Show the newest.
    List,
    /// Put all addresses of a file on the list.
    Import,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Suppress {
    /// What to do with the list
    #[schemars(extend("x-cli" = {"positional": 1}))]
    pub(crate) change: Change,
    /// The address, or the file to import
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-cli" = {"positional": 2}))]
    pub(crate) target: Option<String>,
    /// Why
    #[serde(default = "manual")]
    pub(crate) reason: Reason,
    /// Most addresses to show
    #[serde(default = "hundred")]
    pub(crate) limit: u32,
}

const fn manual() -> Reason {
    Reason::Manual
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Bounce {
    /// The report (RFC 3464)
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub(crate) file: PathBuf,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Link {
    /// The link
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) link: String,
}
