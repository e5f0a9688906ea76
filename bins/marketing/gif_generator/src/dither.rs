//! From RGB pixels to palette indices.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{nearest::Nearest, palette::Rgb};

/// How colours between palette entries are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dither {
    /// The nearest colour: smallest file, visible bands.
    None,
    /// A fixed 8x8 pattern: still where the picture is still.
    Bayer,
    /// Error diffusion to four neighbours: smoothest.
    FloydSteinberg,
    /// Error diffusion to three neighbours: nearly as smooth, smaller.
    #[default]
    SierraLite,
}

/// Maps the part `x0..x1`, `y0..y1` of an RGB picture `width` wide; pixels outside `changed` are left at 0.
/// `strength` is the share of the error that is passed on, 0 to 256.
pub fn map(
    pixels: &[u8],
    width: usize,
    area: Area,
    changed: Option<&[bool]>,
    nearest: &Nearest,
    dither: Dither,
    strength: i32,
) -> Vec<u8> {
    let source = Source {
        pixels,
        width,
        area,
        changed,
    };
    match dither {
        Dither::None => source.plain(nearest),
        Dither::Bayer => source.ordered(nearest, strength),
        Dither::FloydSteinberg => source.diffuse(nearest, strength, [7, 3, 5, 1], 4),
        Dither::SierraLite => source.diffuse(nearest, strength, [2, 1, 1, 0], 2),
    }
}

/// A rectangle of whole pixels; the ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x0: usize,
    /// Top edge.
    pub y0: usize,
    /// Right edge.
    pub x1: usize,
    /// Bottom edge.
    pub y1: usize,
}

impl Area {
    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.x1 - self.x0
    }

    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.y1 - self.y0
    }
}

struct Source<'a> {
    pixels: &'a [u8],
    width: usize,
    area: Area,
    changed: Option<&'a [bool]>,
}

/// Thresholds of the 8x8 Bayer matrix, 0 to 63.
const BAYER: [[i32; 8]; 8] = [
    [0, 32, 8, 40, 2, 34, 10, 42],
    [48, 16, 56, 24, 50, 18, 58, 26],
    [12, 44, 4, 36, 14, 46, 6, 38],
    [60, 28, 52, 20, 62, 30, 54, 22],
    [3, 35, 11, 43, 1, 33, 9, 41],
    [51, 19, 59, 27, 49, 17, 57, 25],
    [15, 47, 7, 39, 13, 45, 5, 37],
    [63, 31, 55, 23, 61, 29, 53, 21],
];

