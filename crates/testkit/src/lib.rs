//! Fake far sides and test harness.
