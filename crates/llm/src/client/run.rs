//! The money of one run, and the size of one call.

use std::sync::{Mutex, MutexGuard, PoisonError};

use app_core::{ErrorKind, ToolError, ToolResult, Usd, config::TokenCount};

use crate::{
    call::Call,
    model::{Dialect, Model},
    plan::Range,
    tokens::{self, Learnt},
};

/// What a call will take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) input: Range<u64>,
    pub(super) output: Range<u64>,
    pub(super) usd: Range<Usd>,
}

impl Size {
    pub(super) fn of(model: &Model, learnt: &Learnt, call: &Call) -> Self {
        let bytes = tokens::bytes(call);
        let input = Range {
            estimate: learnt.estimate(bytes),
            bound: learnt.bound(bytes),
        };
        let output = Range {
            estimate: learnt.output(&call.purpose, call.max_output),
            bound: u64::from(call.max_output),
        };
        let usd = |input, output| {
            model.price.tokens(TokenCount {
                input,
                cached: 0,
                output,
            })
        };
        Self {
            input,
            output,
            usd: Range {
                estimate: usd(input.estimate, output.estimate),
                bound: usd(input.bound, output.bound),
            },
        }
    }

    /// Whether the server has read only a part of the prompt. Ollama keeps half of its window then, and says nothing.
    pub(super) fn was_cut(&self, model: &Model, read: u64) -> bool {
        let half = model.context / 2;
        let is_half = read.abs_diff(half) <= model.context / 32;
        model.dialect == Dialect::Ollama
            && ((is_half && self.input.bound > model.context)
                || (self.input.estimate > read.saturating_mul(2) && self.input.estimate > half))
    }
}

/// What the run may cost, and what it has.
#[derive(Debug)]
pub(super) struct Run {
    max_usd: Option<Usd>,
    spent: Mutex<Usd>,
}

/// Money that one call may take from the limit of the run.
#[derive(Debug)]
pub(super) struct Room<'a> {
    run: &'a Run,
    bound: Usd,
}

impl Run {
    pub(super) fn new(max_usd: Option<Usd>) -> Self {
        Self {
            max_usd,
            spent: Mutex::default(),
        }
    }

    pub(super) fn max_usd(&self) -> Option<Usd> {
        self.max_usd
    }

    fn used(&self) -> MutexGuard<'_, Usd> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the bound of a call aside from the limit. Fails with `budget_exceeded` when it does not fit: a plan that was
    /// admitted always fits, so this stops what nobody planned.
    pub(super) fn room(&self, size: &Size) -> ToolResult<Room<'_>> {
        let bound = size.usd.bound;
        let mut used = self.used();
        if let Some(max) = self.max_usd
            && *used + bound > max
        {
            return Err(ToolError::new(
                ErrorKind::BudgetExceeded,
                format!(
                    "this call could cost {bound}, and of the {max} of this run {} are used",
                    *used
                ),
            )
            .code("run_budget_exceeded")
            .hint("`--max-usd` (or `llm.max_usd` in onejob.toml) sets the limit")
            .from_source("llm"));
        }
        *used += bound;
        Ok(Room { run: self, bound })
    }
}

impl Room<'_> {
    /// What the call has really cost; nothing when it was not made.
    pub(super) fn spent(mut self, spent: Option<Usd>) {
        let mut used = self.run.used();
        *used = used.minus_floor(self.bound) + spent.unwrap_or_default();
        drop(used);
        // The bound is settled; what is dropped now takes nothing more back.
        self.bound = Usd::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_at_once_never_pass_the_limit_together() {
        let usd = Usd::from_cents;
        let size = |cents| Size {
            input: Range::default(),
            output: Range::default(),
            usd: Range {
                estimate: usd(1),
                bound: usd(cents),
            },
        };
        let run = Run::new(Some(usd(10)));
        let first = run.room(&size(6)).unwrap();
        assert_eq!(run.room(&size(5)).unwrap_err().kind.exit_code(), 75);
        first.spent(Some(usd(2)));
        let second = run.room(&size(8)).unwrap();
        second.spent(None);
        assert!(run.room(&size(8)).is_ok());
        assert!(Run::new(None).room(&size(1_000_000)).is_ok());
    }

    #[test]
    fn a_prompt_of_which_half_the_window_was_read_was_cut() {
        let prices = app_core::config::Prices::parse("[[models.m]]\nfrom = \"2025-01-01\"").unwrap();
        let model = |dialect: Dialect| Model {
            dialect,
            base: dialect.base("http://localhost:1").unwrap(),
            name: "m".to_owned(),
            context: 2_000,
            price: prices.get("m", jiff::civil::date(2026, 1, 1)).unwrap().clone(),
            headers: std::collections::BTreeMap::new(),
            key: None,
        };
        let size = |estimate, bound| Size {
            input: Range { estimate, bound },
            output: Range::default(),
            usd: Range::default(),
        };
        let ollama = model(Dialect::Ollama);
        assert!(
            size(1_100, 3_300).was_cut(&ollama, 1_000),
            "emoji cost more than was thought"
        );
        assert!(
            !size(1_100, 1_500).was_cut(&ollama, 1_000),
            "all of it fits, whatever it is"
        );
        assert!(!size(1_100, 3_300).was_cut(&ollama, 1_400));
        assert!(size(1_700, 5_000).was_cut(&ollama, 500));
        assert!(
            !size(1_700, 5_000).was_cut(&model(Dialect::OpenAi), 500),
            "the others refuse it"
        );
    }
}
