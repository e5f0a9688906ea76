//! The host's budget for paid calls: status, estimate, reserve, commit, refund, report, import.
//!
//! Replaces `generation_budget_manager`, which kept an unlocked JSON file with one limit. The ledger here is the one
//! that every paid tool uses; daily, monthly and window limits hold for all of them together.

mod legacy;
mod state_file;

use std::{fmt, path::PathBuf, time::Duration};

use app_core::{
    Context, Definition, Effect, ErrorKind, Gate, Policy, Tool, ToolError, ToolResult, Usd, View,
    contract::RetryPolicy,
    state::{BudgetPeriod, Ledger, LedgerEntry, Reservation},
};
use garde::Validate;
use jiff::{SignedDuration, Timestamp};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

fn main() -> std::process::ExitCode {
    migration::main::<GenerationBudgetManager>()
}

struct GenerationBudgetManager;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Input {
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
struct Status {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
struct Estimate {
    /// Model as the price list names it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    model: String,
    /// Characters of input text (a token counts as four).
    #[serde(default)]
    input_chars: usize,
    /// Characters of output text.
    #[serde(default)]
    output_chars: usize,
    /// Images.
    #[serde(default)]
    #[garde(range(max = 1_000_000))]
    images: u32,
    /// Videos.
    #[serde(default)]
    #[garde(range(max = 1_000_000))]
    videos: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Reserve {
    /// Amount in dollars.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(custom(not_negative))]
    amount_usd: Usd,
    /// Who asks.
    #[serde(default = "by_hand")]
    #[garde(length(min = 1))]
    tool: String,
    /// What for, for example provider and model.
    #[serde(default = "unnamed")]
    #[garde(length(min = 1))]
    what: String,
    /// Seconds after which an unsettled reservation lapses.
    #[serde(default = "ten_minutes")]
    #[garde(range(min = 1, max = 604_800))]
    expires_s: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Commit {
    /// Id that `reserve` printed.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    id: String,
    /// Amount really spent in dollars.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(custom(not_negative))]
    spent_usd: Usd,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Refund {
    /// Id that `reserve` printed.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    id: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Record {
    /// Amount in dollars.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(custom(not_negative))]
    amount_usd: Usd,
    /// Who spent it.
    #[schemars(extend("x-cli" = {"positional": 2}))]
    #[garde(length(min = 1))]
    tool: String,
    /// What for.
    #[serde(default = "unnamed")]
    #[garde(length(min = 1))]
    what: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
struct Report {
    /// Days back from now.
    #[serde(default = "thirty")]
    #[garde(range(min = 1, max = 400))]
    days: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Repair {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Import {
    /// The old budget file.
    #[schemars(extend("x-cli" = {"positional": 1, "path": "file", "exists": true}))]
    file: PathBuf,
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

#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
enum Output {
    /// The budget as it stands.
    Status {
        /// In the words of the replaced script.
        summary: String,
        /// Day, month and window.
        periods: Vec<BudgetPeriod>,
    },
    /// What a call would cost.
    Estimate {
        /// Model.
        model: String,
        /// Cost in dollars.
        cost_usd: f64,
        /// Whether the budget allows it now.
        allowed: bool,
    },
    /// Money set aside.
    Reserve(Reservation),
    /// A settled reservation or a record.
    Settled {
        /// Id of the reservation, for `commit` and `refund`.
        id: Option<String>,
        /// The budget afterwards.
        summary: String,
    },
    /// What was spent.
    Report {
        /// Sum of all spending in dollars.
        spent_usd: Usd,
        /// Sums by tool.
        by_tool: Vec<ToolSum>,
        /// Entries, oldest first.
        entries: Vec<LedgerEntry>,
    },
    /// The answer to a call of an old function.
    Call {
        /// What the function returned.
        ok: Value,
        /// What it printed.
        notice: String,
        /// Whether the old state file exists.
        state_file_exists: bool,
    },
    /// What was taken out, or would be.
    Repair {
        /// Entries that cannot be true.
        entries: Vec<LedgerEntry>,
        /// How many of them were taken out by this run.
        taken_out: usize,
    },
    /// What was taken over.
    Import {
        /// Records that were new.
        imported: usize,
        /// Records that were there already.
        known: usize,
    },
}

/// Spending of one tool.
#[derive(Debug, Serialize, JsonSchema)]
struct ToolSum {
    tool: String,
    spent_usd: Usd,
    entries: usize,
}

impl Tool for GenerationBudgetManager {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(1, &["generation_budget_manager"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .gate(Gate::ByInput)
            .policy(
                Policy {
                    retry: RetryPolicy::NONE,
                    ..Policy::with_timeout(Duration::from_secs(60))
                },
                "one transaction on a local file; what was refused is not asked again",
            )
            .env(
                "DAILY_BUDGET_USD",
                "daily limit in dollars; wins over `[budget] daily_usd` in onejob.toml",
            )
            .env(
                "GENERATION_BUDGET_FILE_PATH",
                "the old budget file, for calls through `dispatch` (default: generation_budget.json)",
            )
            .example("what is spent today", &["status"])
            .example(
                "what a text call would cost",
                &[
                    "estimate",
                    "gemini-2.5-pro",
                    "--input-chars",
                    "400",
                    "--output-chars",
                    "40",
                ],
            )
            .example(
                "set money aside before a paid call",
                &[
                    "reserve",
                    "0.009",
                    "--tool",
                    "image_generation",
                    "--what",
                    "stability",
                ],
            )
            .example(
                "take over an old budget file",
                &["import", "generation_budget.json"],
            )
    }

    fn plan_first(input: &Input) -> bool {
        matches!(input, Input::Repair(_))
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let now = ctx.now();
        let mut ledger = ctx.ledger()?;
        if ctx.dry_run()
            && matches!(
                input,
                Input::Reserve(_) | Input::Commit(_) | Input::Refund(_) | Input::Record(_) | Input::Import(_)
            )
        {
            ctx.info("dry run: the ledger stays as it is");
            return Ok(Output::Settled {
                id: None,
                summary: summary(&ledger.periods(now)?),
            });
        }
        match input {
            Input::Status(_) => {
                let periods = ledger.periods(now)?;
                Ok(Output::Status {
                    summary: summary(&periods),
                    periods,
                })
            }
            Input::Estimate(estimate) => {
                let cost_usd = price(&estimate, ctx)?;
                let amount = Usd::from_dollars(cost_usd)
                    .ok_or_else(|| ToolError::new(ErrorKind::InvalidInput, "the estimate is out of range"))?;
                Ok(Output::Estimate {
                    model: estimate.model,
                    cost_usd,
                    allowed: ledger.allows(amount, now)?,
                })
            }
            Input::Reserve(r) => ledger
                .reserve(
                    &r.tool,
                    &r.what,
                    r.amount_usd,
                    Duration::from_secs(r.expires_s),
                    now,
                )
                .map(Output::Reserve),
            Input::Commit(commit) => {
                ledger.commit(&commit.id, commit.spent_usd, now)?;
                Ok(Output::Settled {
                    id: Some(commit.id),
                    summary: summary(&ledger.periods(now)?),
                })
            }
            Input::Refund(refund) => {
                ledger.refund(&refund.id, now)?;
                Ok(Output::Settled {
                    id: Some(refund.id),
                    summary: summary(&ledger.periods(now)?),
                })
            }
            Input::Record(record) => {
                ledger.spend(&record.tool, &record.what, record.amount_usd, now)?;
                Ok(Output::Settled {
                    id: None,
                    summary: summary(&ledger.periods(now)?),
                })
            }
            Input::Report(report) => {
                let since = now
                    .checked_sub(SignedDuration::from_hours(24 * i64::from(report.days)))
                    .unwrap_or(Timestamp::MIN);
                Ok(sums(ledger.entries(since)?))
            }
            Input::Repair(_) => repair(&mut ledger, ctx),
            Input::Call(call) => legacy::run(&call, ctx),
            Input::Import(import) => {
                let records = state_file::read(&import.file)?.map_or_else(Vec::new, |file| file.records);
                let (mut imported, mut known) = (0, 0);
                for record in &records {
                    let new = ledger.import(&record.identity, &record.tool, record.cost, record.at)?;
                    *if new { &mut imported } else { &mut known } += 1;
                }
                ctx.count_items(imported as u64);
                Ok(Output::Import { imported, known })
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        match output {
            Output::Status { summary, periods } => {
                writeln!(out, "{summary}")?;
                for period in periods {
                    let limit = period
                        .limit_usd
                        .map_or_else(|| "no limit".to_owned(), |limit| format!("{limit:.2}"));
                    writeln!(
                        out,
                        "{:<7} {:>10} of {limit:<9} (reserved {})  frees at {}",
                        period.name,
                        period.used_usd.to_string(),
                        period.reserved_usd,
                        period.resets_at
                    )?;
                }
                Ok(())
            }
            Output::Settled { summary, .. } => writeln!(out, "{summary}"),
            other => app_core::render_value(&serde_json::to_value(other).unwrap_or_default(), out),
        }
    }
}

impl OldCalls for GenerationBudgetManager {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::from_legacy(call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::to_legacy(call, outcome)
    }
}

/// Takes out what cannot be true, one exact entry after the other.
fn repair(ledger: &mut Ledger, ctx: &Context) -> ToolResult<Output> {
    let entries = ledger.absurd(ctx.now())?;
    let mut taken_out = 0;
    for entry in &entries {
        let amount = entry.spent_usd.unwrap_or(entry.reserved_usd);
        let detail = format!("{amount} by {} at {}", entry.tool, entry.at);
        if ctx.may("void_entry", &entry.id, &detail) {
            ledger.void(&entry.id, ctx.now())?;
            taken_out += 1;
        }
    }
    ctx.count_items(taken_out as u64);
    Ok(Output::Repair { entries, taken_out })
}

/// The line of the replaced script: `Daily spend: $0.0140 / $2.00`.
fn summary(periods: &[BudgetPeriod]) -> String {
    let Some(day) = periods.first() else {
        return String::new();
    };
    match day.limit_usd {
        Some(limit) => format!("Daily spend: {} / {limit:.2}", day.used_usd),
        None => format!("Daily spend: {}", day.used_usd),
    }
}

/// Cost in dollars by the price list of the day.
fn price(estimate: &Estimate, ctx: &Context) -> ToolResult<f64> {
    let prices = ctx.config().prices()?;
    let day = ctx.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let price = prices.get(&estimate.model, day)?;
    let mut cost = price.text(&estimate.model, estimate.input_chars, estimate.output_chars)?;
    for (count, rate, unit) in [
        (estimate.images, price.per_image, "image"),
        (estimate.videos, price.per_video, "video"),
    ] {
        if count > 0 {
            let rate = rate.ok_or_else(|| {
                ToolError::new(
                    ErrorKind::InvalidInput,
                    format!("model `{}` has no price per {unit}", estimate.model),
                )
                .code(format!("missing_model_{unit}_rate"))
            })?;
            cost += rate.times(i64::from(count)).dollars();
        }
    }
    Ok(cost)
}

fn sums(entries: Vec<LedgerEntry>) -> Output {
    let mut by_tool: Vec<ToolSum> = Vec::new();
    for entry in &entries {
        let spent = entry.spent_usd.unwrap_or_default();
        match by_tool.iter_mut().find(|sum| sum.tool == entry.tool) {
            Some(sum) => {
                sum.spent_usd += spent;
                sum.entries += 1;
            }
            None => by_tool.push(ToolSum {
                tool: entry.tool.clone(),
                spent_usd: spent,
                entries: 1,
            }),
        }
    }
    Output::Report {
        spent_usd: entries.iter().filter_map(|e| e.spent_usd).sum(),
        by_tool,
        entries,
    }
}
