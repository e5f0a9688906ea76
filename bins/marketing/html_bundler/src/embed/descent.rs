//! Going into sheets and frames inside each other, no deeper and no more often than a page may.

use web::Location;

use super::{Embedder, Kind};

/// Sheets and frames inside each other at most.
const MAX_DEPTH: usize = 12;

/// Sheets and frames put into one page at most, each as often as it is there. Pages of the web have some dozens.
const MAX_EXPANSIONS: usize = 2_000;

/// What came of going into a sheet or frame.
pub enum Descent<T> {
    /// This.
    Done(T),
    /// Nothing: it is inside of itself.
    Circle,
    /// Nothing: it is nested too deep, or the page is large enough. It is on the list of what is not embedded.
    Refused,
}

impl Embedder<'_> {
    /// Runs `inner` inside a sheet or frame of this many bytes.
    pub fn descend<T: Default>(
        &mut self,
        location: &Location,
        kind: Kind,
        bytes: usize,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> Descent<T> {
        if self.inside(location) {
            return Descent::Circle;
        }
        let depth = self.chain.len();
        if let Err(reason) = self.may_descend(depth, bytes) {
            self.leave_out(location, kind, reason);
            return Descent::Refused;
        }
        if self.learning {
            let before = self.learnt.insert((location.clone(), kind), depth);
            if before.is_some_and(|before| before <= depth) {
                return Descent::Done(T::default());
            }
        }
        self.chain.push(location.clone());
        let result = inner(self);
        self.chain.pop();
        Descent::Done(result)
    }

    /// Runs `inner` inside a page that stands in the page itself.
    pub fn descend_inline<T: Default>(
        &mut self,
        base: &Location,
        bytes: usize,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> Descent<T> {
        let depth = self.chain.len();
        if let Err(reason) = self.may_descend(depth, bytes) {
            self.leave_out(base, Kind::Frames, reason);
            return Descent::Refused;
        }
        // A place that nothing else can have: it holds for the depth alone.
        self.chain.push(Location::Text);
        let result = inner(self);
        self.chain.pop();
        Descent::Done(result)
    }

    fn may_descend(&mut self, depth: usize, bytes: usize) -> Result<(), String> {
        if depth >= MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} sheets and frames"));
        }
        if self.learning {
            return Ok(());
        }
        self.expansions += 1;
        if self.expansions > MAX_EXPANSIONS {
            let reason = format!("the page would hold more than {MAX_EXPANSIONS} sheets and frames");
            self.books.limit.get_or_insert_with(|| reason.clone());
            return Err(reason);
        }
        self.afford(bytes as u64)
    }
}
