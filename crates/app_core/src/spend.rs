//! Money: reserve, call, then commit or refund, in one place.

use std::{future::Future, sync::Mutex, time::Duration};

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

    /// Makes a paid call whose answer can get lost: sets `price` aside for `lifetime`, makes the call, and settles.
    ///
    /// `call` says through [`Sending`] when the request has left. Until it answers, or says that it was refused without
    /// a charge, it may have been billed: if it then fails, or the run is dropped, the estimate counts as spent and is
    /// marked as unconfirmed; it is never given back. Otherwise as [`Context::spend`].
    pub async fn spend_sent<T, F>(
        &self,
        what: &str,
        price: Usd,
        lifetime: Duration,
        call: impl FnOnce(Sending) -> F,
    ) -> ToolResult<T>
    where
        F: Future<Output = ToolResult<(T, Usd)>>,
    {
        let reserved = self
            .ledger()?
            .reserve(&self.definition().name, what, price, lifetime, self.now())?;
        let sending = Sending::default();
        let open = OpenCall {
            context: self,
            what,
            reserved,
            sending: sending.clone(),
            settled: Mutex::new(false),
        };
        let ended = call(sending.clone()).await;
        match ended {
            Ok((value, spent)) => {
                open.settle(Some(spent), sending.is_unpriced());
                Ok(value)
            }
            Err(error) => {
                open.give_up();
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

/// What a paid call tells while it is made.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    state: std::sync::Arc<Mutex<Sent>>,
}

#[derive(Debug, Default)]
struct Sent {
    estimate: Option<Usd>,
    unpriced: bool,
}

impl Sending {
    /// The request has left; it may cost this.
    pub fn left(&self, estimate: Usd) {
        lock(&self.state).estimate = Some(estimate);
    }

    /// The far side refused it, which costs nothing.
    pub fn refused(&self) {
        lock(&self.state).estimate = None;
    }

    /// The answer came without its price; what the call answers is an estimate.
    pub fn unpriced(&self) {
        lock(&self.state).unpriced = true;
    }

    fn is_unpriced(&self) -> bool {
        lock(&self.state).unpriced
    }
}

/// A reservation that is settled whatever happens to the call, also when its future is dropped.
struct OpenCall<'a> {
    context: &'a Context,
    what: &'a str,
    reserved: Reservation,
    sending: Sending,
    settled: Mutex<bool>,
}

impl OpenCall<'_> {
    /// Counts the estimate as spent when the request has left, else gives everything back.
    fn give_up(&self) {
        let estimate = lock(&self.sending.state).estimate;
        self.settle(estimate, true);
    }

    fn settle(&self, spent: Option<Usd>, unconfirmed: bool) {
        if std::mem::replace(&mut *lock(&self.settled), true) {
            return;
        }
        let (context, id, now) = (self.context, &self.reserved.id, self.context.now());
        let written = context.ledger().and_then(|mut ledger| match spent {
            Some(usd) if unconfirmed => ledger.commit_unconfirmed(id, usd, now),
            Some(usd) => ledger.commit(id, usd, now),
            None => ledger.refund(id, now),
        });
        if let Err(error) = written {
            // Whoever paid still gets what he paid for, so this is a warning; the reservation lapses by itself.
            let told = spent.map_or_else(|| "the reservation".to_owned(), |usd| usd.to_string());
            context.warn(format!(
                "{told} for {} is not settled in the ledger: {}",
                self.what, error.message
            ));
        }
        if let Some(usd) = spent {
            context.cost(usd, self.what);
        }
    }
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        self.give_up();
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

    #[tokio::test]
    async fn a_call_that_left_and_got_no_answer_is_paid_by_estimate() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::detached(Definition::new("t", "0", "test", "control"), dir.path()).unwrap();
        let minute = Duration::from_secs(60);
        let lost = || ToolError::new(ErrorKind::Network, "lost");
        let left = |sending: Sending| async move {
            sending.left(usd("0.2"));
            Err::<((), Usd), _>(lost())
        };
        ctx.spend_sent("lost", usd("0.5"), minute, left)
            .await
            .unwrap_err();
        let refused = |sending: Sending| async move {
            sending.left(usd("0.2"));
            sending.refused();
            Err::<((), Usd), _>(lost())
        };
        ctx.spend_sent("refused", usd("0.5"), minute, refused)
            .await
            .unwrap_err();
        let paid = |sending: Sending| async move {
            sending.left(usd("0.2"));
            Ok(((), usd("0.3")))
        };
        ctx.spend_sent("paid", usd("0.5"), minute, paid).await.unwrap();
        let hangs = |sending: Sending| async move {
            sending.left(usd("0.1"));
            std::future::pending::<ToolResult<((), Usd)>>().await
        };
        {
            let dropped = ctx.spend_sent("dropped", usd("0.5"), minute, hangs);
            tokio::time::timeout(Duration::from_millis(20), dropped)
                .await
                .unwrap_err();
        }
        let entries = ctx.ledger().unwrap().entries(jiff::Timestamp::MIN).unwrap();
        let seen: Vec<_> = entries
            .iter()
            .map(|e| (e.what.as_str(), e.spent_usd, e.unconfirmed))
            .collect();
        assert_eq!(
            seen,
            [
                ("lost", Some(usd("0.2")), true),
                ("refused", None, false),
                ("paid", Some(usd("0.3")), false),
                ("dropped", Some(usd("0.1")), true)
            ]
        );
    }
}
