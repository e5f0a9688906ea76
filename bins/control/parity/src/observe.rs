//! Runs the new tool on a case and brings both sides into one shape: exit code, answer, files, requests.

use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use serde_json::{Map, Value, json};
use testkit::Sandbox;

use crate::{
    case::{Case, read_json},
    facts,
    far_side::{FarSide, Mode, text_pairs},
    seen::Exchange,
    services, telegram_side,
};

/// What the old script did, from the recording.
pub fn recorded(case: &Case) -> ToolResult<Value> {
    let expected = &case.recorded.expected;
    let mut files = Map::new();
    for name in names(expected.get("files_out")) {
        if case
            .recorded
            .call
            .as_ref()
            .is_none_or(|call| call.results_file.as_ref() != Some(&name))
        {
            files.insert(name.clone(), facts::of(&case.folder.join("out").join(&name)));
        }
    }
    if let Some(facts) = expected.get("image_facts").filter(|f| !f.is_null()) {
        let name = facts["file"].as_str().unwrap_or("out.png");
        files.insert(
            name.to_owned(),
            json!({"width": facts["width"], "height": facts["height"], "pixels": facts["pixels_rgba"]}),
        );
    }
    if let Some(facts) = expected.get("video_facts").filter(|f| !f.is_null()) {
        let mut facts = facts.clone();
        // Its name is the key, and no fact of its own.
        let name = facts.as_object_mut().and_then(|facts| facts.remove("file"));
        files.insert(
            name.as_ref()
                .and_then(Value::as_str)
                .unwrap_or("out.mp4")
                .to_owned(),
            facts,
        );
    }
    if let Some(facts) = expected.get("gif_facts").filter(|f| !f.is_null()) {
        files.insert("out.gif".to_owned(), facts.clone());
    }
    let answer = match (&case.recorded.call, expected.get("envelope")) {
        (Some(call), _) => match &call.results_file {
            // A function that fails leaves no results.
            Some(file) if case.folder.join("out").join(file).is_file() => {
                read_json(&case.folder.join("out").join(file))?
            }
            _ => expected.get("stdout").cloned().unwrap_or_default(),
        },
        (None, Some(envelope)) => envelope.clone(),
        (None, None) => expected.get("stdout").cloned().unwrap_or_default(),
    };
    let requests = case
        .recorded
        .far_side
        .http
        .as_ref()
        .map(|_| expected.get("http_requests").cloned().unwrap_or_default());
    Ok(
        json!({"exit_code": expected.get("exit_code"), "answer": answer, "files": files, "http": requests,
              "smtp": services::recorded_mail(case), "sql": services::recorded_rows(case), "telegram": telegram_side::recorded(case)}),
    )
}

/// What the new tool does, in the same shape.
pub fn observed(
    case: &Case,
    tools: &Path,
    recorded_shape: &Value,
    site: Option<&FarSide>,
) -> ToolResult<Value> {
    let sandbox = sandbox(case, tools, site)?;
    let dc = telegram_side::start(case, &sandbox)?;
    let server = site.map(FarSide::url);
    let fill = |text: &str| services::filled(text, site);
    let (exit_code, answer) = match &case.recorded.call {
        Some(call) => {
            let job: Value = match &call.inputs_file {
                Some(file) => read_json(&case.folder.join("in").join(file))?,
                None => json!({}),
            };
            let job = filled(job, server.as_deref());
            let binary = tools.join(&case.tool);
            library_call(&sandbox, &binary, &call.function, job)?
        }
        None => {
            let dispatched = case.recorded.expected.contains_key("envelope");
            let binary = tools.join(if dispatched { "dispatch" } else { &case.tool });
            let mut args: Vec<String> = case.recorded.args.iter().map(|arg| fill(arg)).collect();
            args.extend(telegram_side::arguments(case, tools));
            let stdin = case.recorded.stdin.clone().unwrap_or_default();
            let run = sandbox.run_with(&binary, &args, fill(&stdin).as_bytes());
            let answer = serde_json::from_str(&run.stdout).unwrap_or(Value::String(run.stdout));
            (run.code, answer)
        }
    };
    let mut files = Map::new();
    for (name, shape) in recorded_shape["files"].as_object().into_iter().flatten() {
        files.insert(name.clone(), like(facts::of(&sandbox.path(name)), shape));
    }
    let requests = site.map(|site| site.exchanges().iter().map(request).collect::<Vec<_>>());
    let requests = case.recorded.far_side.http.as_ref().and(requests);
    let rows = services::observed_rows(case, &sandbox.path(services::DATABASE), &recorded_shape["sql"])?;
    let value = json!({"exit_code": exit_code, "answer": answer, "files": files, "http": requests,
                       "smtp": services::observed_mail(case, site), "sql": rows,
                       "telegram": telegram_side::observed(case, dc.as_ref())});
    // Addresses and paths of this run, back to the recording's names for them.
    let value = replaced(value, &sandbox.work().display().to_string(), "{{CWD}}");
    Ok(match &server {
        Some(url) => replaced(value, url, "{{SERVER}}"),
        None => value,
    })
}

