//! `check`: shots against earlier pictures.

use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    compare::{pixels, png},
    deliver,
    diff::{self, Comparison},
    input::Check,
    many::{self, Seen, ShotReport, as_png},
    page,
    shoot::Picture,
    shots::{self, Planned},
};

/// What came of a shot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As the earlier one.
    Same,
    /// Not as the earlier one.
    Differs,
    /// There is no earlier one.
    New,
    /// There is no picture, or it shows an error of the server.
    Failed,
}

/// One shot.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// Name of the earlier picture in its folder.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
    /// The shot itself.
    #[serde(flatten)]
    pub shot: ShotReport,
    /// How it compares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// The earlier picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<PathBuf>,
    /// The picture of the differences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawing: Option<PathBuf>,
    /// Whether the picture took the place of the earlier one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub updated: bool,
}

/// All shots.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Shots that are as before.
    pub same: usize,
    /// Shots that are not.
    pub differing: usize,
    /// Shots without an earlier picture.
    pub new: usize,
    /// Shots that failed.
    pub failed: usize,
    /// Earlier pictures that were replaced or made.
    pub updated: usize,
    /// The report as a page.
    pub page: PathBuf,
    /// Each shot.
    pub shots: Vec<Checked>,
}

/// Takes the shots and compares each.
pub async fn check(input: &Check, ctx: &Context) -> ToolResult<Report> {
    let planned = shots::read(&input.shots, ctx)?;
    for (index, shot) in planned.iter().enumerate() {
        if shot.listed.framing.all || shot.listed.framing.selector.len() > 1 {
            let text = format!(
                "shot {} makes several pictures; `check` compares one each",
                index + 1
            );
            return Err(ToolError::invalid("shots", text));
        }
    }
    if !input.update && !input.baseline.is_dir() {
        return Err(
            ToolError::not_found(format!("there is no folder `{}`", input.baseline.display()))
                .field("baseline")
                .hint("make it with the pictures as they are now: `--update`"),
        );
    }
    let parallel = many::affordable(input.parallel, ctx);
    let outcome = many::each(&planned, parallel, ctx, |shot, seen| one(input, shot, seen, ctx)).await?;
    let shots = outcome.into_iter().collect::<ToolResult<Vec<Checked>>>()?;
    let count = |wanted: Verdict| shots.iter().filter(|shot| shot.verdict == wanted).count();
    let mut report = Report {
        same: count(Verdict::Same),
        differing: count(Verdict::Differs),
        new: count(Verdict::New),
        failed: count(Verdict::Failed),
        updated: shots.iter().filter(|shot| shot.updated).count(),
        page: input.output.join("report.html"),
        shots,
    };
    let html = page::html(&report);
    report.page = ctx
        .write(&report.page, "text/html", "report", html.as_bytes())?
        .path;
    let open = report
        .shots
        .iter()
        .filter(|shot| shot.verdict != Verdict::Same && !shot.updated)
        .count();
    if open > 0 {
        let text = format!(
            "{open} of {} shots are not as before: {} differ, {} new, {} failed",
            report.shots.len(),
            report.differing,
            report.new,
            report.failed
        );
        return Err(ToolError::partial(text, &crate::Output::Check(report)));
    }
    Ok(report)
}

/// Writes the picture of one shot, compares it, and puts it in the place of the earlier one where that is wished.
fn one(input: &Check, shot: &Planned, seen: Seen, ctx: &Context) -> ToolResult<Checked> {
    let name = shot.listed.baseline.as_ref().unwrap_or(&shot.listed.output);
    let baseline = as_png(&input.baseline, name);
    let mut checked = Checked {
        name: name.with_extension("png").display().to_string(),
        verdict: Verdict::Failed,
        shot: ShotReport::of(shot, Err(&ToolError::internal("not looked at"))),
        comparison: None,
        baseline: None,
        drawing: None,
        updated: false,
    };
    let (pictures, visit) = match seen {
        Ok(seen) => seen,
        Err(error) => {
            checked.shot = ShotReport::of(shot, Err(&error));
            return Ok(checked);
        }
    };
    let output = input.output.join(&shot.listed.output);
    let written = deliver::write(&output, &pictures, &visit, false, ctx)?;
    checked.shot = ShotReport::of(shot, Ok((&visit, written)));
    let Some(Picture { bytes, .. }) = pictures.first() else {
        return Ok(checked);
    };
    // A page that shows an error is no new look of it.
    if checked.shot.error.is_some() {
        return Ok(checked);
    }
    let after = pixels(bytes, &output)?;
    if baseline.exists() {
        let before = pixels(
            &ctx.read(&baseline, raster::Limits::default().max_file)?,
            &baseline,
        )?;
        let (comparison, marks) = diff::compare(&before, &after, &input.tolerance);
        checked.baseline = Some(baseline.clone());
        checked.verdict = if comparison.same {
            Verdict::Same
        } else {
            Verdict::Differs
        };
        if !comparison.same {
            let drawn = png(diff::drawing(&after, &comparison, &marks))?;
            let path = output.with_extension("diff.png");
            checked.drawing = Some(ctx.write(&path, "image/png", "preview", &drawn)?.path);
        }
        checked.comparison = Some(comparison);
    } else {
        checked.verdict = Verdict::New;
    }
    if input.update && checked.verdict != Verdict::Same {
        let mut pending = ctx.create_over(&baseline, "image/png", "output")?;
        let file = png(after)?;
        std::io::Write::write_all(&mut pending, &file)
            .map_err(|e| ToolError::file("write", &baseline, &e))?;
        pending.commit()?;
        checked.updated = true;
        checked.baseline = Some(baseline);
    }
    Ok(checked)
}
