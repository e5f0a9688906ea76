//! The four arrangements of a card.

use std::fmt::Write;

use app_core::ToolResult;
use raster::Color;
use vector::Typeface;

use super::{
    Layout,
    colors::{Scheme, mix},
    column::Column,
    ornament::{self, Rect},
};
use crate::{canvas::Request, random::Random};

/// The whole card as SVG.
pub fn draw(
    layout: Layout,
    request: &Request,
    face: &Typeface,
    scheme: &Scheme,
    random: &mut Random,
) -> ToolResult<String> {
    let (width, height) = (f64::from(request.width), f64::from(request.height));
    let page = Page {
        request,
        face,
        scheme,
        width,
        height,
        unit: width.min(height),
    };
    let mut out = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
    );
    match layout {
        Layout::Split => page.split(&mut out, random)?,
        Layout::Center => page.center(&mut out, random)?,
        Layout::Band => page.band(&mut out, random)?,
        Layout::Frame => page.frame(&mut out, random)?,
    }
    out.push_str("</svg>");
    Ok(out)
}

/// The page being drawn.
pub(super) struct Page<'a> {
    /// What is asked for.
    pub(super) request: &'a Request,
    /// The letters.
    pub(super) face: &'a Typeface,
    /// The colours.
    pub(super) scheme: &'a Scheme,
    width: f64,
    height: f64,
    /// The shorter side: letters and distances are parts of it.
    pub(super) unit: f64,
}

