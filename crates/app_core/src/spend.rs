//! Money: reserve, call, then commit or refund, in one place.

use std::{future::Future, time::Duration};

use crate::{
    context::Context,
    contract::{EventBody, ToolError, ToolResult, Usd},
    mutex::lock,
    state::{BudgetLimits, Ledger, Reservation},
};

/// How long a reservation holds when the run that made it dies.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

impl Context {
    /// The ledger of the host, with the limits of `onejob.toml` (`[budget]`) and `DAILY_BUDGET_USD`.
    pub fn ledger(&self) -> ToolResult<Ledger> {
        let mut limits: BudgetLimits = self.config().settings()?.budget;
        if let Some(text) = self.env("DAILY_BUDGET_USD") {
            let daily: Usd = text.parse().map_err(|message: String| {
                ToolError::config(format!("`DAILY_BUDGET_USD`: {message}")).code("invalid_daily_budget")
            })?;
            if daily <= Usd::ZERO {
                return Err(
                    ToolError::config("`DAILY_BUDGET_USD` must be above 0").code("invalid_daily_budget")
                );
            }
            limits.daily_usd = Some(daily);
        }
        Ledger::open(self.state_dir()?, limits)
    }

    /// Makes a paid call: sets `price` aside, makes the call, and settles with what it really cost.
    ///
    /// `call` answers its result and the real price. Fails with `budget_exceeded` before anything is called when a
    /// limit would be passed. When the call fails, the reservation is given back and the call's own error is
    /// returned, whatever becomes of the giving back: a reservation that could not be settled lapses by itself.
    pub async fn spend<T, F>(
        &self,
        what: &str,
        price: Usd,
        call: impl FnOnce(&Reservation) -> F,
    ) -> ToolResult<T>
    where
        F: Future<Output = ToolResult<(T, Usd)>>,
    {
        let mut ledger = self.ledger()?;
        let reservation = ledger.reserve(&self.definition().name, what, price, LIFETIME, self.now())?;
        match call(&reservation).await {
            Ok((value, spent)) => {
                // The money is gone: that it cannot be written down is a failure of its own, but the caller still
                // has what it paid for, so it is a warning here and an open reservation there.
                if let Err(error) = ledger.commit(&reservation.id, spent, self.now()) {
                    self.warn(format!(
                        "{spent} for {what} is spent but not in the ledger: {}",
                        error.message
                    ));
                }
                self.cost(spent, what);
                Ok(value)
            }
            Err(error) => {
                if let Err(unsettled) = ledger.refund(&reservation.id, self.now()) {
                    self.warn(format!(
                        "the reservation for {what} stays open until it lapses: {}",
                        unsettled.message
                    ));
                }
                Err(error)
            }
        }
    }

    /// Notes money spent by this run (the ledger is separate: settle the reservation there).
    pub fn cost(&self, usd: Usd, what: &str) {
        *lock(&self.inner().cost) += usd;
        self.inner().emitter.emit(EventBody::Cost {
            usd,
            what: what.to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{Definition, ErrorKind};

    fn usd(text: &str) -> Usd {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_call_is_paid_once_and_a_failed_one_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::detached(Definition::new("t", "0", "test", "control"), dir.path()).unwrap();
        let used = || ctx.ledger().unwrap().periods(ctx.now()).unwrap()[0].used_usd;

        let paid = ctx
            .spend("m", usd("0.5"), |_| async { Ok(("answer", usd("0.2"))) })
            .await;
        assert_eq!(
            (paid.unwrap(), used()),
            ("answer", usd("0.2")),
            "the real price counts"
        );

        let failed = ctx
            .spend("m", usd("0.5"), |reservation| {
                // Settled by somebody else meanwhile, so that giving it back fails too.
                ctx.ledger().unwrap().refund(&reservation.id, ctx.now()).unwrap();
                async { Err::<((), Usd), _>(ToolError::new(ErrorKind::ProviderRejected, "no")) }
            })
            .await
            .unwrap_err();
        assert_eq!(
            failed.kind,
            ErrorKind::ProviderRejected,
            "the real error is not hidden"
        );
        assert_eq!(used(), usd("0.2"));

        let beyond = ctx
            .spend("m", usd("5"), |_| async {
                Err::<((), Usd), _>(ToolError::internal("it was called"))
            })
            .await
            .unwrap_err();
        assert_eq!(
            beyond.kind,
            ErrorKind::BudgetExceeded,
            "nothing is called beyond the limit"
        );
    }
}
