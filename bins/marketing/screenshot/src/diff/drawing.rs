//! The picture of the differences: the later picture pale, what differs in red, smoothed edges in yellow, and a frame
//! around the largest part.

use raster::RgbaImage;

use super::{Comparison, Mark, Marks};

const RED: [u8; 4] = [214, 0, 48, 255];
const YELLOW: [u8; 4] = [255, 200, 0, 255];
const FRAME: [u8; 4] = [0, 90, 220, 255];
/// Of what only one of the pictures has.
const BEYOND: [u8; 4] = [255, 190, 205, 255];

/// Draws it, as large as the larger picture in each direction.
pub fn drawing(after: &RgbaImage, comparison: &Comparison, marks: &Marks) -> RgbaImage {
    let width = comparison.before.0.max(comparison.after.0);
    let height = comparison.before.1.max(comparison.after.1);
    let mut out = RgbaImage::new(width, height);
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let shared = x < marks.width && y < marks.height;
        let mark = if shared {
            marks.rows[(y * marks.width + x) as usize]
        } else {
            Mark::Different
        };
        pixel.0 = match mark {
            _ if !shared => BEYOND,
            Mark::Different => RED,
            Mark::Smoothed => YELLOW,
            Mark::Same => pale(after.get_pixel(x, y).0),
        };
    }
    if let Some(region) = comparison.largest {
        frame(&mut out, region.area);
    }
    out
}

/// Grey, and near to white.
fn pale([r, g, b, a]: [u8; 4]) -> [u8; 4] {
    let luma = (u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000;
    let shown = 255 - (255 - luma) * u32::from(a) / 255 / 5;
    let grey = shown as u8;
    [grey, grey, grey, 255]
}

fn frame(out: &mut RgbaImage, area: super::Area) {
    let (left, top) = (area.x.saturating_sub(3), area.y.saturating_sub(3));
    let right = (area.x + area.width + 2).min(out.width() - 1);
    let bottom = (area.y + area.height + 2).min(out.height() - 1);
    for thick in 0..2 {
        for x in left..=right {
            for y in [top + thick, bottom.saturating_sub(thick)] {
                if y < out.height() {
                    out.get_pixel_mut(x, y).0 = FRAME;
                }
            }
        }
        for y in top..=bottom {
            for x in [left + thick, right.saturating_sub(thick)] {
                if x < out.width() {
                    out.get_pixel_mut(x, y).0 = FRAME;
                }
            }
        }
    }
}
