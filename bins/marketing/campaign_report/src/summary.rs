//! The report of a run: what the template shows of `run.json` and the files beside it.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use app_core::{Context, ToolResult};
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    media::{self, Embed},
    picture,
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
    approvals: Vec<Approval>,
    /// Whether it goes on paper: everything is open then, and nothing is a link.
    print: bool,
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
    /// Where the picture is; none for a page of which there is none.
    address: Option<String>,
    title: String,
    caption: String,
    size: String,
    link: Option<String>,
}

/// What a person was asked, and said.
#[derive(Debug, Serialize)]
struct Approval {
    question: String,
    by: Option<String>,
    at: Option<String>,
    status: String,
    tone: &'static str,
}

/// Where a report lies, and how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Folder of the run.
    pub folder: &'a Path,
    /// The report.
    pub report: &'a Path,
    /// Whether pictures go in.
    pub embed: Embed,
    /// Paper as CSS says it.
    pub paper: &'static str,
    /// Whether it goes on paper.
    pub print: bool,
    /// Pictures of the pages of the run, by their path in it.
    pub pages: &'a HashMap<String, Vec<u8>>,
}

#[derive(Debug, Serialize)]
struct StepRow {
    id: String,
    title: String,
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
pub fn view(ctx: &Context, run: &Run, place: Place<'_>) -> ToolResult<View> {
    let hidden = Hidden::of(run, place.folder);
    let mut view = View {
        name: titled(&non_empty(&run.name, "Campaign")),
        objective: run.objective.clone().filter(|text| !text.trim().is_empty()),
        status: non_empty(&run.status, "unknown").replace('_', " "),
        tone: tone(&run.status),
        run_id: run.id.clone(),
        started: run.started_at.as_deref().map(minute),
        finished: run.finished_at.as_deref().map(minute),
        facts: facts(run),
        figures: Vec::new(),
        approvals: run.steps.iter().filter_map(approval).collect(),
        print: place.print,
        steps: run.steps.iter().map(|step| step_row(step, &hidden)).collect(),
        artifacts: Vec::new(),
        paper: place.paper,
        version: env!("CARGO_PKG_VERSION"),
        embedded: 0,
        missing: Vec::new(),
    };
    let mut shown = HashSet::new();
    for step in &run.steps {
        for file in &step.artifacts {
            ctx.check_cancelled()?;
            show(ctx, &mut view, (step, file), place, (&hidden, &mut shown));
        }
    }
    Ok(view)
}

/// Paths of the host that a reader of the report has no use for, and what stands in their place.
struct Hidden(Vec<(String, &'static str)>);

impl Hidden {
    fn of(run: &Run, folder: &Path) -> Self {
        let mut paths = Vec::new();
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        for path in [real, folder.to_owned()] {
            paths.push((format!("{}/", path.display()), ""));
        }
        if let Some(dir) = run.vars.get("campaign_dir").and_then(serde_json::Value::as_str) {
            paths.push((format!("{dir}/"), "campaign: "));
        }
        paths.retain(|(path, _)| path.starts_with('/') && path.len() > 1);
        // The longer first, since one may lie in the other.
        paths.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(paths)
    }

    fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (path, instead) in &self.0 {
            text = text.replace(path.as_str(), instead);
        }
        text
    }

    /// What a file was made from: its place in the run or the campaign, else its name alone.
    fn source(&self, name: &str) -> String {
        let shown = self.text(name);
        if shown.starts_with('/') {
            let name = Path::new(&shown).file_name();
            return name.map_or_else(|| shown.clone(), |name| name.to_string_lossy().into_owned());
        }
        shown
    }
}

/// `spring_sale-2026` as `Spring sale 2026`; a name that is written for people stays.
fn titled(name: &str) -> String {
    if name.contains(' ') || !name.contains(['-', '_']) && name.chars().any(char::is_uppercase) {
        return name.to_owned();
    }
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `2026-03-02T09:00:00.123Z` as `2026-03-02 09:00 UTC`; what is no time stays.
fn minute(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(
        |_| text.to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    )
}

fn approval(step: &Step) -> Option<Approval> {
    let question = step
        .question
        .clone()
        .or_else(|| step.tool.is_empty().then(String::new))?;
    Some(Approval {
        question: non_empty(&question, &titled(&step.id)),
        by: step.approved_by.clone(),
        at: step
            .approved_by
            .as_ref()
            .and(step.finished_at.as_deref())
            .map(minute),
        status: match step.approved_by {
            Some(_) => "approved".to_owned(),
            None => step.status.replace('_', " "),
        },
        tone: if step.approved_by.is_some() {
            "good"
        } else {
            "wait"
        },
    })
}

/// What a picture is called: what the step was asked to write on it, else the name of the step.
fn title(step: &Step, several: bool, name: &str) -> String {
    let asked = |key: &str| step.input.as_ref()?.get(key)?.as_str().map(str::to_owned);
    let title = asked("title").filter(|text| !text.trim().is_empty());
    match title {
        Some(title) => title,
        None if several => format!("{} – {name}", titled(&step.id)),
        None => titled(&step.id),
    }
}

/// Adds one file to the pictures and to the table. A picture that is another one in another size is shown once.
fn show(
    ctx: &Context,
    view: &mut View,
    (step, file): (&Step, &File),
    place: Place<'_>,
    (hidden, shown): (&Hidden, &mut HashSet<String>),
) {
    let Place {
        folder,
        report,
        embed,
        ..
    } = place;
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
    let sources: Vec<String> = file
        .sources()
        .iter()
        .map(|source| hidden.source(source))
        .collect();
    let again = sources.len() == 1 && shown.contains(&sources[0]);
    if kind == Some("picture") {
        shown.insert(hidden.source(&file.path));
    }
    let aside = file.role == "manifest" || file.role == "sidecar";
    if let (Some(kind), Some(link)) = (kind.filter(|_| !again && !aside), &link) {
        let inside = bytes.as_ref().filter(|_| embed == Embed::DataUrl);
        let address = match (kind, inside) {
            ("page", _) => place
                .pages
                .get(&file.path)
                .map(|png| picture::data_url("image/png", "page.png", png)),
            (_, Some(bytes)) => Some(picture::data_url(&media_type, &name, bytes)),
            (_, None) => Some(link.clone()),
        };
        view.embedded += usize::from(inside.is_some());
        let several = step.artifacts.iter().filter(|file| file.role == "output").count() > 1;
        view.figures.push(Figure {
            kind,
            address,
            title: title(step, several, &name),
            caption: name.clone(),
            size: size.clone(),
            link: (!place.print).then(|| link.clone()),
        });
    }
    // What a manifest says is what this table says.
    if file.role == "manifest" {
        return;
    }
    view.artifacts.push(FileRow {
        name,
        link: link.filter(|_| !place.print),
        media_type,
        role: file.role.clone(),
        step: step.id.clone(),
        tool: format!("{} {}", step.tool, step.version).trim().to_owned(),
        made_from: sources,
        size,
        sha256: file.sha256.chars().take(12).collect(),
        changed,
    });
}

/// A file of the run. Only files below the run directory are shown, links followed.
pub fn locate(folder: &Path, path: &str) -> Option<PathBuf> {
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

fn step_row(step: &Step, hidden: &Hidden) -> StepRow {
    let output = step
        .output
        .as_ref()
        .filter(|output| !output.is_null())
        .map(|output| {
            let text = hidden.text(&serde_json::to_string_pretty(output).unwrap_or_default());
            let mut short: String = text.chars().take(MAX_OUTPUT_CHARS).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short
        });
    StepRow {
        id: step.id.clone(),
        title: titled(&step.id),
        tool: non_empty(&step.tool, "a person"),
        version: step.version.clone(),
        status: non_empty(&step.status, "unknown"),
        tone: tone(&step.status),
        duration: step.duration_ms.map_or_else(|| "–".to_owned(), human_millis),
        cost: money(step.cost_usd),
        error: step.error_text().map(|text| hidden.text(&text)),
        output,
    }
}

fn tone(status: &str) -> &'static str {
    match status {
        "succeeded" | "ok" | "success" | "done" | "reused" => "good",
        "failed" | "error" | "timed_out" | "cancelled" => "bad",
        "waiting" | "waiting_for_approval" | "running" | "queued" | "partial" | "planned" => "wait",
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
    fn names_are_titles() {
        assert_eq!(titled("spring_sale-2026"), "Spring sale 2026");
        assert_eq!(titled("Quillmoss spring table"), "Quillmoss spring table");
        assert_eq!(minute("2026-03-02T09:00:01.5Z"), "2026-03-02 09:00 UTC");
    }

    #[test]
    fn no_path_of_the_host_is_shown() {
        let run = Run {
            vars: serde_json::json!({"campaign_dir": "/home/ana/plan"})
                .as_object()
                .cloned()
                .unwrap_or_default(),
            ..Run::default()
        };
        let hidden = Hidden::of(&run, Path::new("/home/ana/runs/1"));
        assert_eq!(
            hidden.source("/home/ana/runs/1/steps/card/a.png"),
            "steps/card/a.png"
        );
        assert_eq!(hidden.source("/home/ana/plan/img/b.png"), "campaign: img/b.png");
        assert_eq!(hidden.source("/etc/secret/c.png"), "c.png");
        assert_eq!(hidden.text("made \"/home/ana/runs/1/x\""), "made \"x\"");
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(human_millis(850), "850 ms");
        assert_eq!(human_millis(185_400), "3 min 5 s");
        assert_eq!(human_bytes(1_400), "1.4 kB");
        assert_eq!(money(0.0123), "$0.0123");
    }
}
