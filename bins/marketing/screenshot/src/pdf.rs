//! `pdf`: a page on paper.

use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};
use browser::Paper;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    input::{Media, Pdf, Sheet},
    session::with_browser,
    shoot::{self, Visit, Visited},
    target,
};

/// Millimetres of an inch.
const INCH: f64 = 25.4;

/// What was printed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Printed {
    /// The PDF.
    pub path: PathBuf,
    /// Bytes of the file.
    pub bytes: u64,
    /// What was seen.
    #[serde(flatten)]
    pub visit: Visit,
}

impl Sheet {
    /// Width and height in inches.
    const fn inches(self) -> (f64, f64) {
        match self {
            Self::A3 => (297.0 / INCH, 420.0 / INCH),
            Self::A4 => (210.0 / INCH, 297.0 / INCH),
            Self::A5 => (148.0 / INCH, 210.0 / INCH),
            Self::Letter => (8.5, 11.0),
            Self::Legal => (8.5, 14.0),
        }
    }
}

/// Prints a page.
pub async fn print(input: &Pdf, ctx: &Context) -> ToolResult<Printed> {
    if !input
        .output
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"))
    {
        return Err(ToolError::invalid(
            "output",
            format!("`{}` does not end with .pdf", input.output.display()),
        ));
    }
    let mut opening = input.opening.clone();
    opening.media.get_or_insert(Media::Print);
    target::setup(&input.url, &opening, false, "", ctx)?;
    let (width, height) = input.paper.inches();
    let paper = Paper {
        width,
        height,
        margin: input.margin.map(|margin| margin / INCH),
        landscape: input.landscape,
        backgrounds: !input.no_background,
        prefer_css: true,
    };
    let (bytes, visit) = with_browser(ctx, async |browser| {
        let Visited { page, visit } = shoot::visit(browser, &input.url, &opening, false, true, ctx).await?;
        let bytes = page.print(paper).await?;
        page.close().await;
        Ok((bytes, visit))
    })
    .await?;
    if !bytes.starts_with(b"%PDF-") {
        return Err(ToolError::internal(
            "the browser printed something that is no PDF",
        ));
    }
    let artifact = ctx.write(&input.output, "application/pdf", "output", &bytes)?;
    for warning in &visit.warnings {
        ctx.warn(warning.clone());
    }
    let printed = Printed {
        path: artifact.path,
        bytes: artifact.bytes,
        visit,
    };
    match printed.visit.status {
        Some(status) if status >= 400 => Err(ToolError::partial(
            format!("the page answered {status}; the PDF shows that answer"),
            &crate::Output::Pdf(printed),
        )),
        _ => Ok(printed),
    }
}
