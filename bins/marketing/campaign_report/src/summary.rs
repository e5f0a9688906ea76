//! The report of a run: what the template shows of `run.json` and the files beside it.

use app_core::{Context, ToolResult};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::{
    approval::Approval,
    brand::{self, Brand},
    figure::{Figure, FileRow, Gallery, Place},
    hidden::Hidden,
    run::{Run, Step},
    words::{day, human_millis, minute, money, non_empty, state, titled, tone},
};

/// Longest result of a step that is shown.
const MAX_OUTPUT_CHARS: usize = 4_000;

/// What the template shows.
#[derive(Debug, Serialize)]
pub struct View {
    name: String,
    objective: Option<String>,
    status: String,
    tone: &'static str,
    brand: Brand,
    fonts: String,
    run_id: String,
    started: Option<String>,
    finished: Option<String>,
    facts: Vec<Fact>,
    figures: Vec<String>,
    wide: Vec<Figure>,
    tall: Vec<Figure>,
    pages: Vec<Figure>,
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

/// Reads the files of a run and lays out its report.
///
/// Fails only when the run is cancelled: what cannot be read is named in the report.
pub fn view(ctx: &Context, run: &Run, place: Place<'_>) -> ToolResult<View> {
    let hidden = Hidden::of(run, place.folder);
    let gallery = Gallery::of(ctx, run, place, &hidden)?;
    let approvals: Vec<Approval> = run
        .steps
        .iter()
        .filter_map(|step| Approval::of(step, &hidden))
        .collect();
    Ok(View {
        name: titled(&non_empty(&run.name, "Campaign")),
        objective: run.objective.clone().filter(|text| !text.trim().is_empty()),
        status: state(&run.status),
        tone: tone(&run.status),
        brand: Brand::of(run),
        fonts: brand::fonts(),
        run_id: run.id.clone(),
        started: run.started_at.as_deref().map(minute),
        finished: run.finished_at.as_deref().map(minute),
        facts: facts(run, &gallery, &approvals),
        figures: figures(run),
        approvals,
        print: place.print,
        steps: run.steps.iter().map(|step| step_row(step, &hidden)).collect(),
        wide: gallery.wide,
        tall: gallery.tall,
        pages: gallery.pages,
        artifacts: gallery.files,
        paper: place.paper,
        version: env!("CARGO_PKG_VERSION"),
        embedded: gallery.embedded,
        missing: gallery.missing,
    })
}

/// What somebody who gets the report wants to know first.
fn facts(run: &Run, gallery: &Gallery, approvals: &[Approval]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |name, value: String| facts.push(Fact { name, value });
    if let Some(at) = run.finished_at.as_deref().or(run.started_at.as_deref()) {
        add("Date", day(at));
    }
    let all = || gallery.wide.iter().chain(&gallery.tall).chain(&gallery.pages);
    for (kinds, one, many) in [
        ("picture", "Picture", "Pictures"),
        ("moving", "Animation", "Animations"),
        ("video", "Video", "Videos"),
        ("page", "Page", "Pages"),
    ] {
        match all().filter(|figure| figure.kind == kinds).count() {
            0 => {}
            1 => add(one, "1".to_owned()),
            more => add(many, more.to_string()),
        }
    }
    if !approvals.is_empty() {
        let given = approvals.iter().filter(|one| one.tone == "good").count();
        let value = match (given, approvals.len()) {
            (1, 1) => "Given".to_owned(),
            (_, 1) => approvals[0].status.clone(),
            (given, all) => format!("{given} of {all} given"),
        };
        add("Approval", value);
    }
    facts
}

/// Figures for whoever wants to know how it was made.
fn figures(run: &Run) -> Vec<String> {
    let mut figures = Vec::new();
    let done = run.steps.iter().filter(|step| tone(&step.status) == "good");
    figures.push(format!("{} of {} steps done", done.count(), run.steps.len()));
    if let (Some(Ok(start)), Some(Ok(end))) = (
        run.started_at.as_deref().map(str::parse::<Timestamp>),
        run.finished_at.as_deref().map(str::parse::<Timestamp>),
    ) {
        let millis = end.as_millisecond().saturating_sub(start.as_millisecond());
        figures.push(format!(
            "from start to end {}",
            human_millis(u64::try_from(millis).unwrap_or(0))
        ));
    }
    figures.push(format!("cost {}", money(run.cost_usd)));
    let files = run.steps.iter().flat_map(|step| &step.artifacts);
    figures.push(format!(
        "{} files",
        files.filter(|file| file.role != "manifest").count()
    ));
    figures
}

fn step_row(step: &Step, hidden: &Hidden) -> StepRow {
    let output = step.output.as_ref().filter(|output| !output.is_null());
    StepRow {
        id: step.id.clone(),
        title: step.title.clone().unwrap_or_else(|| titled(&step.id)),
        tool: non_empty(&step.tool, "a person"),
        version: step.version.clone(),
        status: non_empty(&step.status, "unknown").replace('_', " "),
        tone: tone(&step.status),
        duration: step.duration_ms.map_or_else(|| "–".to_owned(), human_millis),
        cost: money(step.cost_usd),
        error: step.error_text().map(|text| hidden.text(&text)),
        output: output.map(|output| shortened(output, hidden)),
    }
}

/// A result as text, no longer than somebody reads.
fn shortened(output: &Value, hidden: &Hidden) -> String {
    let text = hidden.text(&serde_json::to_string_pretty(output).unwrap_or_default());
    let mut short: String = text.chars().take(MAX_OUTPUT_CHARS).collect();
    let left = text.chars().count().saturating_sub(MAX_OUTPUT_CHARS);
    if left > 0 {
        short.push_str(&format!("…\n({left} more characters stand in run.json)"));
    }
    short
}
