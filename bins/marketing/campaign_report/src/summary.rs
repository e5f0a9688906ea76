//! The report of a run: what the template shows of `run.json` and the files beside it.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolResult};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    media::{self, Embed},
    run::{File, Run, Step},
};

/// Largest file that is put into the report; larger ones are linked.
pub const MAX_EMBEDDED_BYTES: u64 = 20_000_000;

/// Longest result of a step that is shown.
const MAX_OUTPUT_CHARS: usize = 4_000;

/// What the template shows.
#[derive(Debug, Serialize)]
pub struct View {
    name: String,
    objective: Option<String>,
    status: String,
    tone: &'static str,
    run_id: String,
    started: Option<String>,
    finished: Option<String>,
    facts: Vec<Fact>,
    figures: Vec<Figure>,
    steps: Vec<StepRow>,
    artifacts: Vec<FileRow>,
    paper: &'static str,
    version: &'static str,
    #[serde(skip)]
    pub embedded: usize,
    #[serde(skip)]
    pub missing: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Fact {
    name: &'static str,
    value: String,
}

#[derive(Debug, Serialize)]
struct Figure {
    kind: &'static str,
    address: String,
    srcdoc: Option<String>,
    caption: String,
    step: String,
    size: String,
    link: Option<String>,
}

#[derive(Debug, Serialize)]
struct StepRow {
    id: String,
    tool: String,
    version: String,
    status: String,
    tone: &'static str,
    duration: String,
    cost: String,
    error: Option<String>,
    output: Option<String>,
}

#[derive(Debug, Serialize)]
struct FileRow {
    name: String,
    link: Option<String>,
    media_type: String,
    role: String,
    step: String,
    tool: String,
    made_from: Vec<String>,
    size: String,
    sha256: String,
    changed: Option<&'static str>,
}

/// Reads the files of a run and lays out its report.
pub fn view(
    ctx: &Context,
    run: &Run,
    folder: &Path,
    report: &Path,
    embed: Embed,
    paper: &'static str,
) -> ToolResult<View> {
    let mut view = View {
        name: non_empty(&run.name, "Campaign"),
        objective: run.objective.clone().filter(|text| !text.trim().is_empty()),
        status: non_empty(&run.status, "unknown"),
        tone: tone(&run.status),
        run_id: run.id.clone(),
        started: run.started_at.clone(),
        finished: run.finished_at.clone(),
        facts: facts(run),
        figures: Vec::new(),
        steps: run.steps.iter().map(step_row).collect(),
        artifacts: Vec::new(),
        paper,
        version: env!("CARGO_PKG_VERSION"),
        embedded: 0,
        missing: Vec::new(),
    };
    for step in &run.steps {
        for file in &step.artifacts {
            ctx.check_cancelled()?;
            show(ctx, &mut view, step, file, (folder, report, embed));
        }
    }
    Ok(view)
}

/// Adds one file to the pictures and to the table.
fn show(ctx: &Context, view: &mut View, step: &Step, file: &File, place: (&Path, &Path, Embed)) {
    let (folder, report, embed) = place;
    let found = locate(folder, &file.path);
    let name = Path::new(&file.path)
        .file_name()
        .map_or_else(|| file.path.clone(), |n| n.to_string_lossy().into());
    let media_type = match file.media_type.as_str() {
        "" => media::media_type(Path::new(&file.path)).unwrap_or("").to_owned(),
        stated => stated.to_owned(),
    };
    let bytes = found
        .as_ref()
        .and_then(|path| ctx.read(path, MAX_EMBEDDED_BYTES).ok());
    let link = found.as_ref().map(|path| media::relative(path, report));
    let changed = match (&found, &bytes) {
        (None, _) => Some("the file is missing"),
        (_, Some(bytes)) if !file.sha256.is_empty() && hex::encode(Sha256::digest(bytes)) != file.sha256 => {
            Some("the file has changed since the run")
        }
        _ => None,
    };
    if found.is_none() {
        view.missing.push(file.path.clone());
    }
    let size = human_bytes(if file.bytes > 0 {
        file.bytes
    } else {
        bytes.as_ref().map_or(0, |b| b.len() as u64)
    });
    let kind = match media_type.split('/').next() {
        Some("image") => Some("picture"),
        Some("video") => Some("video"),
        Some("text") if media_type == "text/html" => Some("page"),
        _ => None,
    };
    if let (Some(kind), Some(link)) = (kind, &link) {
        let inside = bytes.as_ref().filter(|_| embed == Embed::DataUrl);
        let srcdoc = inside
            .filter(|_| kind == "page")
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let address = match inside {
            Some(bytes) if kind != "page" => media::data_url(&media_type, bytes),
            _ => link.clone(),
        };
        view.embedded += usize::from(inside.is_some());
        view.figures.push(Figure {
            kind,
            address,
            srcdoc,
            caption: name.clone(),
            step: step.id.clone(),
            size: size.clone(),
            link: Some(link.clone()),
        });
    }
    view.artifacts.push(FileRow {
        name,
        link,
        media_type,
        role: file.role.clone(),
        step: step.id.clone(),
        tool: format!("{} {}", step.tool, step.version).trim().to_owned(),
        made_from: file.sources(),
        size,
        sha256: file.sha256.chars().take(12).collect(),
        changed,
    });
}

/// A file of the run. Only files below the run directory are shown, links followed.
fn locate(folder: &Path, path: &str) -> Option<PathBuf> {
    let given = Path::new(path);
    let inside = |candidate: &Path| {
        let real = candidate.canonicalize().ok()?;
        (real.is_file() && real.starts_with(folder.canonicalize().ok()?)).then(|| candidate.to_owned())
    };
    // Paths may be as the runner's working directory saw them.
    inside(&folder.join(given))
        .or_else(|| inside(given))
        .or_else(|| inside(&folder.join(given.file_name()?)))
}

fn facts(run: &Run) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name, value: String| facts.push(Fact { name, value });
    if let (Some(Ok(start)), Some(Ok(end))) = (
        run.started_at.as_deref().map(str::parse::<Timestamp>),
        run.finished_at.as_deref().map(str::parse::<Timestamp>),
    ) {
        add(
            "Duration",
            human_millis(u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap_or(0)),
        );
    }
    let done = run
        .steps
        .iter()
        .filter(|step| tone(&step.status) == "good")
        .count();
    add("Steps", format!("{done} of {}", run.steps.len()));
    add("Cost", money(run.cost_usd));
    add(
        "Files",
        run.steps
            .iter()
            .map(|step| step.artifacts.len())
            .sum::<usize>()
            .to_string(),
    );
    facts
}

