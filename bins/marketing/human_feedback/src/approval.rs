//! Approvals that are bound to bytes, in the one store that campaigns, plans and mail use too.
//!
//! A request shows files by their SHA-256. Who decides is whom the system says it is, never a name that was typed. Changed
//! bytes make a request stale: nothing can be approved any more, and what was approved counts for nothing.

use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
};

use app_core::{
    Context, ErrorKind, ToolError, ToolResult,
    files::sha256_of,
    state::{Approvals, Decision, NewRequest, Principal, Request, RequestState},
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    input::{Ask, Decide, Named, Reject},
    output::Output,
};

/// What subjects of these requests begin with; the list of files follows.
const SUBJECT: &str = "feedback:";

/// Settings of the tool: `[tools.human_feedback.settings]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// Who may decide without a terminal, as `cli:NAME`.
    agents: Vec<String>,
}

/// Where a request stands, with its files as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Standing {
    /// Enough people agreed, and the files are what they saw.
    Approved,
    /// Not enough people have agreed yet.
    Waiting,
    /// A file is no longer what was shown, or is gone: ask again.
    Stale,
    /// Somebody has refused.
    Rejected,
    /// Asked anew, or taken back.
    Withdrawn,
}

/// The answer about a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Where it stands.
    pub(crate) standing: Standing,
    /// Files that are no longer what was shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) changed: Vec<PathBuf>,
    /// Whether this run did something; not in a dry run.
    pub(crate) done: bool,
    /// The request with all that was said to it.
    pub(crate) request: Request,
}

pub(crate) fn ask(input: &Ask, ctx: &Context) -> ToolResult<Output> {
    let mut files = Vec::new();
    for path in &input.artifacts {
        let full = std::fs::canonicalize(path).map_err(|e| ToolError::file("read", path, &e))?;
        if !full.is_file() {
            return Err(ToolError::invalid(
                "artifacts",
                format!("`{}` is not a file", path.display()),
            ));
        }
        if full.to_str().is_none() {
            return Err(ToolError::invalid(
                "artifacts",
                format!("the name of `{}` is not UTF-8", path.display()),
            ));
        }
        files.push(full);
    }
    let shown = files
        .iter()
        .map(|file| sha256_of(file))
        .collect::<ToolResult<Vec<_>>>()?;
    let names: Vec<_> = input
        .artifacts
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    let question = input
        .question
        .clone()
        .unwrap_or_else(|| format!("May {} be used as it is?", names.join(", ")));
    let question = match &input.by {
        Some(name) => format!("{question} ({name} asks)"),
        None => question,
    };
    let subject = format!("{SUBJECT}{}", serde_json::to_string(&files).unwrap_or_default());
    if !ctx.may("request_approval", &subject, "") {
        return Ok(Output::Planned {
            would: format!("ask {} people about {}", input.needs, names.join(", ")),
        });
    }
    let by = Principal::os_user("cli");
    let new = NewRequest {
        subject: &subject,
        question: &question,
        shown: &shown,
        needed: input.needs,
        by: by.as_str(),
    };
    let request = Approvals::open(ctx.state_dir()?)?.request(&new, ctx.now())?;
    answer(request, true).map(Output::Request)
}

pub(crate) fn approve(input: &Decide, ctx: &Context) -> ToolResult<Output> {
    let by = Principal::os_user("cli");
    may_decide(&by, std::io::stdin().is_terminal(), ctx)?;
    deciding(&input.id, &by, Decision::Approve, &input.comment, ctx)
}

pub(crate) fn reject(input: &Reject, ctx: &Context) -> ToolResult<Output> {
    let by = Principal::os_user("cli");
    may_decide(&by, std::io::stdin().is_terminal(), ctx)?;
    deciding(&input.id, &by, Decision::Reject, &input.reason, ctx)
}

/// Where a request stands. Fails with kind `partial` unless it is approved for the files as they are.
pub(crate) fn check(input: &Named, ctx: &Context) -> ToolResult<Output> {
    let request = own(Approvals::open(ctx.state_dir()?)?.get(&input.id)?)?;
    let answer = answer(request, false)?;
    let standing = answer.standing;
    let output = Output::Check(answer);
    match standing {
        Standing::Approved => Ok(output),
        Standing::Waiting => Err(ToolError::partial("it is not approved yet", &output).code("waiting")),
        Standing::Stale => {
            Err(ToolError::partial("what was shown has changed: ask again", &output).code("stale"))
        }
        Standing::Rejected => Err(ToolError::partial("it was rejected", &output).code("rejected")),
        Standing::Withdrawn => Err(ToolError::partial("it was taken back", &output).code("withdrawn")),
    }
}

