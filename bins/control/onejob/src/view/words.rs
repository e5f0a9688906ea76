//! Times and amounts in words.

use jiff::Timestamp;

pub(super) fn done(done: u64, total: Option<u64>, unit: &str) -> String {
    total
        .map_or_else(
            || format!("{done} {unit}"),
            |total| format!("{done} of {total} {unit}"),
        )
        .trim_end()
        .to_owned()
}

/// Local time, to the second.
pub(super) fn clock(at: Timestamp) -> String {
    at.to_zoned(app_core::host_zone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

pub(super) fn took(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs_f64();
    match seconds {
        s if s < 10.0 => format!("{s:.2}s"),
        s if s < 90.0 => format!("{s:.0}s"),
        s if s < 5400.0 => format!("{:.0}min", s / 60.0),
        s => format!("{:.1}h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        let at = Timestamp::UNIX_EPOCH;
        let after = |s: f64| took(at, at + jiff::SignedDuration::from_secs_f64(s));
        assert_eq!(
            [after(0.5), after(42.0), after(600.0), after(9000.0)],
            ["0.50s", "42s", "10min", "2.5h"]
        );
    }
}
