//! Comparing two pictures as a person would: size, pixels, the largest part that differs, and whether a part has only
//! moved. Pure.

mod drawing;
mod pixel;
mod region;
mod shift;

pub use drawing::drawing;

use raster::RgbaImage;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::input::Tolerance;

/// A part of a picture, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Area {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// A part that differs and hangs together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Region {
    /// The smallest rectangle around it.
    #[serde(flatten)]
    pub area: Area,
    /// Its pixels.
    pub pixels: u64,
}

/// A part that moved up or down and is otherwise the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shift {
    /// Pixels down; up where negative.
    pub down: i32,
    /// First row that moved, in the earlier picture.
    pub from_row: u32,
    /// Rows that are found again at their new place.
    pub rows: u32,
}

/// How two pictures compare.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Whether they are the same within the tolerance.
    pub same: bool,
    /// Width and height of the earlier picture.
    pub before: (u32, u32),
    /// Width and height of the later picture.
    pub after: (u32, u32),
    /// Pixels that differ, those that only one picture has included.
    pub pixels: u64,
    /// The same as a share of all, in per cent.
    pub percent: f64,
    /// Pixels that differ only in the smoothing of an edge; not counted unless that is wished.
    pub smoothed: u64,
    /// The largest part that differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest: Option<Region>,
    /// The part that moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<Shift>,
}

/// What a pixel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Mark {
    /// The same within the threshold.
    #[default]
    Same,
    /// Different only in smoothing.
    Smoothed,
    /// Different.
    Different,
}

/// A mark for each pixel of the part that both pictures have.
#[derive(Debug)]
pub struct Marks {
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
    /// Row by row.
    pub rows: Vec<Mark>,
}

/// Compares two pictures. Where their sizes differ, what only one has counts as different.
pub fn compare(before: &RgbaImage, after: &RgbaImage, tolerance: &Tolerance) -> (Comparison, Marks) {
    let (width, height) = (
        before.width().min(after.width()),
        before.height().min(after.height()),
    );
    let cut = |image: &RgbaImage| -> Vec<u32> {
        let row = |y: u32| {
            let from = (y as usize * image.width() as usize) * 4;
            image.as_raw()[from..from + width as usize * 4].chunks_exact(4)
        };
        (0..height)
            .flat_map(|y| row(y).map(|pixel| u32::from_le_bytes([pixel[0], pixel[1], pixel[2], pixel[3]])))
            .collect()
    };
    let (one, two) = (cut(before), cut(after));
    let pair = pixel::Pair {
        one: &one,
        two: &two,
        width: width as usize,
        height: height as usize,
        most: pixel::most(tolerance.threshold),
        count_smoothing: tolerance.count_smoothing,
    };
    let mut marks = vec![Mark::Same; one.len()];
    marks
        .par_chunks_mut(width.max(1) as usize)
        .enumerate()
        .for_each(|(y, row)| pair.mark_row(y, row));
    let count = |wanted: Mark| marks.iter().filter(|mark| **mark == wanted).count() as u64;
    let area = |image: &RgbaImage| u64::from(image.width()) * u64::from(image.height());
    let shared = u64::from(width) * u64::from(height);
    let beyond = area(before) + area(after) - 2 * shared;
    let pixels = count(Mark::Different) + beyond;
    let all = shared + beyond;
    let smoothed = count(Mark::Smoothed);
    let same_size = before.dimensions() == after.dimensions();
    let marks = Marks {
        width,
        height,
        rows: marks,
    };
    let differs = pixels > 0 || !same_size;
    let comparison = Comparison {
        same: same_size && pixels <= tolerance.allow_pixels,
        before: before.dimensions(),
        after: after.dimensions(),
        pixels,
        percent: (pixels as f64 / all.max(1) as f64 * 1e6).round() / 1e4,
        smoothed,
        largest: region::largest(&marks),
        shift: if differs { shift::find(before, after) } else { None },
    };
    (comparison, marks)
}

#[cfg(test)]
mod tests;
