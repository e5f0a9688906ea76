//! The outbox.

#![expect(
    clippy::disallowed_methods,
    reason = "processes of a test agree by the real clock"
)]

use std::{
    collections::HashMap,
    fs::OpenOptions,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::json;

use super::*;
use crate::state::Principal;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn put(outbox: &Outbox, key: &str, lane: &str) -> Message {
    let body = json!({"text": key});
    let new = NewMessage {
        key,
        lane,
        body: &body,
        not_before: None,
    };
    outbox.put(&new, at(0)).unwrap().0
}

fn rate_limited(wait: Duration) -> Delivery {
    Delivery::of(Err::<String, _>(
        ToolError::new(ErrorKind::RateLimited, "slow down").retry_after(wait),
    ))
}

#[test]
fn a_key_is_one_message_and_its_way_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "mail", Pace::default()).unwrap();
    let first = put(&outbox, "k", "lane");
    assert_eq!(put(&outbox, "k", "lane"), first);
    let other = json!({"text": "else"});
    let new = NewMessage {
        key: "k",
        lane: "lane",
        body: &other,
        not_before: None,
    };
    assert_eq!(outbox.put(&new, at(1)).unwrap_err().kind, ErrorKind::Conflict);
    // Another outbox of the same file has its own keys.
    let alerts = Outbox::open(dir.path(), "alerts", Pace::default()).unwrap();
    put(&alerts, "k", "lane");
    let claimed = outbox.claim(at(1)).unwrap().unwrap();
    assert_eq!((claimed.state, claimed.attempts), (MessageState::Sending, 1));
    assert!(outbox.claim(at(1)).unwrap().is_none(), "nobody gets it twice");
    let sent = outbox
        .finish(&claimed, Delivery::Sent("m-1".to_owned()), at(2))
        .unwrap();
    assert_eq!(
        (sent.state, sent.receipt.as_deref(), sent.ended_at),
        (MessageState::Sent, Some("m-1"), Some(at(2)))
    );
    assert_eq!(
        outbox
            .finish(&claimed, Delivery::Sent(String::new()), at(3))
            .unwrap_err()
            .kind,
        ErrorKind::Conflict
    );
    assert_eq!(
        put(&outbox, "k", "lane").state,
        MessageState::Sent,
        "what was sent is not sent again"
    );
    assert_eq!(outbox.forget(at(2)).unwrap(), 0);
    assert_eq!(outbox.forget(at(3)).unwrap(), 1);
    assert_eq!(alerts.counts().unwrap(), [(MessageState::Ready, 1)].into());
}

#[test]
fn a_lane_keeps_its_pace_and_others_pass() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace {
        between: Duration::from_millis(100),
        ..Pace::default()
    };
    let outbox = Outbox::open(dir.path(), "mail", pace).unwrap();
    for key in ["a1", "a2", "b1"] {
        put(&outbox, key, &key[..1]);
    }
    let mut order = Vec::new();
    for ms in [0, 0, 50, 100] {
        if let Some(message) = outbox.claim(at(ms)).unwrap() {
            outbox
                .finish(&message, Delivery::Sent(String::new()), at(ms))
                .unwrap();
            order.push((ms, message.key));
        }
    }
    assert_eq!(
        order,
        [(0, "a1".to_owned()), (0, "b1".to_owned()), (100, "a2".to_owned())]
    );
    // A far side that asks for a wait asks it of the whole lane.
    put(&outbox, "c1", "c");
    put(&outbox, "c2", "c");
    let message = outbox.claim(at(500)).unwrap().unwrap();
    let back = outbox
        .finish(&message, rate_limited(Duration::from_secs(60)), at(500))
        .unwrap();
    assert_eq!((back.state, back.not_before), (MessageState::Ready, at(60_500)));
    assert!(outbox.claim(at(60_000)).unwrap().is_none());
    assert_eq!(outbox.next_at().unwrap(), Some(at(60_500)));
    assert_eq!(outbox.claim(at(60_500)).unwrap().unwrap().key, "c1");
}

