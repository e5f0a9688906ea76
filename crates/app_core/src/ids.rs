//! Ids of runs, reservations and marks.

/// `prefix_` and 16 random hex digits.
pub(crate) fn random_id(prefix: &str) -> String {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        // Without a random source, time and pid still tell runs of one host apart.
        let mixed =
            crate::clock::Clock::System.now().as_nanosecond() as u64 ^ (u64::from(std::process::id()) << 40);
        bytes = mixed.to_be_bytes();
    }
    format!("{prefix}_{}", hex::encode(bytes))
}