impl Page<'_> {
    fn split(&self, out: &mut String, random: &mut Random) -> ToolResult<()> {
        let scheme = self.scheme;
        let picture_first = random.unit() < 0.4;
        let tall = self.height > self.width * 1.15;
        let (picture, text) = if tall {
            let cut = self.height * 0.52;
            (
                Rect {
                    x: 0.0,
                    y: 0.0,
                    width: self.width,
                    height: cut,
                },
                Rect {
                    x: 0.0,
                    y: cut,
                    width: self.width,
                    height: self.height - cut,
                },
            )
        } else {
            let share = if self.width > self.height * 1.5 {
                0.46
            } else {
                0.42
            };
            let cut = self.width * share;
            let x = if picture_first { 0.0 } else { self.width - cut };
            let text_x = if picture_first { cut } else { 0.0 };
            (
                Rect {
                    x,
                    y: 0.0,
                    width: cut,
                    height: self.height,
                },
                Rect {
                    x: text_x,
                    y: 0.0,
                    width: self.width - cut,
                    height: self.height,
                },
            )
        };
        self.fill(out, scheme.dark);
        self.picture(out, picture, 0.0, random);
        let area = inset(text, self.unit * 0.085);
        self.column(
            out,
            &Column {
                area,
                centred: false,
                ground: scheme.dark,
                title: 0.105,
                lines: 5,
            },
        )
    }

    fn center(&self, out: &mut String, random: &mut Random) -> ToolResult<()> {
        let scheme = self.scheme;
        let deep = mix(scheme.main, scheme.dark, 0.72);
        let _ = write!(
            out,
            r#"<defs><linearGradient id="ground" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="{}"/><stop offset="1" stop-color="{}"/></linearGradient></defs><rect width="{}" height="{}" fill="url(#ground)"/>"#,
            mix(scheme.main, scheme.dark, 0.45),
            scheme.dark,
            self.width,
            self.height
        );
        // Soft lights, well away from the letters.
        for (tone, x, y) in [
            (scheme.accent, 0.06, 0.04),
            (scheme.second, 0.97, 0.95),
            (scheme.main, 0.92, 0.08),
        ] {
            let (x, y) = (
                self.width * (x + random.between(-0.04, 0.04)),
                self.height * (y + random.between(-0.04, 0.04)),
            );
            let r = self.unit * random.between(0.28, 0.42);
            let id = format!("glow{:.0}", x * 7.0 + y);
            let _ = write!(
                out,
                r#"<defs><radialGradient id="{id}"><stop offset="0" stop-color="{tone}" stop-opacity="0.75"/><stop offset="1" stop-color="{tone}" stop-opacity="0"/></radialGradient></defs><circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="url(#{id})"/>"#
            );
        }
        let inner = inset(
            Rect {
                x: 0.0,
                y: 0.0,
                width: self.width,
                height: self.height,
            },
            self.unit * 0.045,
        );
        let _ = write!(
            out,
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="{:.1}" fill="none" stroke="{}" stroke-opacity="0.28" stroke-width="{:.1}"/>"#,
            inner.x,
            inner.y,
            inner.width,
            inner.height,
            self.unit * 0.03,
            scheme.light,
            (self.unit * 0.002).max(1.0)
        );
        let mut area = inset(inner, self.unit * 0.085);
        if self.request.reference.is_some() {
            let side = (area.height * 0.42).min(area.width);
            let picture = Rect {
                x: (self.width - side) / 2.0,
                y: area.y,
                width: side,
                height: side,
            };
            self.picture(out, picture, side / 2.0, random);
            let taken = side + self.unit * 0.05;
            area = Rect {
                y: area.y + taken,
                height: area.height - taken,
                ..area
            };
        }
        self.column(
            out,
            &Column {
                area,
                centred: true,
                ground: deep,
                title: 0.115,
                lines: 4,
            },
        )
    }

    fn band(&self, out: &mut String, random: &mut Random) -> ToolResult<()> {
        let scheme = self.scheme;
        let cut = self.height
            * if self.height > self.width * 1.3 {
                0.60
            } else {
                0.52
            };
        self.fill(out, scheme.light);
        self.picture(
            out,
            Rect {
                x: 0.0,
                y: 0.0,
                width: self.width,
                height: cut,
            },
            0.0,
            random,
        );
        let bar = self.unit * 0.014;
        let _ = write!(
            out,
            r#"<rect x="0" y="{:.1}" width="{:.1}" height="{bar:.1}" fill="{}"/>"#,
            cut - bar / 2.0,
            self.width,
            scheme.accent
        );
        let text = Rect {
            x: 0.0,
            y: cut,
            width: self.width,
            height: self.height - cut,
        };
        let area = inset(text, self.unit * 0.075);
        self.column(
            out,
            &Column {
                area,
                centred: false,
                ground: scheme.light,
                title: 0.095,
                lines: 3,
            },
        )
    }

    fn frame(&self, out: &mut String, random: &mut Random) -> ToolResult<()> {
        let scheme = self.scheme;
        self.fill(out, scheme.main);
        let edge = self.unit * 0.05;
        let sheet = inset(
            Rect {
                x: 0.0,
                y: 0.0,
                width: self.width,
                height: self.height,
            },
            edge,
        );
        let _ = write!(
            out,
            r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="{:.1}" fill="{}"/>"#,
            sheet.x,
            sheet.y,
            sheet.width,
            sheet.height,
            self.unit * 0.02,
            scheme.light
        );
        let pad = self.unit * 0.07;
        let inner = inset(sheet, pad);
        let wide = self.width > self.height * 1.2;
        let (picture, area) = if wide {
            let side = inner.height.min(inner.width * 0.38);
            let picture = Rect {
                x: inner.x + inner.width - side,
                y: inner.y + (inner.height - side) / 2.0,
                width: side,
                height: side,
            };
            (
                picture,
                Rect {
                    width: inner.width - side - pad,
                    ..inner
                },
            )
        } else {
            let tall = inner.height * 0.42;
            let picture = Rect {
                height: tall,
                ..inner
            };
            (
                picture,
                Rect {
                    y: inner.y + tall + pad * 0.8,
                    height: inner.height - tall - pad * 0.8,
                    ..inner
                },
            )
        };
        self.picture(out, picture, self.unit * 0.02, random);
        self.column(
            out,
            &Column {
                area,
                centred: false,
                ground: scheme.light,
                title: 0.10,
                lines: 4,
            },
        )
    }

    fn fill(&self, out: &mut String, color: Color) {
        let _ = write!(
            out,
            r#"<rect width="{}" height="{}" fill="{color}"/>"#,
            self.width, self.height
        );
    }

    /// The reference picture if there is one, else an ornament, with rounded corners.
    fn picture(&self, out: &mut String, area: Rect, radius: f64, random: &mut Random) {
        let Rect { x, y, width, height } = area;
        let _ = write!(
            out,
            r#"<defs><clipPath id="picture"><rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{radius:.1}"/></clipPath></defs>"#
        );
        match &self.request.reference {
            Some(data) => {
                let _ = write!(
                    out,
                    r#"<g clip-path="url(#picture)"><image x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" preserveAspectRatio="xMidYMid slice" xlink:href="{data}"/></g>"#
                );
            }
            None => ornament::draw(out, area, self.scheme, random),
        }
    }
}

fn inset(area: Rect, by: f64) -> Rect {
    Rect {
        x: area.x + by,
        y: area.y + by,
        width: area.width - 2.0 * by,
        height: area.height - 2.0 * by,
    }
}