fn step_row(step: &Step) -> StepRow {
    let output = step
        .output
        .as_ref()
        .filter(|output| !output.is_null())
        .map(|output| {
            let text = serde_json::to_string_pretty(output).unwrap_or_default();
            let mut short: String = text.chars().take(MAX_OUTPUT_CHARS).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short
        });
    StepRow {
        id: step.id.clone(),
        tool: step.tool.clone(),
        version: step.version.clone(),
        status: non_empty(&step.status, "unknown"),
        tone: tone(&step.status),
        duration: step.duration_ms.map_or_else(|| "–".to_owned(), human_millis),
        cost: money(step.cost_usd),
        error: step.error_text(),
        output,
    }
}

fn tone(status: &str) -> &'static str {
    match status {
        "succeeded" | "ok" | "success" | "done" | "reused" => "good",
        "failed" | "error" | "timed_out" | "cancelled" => "bad",
        "waiting" | "running" | "queued" | "partial" | "planned" => "wait",
        _ => "",
    }
}

fn non_empty(text: &str, otherwise: &str) -> String {
    if text.trim().is_empty() {
        otherwise.to_owned()
    } else {
        text.to_owned()
    }
}

fn money(dollars: f64) -> String {
    if dollars == 0.0 {
        "$0".to_owned()
    } else {
        format!("${dollars:.4}")
    }
}

/// `850 ms`, `4.2 s`, `3 min 5 s`.
fn human_millis(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..60_000 => format!("{:.1} s", millis as f64 / 1e3),
        _ => format!("{} min {} s", millis / 60_000, millis % 60_000 / 1_000),
    }
}

/// `512 B`, `1.4 kB`, `3.0 MB`.
fn human_bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(human_millis(850), "850 ms");
        assert_eq!(human_millis(185_400), "3 min 5 s");
        assert_eq!(human_bytes(1_400), "1.4 kB");
        assert_eq!(money(0.0123), "$0.0123");
    }
}
