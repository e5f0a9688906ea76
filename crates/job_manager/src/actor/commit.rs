//! The end of a batch: what it changed goes to disk, and what had to wait for that is done.

use super::Actor;
use crate::{executor::Report, message::Message};

impl Actor {
    /// Ends the batch, then does everything that had to wait for it.
    pub(super) fn commit(&mut self, kept: Vec<Message>) {
        let result = self.store.commit();
        let answers = std::mem::take(&mut self.answers);
        for answer in answers {
            answer(result.clone());
        }
        match result {
            Ok(()) => {
                for lock in self.cleaned.drain(..) {
                    lock.remove();
                }
                for message in kept {
                    if let Message::Report(Report::Ended { id, attempt, .. }) = message
                        && self.live.get(&id).is_some_and(|l| l.attempt == attempt)
                    {
                        self.live.remove(&id);
                        self.look_for_jobs = true;
                        self.poke = true;
                    }
                }
                self.send_out();
                let followers = std::mem::take(&mut self.poke_followers);
                if std::mem::take(&mut self.poke) {
                    self.pokes.poke_others(true);
                } else if followers {
                    self.pokes.poke_others(false);
                }
            }
            Err(e) => {
                self.pause(format!("cannot write the job store: {e}"));
                self.outbox.clear();
                self.again.extend(kept);
                let owners = std::mem::take(&mut self.cleaned);
                // Their locks are let go: whoever sees it first cleans up again, which finds nothing to end.
                drop(owners);
                self.cleaning.clear();
            }
        }
    }
}
