//! When to speak: a pure state machine for each thing that can fail. Its memory is kept between runs, so that a
//! one-shot run under a timer remembers as much as a daemon.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Runs of equal results before anything is said, and how often it is repeated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// Failures in a row before it is told.
    pub failures: u32,
    /// Successes in a row before it counts as working again.
    pub successes: u32,
    /// Time between two reminders; none without it.
    pub reminder: Option<SignedDuration>,
}

/// What one look at it showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It is not. For what gets worse by steps (a certificate that runs out), the step; 0 for everything else.
    Failing(u32),
    /// The look did not get far enough to judge. It opens nothing and resolves nothing.
    Unknown,
}

/// Why something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It broke.
    Failing,
    /// It is still broken, or a step worse.
    Reminder,
    /// It works again.
    Resolved,
    /// What is watched is another.
    #[serde(rename = "content_changed")]
    Changed,
    /// Somebody says something.
    Notice,
}

impl Occasion {
    pub(crate) const fn words(self) -> Option<&'static str> {
        match self {
            Self::Failing => Some("fails"),
            Self::Reminder => Some("still fails"),
            Self::Resolved => Some("works again"),
            Self::Changed => Some("has new content"),
            Self::Notice => None,
        }
    }
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Why it is told.
    pub occasion: Occasion,
    /// Which incident of its key: the first is 1.
    pub incident: u64,
    /// Counts what is told of one incident: 0 for the first word.
    pub step: u32,
    /// Since when it fails, or when it changed.
    pub since: Timestamp,
}

/// What is remembered of one thing that can fail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    failures: u32,
    successes: u32,
    /// Set while it fails.
    open: Option<Open>,
    /// Incidents so far.
    #[serde(default)]
    count: u64,
    /// What was last seen of something that is watched for changes, as a hash.
    #[serde(default, alias = "content_hash", skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Open {
    since: Timestamp,
    spoken: Timestamp,
    /// Whether somebody was told; not while it is silenced.
    #[serde(default = "yes")]
    told: bool,
    #[serde(default)]
    reminders: u32,
    #[serde(default)]
    step: u32,
}

const fn yes() -> bool {
    true
}

impl Incident {
    /// Takes in one look; says what to tell.
    pub fn observe(&mut self, verdict: Verdict, rule: Rule, now: Timestamp) -> Option<Change> {
        let step = match verdict {
            Verdict::Unknown => return None,
            Verdict::Ok => return self.succeed(rule),
            Verdict::Failing(step) => step,
        };
        self.successes = 0;
        self.failures = self.failures.saturating_add(1);
        let Some(open) = &mut self.open else {
            if self.failures < rule.failures {
                return None;
            }
            self.count = self.count.saturating_add(1);
            self.open = Some(Open {
                since: now,
                spoken: now,
                told: true,
                reminders: 0,
                step,
            });
            return Some(self.change(Occasion::Failing, 0, now));
        };
        let (since, first) = (open.since, !open.told);
        // A clock that ran ahead must not put reminders off.
        open.spoken = open.spoken.min(now);
        let due = rule
            .reminder
            .is_some_and(|pause| now.duration_since(open.spoken) >= pause);
        if !first && !due && step <= open.step {
            return None;
        }
        (open.told, open.spoken, open.step) = (true, now, open.step.max(step));
        if first {
            return Some(self.change(Occasion::Failing, 0, since));
        }
        open.reminders = open.reminders.saturating_add(1);
        let reminders = open.reminders;
        Some(self.change(Occasion::Reminder, reminders, since))
    }

    /// Takes in what is watched for changes; says when it is another than before.
    pub fn see(&mut self, hash: &str, now: Timestamp) -> Option<Change> {
        let changed = self.seen.as_ref().is_some_and(|old| old != hash);
        self.seen = Some(hash.to_owned());
        changed.then(|| {
            self.count = self.count.saturating_add(1);
            self.change(Occasion::Changed, 0, now)
        })
    }

    /// Since when it fails; `None` while it does not.
    pub fn since(&self) -> Option<Timestamp> {
        self.open.as_ref().map(|open| open.since)
    }

    /// What was just said of it did not go out: it is said anew when it can be.
    pub(crate) fn untell(&mut self) {
        if let Some(open) = &mut self.open {
            open.told = false;
        }
    }

    fn succeed(&mut self, rule: Rule) -> Option<Change> {
        self.failures = 0;
        self.successes = self.successes.saturating_add(1);
        if self.successes < rule.successes {
            return None;
        }
        let open = self.open.take()?;
        // Nobody heard that it failed, so nobody is told that it works.
        open.told
            .then(|| self.change(Occasion::Resolved, open.reminders.saturating_add(1), open.since))
    }