impl Source<'_> {
    fn rows(&self) -> impl Iterator<Item = (usize, &[[u8; 3]], Option<&[bool]>)> {
        (self.area.y0..self.area.y1).map(move |y| {
            let from = y * self.width + self.area.x0;
            let to = y * self.width + self.area.x1;
            let row = self.pixels[from * 3..to * 3].as_chunks::<3>().0;
            (y, row, self.changed.map(|mask| &mask[from..to]))
        })
    }

    fn plain(&self, nearest: &Nearest) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.area.width() * self.area.height());
        for (_, row, changed) in self.rows() {
            let mut last: (Rgb, u8) = ([0; 3], nearest.find([0; 3]));
            out.extend(row.iter().enumerate().map(|(x, &color)| {
                if changed.is_some_and(|mask| !mask[x]) {
                    return 0;
                }
                if color != last.0 {
                    last = (color, nearest.find(color));
                }
                last.1
            }));
        }
        out
    }

    fn ordered(&self, nearest: &Nearest, strength: i32) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.area.width() * self.area.height());
        for (y, row, changed) in self.rows() {
            out.extend(row.iter().enumerate().map(|(x, &color)| {
                if changed.is_some_and(|mask| !mask[x]) {
                    return 0;
                }
                // Up to 12 levels either way at full strength: about the spacing of 256 well-chosen colours.
                let threshold = BAYER[y & 7][(x + self.area.x0) & 7] * 2 - 63;
                let shift = threshold * 12 * strength / (63 * 256);
                nearest.find(color.map(|v| (i32::from(v) + shift).clamp(0, 255) as u8))
            }));
        }
        out
    }

    /// Passes the error on with `weights` for ahead, below behind, below, below ahead, in units of 1 / 2^`shift`;
    /// every other row runs backwards, which breaks up the worms.
    fn diffuse(&self, nearest: &Nearest, strength: i32, weights: [i32; 4], shift: u32) -> Vec<u8> {
        let width = self.area.width();
        let mut out = vec![0u8; width * self.area.height()];
        // One cell of margin on either side; sixteenths of a level.
        let mut this = vec![[0i32; 3]; width + 2];
        let mut next = vec![[0i32; 3]; width + 2];
        for (line, (y, row, changed)) in self.rows().enumerate() {
            let target = &mut out[line * width..(line + 1) * width];
            let backwards = y & 1 == 1;
            let mut ahead = [0i32; 3];
            for step in 0..width {
                let x = if backwards { width - 1 - step } else { step };
                if changed.is_some_and(|mask| !mask[x]) {
                    ahead = [0; 3];
                    continue;
                }
                let mut wanted = [0i32; 3];
                for channel in 0..3 {
                    let error = (this[x + 1][channel] + ahead[channel] + 8) >> 4;
                    wanted[channel] = (i32::from(row[x][channel]) + error).clamp(0, 255);
                }
                let index = nearest.find(wanted.map(|v| v as u8));
                target[x] = index;
                let shown = nearest.color(index);
                let (behind, before) = if backwards { (x + 2, x) } else { (x, x + 2) };
                for channel in 0..3 {
                    let error = (wanted[channel] - shown[channel]) * strength;
                    // `strength` is in 256ths and the error buffers in 16ths.
                    let part = |weight: i32| (error * weight) >> (shift + 4);
                    ahead[channel] = part(weights[0]);
                    next[behind][channel] += part(weights[1]);
                    next[x + 1][channel] += part(weights[2]);
                    next[before][channel] += part(weights[3]);
                }
            }
            std::mem::swap(&mut this, &mut next);
            next.fill([0; 3]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: usize, height: usize, value: u8) -> Vec<u8> {
        vec![value; width * height * 3]
    }

    fn mean(indices: &[u8]) -> f64 {
        indices.iter().map(|&i| f64::from(i) * 255.0).sum::<f64>() / indices.len() as f64
    }

    #[test]
    fn diffusion_keeps_the_mean_and_plain_does_not() {
        let nearest = Nearest::fine(&[[0; 3], [255; 3]]);
        let area = Area {
            x0: 0,
            y0: 0,
            x1: 64,
            y1: 64,
        };
        for (dither, wanted) in [
            (Dither::FloydSteinberg, 100.0),
            (Dither::SierraLite, 100.0),
            (Dither::None, 0.0),
        ] {
            let out = map(&grey(64, 64, 100), 64, area, None, &nearest, dither, 256);
            assert!((mean(&out) - wanted).abs() < 4.0, "{dither:?}: {}", mean(&out));
        }
    }

    #[test]
    fn only_the_area_and_only_changed_pixels_are_mapped() {
        let nearest = Nearest::fine(&[[0; 3], [255; 3]]);
        let mut changed = vec![true; 64];
        changed[9] = false;
        let area = Area {
            x0: 1,
            y0: 1,
            x1: 4,
            y1: 3,
        };
        for dither in [
            Dither::None,
            Dither::Bayer,
            Dither::FloydSteinberg,
            Dither::SierraLite,
        ] {
            let out = map(&grey(8, 8, 255), 8, area, Some(&changed), &nearest, dither, 256);
            assert_eq!(out, [0, 1, 1, 1, 1, 1], "{dither:?}");
        }
    }
}
