//! Pictures and prints of a page.

use std::time::Duration;

use app_core::{ErrorKind, ToolResult};
use base64::Engine as _;
use serde_json::{Value, json};

use crate::{Page, Rect, failed, page::CALL};

/// Time for a picture or a PDF of the largest size.
const PICTURE: Duration = Duration::from_secs(180);

/// Format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG of this quality.
    Jpeg(u8),
    /// WebP of this quality.
    Webp(u8),
}

/// What is to be in a picture.
#[derive(Clone, Copy, Debug)]
pub struct Shot {
    /// Part of the page in CSS pixels; without it what the window shows.
    pub clip: Option<Rect>,
    /// Format.
    pub format: Format,
}

/// Paper of a PDF, in inches.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Margin on all sides; `None` leaves the page its own.
    pub margin: Option<f64>,
    /// Turned.
    pub landscape: bool,
    /// Colours and pictures behind the text.
    pub backgrounds: bool,
    /// Whether `@page` of the style sheets goes before the size given here.
    pub prefer_css: bool,
}

impl Page {
    /// Takes a picture. Parts that the window does not show are painted without another size of the window, so that
    /// heights in parts of it stay.
    pub async fn capture(&self, shot: Shot) -> ToolResult<Vec<u8>> {
        let (format, quality) = match shot.format {
            Format::Png => ("png", None),
            Format::Jpeg(quality) => ("jpeg", Some(quality)),
            Format::Webp(quality) => ("webp", Some(quality)),
        };
        let mut params = json!({"format": format, "captureBeyondViewport": shot.clip.is_some()});
        if let Some(quality) = quality {
            params["quality"] = quality.into();
        }
        if let Some(clip) = shot.clip {
            params["clip"] =
                json!({"x": clip.x, "y": clip.y, "width": clip.width, "height": clip.height, "scale": 1});
        }
        let made = self.call("Page.captureScreenshot", params, PICTURE).await?;
        decoded(&made)
    }

    /// Prints the page.
    pub async fn print(&self, paper: Paper) -> ToolResult<Vec<u8>> {
        let mut params = json!({"printBackground": paper.backgrounds, "landscape": paper.landscape,
            "paperWidth": paper.width, "paperHeight": paper.height, "preferCSSPageSize": paper.prefer_css});
        if let Some(margin) = paper.margin {
            for side in ["marginTop", "marginBottom", "marginLeft", "marginRight"] {
                params[side] = margin.into();
            }
        }
        let made = self.call("Page.printToPDF", params, PICTURE).await?;
        decoded(&made)
    }

    /// Size of the whole page in CSS pixels.
    pub async fn size(&self) -> ToolResult<(f64, f64)> {
        let metrics = self.call("Page.getLayoutMetrics", json!({}), CALL).await?;
        let content = &metrics["cssContentSize"];
        let side = |name: &str| content[name].as_f64().unwrap_or(0.0).ceil();
        Ok((side("width"), side("height")))
    }
}

fn decoded(answer: &Value) -> ToolResult<Vec<u8>> {
    let data = answer["data"].as_str().unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(data);
    bytes
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| failed(ErrorKind::Io, "no_picture", "the browser made no picture"))
}
