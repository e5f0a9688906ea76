//! The field case of approvals that follow bytes, and people who are not two because a name is written in two ways.

use super::*;

const STEPS: &str = include_str!("../../../../fixtures/feedback/approval-binding/steps.json");

fn who(name: &str) -> Principal {
    Principal::token("cli", name.trim()).unwrap()
}

#[test]
fn approvals_follow_the_bytes_and_the_people() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Context::detached(crate::definition(), dir.path()).unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let steps: Vec<serde_json::Value> = serde_json::from_str(STEPS).unwrap();
    let text = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let post = dir.path().join("post.json");
    let mut id = String::new();
    let mut seen = Vec::new();
    for step in steps.iter().take(9) {
        let by = || who(&text(step, "by"));
        match text(step, "do").as_str() {
            "request" => {
                std::fs::write(&post, text(&step["artifact"], "sha256")).unwrap();
                let files = serde_json::to_string(&[&post]).unwrap();
                let asks = by();
                let new = NewRequest {
                    subject: &format!("{SUBJECT}{files}"),
                    question: "May it be used?",
                    shown: &[sha256_of(&post).unwrap()],
                    needed: step["needs"].as_u64().unwrap() as u32,
                    by: asks.as_str(),
                };
                id = store.request(&new, ctx.now()).unwrap().id;
            }
            "artifact_changes" => std::fs::write(&post, text(step, "sha256")).unwrap(),
            "approve" => match decide(&store, &id, &by(), Decision::Approve, "", ctx.now()) {
                Ok(answer) => seen.push(format!(
                    "{:?} {}",
                    answer.standing,
                    answer.request.decisions.len()
                )),
                Err(error) => seen.push(format!("{} {}", error.code, error.kind.exit_code())),
            },
            "reject" => {
                let answer = decide(
                    &store,
                    &id,
                    &by(),
                    Decision::Reject,
                    &text(step, "reason"),
                    ctx.now(),
                )
                .unwrap();
                seen.push(format!(
                    "{:?} {}",
                    answer.standing,
                    answer.request.decisions.last().unwrap().comment
                ));
            }
            _ => {
                let failed = check(&Named { id: id.clone() }, &ctx).unwrap_err();
                seen.push(format!("{} {}", failed.code, failed.kind.exit_code()));
            }
        }
    }
    assert_eq!(
        seen,
        [
            "own_request 77",
            "Waiting 1",
            "same_person 73",
            "stale 2",
            "stale 3",
            "Rejected price",
            "rejected 3"
        ]
    );
    store.verify().unwrap();
}

#[test]
fn what_was_approved_counts_only_while_the_bytes_are_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Context::detached(crate::definition(), dir.path()).unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    std::fs::write(&a, "one").unwrap();
    std::fs::write(&b, "two").unwrap();
    let shown = [sha256_of(&a).unwrap(), sha256_of(&b).unwrap()];
    let subject = format!("{SUBJECT}{}", serde_json::to_string(&[&a, &b]).unwrap());
    let new = NewRequest {
        subject: &subject,
        question: "?",
        shown: &shown,
        needed: 2,
        by: "cli:ina",
    };
    let id = store.request(&new, ctx.now()).unwrap().id;
    decide(&store, &id, &who("max"), Decision::Approve, "", ctx.now()).unwrap();
    let same = Principal::token("console", "MAX").unwrap();
    let refused = decide(&store, &id, &same, Decision::Approve, "", ctx.now()).unwrap_err();
    assert_eq!(refused.code, "same_person");
    let done = decide(&store, &id, &who("olga"), Decision::Approve, "", ctx.now()).unwrap();
    assert_eq!(done.standing, Standing::Approved);
    let code = || check(&Named { id: id.clone() }, &ctx).map_or_else(|e| e.code, |_| "ok".to_owned());
    assert_eq!(code(), "ok");
    std::fs::write(&b, "three").unwrap();
    assert_eq!(code(), "stale");
    std::fs::remove_file(&b).unwrap();
    assert_eq!(code(), "stale");
    std::fs::write(&b, "two").unwrap();
    assert_eq!(code(), "ok", "the same bytes are what was approved");
}

#[test]
fn a_program_asks_and_does_not_decide() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Context::detached(crate::definition(), dir.path()).unwrap();
    let refused = may_decide(&who("bot"), false, &ctx).unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.kind.exit_code()),
        ("no_terminal", 77)
    );
    may_decide(&who("ana"), true, &ctx).unwrap();
}

#[test]
fn requests_of_others_are_not_files() {
    let dir = tempfile::tempdir().unwrap();
    let ctx = Context::detached(crate::definition(), dir.path()).unwrap();
    let store = Approvals::open(dir.path()).unwrap();
    let new = NewRequest {
        subject: "campaign:c1/post",
        question: "?",
        shown: &[app_core::files::sha256(b"aa")],
        needed: 1,
        by: "campaign:c1",
    };
    let id = store.request(&new, ctx.now()).unwrap().id;
    assert_eq!(
        check(&Named { id: id.clone() }, &ctx).unwrap_err().field_paths,
        ["id"]
    );
    assert!(decide(&store, &id, &who("max"), Decision::Approve, "", ctx.now()).is_err());
}
