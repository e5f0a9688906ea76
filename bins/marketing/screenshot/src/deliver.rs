//! The files of a shot: its pictures, and beside each what was seen.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::shoot::{Picture, Visit};

/// A picture that was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// The picture.
    pub path: PathBuf,
    /// The report beside it.
    pub report: PathBuf,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What lies beside a picture.
#[derive(Serialize)]
struct Beside<'a> {
    picture: String,
    width: u32,
    height: u32,
    #[serde(flatten)]
    visit: &'a Visit,
}

/// Writes the pictures: one under the name itself, several as NAME-1, NAME-2 and so on where `numbered`.
pub fn write(
    output: &Path,
    pictures: &[Picture],
    visit: &Visit,
    numbered: bool,
    ctx: &Context,
) -> ToolResult<Vec<Written>> {
    let mut written = Vec::new();
    for (index, picture) in pictures.iter().enumerate() {
        let path = if numbered {
            numbered_path(output, index + 1)
        } else {
            output.to_owned()
        };
        let media_type = match path.extension().and_then(|ending| ending.to_str()) {
            Some(ending) if ending.eq_ignore_ascii_case("png") => "image/png",
            Some(ending) if ending.eq_ignore_ascii_case("webp") => "image/webp",
            _ => "image/jpeg",
        };
        let report = path.with_extension("json");
        let beside = Beside {
            picture: path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default(),
            width: picture.width,
            height: picture.height,
            visit,
        };
        let mut text = serde_json::to_vec_pretty(&beside)
            .map_err(|e| ToolError::internal("a report is no JSON").caused_by(&e))?;
        text.push(b'\n');
        ctx.write(&path, media_type, "output", &picture.bytes)?;
        ctx.write(&report, "application/json", "sidecar", &text)?;
        written.push(Written {
            path,
            report,
            width: picture.width,
            height: picture.height,
            bytes: picture.bytes.len() as u64,
        });
    }
    ctx.count_items(pictures.len() as u64);
    Ok(written)
}

/// `shots/card.png` and 2 make `shots/card-2.png`.
fn numbered_path(output: &Path, number: usize) -> PathBuf {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let ending = output.extension().unwrap_or_default().to_string_lossy();
    output.with_file_name(format!("{stem}-{number}.{ending}"))
}
