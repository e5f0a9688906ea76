//! Asking people, and taking up what they said.
//!
//! Questions and answers lie in the host's one store of approvals, so that a decision needs no lock of the run and
//! counts while other branches of it go on. A decision counts for the hashes of what was shown: the question, the
//! campaign file, and the inputs and files of all steps before. Anything else is asked anew.

use std::path::Path;

use app_core::{
    Context, ErrorKind, ToolError, ToolResult,
    contract::StepChange,
    state::{Approvals, Decision, NewRequest, Principal, Request, RequestState},
};

use crate::{
    run::{Approval, Run, Said, StepRun, StepStatus},
    shown::{digest, find, hashes, shown},
};

/// Code of the error of a step that somebody said no to.
pub(crate) const REJECTED: &str = "rejected";

/// What the store knows a step of a run by.
fn subject(run: &Run, id: &str) -> String {
    if run.key.is_empty() {
        return format!("campaign:{}/{id}", run.id);
    }
    format!("campaign:{}.{}/{id}", run.id, run.key)
}

/// Asks for a step, or finds the answer to the same question. `people` is how many must agree.
///
/// Fails as the store and the files of the steps before fail.
pub(crate) fn ask(run: &mut Run, folder: &Path, id: &str, people: u32, ctx: &Context) -> ToolResult<()> {
    let shown = shown(run, folder, id)?;
    let question = find(run, id)?.question.clone().unwrap_or_default();
    let new = NewRequest {
        subject: &subject(run, id),
        question: &question,
        shown: &hashes(&shown),
        needed: people,
        by: &format!("campaign:{}", run.id),
    };
    let request = Approvals::open(ctx.state_dir()?)?.request(&new, ctx.now())?;
    let Some(step) = run.steps.iter_mut().find(|step| step.id == id) else {
        return Ok(());
    };
    step.started_at = Some(request.requested_at);
    step.finished_at = None;
    step.error = None;
    step.approval = Some(Approval {
        request: request.id.clone(),
        needed: request.needed,
        asked_at: request.requested_at,
        shown,
        said: Vec::new(),
    });
    settle(step, &request);
    Ok(())
}

/// Writes the state of a request into its step.
fn settle(step: &mut StepRun, request: &Request) {
    let agreed: Vec<String> = request
        .decisions
        .iter()
        .filter(|said| said.decision == Decision::Approve)
        .map(|said| said.principal.name().to_owned())
        .collect();
    if let Some(approval) = &mut step.approval {
        approval.said = request
            .decisions
            .iter()
            .map(|said| Said {
                by: said.principal.to_string(),
                at: said.at,
                decision: said.decision,
                comment: said.comment.clone(),
            })
            .collect();
    }
    match request.state {
        RequestState::Waiting => step.status = StepStatus::WaitingForApproval,
        RequestState::Approved => {
            step.status = StepStatus::Succeeded;
            step.approved_by = Some(agreed.join(", "));
            step.finished_at = request.settled_at;
            step.output = serde_json::json!({"approved_by": agreed, "approved_at": request.settled_at});
        }
        RequestState::Rejected => {
            step.finished_at = request.settled_at;
            step.status = StepStatus::Failed;
            step.error = Some(Box::new(no(&step.id, request)));
        }
        // Asked anew with something else: this answer is about nothing any more.
        RequestState::Withdrawn => step.status = StepStatus::Pending,
    }
}

fn no(id: &str, request: &Request) -> ToolError {
    let said = request.decisions.iter().find(|d| d.decision == Decision::Reject);
    let (who, why) = said.map_or(("somebody", ""), |d| (d.principal.name(), d.comment.as_str()));
    let why = if why.is_empty() {
        String::new()
    } else {
        format!(": {why}")
    };
    ToolError::new(ErrorKind::Conflict, format!("`{who}` rejected step `{id}`{why}")).code(REJECTED)
}

/// Takes back what was asked for a step that will not be done.
pub(crate) fn withdraw(step: &StepRun, why: &str, ctx: &Context) {
    let Some(approval) = step
        .approval
        .as_ref()
        .filter(|_| step.status == StepStatus::WaitingForApproval)
    else {
        return;
    };
    let taken_back = ctx
        .state_dir()
        .and_then(|dir| Approvals::open(dir)?.withdraw(&approval.request, "campaign", why, ctx.now()));
    if let Err(error) = taken_back {
        ctx.warn(format!(
            "request `{}` stays open: {}",
            approval.request, error.message
        ));
    }
}

