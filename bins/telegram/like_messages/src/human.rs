//! Pauses as a person makes them: irregular, with a rest after a few quick ones, slower after being told to wait.

use std::time::Duration;

use telegram::acting::fresh_random_id;

/// Longest base of a pause after being told to wait.
const SLOWEST_MS: u64 = 10_000;

/// The rhythm of one run.
pub struct Rhythm {
    base_ms: u64,
    current_ms: u64,
    burst: u64,
    rest_after: u64,
}

/// A number from `low` to `high`.
fn between(low: u64, high: u64) -> u64 {
    low + fresh_random_id().unsigned_abs() / 2 % (high - low + 1)
}

impl Rhythm {
    /// A rhythm around a base.
    pub fn new(base_ms: u64) -> Self {
        Self {
            base_ms,
            current_ms: base_ms,
            burst: 0,
            rest_after: between(3, 7),
        }
    }

    /// The pause after a reaction.
    pub fn pause(&mut self) -> Duration {
        if self.base_ms == 0 {
            return Duration::ZERO;
        }
        // Back towards the usual pace by 15 % of the excess.
        let excess = self.current_ms.saturating_sub(self.base_ms);
        if excess > 0 {
            self.current_ms -= (excess * 15 / 100).max(1);
        }
        let mut pause = self.current_ms * between(85, 130) / 100 + between(90, 320);
        self.burst += 1;
        if self.burst >= self.rest_after {
            pause += between(1200, 4500);
            self.burst = 0;
            self.rest_after = between(3, 7);
        }
        Duration::from_millis(pause)
    }

    /// Telegram asked to wait.
    pub fn slow_down(&mut self) {
        self.current_ms = (self.current_ms * 2).min(SLOWEST_MS.max(self.base_ms));
        self.burst = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_lie_where_the_contract_has_them_and_slow_down_after_a_wait() {
        let mut rhythm = Rhythm::new(1500);
        let pauses: Vec<u128> = (0..200).map(|_| rhythm.pause().as_millis()).collect();
        assert!(
            pauses.iter().all(|pause| (1365..=6770).contains(pause)),
            "{pauses:?}"
        );
        assert!(pauses.iter().any(|pause| *pause > 2500), "a rest now and then");
        assert!(pauses.iter().filter(|pause| **pause < 2271).count() > 100);
        for _ in 0..9 {
            rhythm.slow_down();
        }
        assert!(rhythm.pause().as_millis() >= 7000);
        for _ in 0..200 {
            rhythm.pause();
        }
        assert_eq!(rhythm.current_ms, 1500);
        assert_eq!(Rhythm::new(0).pause(), Duration::ZERO);
    }
}
