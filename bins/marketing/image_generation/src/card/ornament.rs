//! Shapes that fill the picture part of a card.

use std::fmt::Write;

use raster::Color;

use super::colors::{Scheme, mix};
use crate::random::Random;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Draws one of four ornaments into `area`.
pub fn draw(out: &mut String, area: Rect, scheme: &Scheme, random: &mut Random) {
    let Rect { x, y, width, height } = area;
    let kind = *random.pick(&[0u8, 1, 2, 3]);
    let ground = mix(scheme.main, scheme.dark, 0.15);
    let _ = write!(
        out,
        r#"<g clip-path="url(#picture)"><rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{ground}"/>"#
    );
    match kind {
        0 => discs(out, area, scheme, random),
        1 => arcs(out, area, scheme, random),
        2 => waves(out, area, scheme, random),
        _ => tiles(out, area, scheme, random),
    }
    out.push_str("</g>");
}

fn circle(out: &mut String, x: f64, y: f64, r: f64, fill: Color, opacity: f64) {
    let _ = write!(
        out,
        r#"<circle cx="{x:.1}" cy="{y:.1}" r="{r:.1}" fill="{fill}" fill-opacity="{opacity:.2}"/>"#
    );
}

/// A large disc with smaller ones round it, as a sun with planets.
fn discs(out: &mut String, area: Rect, scheme: &Scheme, random: &mut Random) {
    let side = area.width.min(area.height);
    let (x, y) = (
        area.x + area.width * random.between(0.42, 0.6),
        area.y + area.height * random.between(0.42, 0.6),
    );
    circle(
        out,
        x - side * 0.2,
        y + side * 0.24,
        side * 0.52,
        scheme.second,
        0.30,
    );
    circle(out, x, y, side * 0.36, scheme.accent, 1.0);
    circle(
        out,
        x,
        y,
        side * 0.25,
        mix(scheme.accent, scheme.light, 0.35),
        0.75,
    );
    for ring in [0.44, 0.52, 0.60] {
        let _ = write!(
            out,
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{:.1}" fill="none" stroke="{}" stroke-opacity="0.35" stroke-width="{:.1}"/>"#,
            side * ring,
            scheme.light,
            (side * 0.004).max(1.0),
        );
        let angle = random.between(0.0, std::f64::consts::TAU);
        let planet = side * random.between(0.012, 0.04);
        circle(
            out,
            x + side * ring * angle.cos(),
            y + side * ring * angle.sin(),
            planet,
            scheme.light,
            0.95,
        );
    }
}

/// Quarter rings out of a corner.
fn arcs(out: &mut String, area: Rect, scheme: &Scheme, random: &mut Random) {
    let reach = area.width.hypot(area.height);
    let right = random.unit() < 0.5;
    let x = if right { area.x + area.width } else { area.x };
    let y = area.y + area.height;
    let tones = [
        scheme.dark,
        scheme.main,
        scheme.second,
        scheme.accent,
        mix(scheme.accent, scheme.light, 0.5),
        scheme.light,
    ];
    let steps = tones.len();
    for (step, tone) in tones.iter().enumerate() {
        let radius = reach * (0.92 - 0.84 * step as f64 / steps as f64);
        circle(out, x, y, radius, *tone, 1.0);
    }
    let dot = reach * 0.035;
    circle(
        out,
        area.x + area.width * if right { 0.2 } else { 0.8 },
        area.y + area.height * 0.18,
        dot,
        scheme.accent,
        1.0,
    );
}

/// Hills of layered waves under a disc.
fn waves(out: &mut String, area: Rect, scheme: &Scheme, random: &mut Random) {
    let side = area.width.min(area.height);
    let sun = area.x + area.width * random.between(0.3, 0.7);
    circle(
        out,
        sun,
        area.y + area.height * 0.36,
        side * 0.21,
        scheme.accent,
        1.0,
    );
    circle(
        out,
        sun,
        area.y + area.height * 0.36,
        side * 0.29,
        scheme.accent,
        0.25,
    );
    for layer in 0..5 {
        let depth = f64::from(layer) / 4.0;
        let base = area.y + area.height * (0.50 + 0.11 * f64::from(layer));
        let swing = area.height * random.between(0.03, 0.075);
        let phase = random.between(0.0, std::f64::consts::TAU);
        let turns = random.between(0.8, 1.7);
        let tone = mix(mix(scheme.second, scheme.main, depth), scheme.dark, depth * 0.75);
        let _ = write!(out, r#"<path d="M{:.1} {:.1}"#, area.x, area.y + area.height);
        for step in 0..=48 {
            let share = f64::from(step) / 48.0;
            let height = base + swing * (phase + share * turns * std::f64::consts::TAU).sin();
            let _ = write!(out, " L{:.1} {height:.1}", area.x + area.width * share);
        }
        let _ = write!(
            out,
            r#" L{:.1} {:.1} Z" fill="{tone}"/>"#,
            area.x + area.width,
            area.y + area.height
        );
    }
}

/// A quilt of squares, quarter discs and half discs.
fn tiles(out: &mut String, area: Rect, scheme: &Scheme, random: &mut Random) {
    let across = if area.width > area.height * 1.4 { 6.0 } else { 4.0 };
    let side = area.width / across;
    let down = (area.height / side).ceil() as u32;
    let tones = [
        scheme.main,
        scheme.dark,
        scheme.accent,
        scheme.second,
        scheme.light,
    ];
    for row in 0..down {
        for column in 0..across as u32 {
            let (x, y) = (area.x + side * f64::from(column), area.y + side * f64::from(row));
            let back = *random.pick(&tones[..2]);
            let _ = write!(
                out,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{:.1}" fill="{back}"/>"#,
                side + 0.6,
                side + 0.6
            );
            let front = *random.pick(&tones[2..]);
            let (left, top, right, bottom) = (x, y, x + side, y + side);
            let path = match *random.pick(&[0u8, 1, 2, 3, 4, 5]) {
                0 => format!(
                    "M{left:.1} {top:.1} H{right:.1} A{side:.1} {side:.1} 0 0 1 {left:.1} {bottom:.1} Z"
                ),
                1 => format!(
                    "M{right:.1} {bottom:.1} H{left:.1} A{side:.1} {side:.1} 0 0 1 {right:.1} {top:.1} Z"
                ),
                2 => format!(
                    "M{left:.1} {bottom:.1} A{0:.1} {0:.1} 0 0 1 {right:.1} {bottom:.1} Z",
                    side / 2.0
                ),
                3 => format!("M{left:.1} {top:.1} L{right:.1} {bottom:.1} H{left:.1} Z"),
                4 => {
                    circle(out, x + side / 2.0, y + side / 2.0, side * 0.3, front, 1.0);
                    continue;
                }
                _ => continue,
            };
            let _ = write!(out, r#"<path d="{path}" fill="{front}"/>"#);
        }
    }
}
