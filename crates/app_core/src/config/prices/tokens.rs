//! What a call costs by the tokens that it took.

use serde::Deserialize;

use super::Price;
use crate::contract::Usd;

/// Rates for calls with more prompt tokens than `above`. They hold for the whole call, as vendors charge it; a rate that
/// is absent stays as it is below.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Prompt tokens that such a call has more than.
    pub above: u64,
    /// Per input token.
    #[serde(default)]
    pub input: Option<f64>,
    /// Per input token from the provider's cache.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Per output token.
    #[serde(default)]
    pub output: Option<f64>,
}

impl Tier {
    pub(super) fn rates(&self) -> [Option<f64>; 3] {
        [self.input, self.cached_input, self.output]
    }
}

/// Tokens of one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenCount {
    /// Of the prompt, all of them.
    pub input: u64,
    /// Of those, found in the provider's cache.
    pub cached: u64,
    /// Of the answer, thinking included.
    pub output: u64,
}

impl Price {
    /// What these tokens cost, rounded up to a nano-dollar; a rate that is absent counts as nothing, so the caller looks
    /// the price up with [`Prices::for_calls`](super::Prices::for_calls), which refuses one without its rates.
    pub fn tokens(&self, count: TokenCount) -> Usd {
        let tier = self.tiers.iter().rfind(|tier| count.input > tier.above);
        let or = |own: Option<f64>, base: Option<f64>| own.or(base).unwrap_or(0.0);
        let input = or(tier.and_then(|t| t.input), self.input);
        let output = or(tier.and_then(|t| t.output), self.output);
        let cached = tier
            .and_then(|t| t.cached_input)
            .or(self.cached_input)
            .unwrap_or(input);
        let known = count.cached.min(count.input);
        let dollars =
            (count.input - known) as f64 * input + known as f64 * cached + count.output as f64 * output;
        let nanos = (dollars * 1e9 - 1e-6).ceil();
        // Beyond the range of an amount: no price list means that, and the ledger refuses it.
        Usd::from_nanos(if nanos < 9e18 {
            nanos.max(0.0) as i64
        } else {
            i64::MAX
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Prices;

    #[test]
    fn cached_tokens_and_long_prompts_have_their_own_rates() {
        let prices = Prices::parse(
            r#"
            [[models.m]]
            from = "2025-01-01"
            input = 3e-6
            cached_input = 3e-7
            output = 15e-6
            tiers = [{ above = 200000, input = 6e-6, output = 22.5e-6 }]
            "#,
        )
        .unwrap();
        let price = prices.get("m", jiff::civil::date(2025, 2, 1)).unwrap();
        let cost = |input, cached, output| {
            price
                .tokens(TokenCount {
                    input,
                    cached,
                    output,
                })
                .nanos()
        };
        assert_eq!(cost(1000, 0, 100), 3_000_000 + 1_500_000);
        assert_eq!(cost(1000, 400, 0), 1_800_000 + 120_000);
        assert_eq!(cost(200_000, 0, 0), 600_000_000);
        assert_eq!(cost(200_001, 0, 10), 1_200_006_000 + 225_000);
        assert_eq!(cost(0, 10, 0), 0);
    }
}