#[test]
fn tries_end_and_waits_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace {
        attempts: 2,
        ..Pace::default()
    };
    let outbox = Outbox::open(dir.path(), "mail", pace).unwrap();
    put(&outbox, "k", "lane");
    let first = outbox.claim(at(0)).unwrap().unwrap();
    let back = outbox
        .finish(&first, rate_limited(Duration::from_secs(u64::MAX)), at(0))
        .unwrap();
    assert_eq!(
        back.not_before,
        at(24 * 3_600_000),
        "nobody waits for a million years"
    );
    let second = outbox.claim(at(24 * 3_600_000)).unwrap().unwrap();
    let end = outbox
        .finish(&second, rate_limited(Duration::ZERO), at(24 * 3_600_000))
        .unwrap();
    assert_eq!(
        (end.state, end.attempts, end.error.as_deref()),
        (MessageState::Refused, 2, Some("slow down"))
    );
}

#[test]
fn only_a_refusal_or_a_hold_off_is_certain() {
    let of = |kind, code: &str| Delivery::of(Err::<String, _>(ToolError::new(kind, "x").code(code)));
    assert!(matches!(
        of(ErrorKind::Timeout, "timeout"),
        Delivery::Undecided(_)
    ));
    assert!(matches!(
        of(ErrorKind::Network, "network"),
        Delivery::Undecided(_)
    ));
    assert!(matches!(
        of(ErrorKind::ProviderUnavailable, "x"),
        Delivery::Undecided(_)
    ));
    assert!(matches!(
        of(ErrorKind::Network, "cannot_connect"),
        Delivery::NotSent(_)
    ));
    assert!(matches!(of(ErrorKind::Locked, "x"), Delivery::NotSent(_)));
    assert!(matches!(
        of(ErrorKind::ProviderRejected, "x"),
        Delivery::Refused(_)
    ));
}

#[test]
fn an_undecided_message_is_settled_by_somebody() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "mail", Pace::default()).unwrap();
    let ana = Principal::token("console", "ana").unwrap();
    for (n, key, settled, state) in [
        (10, "a", Settled::Sent, MessageState::Sent),
        (20, "b", Settled::NotSent, MessageState::Ready),
        (30, "c", Settled::Dropped, MessageState::Refused),
    ] {
        put(&outbox, key, "lane");
        assert_eq!(
            outbox.settle(key, settled, &ana, at(n)).unwrap_err().kind,
            ErrorKind::Conflict
        );
        let claimed = outbox.claim(at(n)).unwrap().unwrap();
        let timeout = ToolError::new(ErrorKind::Timeout, "no answer");
        outbox
            .finish(&claimed, Delivery::of(Err::<String, _>(timeout)), at(n))
            .unwrap();
        assert!(
            outbox.claim(at(1_000_000)).unwrap().is_none(),
            "it is not sent again by itself"
        );
        let done = outbox.settle(key, settled, &ana, at(n + 1)).unwrap();
        assert_eq!(
            (done.state, done.settled_by.as_deref()),
            (state, Some("console:ana"))
        );
        if state == MessageState::Ready {
            let again = outbox.claim(at(n + 2)).unwrap().unwrap();
            outbox
                .finish(&again, Delivery::Sent(String::new()), at(n + 2))
                .unwrap();
        }
    }
}

/// A sender as a process of its own: the far side is a file, one line a message. Does nothing when it is not asked to.
#[test]
fn a_sender() {
    let Some(dir) = std::env::var_os("OUTBOX_SENDER") else {
        return;
    };
    let dir = PathBuf::from(dir);
    let outbox = Outbox::open(&dir, "mail", Pace::default()).unwrap();
    let mut far_side = OpenOptions::new()
        .create(true)
        .append(true)
        .open(dir.join("far_side"))
        .unwrap();
    while let Some(message) = outbox.claim(Timestamp::now()).unwrap() {
        writeln!(far_side, "{}", message.key).unwrap();
        outbox
            .finish(&message, Delivery::Sent(String::new()), Timestamp::now())
            .unwrap();
    }
}

