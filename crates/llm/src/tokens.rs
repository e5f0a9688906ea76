//! How many tokens a call will take, before anybody knows.
//!
//! Counted in bytes, not characters: a text has 0.15 to 0.33 tokens a byte in ordinary languages, and a tokenizer that
//! works on bytes can give no more tokens than bytes, whatever the script.

use crate::call::Call;

/// Tokens a byte before anything is known of a model.
const FIRST_RATIO: f64 = 0.33;

/// Calls after which the largest ratio seen says more than the bytes.
const ENOUGH: usize = 20;

/// What each turn takes beside its text: marks of the conversation.
const PER_TURN: u64 = 16;

/// What asking for JSON adds beside the schema.
const PER_SCHEMA: u64 = 200;

/// What one earlier call took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) bytes: u64,
    pub(crate) input: u64,
    pub(crate) output: u64,
}

/// What the last calls of a model teach.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Learnt {
    samples: Vec<(String, Sample)>,
}

impl Learnt {
    pub(crate) fn of(samples: Vec<(String, Sample)>) -> Self {
        Self { samples }
    }

    fn ratio(&self) -> f64 {
        let bytes: u64 = self.samples.iter().map(|(_, s)| s.bytes).sum();
        let tokens: u64 = self.samples.iter().map(|(_, s)| s.input).sum();
        if bytes == 0 {
            FIRST_RATIO
        } else {
            tokens as f64 / bytes as f64
        }
    }

    /// Tokens that a prompt of `bytes` will probably take.
    pub(crate) fn estimate(&self, bytes: u64) -> u64 {
        ((bytes as f64 * self.ratio()).ceil() as u64).min(bytes)
    }

    /// Tokens that a prompt of `bytes` can take: never less than [`Learnt::estimate`], never more than its bytes.
    pub(crate) fn bound(&self, bytes: u64) -> u64 {
        if self.samples.len() < ENOUGH {
            return bytes;
        }
        let ratios = self
            .samples
            .iter()
            .map(|(_, s)| s.input as f64 / (s.bytes.max(1)) as f64);
        let largest = ratios.fold(0.0, f64::max);
        let bound = (bytes as f64 * largest * 1.25).ceil() as u64;
        bound.max(self.estimate(bytes)).min(bytes)
    }

    /// Tokens that the answer to a call will probably have: the mean of its purpose, else the most it may have.
    pub(crate) fn output(&self, purpose: &str, max: u32) -> u64 {
        let of_purpose = self.samples.iter().filter(|(name, _)| name == purpose);
        let (count, sum) = of_purpose.fold((0_u64, 0_u64), |(n, sum), (_, s)| {
            (n + 1, sum.saturating_add(s.output))
        });
        let max = u64::from(max);
        sum.checked_div(count).map_or(max, |mean| mean.min(max))
    }
}

/// Bytes of a prompt, with what the conversation itself takes.
pub(crate) fn bytes(call: &Call) -> u64 {
    let turns: usize = call.turns.iter().map(|turn| turn.text.len()).sum();
    let schema = call
        .schema
        .as_ref()
        .map_or(0, |schema| schema.to_string().len() as u64 + PER_SCHEMA);
    (call.system.len() + turns) as u64 + (call.turns.len() as u64 + 1) * PER_TURN + schema
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(samples: &[(u64, u64)]) -> Learnt {
        let sample = |&(bytes, input): &(u64, u64)| {
            let sample = Sample {
                bytes,
                input,
                output: 10,
            };
            ("p".to_owned(), sample)
        };
        Learnt::of(samples.iter().map(sample).collect())
    }

    #[test]
    fn the_bound_is_all_bytes_until_enough_is_known() {
        assert_eq!(
            (Learnt::default().estimate(1000), Learnt::default().bound(1000)),
            (330, 1000)
        );
        let few = learnt(&[(1000, 200); 19]);
        assert_eq!((few.estimate(1000), few.bound(1000)), (200, 1000));
        let mut many = vec![(1000, 200); 19];
        many.push((100, 40));
        let many = learnt(&many);
        assert_eq!(many.bound(1000), 500);
        assert_eq!(learnt(&[(10, 10); 25]).bound(1000), 1000, "never above the bytes");
        assert_eq!((many.output("p", 500), many.output("other", 500)), (10, 500));
    }

    proptest::proptest! {
        #[test]
        fn a_bound_is_never_below_its_estimate(samples in proptest::collection::vec((1_u64..9999, 0_u64..20000), 0..40), bytes in 0_u64..1_000_000) {
            let learnt = learnt(&samples);
            let (estimate, bound) = (learnt.estimate(bytes), learnt.bound(bytes));
            proptest::prop_assert!(estimate <= bound && bound <= bytes);
        }
    }
}