    fn change(&self, occasion: Occasion, step: u32, since: Timestamp) -> Change {
        Change {
            occasion,
            incident: self.count,
            step,
            since,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule {
        failures: 3,
        successes: 2,
        reminder: Some(SignedDuration::from_mins(30)),
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_767_225_600 + minute * 60).unwrap()
    }

    fn run(incident: &mut Incident, rule: Rule, looks: &[Verdict]) -> Vec<(i64, Occasion, Timestamp)> {
        let looks = looks.iter().zip((0..).step_by(10));
        looks
            .filter_map(|(look, minute)| {
                let change = incident.observe(*look, rule, at(minute))?;
                Some((minute, change.occasion, change.since))
            })
            .collect()
    }

    #[test]
    fn a_flap_says_nothing_and_an_outage_speaks_once_then_reminds_then_resolves() {
        let (ok, bad) = (Verdict::Ok, Verdict::Failing(0));
        let mut incident = Incident::default();
        let looks = [bad, bad, ok, bad, bad, bad, bad, ok, bad, ok, ok, ok];
        assert_eq!(
            run(&mut incident, RULE, &looks),
            [
                (50, Occasion::Failing, at(50)),
                (80, Occasion::Reminder, at(50)),
                (100, Occasion::Resolved, at(50))
            ]
        );
        assert_eq!(incident.since(), None);
    }

    #[test]
    fn what_could_not_be_judged_neither_opens_nor_resolves() {
        let bad = Verdict::Failing(0);
        let rule = Rule {
            failures: 1,
            successes: 1,
            reminder: None,
        };
        let looks = [
            Verdict::Unknown,
            bad,
            Verdict::Unknown,
            Verdict::Unknown,
            Verdict::Ok,
        ];
        assert_eq!(
            run(&mut Incident::default(), rule, &looks),
            [(10, Occasion::Failing, at(10)), (40, Occasion::Resolved, at(10))]
        );
    }

    #[test]
    fn what_gets_worse_by_steps_is_told_once_a_step() {
        let rule = Rule {
            failures: 1,
            successes: 1,
            reminder: None,
        };
        let looks: Vec<_> = [1, 1, 1, 2, 2, 1, 2, 3, 4, 4].map(Verdict::Failing).to_vec();
        let told: Vec<_> = run(&mut Incident::default(), rule, &looks)
            .into_iter()
            .map(|(minute, occasion, _)| (minute, occasion))
            .collect();
        assert_eq!(
            told,
            [
                (0, Occasion::Failing),
                (30, Occasion::Reminder),
                (70, Occasion::Reminder),
                (80, Occasion::Reminder)
            ]
        );
    }

    #[test]
    fn what_was_silenced_is_told_later_and_its_end_is_not_told_alone() {
        let rule = Rule {
            failures: 1,
            successes: 1,
            reminder: None,
        };
        let mut incident = Incident::default();
        let bad = Verdict::Failing(0);
        assert!(incident.observe(bad, rule, at(0)).is_some());
        incident.untell();
        let later = incident.observe(bad, rule, at(10)).unwrap();
        assert_eq!((later.occasion, later.since), (Occasion::Failing, at(0)));
        incident.untell();
        assert_eq!(incident.observe(Verdict::Ok, rule, at(20)), None);
    }

    #[test]
    fn a_memory_of_the_first_version_is_read() {
        let old = r#"{"failures":4,"successes":0,"open":{"since":"2026-01-01T00:00:00Z","spoken":"2026-01-01T00:00:00Z"},"content_hash":"aa"}"#;
        let mut incident: Incident = serde_json::from_str(old).unwrap();
        assert_eq!(incident.since(), Some(at(0)));
        assert!(incident.see("aa", at(1)).is_none() && incident.see("bb", at(1)).is_some());
        let rule = Rule { successes: 1, ..RULE };
        let change = incident.observe(Verdict::Ok, rule, at(5)).unwrap();
        assert_eq!((change.occasion, change.since), (Occasion::Resolved, at(0)));
    }

    #[test]
    fn a_clock_that_ran_ahead_does_not_put_reminders_off_for_ever() {
        let mut incident = Incident::default();
        let rule = Rule { failures: 1, ..RULE };
        incident.observe(Verdict::Failing(0), rule, at(1_000_000));
        incident.observe(Verdict::Failing(0), rule, at(0));
        let change = incident.observe(Verdict::Failing(0), rule, at(31)).unwrap();
        assert_eq!(change.occasion, Occasion::Reminder);
    }
}
