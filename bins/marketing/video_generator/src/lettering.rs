//! Captions and cards as SVG: broken into lines, and smaller where they would not fit.

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::Color;
use vector::{Typeface, Words};

use crate::spec::{Captions, Card, Position, Size};

/// Height of a line in letter heights.
const LINE: f64 = 1.25;
/// Part of a line above the baseline.
const RISE: f64 = 0.95;
/// Around the text, on its plate, in letter heights.
const PAD: f64 = 0.4;
/// Smaller letters than this, in pixels, are not read by anybody.
const SMALLEST: f64 = 7.0;

/// A text broken into lines.
struct Block {
    size: f64,
    lines: Vec<String>,
    bold: bool,
}

impl Block {
    /// The largest letters up to `wanted` at which the text fits into `width` by `height`.
    fn fit(
        text: &str,
        bold: bool,
        face: &Typeface,
        wanted: f64,
        (width, height): (f64, f64),
    ) -> ToolResult<Self> {
        let lines = face
            .with_boxes(text.trim())
            .lines()
            .map(|line| Words::measure(line, bold, face))
            .collect::<ToolResult<Vec<_>>>()?;
        let at = |size: f64, words: &[Words]| {
            let room = width / size;
            if words.iter().any(|line| line.widest() > room) {
                return None;
            }
            let mut broken: Vec<String> = Vec::new();
            for line in words {
                let wrapped = line.balanced(room);
                if wrapped.is_empty() {
                    // An empty line keeps its place.
                    broken.push(String::new());
                } else {
                    broken.extend(wrapped);
                }
            }
            let fits = size * LINE * broken.len() as f64 <= height;
            fits.then_some(Self {
                size,
                lines: broken,
                bold,
            })
        };
        let mut size = wanted.max(SMALLEST);
        // Words that are wider than the frame are broken only where the letters would become much smaller otherwise.
        while size > SMALLEST.max(wanted / 3.0) {
            if let Some(block) = at(size, &lines) {
                return Ok(block);
            }
            size *= 0.94;
        }
        let mut size = (wanted / 2.0).max(SMALLEST);
        loop {
            let broken = lines
                .iter()
                .map(|line| line.broken(width / size, bold, face))
                .collect::<ToolResult<Vec<_>>>()?;
            if let Some(block) = at(size, &broken) {
                return Ok(block);
            }
            if size <= SMALLEST {
                let told = format!(
                    "does not fit into {width:.0}x{height:.0} pixels, not even with letters of {SMALLEST:.0}"
                );
                return Err(ToolError::new(ErrorKind::InvalidInput, told).code("text_does_not_fit"));
            }
            size = (size * 0.9).max(SMALLEST);
        }
    }

    fn height(&self) -> f64 {
        self.size * LINE * self.lines.len() as f64
    }

    fn widest(&self, face: &Typeface) -> ToolResult<f64> {
        let mut widest = 0f64;
        for line in &self.lines {
            widest = widest.max(f64::from(face.width(line, self.size as f32, self.bold)?));
        }
        Ok(widest)
    }

    /// Its lines, centred at `x`, from `top` on.
    fn svg(&self, face: &Typeface, x: f64, top: f64, color: Color) -> String {
        let mut out = String::new();
        let weight = if self.bold { "bold" } else { "normal" };
        for (index, line) in self.lines.iter().enumerate() {
            let baseline = top + self.size * (LINE * index as f64 + RISE);
            out.push_str(&format!(
                r#"<text x="{x:.2}" y="{baseline:.2}" text-anchor="middle" font-family="{}" font-weight="{weight}" font-size="{:.2}" xml:space="preserve" {}>{}</text>"#,
                vector::escape(face.family()),
                self.size,
                fill(color),
                vector::escape(line),
            ));
        }
        out
    }
}

/// A caption for frames of `frame`, as an SVG of that size; `None` when it has no letters.
pub fn caption(text: &str, look: &Captions, face: &Typeface, frame: Size) -> ToolResult<Option<String>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let wanted = look.size.unwrap_or_else(|| width.min(height) / 18.0);
    let block = Block::fit(text, look.bold, face, wanted, (width * 0.84, height * 0.4))?;
    // Upright videos are shown below the buttons and names of an app, so their captions stand higher.
    let below = if height > width { 0.18 } else { 0.07 };
    let top = match look.position {
        Position::Top => height * if height > width { 0.12 } else { 0.07 },
        Position::Middle => (height - block.height()) / 2.0,
        Position::Bottom => height * (1.0 - below) - block.height(),
    };
    let mut out = open(frame);
    if look.plate.rgba()[3] > 0 {
        let pad = block.size * PAD;
        let widest = block.widest(face)?;
        out.push_str(&format!(
            r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" rx="{:.2}" {}/>"#,
            (width - widest) / 2.0 - pad,
            top - pad / 2.0,
            widest + 2.0 * pad,
            block.height() + pad,
            block.size * 0.25,
            fill(look.plate),
        ));
    }
    out.push_str(&block.svg(face, width / 2.0, top, look.color));
    out.push_str("</svg>");
    Ok(Some(out))
}

