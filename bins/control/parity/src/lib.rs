//! Recorded cases of the replaced scripts, and the judgement whether the new tools keep to them.

#![expect(
    missing_docs,
    reason = "the fields are those of the recording format; see fixtures/parity/README.md"
)]

pub mod case;
pub mod compare;
pub mod facts;
pub mod observe;
pub mod verdict;
