//! When to speak: a pure state machine per site and condition. It is kept in the state directory, so that a
//! one-shot run under a timer has the same memory as a daemon.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Runs of equal results before anything is said, and how often it is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Thresholds {
    pub(crate) failures: u32,
    pub(crate) successes: u32,
    pub(crate) reminder: Option<SignedDuration>,
}

/// What is remembered of one site and condition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Memory {
    failures: u32,
    successes: u32,
    /// Set while an alert is open: since when, and when it was last spoken of.
    open: Option<Open>,
    /// Hash of the watched content when last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_hash: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    since: Timestamp,
    spoken: Timestamp,
}

/// All memories, by site and condition.
pub(crate) type Memories = BTreeMap<String, Memory>;

/// Why an alert is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Occasion {
    /// It broke.
    Failing,
    /// It is still broken.
    Reminder,
    /// It works again.
    Resolved,
    /// The watched content is another.
    ContentChanged,
}

impl Memory {
    /// Takes in one result; says what to tell, and since when it fails.
    pub(crate) fn take(
        &mut self,
        ok: bool,
        rule: Thresholds,
        now: Timestamp,
    ) -> Option<(Occasion, Timestamp)> {
        if ok {
            self.failures = 0;
            self.successes = self.successes.saturating_add(1);
            let open = self.open.as_ref()?;
            if self.successes < rule.successes {
                return None;
            }
            let since = open.since;
            self.open = None;
            return Some((Occasion::Resolved, since));
        }
        self.successes = 0;
        self.failures = self.failures.saturating_add(1);
        match &mut self.open {
            None if self.failures >= rule.failures => {
                self.open = Some(Open {
                    since: now,
                    spoken: now,
                });
                Some((Occasion::Failing, now))
            }
            None => None,
            Some(open) => {
                let due = rule
                    .reminder
                    .is_some_and(|pause| now.duration_since(open.spoken) >= pause);
                due.then(|| {
                    open.spoken = now;
                    (Occasion::Reminder, open.since)
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Thresholds = Thresholds {
        failures: 3,
        successes: 2,
        reminder: Some(SignedDuration::from_mins(30)),
    };

    #[test]
    fn a_flap_says_nothing_and_an_outage_speaks_once_then_reminds_then_resolves() {
        let mut memory = Memory::default();
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let at = |minute: i64| start + SignedDuration::from_mins(minute);
        let mut said = Vec::new();
        let results = [
            false, false, true, false, false, false, false, true, false, true, true, true,
        ];
        for (minute, ok) in results.into_iter().enumerate() {
            if let Some((occasion, since)) = memory.take(ok, RULE, at(minute as i64 * 10)) {
                said.push((minute, occasion, since));
            }
        }
        assert_eq!(
            said,
            [
                (5, Occasion::Failing, at(50)),
                (8, Occasion::Reminder, at(50)),
                (10, Occasion::Resolved, at(50))
            ]
        );
        assert_eq!(memory.open, None);
    }

    #[test]
    fn the_memory_survives_a_restart() {
        let mut memory = Memory::default();
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        memory.take(false, RULE, now);
        memory.take(false, RULE, now);
        let text = serde_json::to_string(&memory).unwrap();
        let mut later: Memory = serde_json::from_str(&text).unwrap();
        assert_eq!(
            later.take(false, RULE, now).map(|said| said.0),
            Some(Occasion::Failing)
        );
    }
}