/// Whoever has no terminal is a program, and no program approves unless the operator says so.
fn may_decide(by: &Principal, terminal: bool, ctx: &Context) -> ToolResult<()> {
    if terminal {
        return Ok(());
    }
    let config = ctx.config();
    // A file that merely lies in the working directory gives no rights: whoever works there could write it.
    let operators = config
        .find_file("onejob.toml")
        .is_some_and(|file| config.is_operators(&file));
    if operators
        && ctx
            .tool_settings::<Settings>()?
            .agents
            .iter()
            .any(|agent| agent == by.as_str())
    {
        return Ok(());
    }
    Err(
        ToolError::new(ErrorKind::Unauthorised, format!("`{by}` has no terminal, and programs do not decide"))
            .code("no_terminal")
            .hint("decide at a terminal, or name it in `agents` under [tools.human_feedback.settings] of the operator's onejob.toml"),
    )
}

fn deciding(
    id: &str,
    by: &Principal,
    decision: Decision,
    comment: &str,
    ctx: &Context,
) -> ToolResult<Output> {
    let store = Approvals::open(ctx.state_dir()?)?;
    let verb = if decision == Decision::Approve {
        "approve"
    } else {
        "reject"
    };
    checked(&store, id, by, decision)?;
    if !ctx.may(verb, id, "") {
        return Ok(Output::Planned {
            would: format!("{verb} request {id} as {by}"),
        });
    }
    decide(&store, id, by, decision, comment, ctx.now()).map(Output::Decided)
}

/// Notes a decision, if it may be made.
pub(crate) fn decide(
    store: &Approvals,
    id: &str,
    by: &Principal,
    decision: Decision,
    comment: &str,
    now: Timestamp,
) -> ToolResult<Answer> {
    let request = checked(store, id, by, decision)?;
    answer(
        store.decide(id, by, decision, &request.shown, comment, now)?,
        true,
    )
}

/// The request, if this person may decide so about it.
///
/// Fails with kind `unauthorised` on an own request, and with `invalid_input` when the files have changed: nobody agrees to
/// what he did not see. Rejecting is always possible to others, for it lets nothing happen.
fn checked(store: &Approvals, id: &str, by: &Principal, decision: Decision) -> ToolResult<Request> {
    let request = own(store.get(id)?)?;
    if decision == Decision::Reject {
        return Ok(request);
    }
    let asked_by = request
        .by
        .split_once(':')
        .map_or(request.by.as_str(), |(_, name)| name);
    if asked_by.trim().to_lowercase() == by.name().to_lowercase() {
        return Err(ToolError::new(
            ErrorKind::Unauthorised,
            format!("`{}` asked for this, and does not approve it too", request.by),
        )
        .code("own_request")
        .hint("it takes somebody else"));
    }
    let changed = changed(&request)?;
    if !changed.is_empty() {
        let names: Vec<_> = changed
            .iter()
            .map(|file| format!("`{}`", file.display()))
            .collect();
        return Err(ToolError::invalid(
            "id",
            format!(
                "request `{id}` approves other bytes than {} has now",
                names.join(", ")
            ),
        )
        .code("stale")
        .hint("ask again with `request`, and look at it again"));
    }
    Ok(request)
}

/// Only requests of this tool: what others ask about is not a list of files.
fn own(request: Request) -> ToolResult<Request> {
    if request.subject.starts_with(SUBJECT) {
        return Ok(request);
    }
    Err(ToolError::invalid(
        "id",
        format!(
            "request `{}` is about `{}`, not about files",
            request.id, request.subject
        ),
    )
    .hint("`onejob approvals` shows and decides it"))
}

fn answer(request: Request, done: bool) -> ToolResult<Answer> {
    let changed = changed(&request)?;
    let standing = match request.state {
        RequestState::Rejected => Standing::Rejected,
        RequestState::Withdrawn => Standing::Withdrawn,
        _ if !changed.is_empty() => Standing::Stale,
        RequestState::Approved => Standing::Approved,
        RequestState::Waiting => Standing::Waiting,
    };
    Ok(Answer {
        standing,
        changed,
        done,
        request,
    })
}

/// The files of a request that are no longer what was shown. Fails when one is there and cannot be read.
fn changed(request: &Request) -> ToolResult<Vec<PathBuf>> {
    let list = request.subject.strip_prefix(SUBJECT).unwrap_or_default();
    let files: Vec<PathBuf> = serde_json::from_str(list)
        .map_err(|e| ToolError::internal(format!("the subject of a request: {e}")))?;
    if files.len() != request.shown.len() {
        return Ok(files);
    }
    let mut changed = Vec::new();
    for (file, shown) in files.into_iter().zip(&request.shown) {
        if sha256_now(&file)?.as_ref() != Some(shown) {
            changed.push(file);
        }
    }
    Ok(changed)
}

fn sha256_now(file: &Path) -> ToolResult<Option<String>> {
    match sha256_of(file) {
        Ok(sha256) => Ok(Some(sha256)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[path = "approval_tests.rs"]
mod tests;
