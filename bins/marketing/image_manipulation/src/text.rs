//! Text on an image, drawn through SVG.

use app_core::{ToolError, ToolResult};
use raster::{Color, Pixels, RgbaImage};

use crate::{actions::Text, paint::lay_over};

/// Height of a line of text in letter heights.
const LINE: f64 = 1.25;
/// Part of a line above the baseline.
const RISE: f64 = 0.95;

/// Writes the text. `font` is the content of the font file, if one was named.
pub fn write(image: Pixels, action: &Text, font: Option<&[u8]>) -> ToolResult<Pixels> {
    let (width, height) = (image.width(), image.height());
    let size = action
        .size
        .unwrap_or_else(|| f64::from(width.min(height)) / 12.0)
        .max(1.0);
    let margin = action.margin.unwrap_or((size / 2.0).round() as u32);
    let svg = svg(width, height, size, margin, action, font)?;
    let drawn = vector::draw(&svg, width, height, font)?;
    let over = RgbaImage::from_raw(width, height, drawn)
        .ok_or_else(|| ToolError::internal("the drawn text has the wrong size"))?;
    Ok(lay_over(image, &over, 0, 0, 1.0))
}

fn svg(
    width: u32,
    height: u32,
    size: f64,
    margin: u32,
    action: &Text,
    font: Option<&[u8]>,
) -> ToolResult<String> {
    let family = match font {
        None => vector::FONT.to_owned(),
        Some(data) => vector::font_family(data)
            .ok_or_else(|| ToolError::invalid("font", "the font file is not a TrueType or OpenType font"))?,
    };
    let text = action.caption.replace("\\n", "\n");
    let lines: Vec<&str> = text.lines().collect();
    let weight = if action.bold { "bold" } else { "normal" };
    let (side_x, side_y) = action.gravity.sides();
    let (width, height, margin) = (f64::from(width), f64::from(height), f64::from(margin));
    let block = size * LINE * lines.len() as f64;
    let top = match side_y {
        -1 => margin,
        0 => (height - block) / 2.0,
        _ => height - block - margin,
    };
    let (x, anchor) = match side_x {
        -1 => (margin, "start"),
        0 => (width / 2.0, "middle"),
        _ => (width - margin, "end"),
    };
    let mut out = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">"#);
    if let Some(plate) = action.plate {
        let mut widest = 0f64;
        for line in &lines {
            widest = widest.max(f64::from(vector::text_width(line, size as f32, action.bold)?));
        }
        let pad = size * 0.35;
        let left = match side_x {
            -1 => x,
            0 => x - widest / 2.0,
            _ => x - widest,
        };
        out.push_str(&format!(
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" rx="{:.2}" {}/>"#,
            left - pad,
            top - pad / 2.0,
            widest + 2.0 * pad,
            block + pad,
            size * 0.2,
            paint("fill", plate),
        ));
    }
    let outline = action.outline.map(|color| {
        let stroke = size / 10.0;
        format!(
            r#" {} stroke-width="{stroke:.2}" stroke-linejoin="round" paint-order="stroke""#,
            paint("stroke", color)
        )
    });
    for (index, line) in lines.iter().enumerate() {
        let baseline = top + size * (LINE * index as f64 + RISE);
        out.push_str(&format!(
            r#"<text x="{x:.2}" y="{baseline:.2}" text-anchor="{anchor}" font-family="{}" font-weight="{weight}" font-size="{size:.2}" xml:space="preserve" {}{}>{}</text>"#,
            vector::escape(&family),
            paint("fill", action.fill),
            outline.as_deref().unwrap_or_default(),
            vector::escape(line),
        ));
    }
    out.push_str("</svg>");
    Ok(out)
}

fn paint(attribute: &str, color: Color) -> String {
    let [r, g, b, a] = color.rgba();
    format!(
        r##"{attribute}="#{r:02x}{g:02x}{b:02x}" {attribute}-opacity="{:.3}""##,
        f64::from(a) / 255.0
    )
}
