//! Text on an image, drawn through SVG: broken into lines, and made smaller where it does not fit.

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::{Color, Pixels, RgbaImage};
use vector::{Typeface, Words};

use crate::{actions::Text, paint::lay_over};

/// Height of a line of text in letter heights.
const LINE: f64 = 1.25;
/// Part of a line above the baseline.
const RISE: f64 = 0.95;
/// Around the text, on its plate, in letter heights.
const PAD: f64 = 0.35;
/// Smaller letters than this, in pixels, are not read by anybody.
const SMALLEST: f64 = 7.0;

/// A caption that is ready to be written on images of any size.
pub struct Caption {
    action: Text,
    face: Typeface,
    /// The lines that the caller broke, measured.
    lines: Vec<Words>,
}

/// A caption laid out for one image.
struct Laid {
    size: f64,
    margin: f64,
    lines: Vec<String>,
}

impl Caption {
    /// Measures the caption; `font` is the content of the font file, if one was named.
    pub fn new(action: Text, font: Option<Vec<u8>>) -> ToolResult<Self> {
        let text = action.caption.replace("\\n", "\n");
        let face = Typeface::for_text(&text, font.as_deref())?;
        let lines = text
            .lines()
            .map(|line| Words::measure(line, action.bold, &face))
            .collect::<ToolResult<_>>()?;
        Ok(Self { action, face, lines })
    }

    /// Writes the caption on an image with 8 bits a channel.
    pub fn write(&self, image: Pixels, notes: &mut Vec<String>) -> ToolResult<Pixels> {
        let (width, height) = (image.width(), image.height());
        let laid = self.laid(f64::from(width), f64::from(height), notes)?;
        notes.extend(self.face.warning());
        let svg = self.svg(f64::from(width), f64::from(height), &laid)?;
        let drawn = self.face.draw(&svg, width, height)?;
        let over = RgbaImage::from_raw(width, height, drawn)
            .ok_or_else(|| ToolError::internal("the drawn text has the wrong size"))?;
        Ok(lay_over(image, &over, 0, 0, 1.0))
    }

    /// The largest letters up to those wanted at which everything lies inside the image.
    fn laid(&self, width: f64, height: f64, notes: &mut Vec<String>) -> ToolResult<Laid> {
        let wanted = self
            .action
            .size
            .unwrap_or_else(|| width.min(height) / 12.0)
            .max(1.0);
        let smallest = SMALLEST.min(wanted);
        let at = |size: f64, words: &[Words]| -> Option<Laid> {
            let margin = self.action.margin.map_or(size / 2.0, f64::from);
            let edge = if self.action.plate.is_some() {
                margin.max(size * PAD)
            } else {
                margin
            };
            let room = (width - 2.0 * edge) / size;
            if room <= 0.0 || words.iter().any(|line| line.widest() > room) {
                return None;
            }
            let lines: Vec<String> = words
                .iter()
                .flat_map(|line| {
                    let wrapped = if line.wrap(room).len() > 1 {
                        line.balanced(room)
                    } else {
                        line.wrap(room)
                    };
                    // An empty line keeps its place.
                    if wrapped.is_empty() {
                        vec![String::new()]
                    } else {
                        wrapped
                    }
                })
                .collect();
            let fits = size * LINE * lines.len() as f64 + 2.0 * margin <= height;
            fits.then_some(Laid { size, margin, lines })
        };
        let mut size = wanted;
        while size > smallest {
            if let Some(laid) = at(size, &self.lines) {
                if size < wanted && self.action.size.is_some() {
                    notes.push(format!(
                        "the letters are {size:.0} pixels high: at {wanted:.0} the text does not fit"
                    ));
                }
                return Ok(laid);
            }
            size = (size * 0.94).max(smallest);
        }
        // At the end words are broken too.
        let margin = self.action.margin.map_or(smallest / 2.0, f64::from);
        let room = ((width - 2.0 * margin.max(smallest * PAD)) / smallest).max(0.1);
        let broken = self
            .lines
            .iter()
            .map(|line| line.broken(room, self.action.bold, &self.face))
            .collect::<ToolResult<Vec<_>>>()?;
        at(smallest, &broken).ok_or_else(|| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("the text does not fit on {width:.0}x{height:.0} pixels, not even with letters of {smallest:.0}"),
            )
            .code("text_does_not_fit")
            .field("caption")
            .hint("shorten it, or make the image larger or the margin smaller")
        })
    }

    fn svg(&self, width: f64, height: f64, laid: &Laid) -> ToolResult<String> {
        let action = &self.action;
        let Laid { size, margin, lines } = laid;
        let weight = if action.bold { "bold" } else { "normal" };
        let (side_x, side_y) = action.gravity.sides();
        let block = size * LINE * lines.len() as f64;
        let top = match side_y {
            -1 => *margin,
            0 => (height - block) / 2.0,
            _ => height - block - margin,
        };
        let (x, anchor) = match side_x {
            -1 => (*margin, "start"),
            0 => (width / 2.0, "middle"),
            _ => (width - margin, "end"),
        };
        let mut out =
            format!(r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">"#);
        if let Some(plate) = action.plate {
            let mut widest = 0f64;
            for line in lines {
                widest = widest.max(f64::from(self.face.width(line, *size as f32, action.bold)?));
            }
            let left = match side_x {
                -1 => x,
                0 => x - widest / 2.0,
                _ => x - widest,
            };
            out.push_str(&plate_svg(plate, *size, [left, top, widest, block]));
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
                vector::escape(self.face.family()),
                paint("fill", action.fill),
                outline.as_deref().unwrap_or_default(),
                vector::escape(line),
            ));
        }
        out.push_str("</svg>");
        Ok(out)
    }
}

/// A box with rounded corners behind a block at `left, top, width, height`.
fn plate_svg(color: Color, size: f64, [left, top, width, height]: [f64; 4]) -> String {
    let pad = size * PAD;
    format!(
        r#"<rect x="{:.2}" y="{:.2}" width="{:.2}" height="{:.2}" rx="{:.2}" {}/>"#,
        left - pad,
        top - pad / 2.0,
        width + 2.0 * pad,
        height + pad,
        size * 0.2,
        paint("fill", color),
    )
}

fn paint(attribute: &str, color: Color) -> String {
    let [r, g, b, a] = color.rgba();
    format!(
        r##"{attribute}="#{r:02x}{g:02x}{b:02x}" {attribute}-opacity="{:.3}""##,
        f64::from(a) / 255.0
    )
}
