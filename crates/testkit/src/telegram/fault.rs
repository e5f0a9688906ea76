//! What can be made to go wrong.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// One thing that goes wrong.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fault {
    /// Method it strikes, as the schema names it (`messages.getHistory`); empty: every method.
    pub method: String,
    /// How many calls go through first.
    pub after: u32,
    /// How many calls it strikes; 0: all that follow.
    pub times: u32,
    /// Strikes every n-th call only; 0: every one.
    pub every: u32,
    /// Answers this error, e.g. `FLOOD_WAIT_3`, `CHAT_WRITE_FORBIDDEN`, `AUTH_KEY_UNREGISTERED`.
    /// After a flood or slow-mode error every call of the method is refused until the time is over.
    pub error: Option<String>,
    /// Waits before answering.
    pub delay_ms: u64,
    /// Cuts the connection after this many bytes of the answer.
    pub cut_at: Option<usize>,
}

/// A fault and how often it has been met.
#[derive(Debug)]
struct Armed {
    fault: Fault,
    hits: u32,
    calls: u32,
}

/// What happens to one call.
#[derive(Debug, Default)]
pub(super) struct Stroke {
    pub error: Option<String>,
    pub delay: Duration,
    pub cut_at: Option<usize>,
}

/// The faults of a data centre, and the waits they have imposed.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<Armed>,
    waits: HashMap<String, Instant>,
    /// How many calls of a method are allowed within a second, and when the last ones came.
    allowed: HashMap<String, (usize, VecDeque<Instant>)>,
    /// Calls made while a wait was running.
    pub impatient: u32,
}

impl Faults {
    pub fn new(list: Vec<Fault>, allowed: HashMap<String, usize>) -> Self {
        let allowed = allowed.into_iter();
        let mut faults = Self {
            allowed: allowed
                .map(|(method, calls)| (method, (calls, VecDeque::new())))
                .collect(),
            ..Self::default()
        };
        for fault in list {
            faults.add(fault);
        }
        faults
    }

    pub fn add(&mut self, fault: Fault) {
        self.list.push(Armed {
            fault,
            hits: 0,
            calls: 0,
        });
    }

    pub fn clear(&mut self) {
        self.list.clear();
        self.waits.clear();
    }

    /// Decides what happens to a call of `method`.
    pub fn strike(&mut self, method: &str) -> Stroke {
        let now = Instant::now();
        if let Some(until) = self.waits.get(method).copied() {
            if until > now {
                self.impatient += 1;
                let left = (until - now).as_secs_f64().ceil().max(1.0) as u64;
                return Stroke {
                    error: Some(format!("FLOOD_WAIT_{left}")),
                    ..Stroke::default()
                };
            }
            self.waits.remove(method);
        }
        if let Some((allowed, calls)) = self.allowed.get_mut(method) {
            calls.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
            calls.push_back(now);
            if calls.len() > *allowed {
                self.waits.insert(method.to_owned(), now + Duration::from_secs(2));
                return Stroke {
                    error: Some("FLOOD_WAIT_2".to_owned()),
                    ..Stroke::default()
                };
            }
        }
        let mut stroke = Stroke::default();
        for Armed { fault, hits, calls } in &mut self.list {
            if !fault.method.is_empty() && fault.method != method {
                continue;
            }
            *calls += 1;
            let due = *calls > fault.after
                && (fault.times == 0 || *hits < fault.times)
                && (fault.every == 0 || (*calls - fault.after).is_multiple_of(fault.every));
            if !due {
                continue;
            }
            *hits += 1;
            stroke.delay = stroke.delay.max(Duration::from_millis(fault.delay_ms));
            stroke.cut_at = stroke.cut_at.or(fault.cut_at);
            if let Some(error) = &fault.error {
                if let Some(seconds) = error
                    .strip_prefix("FLOOD_WAIT_")
                    .or_else(|| error.strip_prefix("SLOWMODE_WAIT_"))
                    .and_then(|seconds| seconds.parse::<u64>().ok())
                {
                    // A little under what is told: a client that waits exactly as long must get through.
                    let wait =
                        Duration::from_millis(seconds * 1000).saturating_sub(Duration::from_millis(150));
                    self.waits.insert(method.to_owned(), now + wait);
                }
                stroke.error = Some(error.clone());
                break;
            }
        }
        stroke
    }
}