/// The far side of the case, when the recording had one.
pub fn site(case: &Case) -> ToolResult<Option<FarSide>> {
    let far = &case.recorded.far_side;
    if far.http.is_none() && far.smtp.is_none() {
        return Ok(None);
    }
    let routes = far.http.clone().unwrap_or_default();
    FarSide::with_mail(Mode::Answer(routes), services::mail_rules(case)).map(Some)
}

fn sandbox(case: &Case, tools: &Path, site: Option<&FarSide>) -> ToolResult<Sandbox> {
    let io = |e: std::io::Error| ToolError::new(ErrorKind::Io, format!("cannot make a sandbox: {e}"));
    let mut sandbox = Sandbox::new()
        .map_err(io)?
        .env("ONEJOB_ALLOW_PRIVATE", "1")
        .env("ONEJOB_TOOLS_DIR", tools.display().to_string());
    if let (Some(site), true) = (site, case.recorded.far_side.smtp.is_some()) {
        let trusted = sandbox.root().join("authority.pem");
        site.write_authority(&trusted)?;
        sandbox = sandbox.env("SSL_CERT_FILE", trusted.display().to_string());
    }
    if case.recorded.far_side.telegram.is_some() {
        sandbox = sandbox.env("TELEGRAM_LOCK_WAIT", "0");
    }
    if case.recorded.far_side.mysql.is_some() {
        let file = sandbox.path(services::DATABASE);
        sandbox = sandbox.env("DATABASE_URL", format!("sqlite:{}", file.display()));
    }
    if case.recorded.far_side.ffmpeg.as_deref() == Some("absent") {
        let folder = without_programs(sandbox.root()).map_err(io)?;
        sandbox = sandbox.env("PATH", folder);
    }
    if let Some(clock) = &case.recorded.far_side.clock {
        sandbox = sandbox.env("ONEJOB_CLOCK", clock.replacen(' ', "T", 1));
    }
    for (name, value) in &case.recorded.env {
        if !value.contains("{{MYSQL_") {
            sandbox = sandbox.env(name, services::filled(value, site));
        }
    }
    sandbox.copy_in(&case.folder.join("in")).map_err(io)?;
    services::rows_before(case, &sandbox.path(services::DATABASE))?;
    Ok(sandbox)
}

/// A folder of programs with nothing in it but the shell that starts what is run.
fn without_programs(root: &Path) -> std::io::Result<String> {
    let folder = root.join("bin");
    std::fs::create_dir(&folder)?;
    std::os::unix::fs::symlink("/bin/sh", folder.join("sh"))?;
    Ok(folder.display().to_string())
}

/// A call of an old function; a list of steps is one call each, in one working directory.
fn library_call(
    sandbox: &Sandbox,
    binary: &Path,
    function: &str,
    mut job: Value,
) -> ToolResult<(Option<i32>, Value)> {
    let run = |call: &Value| sandbox.run_with(binary, &["--legacy", "--quiet"], call.to_string().as_bytes());
    let parsed = |stdout: &str| serde_json::from_str(stdout).unwrap_or_else(|_| Value::from(stdout));
    if let Some(steps) = job.get("steps").and_then(Value::as_array) {
        // What a method returned was recorded under `ok`; functions of modules have that in their own answers.
        let method = function.contains('.');
        let mut answers = Vec::new();
        for step in steps {
            let answer = parsed(&run(step).stdout);
            answers.push(if method { json!({ "ok": answer }) } else { answer });
        }
        // The recorded driver ended with 0 whatever the steps said.
        return Ok((Some(0), Value::Array(answers)));
    }
    let Some(object) = job.as_object_mut() else {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            "the recorded job is not an object",
        ));
    };
    object.insert("function".to_owned(), Value::from(function));
    let finished = run(&job);
    let answer = parsed(&finished.stdout);
    // The old functions were called by a driver that caught their exceptions and ended with 0.
    let code = if finished.stdout.is_empty() {
        finished.code
    } else {
        Some(0)
    };
    Ok((code, answer))
}

/// Keeps of an observed picture what the recording has: named pixels, or all of them.
fn like(facts: Value, shape: &Value) -> Value {
    let Some(points) = shape.get("pixels").and_then(Value::as_array) else {
        return facts;
    };
    let pixels: Vec<Value> = points
        .iter()
        .map(|point| {
            let (x, y) = (
                point["x"].as_u64().unwrap_or(0) as usize,
                point["y"].as_u64().unwrap_or(0) as usize,
            );
            json!({"x": x, "y": y, "rgba": facts["rows"][y][x]})
        })
        .collect();
    json!({"width": facts["width"], "height": facts["height"], "pixels": pixels})
}

fn request(request: &Exchange) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    json!({"method": request.method, "path": request.path, "query": text_pairs(&request.query), "headers_of_interest": {}, "body_json": body})
}

fn names(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn filled(value: Value, server: Option<&str>) -> Value {
    server.map_or(value.clone(), |url| replaced(value, "{{SERVER}}", url))
}

fn replaced(value: Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(from, to)),
        Value::Array(items) => items.into_iter().map(|item| replaced(item, from, to)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, replaced(value, from, to)))
            .collect(),
        other => other,
    }
}
