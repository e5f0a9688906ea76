//! A paid call under way: whether it has left, and a reservation that is settled whatever happens to it.

use std::sync::{Arc, Mutex};

use crate::{context::Context, contract::Usd, mutex::lock, state::Reservation};

/// What a paid call tells while it is made.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    state: Arc<Mutex<Sent>>,
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

    /// What it may have cost by now; nothing unless it has left.
    pub fn estimate(&self) -> Option<Usd> {
        lock(&self.state).estimate
    }

    pub(super) fn is_unpriced(&self) -> bool {
        lock(&self.state).unpriced
    }
}

/// A reservation that is settled whatever happens to the call, also when its future is dropped.
pub(super) struct OpenCall<'a> {
    pub(super) context: &'a Context,
    pub(super) what: &'a str,
    pub(super) reserved: Reservation,
    pub(super) sending: Sending,
    pub(super) settled: Mutex<bool>,
}

impl OpenCall<'_> {
    /// Counts the estimate as spent when the request has left, else gives everything back.
    pub(super) fn give_up(&self) {
        self.settle(self.sending.estimate(), true);
    }

    pub(super) fn settle(&self, spent: Option<Usd>, unconfirmed: bool) {
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
