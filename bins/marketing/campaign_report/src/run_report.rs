//! The report of a run.

use std::{collections::HashMap, path::Path, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult};

use crate::{
    Output, browser,
    figure::{self, Place},
    files::{json_file, pdf, write},
    input::RunInput,
    media::Embed,
    render, run, summary,
};

/// Width and height of the part of a page that a report shows, in pixels.
const PAGE_SHOWN: (u32, u32) = (1280, 960);

/// Longest time for the picture of a page.
const PAGE_LIMIT: Duration = Duration::from_secs(20);

/// Writes the report of a run. Fails when its `run.json` cannot be read, or the report not written.
pub async fn run_report(input: RunInput, ctx: &Context) -> ToolResult<Output> {
    let file = input.run_dir.join("run.json");
    let run: run::Run = json_file(ctx, &file)?;
    let report = input.output.unwrap_or_else(|| input.run_dir.join("report.html"));
    let pages = pictures(ctx, &run, &input.run_dir).await?;
    let mut place = Place {
        folder: &input.run_dir,
        report: &report,
        embed: input.embed,
        paper: input.paper.css(),
        print: false,
        pages: &pages,
    };
    let view = summary::view(ctx, &run, place)?;
    let html = render::render(render::RUN, &view)?;
    let artifact = write(ctx, &report, &html, &[file.display().to_string()])?;
    for missing in &view.missing {
        ctx.warn(format!("`{missing}` is not in the run's folder"));
    }
    // Paper has no folds and no links, and pictures must be in the page that is printed.
    let mut pdf_file = None;
    if input.pdf {
        (place.print, place.embed) = (true, Embed::DataUrl);
        let html = render::render(render::RUN, &summary::view(ctx, &run, place)?)?;
        let printed = tempfile::Builder::new()
            .suffix(".html")
            .tempfile()
            .map_err(|e| ToolError::file("create a file in", &std::env::temp_dir(), &e))?;
        std::fs::write(printed.path(), html).map_err(|e| ToolError::file("write", printed.path(), &e))?;
        pdf_file = pdf(ctx, printed.path(), &report, input.pdf_timeout).await?;
    }
    let (embedded, missing) = (view.embedded, view.missing);
    Ok(Output {
        report,
        title: run.name,
        bytes: artifact.bytes,
        pdf: pdf_file,
        embedded,
        missing,
    })
}

/// Pictures of the pages that the run made, by their path in it. Without a browser there are none, and that is told.
async fn pictures(ctx: &Context, run: &run::Run, folder: &Path) -> ToolResult<HashMap<String, Vec<u8>>> {
    let mut pictures = HashMap::new();
    let files = run.steps.iter().flat_map(|step| &step.artifacts);
    for file in files.filter(|file| file.media_type == "text/html") {
        let Some(path) = figure::locate(folder, &file.path) else {
            continue;
        };
        match browser::picture(ctx, &path, PAGE_SHOWN, PAGE_LIMIT).await {
            Ok(png) => drop(pictures.insert(file.path.clone(), png)),
            Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
            Err(error) => ctx.warn(format!("no picture of `{}`: {}", file.path, error.message)),
        }
    }
    Ok(pictures)
}
