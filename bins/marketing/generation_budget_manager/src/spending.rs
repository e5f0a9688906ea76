//! What was spent, in sums and in the line of the replaced script.

use app_core::{
    Usd,
    state::{BudgetPeriod, LedgerEntry},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Output;

/// Spending of one tool.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ToolSum {
    tool: String,
    spent_usd: Usd,
    entries: usize,
}

/// The line of the replaced script: `Daily spend: $0.0140 / $2.00`.
pub(crate) fn summary(periods: &[BudgetPeriod]) -> String {
    let Some(day) = periods.first() else {
        return String::new();
    };
    match day.limit_usd {
        Some(limit) => format!("Daily spend: {} / {limit:.2}", day.used_usd),
        None => format!("Daily spend: {}", day.used_usd),
    }
}

pub(crate) fn sums(entries: Vec<LedgerEntry>) -> Output {
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
