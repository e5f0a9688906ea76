//! The results for people.

use std::fmt;

use app_core::{Paint, View, text::visible_line};
use serde_json::Value;

use crate::{Output, check::Verdict, compare::in_words, deliver::Written, input::Input, shoot::Visit};

/// Writes a result.
pub fn render(output: &Output, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    match output {
        Output::Take(taken) => {
            for picture in &taken.pictures {
                written(picture, out)?;
            }
            visit(&taken.visit, out)
        }
        Output::Pdf(printed) => {
            writeln!(
                out,
                "{}: {} bytes",
                visible_line(&printed.path.display().to_string()),
                printed.bytes
            )?;
            visit(&printed.visit, out)
        }
        Output::Diff(compared) => {
            let word = if compared.comparison.same {
                "same"
            } else {
                "different"
            };
            writeln!(out, "{word}: {}", in_words(&compared.comparison))?;
            if compared.comparison.smoothed > 0 {
                writeln!(
                    out,
                    "  {} pixels differ only in the smoothing of edges",
                    compared.comparison.smoothed
                )?;
            }
            match &compared.drawing {
                Some(path) => writeln!(
                    out,
                    "  differences: {}",
                    visible_line(&path.display().to_string())
                ),
                None => Ok(()),
            }
        }
        Output::Run(ran) => {
            for shot in &ran.shots {
                for picture in &shot.pictures {
                    written(picture, out)?;
                }
                if let Some(error) = &shot.error {
                    let word = view.paint(Paint::Red, "failed");
                    writeln!(out, "{word} {}: {}", visible_line(&shot.url), visible_line(error))?;
                }
                if let Some(reason) = &shot.reason {
                    writeln!(out, "  did not come to rest: {}", visible_line(reason))?;
                }
            }
            writeln!(out, "{} taken, {} failed", ran.taken, ran.failed)
        }
        Output::Check(report) => {
            for shot in &report.shots {
                let (paint, word) = match shot.verdict {
                    Verdict::Same => (Paint::Green, "same"),
                    Verdict::Differs => (Paint::Red, "differs"),
                    Verdict::New => (Paint::Yellow, "new"),
                    Verdict::Failed => (Paint::Red, "failed"),
                };
                let word = view.paint(paint, word);
                let what = match (&shot.shot.error, &shot.comparison) {
                    (Some(error), _) => format!(": {error}"),
                    (None, Some(comparison)) if !comparison.same => format!(": {}", in_words(comparison)),
                    _ => String::new(),
                };
                let updated = if shot.updated { " (taken over)" } else { "" };
                writeln!(
                    out,
                    "{word:<8} {}{}{updated}",
                    visible_line(&shot.name),
                    visible_line(&what)
                )?;
            }
            writeln!(
                out,
                "{} same, {} differ, {} new, {} failed; report: {}",
                report.same,
                report.differing,
                report.new,
                report.failed,
                visible_line(&report.page.display().to_string())
            )
        }
    }
}

/// A result that came with a failure.
pub fn render_partial(output: &Value, view: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
    match serde_json::from_value(output.clone()) {
        Ok(output) => render(&output, view, out),
        Err(_) => app_core::render_value(output, out),
    }
}

fn written(picture: &Written, out: &mut dyn fmt::Write) -> fmt::Result {
    let name = picture.path.display().to_string();
    writeln!(
        out,
        "{}: {} x {}",
        visible_line(&name),
        picture.width,
        picture.height
    )
}

fn visit(visit: &Visit, out: &mut dyn fmt::Write) -> fmt::Result {
    let settled = &visit.settled;
    let seconds = settled.waited_ms as f64 / 1000.0;
    match &settled.reason {
        None => writeln!(out, "  came to rest after {seconds:.1} s")?,
        Some(reason) => writeln!(
            out,
            "  did not come to rest within {seconds:.1} s: {}",
            visible_line(reason)
        )?,
    }
    if !settled.fonts_missing.is_empty() {
        let names = settled.fonts_missing.join(", ");
        writeln!(out, "  fonts that did not come: {}", visible_line(&names))?;
    }
    for dialog in &visit.dialogs {
        writeln!(
            out,
            "  {} {}: {}",
            visible_line(&dialog.kind),
            dialog.answer,
            visible_line(&dialog.message)
        )?;
    }
    if let Some(banner) = &visit.consent {
        writeln!(out, "  banner {}: {}", visible_line(&banner.name), banner.done)?;
    }
    for host in visit.hosts.iter().filter(|host| host.refused > 0) {
        let why = host.reason.as_deref().unwrap_or("refused");
        writeln!(
            out,
            "  refused {} times: {}: {}",
            host.refused,
            visible_line(&host.host),
            visible_line(why)
        )?;
    }
    for file in &visit.files_refused {
        writeln!(out, "  not shown: {}", visible_line(file))?;
    }
    Ok(())
}
