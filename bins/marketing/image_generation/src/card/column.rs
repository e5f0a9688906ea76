//! A column of text on a card: badge, title, rule, subtitle, brand.

use std::fmt::Write;

use app_core::ToolResult;
use raster::Color;
use vector::Typeface;

use super::{
    colors::{ink, mix},
    layout::Page,
    ornament::Rect,
    words::{Block, Space, fit, measured},
};

/// Distance between lines of a title in letter sizes.
const LEADING: f64 = 1.16;

/// How a column of text is set.
pub(super) struct Column {
    /// Where it must fit.
    pub(super) area: Rect,
    /// Centred, or flush left.
    pub(super) centred: bool,
    /// The colour behind it.
    pub(super) ground: Color,
    /// Largest title letters as a part of the unit.
    pub(super) title: f64,
    /// Most lines of the title.
    pub(super) lines: usize,
}

impl Page<'_> {
    /// Badge, title, rule, subtitle and, at the foot, the brand.
    pub(super) fn column(&self, out: &mut String, column: &Column) -> ToolResult<()> {
        let (unit, area) = (self.unit, column.area);
        let ink = ink(column.ground, self.scheme.dark, self.scheme.light);
        let soft = mix(ink, column.ground, 0.22);
        let space = |lines, largest: f64, smallest: f64, bold| Space {
            width: area.width,
            lines,
            largest: unit * largest,
            smallest: unit * smallest,
            bold,
        };
        let block = |text: &str, space: Space| -> ToolResult<Option<Block>> {
            Ok(measured(text, space, self.face)?.map(|words| fit(&words, space)))
        };
        let brand = block(&self.request.brand, space(1, 0.034, 0.018, true))?;
        let pill = Space {
            width: area.width * 0.8,
            ..space(1, 0.030, 0.018, true)
        };
        let badge = block(&self.request.badge.to_uppercase(), pill)?;
        let foot = brand.as_ref().map_or(0.0, |b| b.size * 2.2);
        let head = badge.as_ref().map_or(0.0, |b| b.size * 3.1);
        let room = area.height - foot - head;
        let title_space = |share: f64| space(column.lines, column.title * share, 0.026, true);
        let subtitle_space = |share: f64| space(4, 0.042 * share.max(0.6), 0.018, false);
        let title_words = measured(&self.request.title, title_space(1.0), self.face)?;
        let subtitle_words = measured(&self.request.subtitle, subtitle_space(1.0), self.face)?;
        // Title and subtitle shrink together until the column holds them.
        let mut share = 1.0;
        let (title, subtitle, rule) = loop {
            let title = title_words.as_ref().map(|words| fit(words, title_space(share)));
            let subtitle = subtitle_words
                .as_ref()
                .map(|words| fit(words, subtitle_space(share)));
            let rule = if subtitle.is_some() {
                unit * 0.09 * share
            } else {
                0.0
            };
            let used = title.as_ref().map_or(0.0, |b| b.height(LEADING))
                + subtitle.as_ref().map_or(0.0, |b| b.height(1.34))
                + rule;
            if used <= room || share < 0.3 {
                break (title, subtitle, rule);
            }
            share *= 0.93;
        };
        let used = title.as_ref().map_or(0.0, |b| b.height(LEADING))
            + subtitle.as_ref().map_or(0.0, |b| b.height(1.34))
            + rule;
        let (x, anchor) = if column.centred {
            (area.x + area.width / 2.0, "middle")
        } else {
            (area.x, "start")
        };
        let mut y = area.y + ((area.height - foot - head - used) / 2.0).max(0.0);
        if let Some(block) = &badge {
            self.badge(out, block, x, y, column.centred)?;
            y += head;
        }
        if let Some(block) = &title {
            lines(out, self.face, block, LEADING, (x, y), anchor, (ink, true));
            y += block.height(LEADING);
        }
        if let Some(block) = &subtitle {
            let length = unit * 0.11;
            let left = if column.centred { x - length / 2.0 } else { x };
            let _ = write!(
                out,
                r#"<rect x="{left:.1}" y="{:.1}" width="{length:.1}" height="{:.1}" rx="{:.1}" fill="{}"/>"#,
                y + rule * 0.46,
                unit * 0.009,
                unit * 0.0045,
                self.scheme.accent
            );
            lines(out, self.face, block, 1.34, (x, y + rule), anchor, (soft, false));
        }
        if let Some(block) = &brand {
            let base = area.y + area.height - block.size * 1.1;
            if column.centred {
                lines(out, self.face, block, 1.0, (x, base), anchor, (ink, true));
            } else {
                let side = block.size * 0.72;
                let _ = write!(
                    out,
                    r#"<rect x="{x:.1}" y="{:.1}" width="{side:.1}" height="{side:.1}" rx="{:.1}" fill="{}"/>"#,
                    base + block.size * 0.20,
                    side * 0.25,
                    self.scheme.accent
                );
                lines(
                    out,
                    self.face,
                    block,
                    1.0,
                    (x + side * 1.6, base),
                    anchor,
                    (ink, true),
                );
            }
        }
        Ok(())
    }

    /// A pill with a short text.
    fn badge(&self, out: &mut String, block: &Block, x: f64, y: f64, centred: bool) -> ToolResult<()> {
        let text = block.lines.first().map(String::as_str).unwrap_or_default();
        let letters = f64::from(self.face.width(text, block.size as f32, true)?);
        let (pad, height) = (block.size * 0.85, block.size * 2.0);
        let width = letters + 2.0 * pad;
        let left = if centred { x - width / 2.0 } else { x };
        let color = ink(self.scheme.accent, self.scheme.dark, self.scheme.light);
        let _ = write!(
            out,
            r#"<rect x="{left:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{:.1}" fill="{}"/>"#,
            height / 2.0,
            self.scheme.accent
        );
        let block = Block {
            lines: vec![text.to_owned()],
            size: block.size,
        };
        lines(
            out,
            self.face,
            &block,
            1.0,
            (left + width / 2.0, y + block.size * 0.42),
            "middle",
            (color, true),
        );
        Ok(())
    }
}

/// Sets lines of text whose first line box begins at `y`.
fn lines(
    out: &mut String,
    face: &Typeface,
    block: &Block,
    leading: f64,
    (x, y): (f64, f64),
    anchor: &str,
    (color, bold): (Color, bool),
) {
    let weight = if bold { "bold" } else { "normal" };
    for (index, line) in block.lines.iter().enumerate() {
        let baseline = y + block.size * (leading * (index as f64 + 0.5) + 0.36);
        let _ = write!(
            out,
            r#"<text x="{x:.1}" y="{baseline:.1}" text-anchor="{anchor}" font-family="{}" font-weight="{weight}" font-size="{:.2}" fill="{color}" xml:space="preserve">{}</text>"#,
            vector::escape(face.family()),
            block.size,
            vector::escape(line)
        );
    }
}