/// Looks whether people have answered. An answer to something that was changed since counts for nothing: the step is
/// asked anew. Returns the steps that stand elsewhere now, or were said something to.
///
/// Fails as the store fails.
pub(crate) fn take_up(run: &mut Run, folder: &Path, ctx: &Context) -> ToolResult<Vec<String>> {
    let mut moved = Vec::new();
    let waiting: Vec<(String, Approval)> = run
        .steps
        .iter()
        .filter(|step| step.status == StepStatus::WaitingForApproval)
        .filter_map(|step| Some((step.id.clone(), step.approval.clone()?)))
        .collect();
    if waiting.is_empty() {
        return Ok(moved);
    }
    let store = Approvals::open(ctx.state_dir()?)?;
    for (id, approval) in waiting {
        let request = store.get(&approval.request)?;
        if request.decisions.len() == approval.said.len() && request.state == RequestState::Waiting {
            continue;
        }
        let same = shown(run, folder, &id).is_ok_and(|now| now == approval.shown);
        let Some(step) = run.steps.iter_mut().find(|step| step.id == id) else {
            continue;
        };
        if request.state == RequestState::Approved && !same {
            ctx.warn(format!(
                "what was shown for step `{id}` has changed since; it is asked anew"
            ));
            step.status = StepStatus::Pending;
        } else {
            settle(step, &request);
        }
        moved.push(id);
    }
    Ok(moved)
}

/// What somebody says to a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) step: &'a str,
    pub(crate) decision: Decision,
    /// A name given beside it; whose word it is, the system says.
    pub(crate) name: Option<&'a str>,
    pub(crate) comment: &'a str,
    /// Digest of what was looked at, if it was said.
    pub(crate) seen: Option<&'a str>,
}

/// Notes a decision in the store. Changes nothing in the run's folder, and needs no lock.
///
/// Fails with `conflict` when the step does not wait, when something else is there than what was shown, and as the store
/// refuses: settled already, or the same person again.
pub(crate) fn decide(run: &Run, folder: &Path, word: Word<'_>, ctx: &Context) -> ToolResult<Request> {
    let id = word.step;
    let step = find(run, id)?;
    let conflict =
        |code: &str, text: String| Err(ToolError::new(ErrorKind::Conflict, text).code(code.to_owned()));
    let Some(approval) = step.approval.as_ref().filter(|_| step.tool.is_none()) else {
        return conflict("not_waiting", format!("step `{id}` does not wait for approval"));
    };
    let store = Approvals::open(ctx.state_dir()?)?;
    let request = store.get(&approval.request)?;
    let now = shown(run, folder, id)?;
    let given = word.seen.is_none_or(|seen| digest(&now) == seen);
    if now != approval.shown || !given {
        return conflict(
            "shown_changed",
            format!("what is shown for step `{id}` is not what was looked at"),
        )
        .map_err(|e| {
            e.hint("look at it again (`campaign show`); `campaign resume` asks anew for what changed")
        });
    }
    let action = match word.decision {
        Decision::Approve => "approve_step",
        Decision::Reject => "reject_step",
    };
    if !ctx.may(action, &request.subject, "") {
        return Ok(request);
    }
    let comment = match (word.name, word.comment) {
        (None, comment) => comment.to_owned(),
        (Some(name), "") => format!("signed {name}"),
        (Some(name), comment) => format!("signed {name}: {comment}"),
    };
    store.decide(
        &request.id,
        &Principal::os_user("cli"),
        word.decision,
        &hashes(&now),
        &comment,
        ctx.now(),
    )
}

/// Tells followers where a step stands.
pub(crate) fn tell(step: &StepRun, ctx: &Context) {
    let waits = step.status == StepStatus::WaitingForApproval;
    let message = match &step.error {
        Some(error) => error.message.clone(),
        None => step.question.clone().filter(|_| waits).unwrap_or_default(),
    };
    ctx.step(StepChange {
        step: step.id.clone(),
        status: step.status.word().to_owned(),
        job: step.job_id.clone(),
        request: step.approval.as_ref().map(|approval| approval.request.clone()),
        message,
    });
}

/// Finished approvals of something that is not there any more are asked anew.
pub(crate) fn recheck(run: &mut Run, folder: &Path) {
    let seen: &Run = run;
    let stale: Vec<String> = seen
        .steps
        .iter()
        .filter(|step| step.status == StepStatus::Succeeded)
        .filter(|step| {
            step.approval
                .as_ref()
                .is_some_and(|asked| !shown(seen, folder, &step.id).is_ok_and(|now| now == asked.shown))
        })
        .map(|step| step.id.clone())
        .collect();
    for step in &mut run.steps {
        if stale.contains(&step.id) || step.status == StepStatus::WaitingForApproval {
            step.status = StepStatus::Pending;
        }
    }
}