#[test]
fn killed_at_any_moment_nothing_is_lost_and_nothing_goes_out_twice() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "mail", Pace::default()).unwrap();
    let keys: Vec<String> = (0..150).map(|n| format!("m{n}")).collect();
    for key in &keys {
        put(&outbox, key, "lane");
    }
    let sender = || {
        Command::new(std::env::current_exe().unwrap())
            .args(["state::outbox::tests::a_sender", "--exact"])
            .env("OUTBOX_SENDER", dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let lines = || std::fs::read_to_string(dir.path().join("far_side")).unwrap_or_default();
    let mut kills = 0;
    while outbox.counts().unwrap().contains_key(&MessageState::Ready) && kills < 12 {
        let before = lines().lines().count();
        let mut child = sender();
        // Killed once it has begun, at another moment of its work each time.
        while lines().lines().count() <= before + kills && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_micros(700 * kills as u64));
        child.kill().unwrap();
        child.wait().unwrap();
        outbox.recover(Timestamp::now()).unwrap();
        kills += 1;
    }
    assert!(sender().wait().unwrap().success());
    let mut seen: HashMap<String, u32> = HashMap::new();
    for key in lines().lines() {
        *seen.entry(key.to_owned()).or_default() += 1;
    }
    assert!(
        seen.values().all(|n| *n == 1),
        "something went out twice: {seen:?}"
    );
    let me = Principal::os_user("cli");
    for undecided in outbox.list(MessageState::Undecided, 1000).unwrap() {
        let settled = if seen.contains_key(&undecided.key) {
            Settled::Sent
        } else {
            Settled::NotSent
        };
        outbox
            .settle(&undecided.key, settled, &me, Timestamp::now())
            .unwrap();
    }
    assert!(sender().wait().unwrap().success());
    assert_eq!(
        outbox.counts().unwrap(),
        [(MessageState::Sent, keys.len() as u64)].into()
    );
    let lines = lines();
    let mut all: Vec<&str> = lines.lines().collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(
        (lines.lines().count(), all.len()),
        (keys.len(), keys.len()),
        "each exactly once"
    );
}

#[test]
fn a_lane_is_taken_whole_in_order_and_only_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "alerts", Pace::default()).unwrap();
    for (key, lane) in [("1", "a"), ("2", "b"), ("3", "a"), ("4", "a")] {
        put(&outbox, key, lane);
    }
    assert_eq!(outbox.ready_lanes(at(1)).unwrap(), ["a", "b"]);
    let keys = |messages: &[Message]| messages.iter().map(|m| m.key.clone()).collect::<Vec<_>>();
    let taken = outbox.claim_lane("a", 2, at(1)).unwrap();
    assert_eq!(keys(&taken), ["1", "3"]);
    // Another sender gets what is left, never what is in hand.
    let second = Outbox::open(dir.path(), "alerts", Pace::default()).unwrap();
    assert_eq!(keys(&second.claim_lane("a", 10, at(1)).unwrap()), ["4"]);
    assert_eq!(outbox.ready_lanes(at(1)).unwrap(), ["b"]);
    // Held off: the whole lane waits, whoever asks.
    outbox
        .finish(&taken[0], rate_limited(Duration::from_secs(9)), at(2))
        .unwrap();
    outbox
        .finish(&taken[1], Delivery::Sent(String::new()), at(2))
        .unwrap();
    put(&outbox, "5", "a");
    assert!(outbox.claim_lane("a", 10, at(8_000)).unwrap().is_empty());
    assert_eq!(keys(&outbox.claim_lane("a", 10, at(9_002)).unwrap()), ["1", "5"]);
}

#[test]
fn a_note_and_its_messages_are_written_both_or_neither() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "alerts", Pace::default()).unwrap();
    let message = |key: &str| OwnedMessage {
        key: key.to_owned(),
        lane: "a".to_owned(),
        body: json!({"text": key}),
    };
    let add = |key: &str, fail: bool| {
        outbox.decide("seen", at(1), |old: Option<u32>| {
            if fail {
                return Err(ToolError::internal("planted"));
            }
            Ok((old.unwrap_or_default() + 1, vec![message(key)]))
        })
    };
    assert_eq!(add("x", false).unwrap(), 1);
    // Known already: it stays one message, the note goes on.
    assert_eq!(add("x", false).unwrap(), 0);
    add("y", true).unwrap_err();
    assert_eq!(outbox.note::<u32>("seen").unwrap(), Some(2));
    assert_eq!(outbox.notes("se").unwrap(), ["seen"]);
    assert!(outbox.get("y").is_err());
    assert_eq!(outbox.list(MessageState::Ready, 10).unwrap().len(), 1);
    // What another version wrote is no reason to begin anew in silence.
    assert_eq!(
        outbox.note::<String>("seen").unwrap_err().kind,
        ErrorKind::Conflict
    );
}
