//! The report of a check as a page that stands by itself.

use std::{fmt::Write as _, path::Path};

use base64::Engine as _;

use crate::{
    check::{Checked, Report, Verdict},
    compare::in_words,
};

/// Largest picture that is put into the page; a larger one is linked.
const MAX_EMBEDDED: u64 = 6 << 20;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1500px;padding:0 1rem;color:#1b1b1f;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2.5rem 0 .3rem}p{margin:.2rem 0}\
.v{display:inline-block;padding:0 .5em;border-radius:.3em;color:#fff;font-size:.85em;vertical-align:.1em}\
.same{background:#2a7d46}.differs{background:#b3261e}.new{background:#7a5a00}.failed{background:#5b2a86}\
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:1rem;margin-top:.6rem}\
figure{margin:0}figcaption{font-size:.85em;color:#5c5c66}img{max-width:100%;border:1px solid #d5d5dc;display:block}\
.note{color:#5c5c66}code{word-break:break-all}";

/// The page. What differs comes first.
pub fn html(report: &Report) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Visual check</title><style>{STYLE}</style></head><body><h1>Visual check</h1>\n<p>{} same, {} differ, {} new, {} failed{}</p>\n",
        report.same,
        report.differing,
        report.new,
        report.failed,
        if report.updated > 0 {
            format!("; {} earlier pictures replaced or made", report.updated)
        } else {
            String::new()
        },
    );
    let order = [Verdict::Failed, Verdict::Differs, Verdict::New, Verdict::Same];
    for verdict in order {
        for shot in report.shots.iter().filter(|shot| shot.verdict == verdict) {
            section(shot, &report.page, &mut out);
        }
    }
    out.push_str("</body></html>\n");
    out
}

fn section(shot: &Checked, page: &Path, out: &mut String) {
    let (class, word) = match shot.verdict {
        Verdict::Same => ("same", "same"),
        Verdict::Differs => ("differs", "differs"),
        Verdict::New => ("new", "new"),
        Verdict::Failed => ("failed", "failed"),
    };
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "<section><h2>{} <span class=\"v {class}\">{word}</span></h2><p><code>{}</code></p>",
        escaped(&shot.name),
        escaped(&shot.shot.url)
    );
    let comparison = shot.comparison.as_ref().filter(|comparison| !comparison.same);
    let notes = comparison.map(in_words).into_iter();
    let notes = notes
        .chain(shot.shot.error.clone())
        .chain(
            shot.shot
                .reason
                .as_ref()
                .map(|reason| format!("did not come to rest: {reason}")),
        )
        .chain(shot.shot.warnings.iter().cloned());
    for note in notes {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", escaped(&note));
    }
    if shot.verdict != Verdict::Same {
        out.push_str("<div class=\"row\">");
        // After an update the earlier picture is the new one.
        let before = shot.baseline.as_deref().filter(|_| !shot.updated);
        let after = shot.shot.pictures.first().map(|picture| picture.path.as_path());
        for (path, caption) in [
            (before, "before"),
            (after, "after"),
            (shot.drawing.as_deref(), "differences"),
        ] {
            if let Some(path) = path {
                figure(path, caption, page, out);
            }
        }
        out.push_str("</div>");
    }
    out.push_str("</section>\n");
}

fn figure(path: &Path, caption: &str, page: &Path, out: &mut String) {
    let media_type = match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) if ending.eq_ignore_ascii_case("webp") => "image/webp",
        Some(ending) if ending.eq_ignore_ascii_case("png") => "image/png",
        _ => "image/jpeg",
    };
    let small = path.metadata().is_ok_and(|file| file.len() <= MAX_EMBEDDED);
    let bytes = if small { std::fs::read(path).ok() } else { None };
    let source = match bytes {
        Some(bytes) => format!(
            "data:{media_type};base64,{}",
            base64::engine::general_purpose::STANDARD.encode(bytes)
        ),
        None => {
            // Beside the page by name where it lies there, else by its whole path.
            let folder = page.parent().unwrap_or(Path::new(""));
            let near = path.strip_prefix(folder).map(Path::to_owned);
            let shown = near
                .or_else(|_| path.canonicalize())
                .unwrap_or_else(|_| path.to_owned());
            shown.display().to_string()
        }
    };
    let source = escaped(&source);
    let _ = write!(
        out,
        "<figure><a href=\"{source}\"><img src=\"{source}\" alt=\"{caption}\"></a><figcaption>{caption}</figcaption></figure>"
    );
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
