//! Runs the new tool against a case that `parity record` made: the recorded answers, the same input, the same time.

use std::{collections::BTreeMap, path::Path, time::Duration};

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value, json};

use crate::{
    case::Case,
    compare::Difference,
    confine,
    diff::{self, Rules},
    place::Place,
    recording::{self, Details},
    redact,
    run::started,
    seen::{Entry, Kind, Seen},
    side::{self, Given},
};

/// Longest run of a tool on a case.
const LIMIT: Duration = Duration::from_secs(60);

/// The differences from the recording, and what was observed in the shape that expectations are written in.
pub fn replay(case: &Case, details: &Details, tools: &Path) -> ToolResult<(Vec<Difference>, Value)> {
    let given = given(case, details, tools);
    let program = tools.join(&details.program).display().to_string();
    let arguments = details.candidate_args.iter().chain(&case.recorded.args).cloned();
    let command: Vec<String> = std::iter::once(program).chain(arguments).collect();
    let mut candidate = started(on_its_own(|| side::run(&command, &given))?)?.seen;
    candidate.files.retain(|name, _| recording::in_work(name));
    let mut control = recording::seen(case, details, tree(&given)?)?;
    redact::places(&mut control);
    redact::places(&mut candidate);
    let rules = Rules {
        max_slowdown: 1e6,
        class: case.recorded.class,
        normalise: details.normalisers.clone(),
        any_order: details.any_order,
        envelope: details.envelope,
    };
    let differences = diff::compare(&control, &candidate, &rules)
        .into_iter()
        .map(|found| Difference {
            path: found.place,
            recorded: found.control,
            observed: found.candidate,
        })
        .collect();
    if details.envelope {
        candidate.stdout = diff::envelope(&candidate.stdout).to_vec();
    }
    Ok((differences, observed(&candidate)))
}

/// Runs to the end on a thread of its own: cases run on whatever thread is free, which may belong to a runtime already.
fn on_its_own<F: Future>(work: impl FnOnce() -> F + Send) -> ToolResult<F::Output>
where
    F::Output: Send,
{
    let failed = |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot start a runtime: {e}"));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(work()))
        });
        let ended = thread
            .join()
            .map_err(|_| ToolError::internal("the run of a case broke off"))?;
        ended.map_err(failed)
    })
}

/// What the candidate gets: nothing but what was recorded.
fn given(case: &Case, details: &Details, tools: &Path) -> Given {
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    if let Some(clock) = &case.recorded.far_side.clock {
        env.insert("ONEJOB_CLOCK".to_owned(), clock.clone());
    }
    env.extend(case.recorded.env.clone());
    Given {
        stdin: case.recorded.stdin.clone().unwrap_or_default().into_bytes(),
        env,
        inputs: recording::inputs(case),
        outside: Vec::new(),
        routes: Some(case.recorded.far_side.http.clone().unwrap_or_default()),
        capture: true,
        faked: true,
        sqlite: details.sqlite.clone(),
        limit: LIMIT,
        confine: details.confined.then(confine::launcher).flatten(),
        tz: Some("UTC".to_owned()),
        tools: tools.to_owned(),
    }
}

/// A working directory with nothing but the inputs in it.
pub fn tree(given: &Given) -> ToolResult<BTreeMap<String, Entry>> {
    let place = Place::new()?;
    for (from, to) in &given.inputs {
        place.copy_in(from, &place.work().join(to))?;
    }
    let mut tree = place.tree();
    tree.retain(|name, _| !given.sqlite.iter().any(|file| side::is_database(name, file)));
    Ok(tree)
}

fn observed(seen: &Seen) -> Value {
    let text = String::from_utf8_lossy(&seen.stdout).into_owned();
    let answer = serde_json::from_str(&text).unwrap_or(Value::String(text));
    let mut files = Map::new();
    for (name, entry) in &seen.files {
        if let Kind::File(bytes) = &entry.kind {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let value = serde_json::from_str(&text).unwrap_or(Value::String(text));
            files.insert(name.clone(), value);
        }
    }
    let requests: Vec<Value> = seen
        .requests
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
            json!({"method": request.method, "path": request.path, "body_json": body})
        })
        .collect();
    json!({"exit_code": seen.exit.code(), "answer": answer, "files": files, "http": requests})
}
