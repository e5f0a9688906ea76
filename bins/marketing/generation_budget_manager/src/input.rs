//! What the tool can be asked for.

use std::path::PathBuf;

use app_core::Usd;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::legacy;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what is spent and reserved, and what the limits are.
    Status(Status),
    /// Tell what a call would cost by the price list, and whether the budget allows it. Reserves nothing.
    Estimate(#[garde(dive)] Estimate),
    /// Set money aside before a paid call; the printed id settles it.
    Reserve(#[garde(dive)] Reserve),
    /// Turn a reservation into spending of the real amount.
    Commit(#[garde(dive)] Commit),
    /// Give a reservation back.
    Refund(#[garde(dive)] Refund),
    /// Record money spent elsewhere, in one step; refused when a limit would be passed.
    Record(#[garde(dive)] Record),
    /// List entries, with sums by tool.
    Report(#[garde(dive)] Report),
    /// Take over the records of an old budget file; can be repeated without counting twice.
    Import(Import),
    /// Take entries out of the ledger that cannot be true: absurd amounts, and times in the future. Only planned
    /// without `--apply`.
    Repair(Repair),
    /// Answer a call of the replaced script's functions and keep its state file in step with the ledger.
    Call(#[garde(dive)] legacy::Call),
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Status {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Estimate {
    /// Model as the price list names it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) model: String,
    /// Characters of input text (a token counts as four).
    #[serde(default)]
    pub(crate) input_chars: usize,
    /// Characters of output text.
    #[serde(default)]
    pub(crate) output_chars: usize,
    /// Images.
    #[serde(default)]
    #[garde(range(max = 1_000_000))]
    pub(crate) images: u32,
    /// Videos.
    #[serde(default)]
    #[garde(range(max = 1_000_000))]
    pub(crate) videos: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Reserve {
    /// Amount in dollars.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(custom(not_negative))]
    pub(crate) amount_usd: Usd,
    /// Who asks.
    #[serde(default = "by_hand")]
    #[garde(length(min = 1))]
    pub(crate) tool: String,
    /// What for, for example provider and model.
    #[serde(default = "unnamed")]
    #[garde(length(min = 1))]
    pub(crate) what: String,
    /// Seconds after which an unsettled reservation lapses.
    #[serde(default = "ten_minutes")]
    #[garde(range(min = 1, max = 604_800))]
    pub(crate) expires_s: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Commit {
    /// Id that `reserve` printed.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) id: String,
    /// Amount really spent in dollars.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(custom(not_negative))]
    pub(crate) spent_usd: Usd,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Refund {
    /// Id that `reserve` printed.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Record {
    /// Amount in dollars.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(custom(not_negative))]
    pub(crate) amount_usd: Usd,
    /// Who spent it.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(length(min = 1))]
    pub(crate) tool: String,
    /// What for.
    #[serde(default = "unnamed")]
    #[garde(length(min = 1))]
    pub(crate) what: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
pub(crate) struct Report {
    /// Days back from now.
    #[serde(default = "thirty")]
    #[garde(range(min = 1, max = 400))]
    pub(crate) days: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Repair {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Import {
    /// The old budget file.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    pub(crate) file: PathBuf,
}

fn by_hand() -> String {
    "by_hand".to_owned()
}

fn unnamed() -> String {
    "unnamed".to_owned()
}

const fn ten_minutes() -> u64 {
    600
}

const fn thirty() -> u32 {
    30
}

fn not_negative<C>(amount: &Usd, _: &C) -> garde::Result {
    if *amount < Usd::ZERO {
        Err(garde::Error::new("must be 0 or more"))
    } else {
        Ok(())
    }
}
