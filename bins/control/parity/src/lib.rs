//! Recorded cases of the replaced scripts, and the judgement whether the new tools keep to them.

#![expect(
    missing_docs,
    reason = "the fields are those of the recording format; see fixtures/parity/README.md"
)]

pub mod case;
pub mod check;
pub mod compare;
pub mod confine;
pub mod diff;
pub mod divergence_log;
pub mod escapes;
pub mod facts;
pub mod far_side;
pub mod first;
pub mod normalise;
pub mod observe;
pub mod output;
pub mod place;
pub mod record;
pub mod recording;
pub mod redact;
pub mod replay;
pub mod report;
pub mod run;
pub mod seen;
pub mod services;
pub mod setup;
pub mod shadow;
pub mod side;
pub mod sqlite;
pub mod stderr;
pub mod telegram_side;
pub mod verdict;
