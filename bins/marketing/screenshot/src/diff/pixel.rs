//! When two pixels differ: the distance of their colours in YIQ, and whether one is a smoothed edge.
//!
//! The measure of colour is Kotsarenko and Ramos, "Measuring perceived color difference using YIQ NTSC transmission
//! color space in mobile applications" (2010); the test for smoothed edges is Vyšniauskas, "Anti-aliased pixel and
//! intensity slope detector" (2009). Weights and details are those of pixelmatch, so that verdicts agree with it.

use super::Mark;

/// The largest possible distance, of black and white.
const LARGEST: f64 = 35215.0;

/// Distance below which two pixels are the same.
pub fn most(threshold: f64) -> f64 {
    LARGEST * threshold * threshold
}

/// Two pictures of one size, a pixel a word of RGBA from the lowest byte.
#[derive(Clone, Copy)]
pub struct Pair<'a> {
    /// The earlier.
    pub one: &'a [u32],
    /// The later.
    pub two: &'a [u32],
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
    /// Distance below which two pixels are the same.
    pub most: f64,
    /// Whether smoothed edges count.
    pub count_smoothing: bool,
}

impl Pair<'_> {
    /// Marks one row.
    pub fn mark_row(&self, y: usize, row: &mut [Mark]) {
        let from = y * self.width;
        let (one, two) = (
            &self.one[from..from + self.width],
            &self.two[from..from + self.width],
        );
        if one == two {
            return;
        }
        for (x, mark) in row.iter_mut().enumerate() {
            if one[x] == two[x] || distance(one[x], two[x], from + x).abs() <= self.most {
                continue;
            }
            let smoothed = !self.count_smoothing
                && (self.smoothed(self.one, self.two, x, y) || self.smoothed(self.two, self.one, x, y));
            *mark = if smoothed { Mark::Smoothed } else { Mark::Different };
        }
    }

    /// Whether a pixel looks like part of a smoothed edge: between a darker and a brighter neighbour, of which one has
    /// many equals around it in both pictures.
    fn smoothed(&self, image: &[u32], other: &[u32], x: usize, y: usize) -> bool {
        let around = self.around(x, y);
        let mut equal = u32::from(around.at_edge);
        let (mut darkest, mut brightest) = ((0.0, 0, 0), (0.0, 0, 0));
        let at = y * self.width + x;
        for (nx, ny) in around.places(x, y) {
            let delta = brightness_step(image[at], image[ny * self.width + nx], at);
            if delta == 0.0 {
                equal += 1;
                if equal > 2 {
                    return false;
                }
            } else if delta < darkest.0 {
                darkest = (delta, nx, ny);
            } else if delta > brightest.0 {
                brightest = (delta, nx, ny);
            }
        }
        if darkest.0 == 0.0 || brightest.0 == 0.0 {
            return false;
        }
        let flat =
            |(_, x, y): (f64, usize, usize)| self.has_equals(image, x, y) && self.has_equals(other, x, y);
        flat(darkest) || flat(brightest)
    }

    /// Whether a pixel has at least three equals around it; the picture's edge stands for one.
    fn has_equals(&self, image: &[u32], x: usize, y: usize) -> bool {
        let around = self.around(x, y);
        let value = image[y * self.width + x];
        let equal = around
            .places(x, y)
            .filter(|(nx, ny)| image[ny * self.width + nx] == value);
        equal.count() + usize::from(around.at_edge) > 2
    }

    fn around(&self, x: usize, y: usize) -> Around {
        let (left, right) = (x.saturating_sub(1), (x + 1).min(self.width - 1));
        let (top, bottom) = (y.saturating_sub(1), (y + 1).min(self.height - 1));
        Around {
            left,
            right,
            top,
            bottom,
            at_edge: x == left || x == right || y == top || y == bottom,
        }
    }
}

/// The neighbours of a pixel.
#[derive(Clone, Copy)]
struct Around {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
    at_edge: bool,
}

impl Around {
    /// Column by column, without the pixel itself.
    fn places(self, x: usize, y: usize) -> impl Iterator<Item = (usize, usize)> {
        (self.left..=self.right)
            .flat_map(move |nx| (self.top..=self.bottom).map(move |ny| (nx, ny)))
            .filter(move |place| *place != (x, y))
    }
}

/// Differences of red, green and blue. What shines through is laid over a ground that changes from pixel to pixel, so
/// that no single colour hides a difference.
fn differences(one: u32, two: u32, at: usize) -> (f64, f64, f64) {
    let [r1, g1, b1, a1] = one.to_le_bytes().map(f64::from);
    let [r2, g2, b2, a2] = two.to_le_bytes().map(f64::from);
    if a1 >= 255.0 && a2 >= 255.0 {
        return (r1 - r2, g1 - g2, b1 - b2);
    }
    let byte = (at * 4) as f64;
    let ground = |odd: u64| 48.0 + 159.0 * (odd % 2) as f64;
    let grounds = (
        ground(at as u64 * 4),
        ground((byte / 1.618_033_988_749_895) as u64),
        ground((byte / 2.618_033_988_749_895) as u64),
    );
    let da = a1 - a2;
    let blend = |c1: f64, c2: f64, ground: f64| (c1 * a1 - c2 * a2 - ground * da) / 255.0;
    (
        blend(r1, r2, grounds.0),
        blend(g1, g2, grounds.1),
        blend(b1, b2, grounds.2),
    )
}

fn luma((r, g, b): (f64, f64, f64)) -> f64 {
    r * 0.298_895_31 + g * 0.586_622_47 + b * 0.114_482_23
}

/// How much darker or brighter.
fn brightness_step(one: u32, two: u32, at: usize) -> f64 {
    if one == two {
        0.0
    } else {
        luma(differences(one, two, at))
    }
}

/// The distance of two colours.
fn distance(one: u32, two: u32, at: usize) -> f64 {
    let (r, g, b) = differences(one, two, at);
    let y = luma((r, g, b));
    let i = r * 0.595_977_99 - g * 0.274_176_10 - b * 0.321_801_89;
    let q = r * 0.211_470_17 - g * 0.522_617_11 + b * 0.311_146_94;
    0.5053 * y * y + 0.299 * i * i + 0.1957 * q * q
}
