//! What a run will ask and cost, and whether it may.

use std::time::Duration;

use app_core::{ErrorKind, ToolError, ToolResult, Usd, config::TokenCount};

use super::{Llm, run::Size};
use crate::{
    call::Call,
    plan::{Plan, Range},
};

impl Llm {
    /// What these calls will take and cost.
    pub fn plan(&self, calls: &[Call]) -> ToolResult<Plan> {
        let mut plan = Plan {
            provider: self.inner.model.dialect.name().to_owned(),
            model: self.inner.model.name.clone(),
            host: self.inner.model.host(),
            privacy: self.inner.privacy,
            calls: calls.len() as u64,
            kept: 0,
            input_tokens: Range::default(),
            output_tokens: Range::default(),
            usd: Range::default(),
            max_usd: self.inner.run.max_usd(),
        };
        for call in calls {
            let call = self.outgoing(call);
            if self.kept(&call)?.is_some() {
                plan.kept += 1;
                continue;
            }
            let size = self.size(&call)?;
            plan.input_tokens.estimate += size.input.estimate;
            plan.input_tokens.bound += size.input.bound;
            plan.output_tokens.estimate += size.output.estimate;
            plan.output_tokens.bound += size.output.bound;
            plan.usd.estimate += size.usd.estimate;
            plan.usd.bound += size.usd.bound;
            if call.schema.is_some() {
                plan.usd.bound += self.repair_bound(&size);
            }
        }
        Ok(plan)
    }

    /// Says the plan, and whether the run goes on: not when it only plans, or is held to a plan that has no such call.
    ///
    /// Fails with `budget_exceeded` when the bound passes the limit of the run: nothing is cut or left out in silence
    /// to make it fit.
    pub fn admit(&self, plan: &Plan) -> ToolResult<bool> {
        let ctx = &self.inner.ctx;
        let target = format!("{} at {}", plan.model, plan.host);
        if !ctx.may("ask", &target, &plan.to_string()) {
            return Ok(false);
        }
        ctx.info(plan.to_string());
        // The plan says it all.
        self.inner.announced.call_once(|| {});
        if plan.fits() {
            return Ok(true);
        }
        let cents = (plan.usd.bound.dollars() * 100.0).ceil() / 100.0;
        Err(ToolError::new(
            ErrorKind::BudgetExceeded,
            format!(
                "this run could cost {}, more than its limit of {}",
                plan.usd.bound,
                plan.max_usd.unwrap_or_default()
            ),
        )
        .code("run_budget_exceeded")
        .hint(format!(
            "`--max-usd {cents:.2}` (or `llm.max_usd` in onejob.toml) lets it run; a cheaper `--model`, a shorter range or `--provider offline` makes it smaller"
        ))
        .from_source("llm")
        .with("plan", serde_json::to_value(plan).unwrap_or_default()))
    }

    /// Room for one more call that repairs an answer: all of the first one, the answer, and the list of its mistakes.
    fn repair_bound(&self, size: &Size) -> Usd {
        let count = TokenCount {
            input: size.input.bound + 2 * size.output.bound + 2_000,
            cached: 0,
            output: size.output.bound,
        };
        self.inner.model.price.tokens(count)
    }

    /// How long a reservation must hold: as long as all attempts can take.
    pub(super) fn lifetime(&self) -> Duration {
        let retry = self.inner.ctx.policy().retry;
        let wait = Duration::from_millis(retry.max_backoff_ms);
        let once = self.inner.limits.whole + self.inner.limits.connect + wait;
        (once * retry.attempts.clamp(1, 10)).min(Duration::from_secs(4 * 3600)) + Duration::from_secs(60)
    }
}
