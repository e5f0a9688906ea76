//! The clock of a run.

use jiff::Timestamp;

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this time (`ONEJOB_CLOCK`), for reproducible runs.
    Fixed(Timestamp),
}

impl Clock {
    /// The present time.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}
