//! Requests of a page: which are open, which are polls, how long it has been quiet.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use url::Url;

/// A request that is open for so long is one that hangs: nobody waits for it.
const HUNG: Duration = Duration::from_secs(3);

/// So many requests of one path make a poll.
const POLL: u32 = 3;

/// Paths whose requests are counted.
const MOST_PATHS: usize = 5000;

/// A request that has no end yet.
#[derive(Clone, Debug)]
struct Open {
    kind: String,
    path: String,
    since: Instant,
    poll: bool,
}

/// How busy the network is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Requests that somebody waits for.
    pub waited_for: usize,
    /// Time since one of those began or ended.
    pub quiet: Duration,
}

/// The requests of a page.
#[derive(Debug)]
pub struct Traffic {
    open: HashMap<String, Open>,
    asked: HashMap<String, u32>,
    /// Paths that it asks again and again.
    pub polls: Vec<String>,
    /// Requests that it sent.
    pub requests: u64,
    changed: Instant,
}

impl Traffic {
    /// A request ended, one way or the other.
    pub fn ended(&mut self, id: &str) {
        if self.open.remove(id).is_some_and(|open| !open.poll) {
            self.changed = Instant::now();
        }
    }

    /// A request began.
    pub fn begun(&mut self, id: &str, kind: String, url: &str) {
        let url = Url::parse(url).ok();
        if url
            .as_ref()
            .is_some_and(|url| matches!(url.scheme(), "data" | "blob"))
        {
            return;
        }
        let path = url.as_ref().map_or_else(String::new, |url| url.path().to_owned());
        self.requests += 1;
        let mut poll = false;
        if matches!(kind.as_str(), "fetch" | "xhr") && self.asked.len() < MOST_PATHS {
            let origin = url
                .map(|url| url.origin().ascii_serialization())
                .unwrap_or_default();
            let times = self.asked.entry(format!("{origin}{path}")).or_default();
            *times += 1;
            poll = *times >= POLL;
            if *times == POLL {
                self.polls.push(path.clone());
                // What was asked before was the same poll.
                for open in self.open.values_mut().filter(|open| open.path == path) {
                    open.poll = true;
                }
            }
        }
        if !poll {
            self.changed = Instant::now();
        }
        let open = Open {
            kind,
            path,
            since: Instant::now(),
            poll,
        };
        self.open.insert(id.to_owned(), open);
    }

    /// None yet.
    pub fn new() -> Self {
        Self {
            open: HashMap::new(),
            asked: HashMap::new(),
            polls: Vec::new(),
            requests: 0,
            changed: Instant::now(),
        }
    }

    /// How busy the network is.
    pub fn busy(&self) -> Busy {
        let waited_for = self
            .open
            .values()
            .filter(|open| !open.poll && open.since.elapsed() < HUNG);
        Busy {
            waited_for: waited_for.count(),
            quiet: self.changed.elapsed(),
        }
    }

    /// Open requests that are no polls, in words; `None` when there are none.
    pub fn hanging(&self) -> Option<String> {
        let mut open: Vec<&Open> = self.open.values().filter(|open| !open.poll).collect();
        open.sort_by_key(|open| open.since);
        let first = open.first()?;
        let plural = if open.len() == 1 { "" } else { "s" };
        Some(format!(
            "{} {} open, {} request{plural} in flight",
            first.kind,
            first.path,
            open.len()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polls_are_told_from_requests_that_are_waited_for() {
        let mut traffic = Traffic::new();
        let ask =
            |traffic: &mut Traffic, id: &str, kind: &str, url: &str| traffic.begun(id, kind.to_owned(), url);
        ask(&mut traffic, "1", "image", "https://a.example/x.png");
        ask(&mut traffic, "d", "image", "data:image/png;base64,AA");
        for id in ["p1", "p2", "p3"] {
            ask(&mut traffic, id, "fetch", &format!("https://a.example/poll?{id}"));
        }
        assert_eq!(traffic.polls, ["/poll"]);
        assert_eq!((traffic.busy().waited_for, traffic.requests), (1, 4));
        assert_eq!(
            traffic.hanging().as_deref(),
            Some("image /x.png open, 1 request in flight")
        );
        traffic.ended("1");
        assert_eq!((traffic.busy().waited_for, traffic.hanging()), (0, None));
    }
}
