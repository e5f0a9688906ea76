//! The store of approvals.

use sha2::{Digest as _, Sha256};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

fn who(name: &str) -> Principal {
    Principal::token("console", name).unwrap()
}

fn asked(shown: &[String], needed: u32) -> NewRequest<'_> {
    NewRequest {
        subject: "campaign:c7/post",
        question: "Post it?",
        shown,
        needed,
        by: "campaign:c7",
    }
}

#[test]
fn two_approvals_are_two_people() {
    let dir = tempfile::tempdir().unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let shown = [hash("post")];
    let id = store.request(&asked(&shown, 2), at(0)).unwrap().id;
    let agree = |by: &Principal, n| store.decide(&id, by, Decision::Approve, &shown, "", at(n));
    assert_eq!(agree(&who("ana"), 1).unwrap().state, RequestState::Waiting);
    assert_eq!(
        agree(&who("ana"), 2).unwrap().decisions.len(),
        1,
        "said twice is said once"
    );
    let elsewhere = Principal::token("cli", "Ana").unwrap();
    assert_eq!(agree(&elsewhere, 3).unwrap_err().code, "same_person");
    assert!(!store.allows("campaign:c7/post", &shown).unwrap());
    let done = agree(&who("bob"), 4).unwrap();
    assert_eq!(
        (done.state, done.settled_at),
        (RequestState::Approved, Some(at(4)))
    );
    assert!(store.allows("campaign:c7/post", &shown).unwrap());
    assert_eq!(agree(&who("eve"), 5).unwrap_err().code, "already_settled");
    assert_eq!(store.verify().unwrap(), 3);
}

#[test]
fn an_approval_is_of_what_was_shown() {
    let dir = tempfile::tempdir().unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let (first, second) = ([hash("one")], [hash("two")]);
    let id = store.request(&asked(&first, 1), at(0)).unwrap().id;
    assert_eq!(
        store.request(&asked(&first, 1), at(1)).unwrap().id,
        id,
        "asked again is the same"
    );
    let other = store.decide(&id, &who("ana"), Decision::Approve, &second, "", at(2));
    assert_eq!(other.unwrap_err().code, "shown_changed");
    let anew = store.request(&asked(&second, 1), at(3)).unwrap();
    assert_eq!(store.get(&id).unwrap().state, RequestState::Withdrawn);
    let late = store.decide(&id, &who("ana"), Decision::Approve, &first, "", at(4));
    assert_eq!(late.unwrap_err().code, "already_settled");
    store
        .decide(&anew.id, &who("ana"), Decision::Approve, &second, "fine", at(5))
        .unwrap();
    assert!(store.allows("campaign:c7/post", &second).unwrap());
    assert!(!store.allows("campaign:c7/post", &first).unwrap());
    // What was approved and is then asked with something else shown needs a new word.
    store.request(&asked(&first, 1), at(6)).unwrap();
    assert!(!store.allows("campaign:c7/post", &second).unwrap());
    let waiting = store.list("campaign:c7/", true).unwrap();
    assert_eq!(
        (waiting.len(), waiting[0].shown.as_slice()),
        (1, first.as_slice())
    );
    assert_eq!(store.list("campaign:", false).unwrap().len(), 3);
    assert_eq!(store.list("mail:", false).unwrap().len(), 0);
}

#[test]
fn one_no_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let shown = [hash("ad")];
    let id = store.request(&asked(&shown, 2), at(0)).unwrap().id;
    store
        .decide(&id, &who("ana"), Decision::Approve, &shown, "", at(1))
        .unwrap();
    // She may change her mind.
    let no = store
        .decide(&id, &who("ana"), Decision::Reject, &shown, "wrong price", at(2))
        .unwrap();
    assert_eq!(
        (no.state, no.decisions[1].comment.as_str()),
        (RequestState::Rejected, "wrong price")
    );
    assert!(
        store
            .decide(&id, &who("bob"), Decision::Approve, &shown, "", at(3))
            .is_err()
    );
    let again = store.request(&asked(&shown, 2), at(4)).unwrap();
    assert_eq!(
        again.state,
        RequestState::Rejected,
        "asking the same again is no way around a no"
    );
}

#[test]
fn the_log_only_grows_and_a_change_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let shown = [hash("x")];
    let id = store.request(&asked(&shown, 1), at(0)).unwrap().id;
    store
        .decide(&id, &who("ana"), Decision::Reject, &shown, "", at(1))
        .unwrap();
    let db = Connection::open(dir.path().join("approvals.sqlite3")).unwrap();
    for sql in [
        "UPDATE approval_log SET kind = 'approve' WHERE seq = 2",
        "DELETE FROM approval_log",
    ] {
        assert!(
            db.execute(sql, [])
                .unwrap_err()
                .to_string()
                .contains("only grows")
        );
    }
    assert_eq!(store.verify().unwrap(), 2);
    db.execute_batch(
        "DROP TRIGGER approval_log_is_not_changed; UPDATE approval_log SET kind = 'approve' WHERE seq = 2",
    )
    .unwrap();
    let error = store.verify().unwrap_err();
    assert!(error.message.ends_with("row 2"), "{error}");
}

#[test]
fn requests_that_bind_to_nothing_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let (good, bad) = ([hash("x")], ["../x".to_owned()]);
    for wrong in [asked(&[], 1), asked(&bad, 1), asked(&good, 0), asked(&good, 10)] {
        assert_eq!(
            store.request(&wrong, at(0)).unwrap_err().kind,
            ErrorKind::InvalidInput
        );
    }
    assert_eq!(store.get("a9").unwrap_err().kind, ErrorKind::NotFound);
}
