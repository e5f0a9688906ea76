//! Senders with an order of their own: messages put in together, and taken by their keys.

use std::time::Duration;

use serde_json::json;

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + ms).unwrap()
}

fn put_all(outbox: &Outbox, keys: &[&str], text: &str) -> ToolResult<usize> {
    let body = json!({ "text": text });
    let messages = keys.iter().map(|key| NewMessage {
        key,
        lane: "lane",
        body: &body,
        not_before: None,
    });
    outbox.put_all(messages, at(0))
}

#[test]
fn many_are_put_in_all_or_none() {
    let dir = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(dir.path(), "mail", Pace::default()).unwrap();
    assert_eq!(put_all(&outbox, &["a/1", "a/2"], "x").unwrap(), 0);
    assert_eq!(put_all(&outbox, &["a/2", "a/3"], "x").unwrap(), 1);
    // One of them says something else: the fresh one before it is not put in either.
    assert_eq!(
        put_all(&outbox, &["a/4", "a/1"], "y").unwrap_err().code,
        "says_something_else"
    );
    put_all(&outbox, &["ab/1"], "x").unwrap();
    let mut keys = Vec::new();
    outbox
        .each_under("a/", |message| {
            keys.push(message.key);
            Ok(())
        })
        .unwrap();
    assert_eq!(keys, ["a/1", "a/2", "a/3"]);
}

#[test]
fn a_message_is_taken_by_its_key_once_and_at_the_pace_of_its_lane() {
    let dir = tempfile::tempdir().unwrap();
    let pace = Pace {
        between: Duration::from_millis(100),
        ..Pace::default()
    };
    let outbox = Outbox::open(dir.path(), "mail", pace).unwrap();
    put_all(&outbox, &["k1", "k2"], "x").unwrap();
    let Claim::Taken(second) = outbox.claim_key("k2", at(0)).unwrap() else {
        panic!("it is ready");
    };
    assert_eq!((second.key.as_str(), second.state), ("k2", MessageState::Sending));
    assert_eq!(outbox.claim_key("k1", at(1)).unwrap(), Claim::Held(at(100)));
    assert!(
        matches!(outbox.claim_key("k2", at(200)).unwrap(), Claim::Not(m) if m.state == MessageState::Sending)
    );
    let later = ToolError::new(ErrorKind::Network, "lost");
    outbox
        .finish(&second, Delivery::NotSent(Box::new(later)), at(200))
        .unwrap();
    assert!(matches!(outbox.claim_key("k2", at(201)).unwrap(), Claim::Held(until) if until > at(1000)));
    assert!(matches!(
        outbox.claim_key("k1", at(201)).unwrap(),
        Claim::Taken(_)
    ));
    assert_eq!(
        outbox.claim_key("k9", at(201)).unwrap_err().kind,
        ErrorKind::NotFound
    );
}
