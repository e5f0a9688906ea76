//! `diff`: two picture files.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};
use raster::{EncodeOptions, Format, Limits, Pixels, RgbaImage, decode, encode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    diff::{self, Comparison},
    input::Diff,
};

/// How two files compare.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// The earlier.
    pub before_file: PathBuf,
    /// The later.
    pub after_file: PathBuf,
    /// How they compare.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// The picture of the differences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawing: Option<PathBuf>,
}

/// Pixels of a file.
pub fn pixels(bytes: &[u8], path: &Path) -> ToolResult<RgbaImage> {
    Ok(decode(bytes, &path.display().to_string(), &Limits::default())?
        .into_srgb()
        .into_rgba())
}

/// A picture as the bytes of a PNG.
pub fn png(image: RgbaImage) -> ToolResult<Vec<u8>> {
    encode(Pixels::Rgba(image), Format::Png, &EncodeOptions::default())
}

/// Compares two files; a difference is a finding.
pub fn compare(input: &Diff, ctx: &Context) -> ToolResult<Compared> {
    if let Some(output) = &input.output
        && !output
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("png"))
    {
        return Err(ToolError::invalid(
            "output",
            format!("`{}` does not end with .png", output.display()),
        ));
    }
    let limit = Limits::default().max_file;
    let before = pixels(&ctx.read(&input.before, limit)?, &input.before)?;
    let after = pixels(&ctx.read(&input.after, limit)?, &input.after)?;
    let (comparison, marks) = diff::compare(&before, &after, &input.tolerance);
    let mut drawn = None;
    if let Some(output) = &input.output {
        let bytes = png(diff::drawing(&after, &comparison, &marks))?;
        drawn = Some(ctx.write(output, "image/png", "output", &bytes)?.path);
    }
    let compared = Compared {
        before_file: input.before.clone(),
        after_file: input.after.clone(),
        comparison,
        drawing: drawn,
    };
    if compared.comparison.same {
        Ok(compared)
    } else {
        let text = format!("the pictures differ: {}", in_words(&compared.comparison));
        Err(ToolError::partial(text, &crate::Output::Diff(compared)))
    }
}

/// A comparison in one line.
pub fn in_words(comparison: &Comparison) -> String {
    let mut parts = Vec::new();
    if comparison.before != comparison.after {
        let ((a, b), (c, d)) = (comparison.before, comparison.after);
        parts.push(format!("{a} x {b} became {c} x {d}"));
    }
    if let Some(shift) = comparison.shift {
        let way = if shift.down > 0 { "down" } else { "up" };
        let plural = if shift.down.abs() == 1 { "" } else { "s" };
        parts.push(format!(
            "a part from row {} on moved {way} by {} pixel{plural}",
            shift.from_row,
            shift.down.abs()
        ));
    }
    if comparison.pixels > 0 {
        let percent = if comparison.percent < 0.01 {
            "less than 0.01".to_owned()
        } else {
            format!("{:.2}", comparison.percent)
        };
        parts.push(format!("{} pixels ({percent} %)", comparison.pixels));
    }
    if let Some(region) = comparison.largest {
        let area = region.area;
        parts.push(format!(
            "the largest part {} x {} at {},{}",
            area.width, area.height, area.x, area.y
        ));
    }
    if parts.is_empty() {
        "no pixel".to_owned()
    } else {
        parts.join(", ")
    }
}