/// A card for frames of `frame`, as an SVG of that size.
pub fn card(card: &Card, face: &Typeface, frame: Size) -> ToolResult<String> {
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let wanted = width.min(height) / 8.0;
    let text = card.text.as_deref().filter(|text| !text.trim().is_empty());
    let share = if text.is_some() { 0.42 } else { 0.72 };
    let title = Block::fit(&card.title, true, face, wanted, (width * 0.84, height * share))?;
    let mut blocks = vec![title];
    if let Some(text) = text {
        let smaller = (blocks[0].size * 0.5).max(SMALLEST);
        blocks.push(Block::fit(
            text,
            false,
            face,
            smaller,
            (width * 0.8, height * 0.3),
        )?);
    }
    let gap = blocks[0].size * 0.4;
    let tall = blocks.iter().map(Block::height).sum::<f64>() + gap * (blocks.len() - 1) as f64;
    let mut top = (height - tall) / 2.0;
    let mut out = open(frame);
    out.push_str(&format!(
        r#"<rect width="{width}" height="{height}" {}/>"#,
        fill(card.background)
    ));
    for block in &blocks {
        out.push_str(&block.svg(face, width / 2.0, top, card.color));
        top += block.height() + gap;
    }
    out.push_str("</svg>");
    Ok(out)
}

fn open(frame: Size) -> String {
    let Size { width, height } = frame;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
    )
}

fn fill(color: Color) -> String {
    let [r, g, b, a] = color.rgba();
    format!(
        r##"fill="#{r:02x}{g:02x}{b:02x}" fill-opacity="{:.3}""##,
        f64::from(a) / 255.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size {
        width: 640,
        height: 360,
    };

    /// Left, top, right and bottom of what is drawn.
    fn ink(svg: &str, face: &Typeface) -> [usize; 4] {
        let rgba = face.draw(svg, FRAME.width, FRAME.height).unwrap();
        let mut edges = [640, 360, 0, 0];
        for (index, pixel) in rgba.chunks(4).enumerate() {
            if pixel[3] > 0 {
                let (x, y) = (index % 640, index / 640);
                edges = [edges[0].min(x), edges[1].min(y), edges[2].max(x), edges[3].max(y)];
            }
        }
        edges
    }

    #[test]
    fn captions_of_any_length_stay_in_the_safe_area() {
        for text in ["Short", &"word ".repeat(120), &"x".repeat(300), "one\n\nthree"] {
            let face = Typeface::for_text(text, None).unwrap();
            for position in [Position::Top, Position::Middle, Position::Bottom] {
                let look = Captions {
                    position,
                    ..Captions::default()
                };
                let svg = caption(text, &look, &face, FRAME).unwrap().unwrap();
                let [left, top, right, bottom] = ink(&svg, &face);
                assert!(
                    left >= 32 && right <= 608 && top >= 18 && bottom <= 342,
                    "{text:.20}: {left} {top} {right} {bottom}"
                );
            }
        }
    }

    #[test]
    fn a_caption_is_written_as_it_is() {
        let text = "100% it's 12:30 %{pts} \\ [x];'y' ";
        let face = Typeface::for_text(text, None).unwrap();
        let svg = caption(text, &Captions::default(), &face, FRAME)
            .unwrap()
            .unwrap();
        assert!(svg.contains(">100% it's 12:30 %{pts} \\ [x];'y'<"), "{svg}");
        assert!(
            caption(" \n ", &Captions::default(), &face, FRAME)
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn a_text_that_never_fits_is_refused() {
        let text = "many words ".repeat(400);
        let face = Typeface::for_text(&text, None).unwrap();
        let tiny = Size {
            width: 64,
            height: 36,
        };
        let error = caption(&text, &Captions::default(), &face, tiny).unwrap_err();
        assert_eq!(error.code, "text_does_not_fit");
    }
}
