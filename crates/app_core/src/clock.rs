//! The clock of a run, and the time zone of the host.

use jiff::{Timestamp, tz::TimeZone};

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
    ///
    /// A tool asks its context, which may stand still. `Clock::System` is for what passes between processes: leases,
    /// waits, pace.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

/// The time zone of the host (`TZ`, else what `/etc/localtime` says).
#[expect(clippy::disallowed_methods, reason = "the one place that asks for the zone")]
pub fn host_zone() -> TimeZone {
    TimeZone::system()
}
