//! The host's budget for paid calls: status, estimate, reserve, commit, refund, report, import.
//!
//! Replaces `generation_budget_manager`, which kept an unlocked JSON file with one limit. The ledger here is the one
//! that every paid tool uses; daily, monthly and window limits hold for all of them together.

mod input;
mod legacy;
mod price;
mod spending;
mod state_file;

use std::{fmt, time::Duration};

use app_core::{
    Context, Definition, Effect, ErrorKind, Gate, Policy, Tool, ToolError, ToolResult, Usd, View,
    contract::RetryPolicy,
    state::{BudgetPeriod, Ledger, LedgerEntry, Reservation},
};
use jiff::{SignedDuration, Timestamp};
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use input::Input;
use price::price;
use spending::{ToolSum, summary, sums};

fn main() -> std::process::ExitCode {
    migration::main::<GenerationBudgetManager>()
}

struct GenerationBudgetManager;

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
