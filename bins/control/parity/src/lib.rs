//! Recorded cases of the replaced scripts, and the judgement whether the new tools keep to them.

#![expect(
    missing_docs,
    reason = "the fields are those of the recording format; see fixtures/parity/README.md"
)]

pub mod case;
pub mod compare;
pub mod diff;
pub mod facts;
pub mod far_side;
pub mod normalise;
pub mod observe;
pub mod seen;
pub mod verdict;
