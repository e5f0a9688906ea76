//! Questions to people in a report: what was asked, what was shown, who said what and when.

use serde::Serialize;

use crate::{
    hidden::Hidden,
    run::{Said, Step},
    words::{minute, non_empty, state, titled, tone},
};

/// What people were asked, and said.
#[derive(Debug, Serialize)]
pub struct Approval {
    question: String,
    /// Where it stands, in words.
    pub status: String,
    /// Colour of it.
    pub tone: &'static str,
    /// Answers, in order.
    said: Vec<Answer>,
    /// Files that were shown for it.
    shown: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Answer {
    /// `Approved by ana`.
    what: String,
    at: Option<String>,
    comment: String,
}

impl Approval {
    /// Of a step that asks people; `None` for any other.
    pub fn of(step: &Step, hidden: &Hidden) -> Option<Self> {
        let question = step
            .question
            .clone()
            .or_else(|| step.tool.is_empty().then(String::new))?;
        let asked = step.approval.clone().unwrap_or_default();
        let mut said: Vec<Answer> = asked.said.iter().map(answer).collect();
        if said.is_empty()
            && let Some(by) = step.approved_by.as_deref().filter(|by| !by.is_empty())
        {
            said.push(Answer {
                what: format!("Approved by {by}"),
                at: step.finished_at.as_deref().map(minute),
                comment: String::new(),
            });
        }
        let rejected = asked.said.iter().any(|one| one.decision == "reject");
        let (status, tone) = match step.status.as_str() {
            _ if rejected => ("Rejected".to_owned(), "bad"),
            "succeeded" => ("Approved".to_owned(), "good"),
            "waiting_for_approval" if asked.needed > 1 => {
                let agreed = said.len();
                (
                    format!("Waiting: {agreed} of {} have agreed", asked.needed),
                    "wait",
                )
            }
            "waiting_for_approval" => ("Waiting for an answer".to_owned(), "wait"),
            "pending" => ("Not asked yet".to_owned(), ""),
            other => (state(other), tone(other)),
        };
        let files = asked.shown.iter().map(|one| one.what.as_str());
        let files = files.filter(|what| what.contains(['/', '.']) && *what != "campaign.yml");
        Some(Self {
            question: non_empty(&question, &titled(&step.id)),
            status,
            tone,
            said,
            shown: files
                .filter(|what| !what.starts_with("input of "))
                .map(|what| {
                    let shown = hidden.source(what);
                    shown.rsplit('/').next().unwrap_or(&shown).to_owned()
                })
                .collect(),
        })
    }
}

fn answer(said: &Said) -> Answer {
    let who = said.by.split_once(':').map_or(said.by.as_str(), |(_, name)| name);
    let what = match said.decision.as_str() {
        "reject" => "Rejected by",
        _ => "Approved by",
    };
    Answer {
        what: format!("{what} {who}"),
        at: Some(minute(&said.at)).filter(|at| !at.is_empty()),
        comment: said.comment.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::*;
    use crate::run::Run;

    fn asked(step: Value) -> Approval {
        let step: Step = serde_json::from_value(step).unwrap();
        let hidden = Hidden::of(&Run::default(), Path::new("run"));
        Approval::of(&step, &hidden).unwrap()
    }

    #[test]
    fn question_answer_and_what_was_shown_are_told() {
        let given = asked(json!({
            "id": "sign_off", "tool": null, "status": "succeeded", "question": "Send it?",
            "approval": {"request": "a1", "needed": 1, "shown": [
                {"what": "question", "sha256": "0"}, {"what": "campaign.yml", "sha256": "0"},
                {"what": "input of card", "sha256": "0"}, {"what": "steps/card/a.png", "sha256": "0"}],
                "said": [{"by": "cli:ana", "at": "2026-03-02T09:00:00Z", "decision": "approve", "comment": "fine"}]},
        }));
        assert_eq!(
            (given.question.as_str(), given.status.as_str()),
            ("Send it?", "Approved")
        );
        assert_eq!(given.said[0].what, "Approved by ana");
        assert_eq!(given.said[0].at.as_deref(), Some("2 March 2026, 09:00 UTC"));
        assert_eq!(given.shown, ["a.png"]);
        // As versions before the store of approvals wrote it.
        let old = asked(json!({"id": "ok", "status": "succeeded", "approved_by": "Mara K."}));
        assert_eq!(
            (old.question.as_str(), old.said[0].what.as_str()),
            ("Ok", "Approved by Mara K.")
        );
        let refused = asked(json!({
            "id": "ok", "status": "failed", "question": "Send it?",
            "approval": {"said": [{"by": "cli:bob", "decision": "reject"}]},
        }));
        assert_eq!((refused.status.as_str(), refused.tone), ("Rejected", "bad"));
    }
}
