//! A picture prepared in the size in which the camera takes it: fitted, filled or over its own blur.

use app_core::ToolResult;
use raster::{Color, Filter, Pixels, Region, RgbImage, RgbaImage, resize, resize_region};

use crate::spec::Fit;

/// The blurred copy is made by way of this many pixels on its longer side: broad enough that no edge is recognised.
const BLUR: u32 = 40;
/// Brightness of the blurred copy, so that the picture stands out from it.
const DIMMED: f64 = 0.65;

/// Prepares an opaque picture in `width` by `height` pixels.
pub fn prepare(
    picture: &Pixels,
    fit: Fit,
    (width, height): (u32, u32),
    focus: [f64; 2],
    background: Color,
) -> ToolResult<Pixels> {
    let filled = || cover(picture, width, height, focus);
    match fit {
        Fit::Fill => filled(),
        Fit::Whole => {
            let [r, g, b, _] = background.rgba();
            let bare = RgbImage::from_pixel(width, height, image_pixel([r, g, b]));
            centred(picture, bare)
        }
        Fit::Blur => {
            let longer = f64::from(width.max(height));
            let side = |pixels: u32| ((f64::from(pixels) * f64::from(BLUR) / longer).round() as u32).max(2);
            let small = resize(&filled()?, side(width), side(height), Filter::Box)?;
            let mut blurred = resize(&small, width, height, Filter::Mitchell)?.into_rgb(background);
            for sample in blurred.iter_mut() {
                *sample = (f64::from(*sample) * DIMMED).round() as u8;
            }
            centred(picture, blurred)
        }
    }
}

/// A plain colour; what is transparent in it lets the background through.
pub fn plain(color: Color, background: Color, width: u32, height: u32) -> Pixels {
    let shown = Pixels::Rgba(RgbaImage::from_pixel(1, 1, color.rgba().into())).into_rgb(background);
    Pixels::Rgb(RgbImage::from_pixel(width, height, *shown.get_pixel(0, 0)))
}

fn image_pixel(rgb: [u8; 3]) -> <RgbImage as std::ops::Index<(u32, u32)>>::Output {
    rgb.into()
}

/// Where the focus of a picture of `picture` pixels lies in the prepared one, as shares.
pub fn focus_in_plate(picture: (u32, u32), fit: Fit, plate: (u32, u32), focus: [f64; 2]) -> [f64; 2] {
    let (w, h) = (f64::from(picture.0), f64::from(picture.1));
    let (pw, ph) = (f64::from(plate.0), f64::from(plate.1));
    if fit == Fit::Fill {
        let cut = cut(w, h, pw / ph, focus);
        return [
            (w * focus[0] - cut.x) / cut.width,
            (h * focus[1] - cut.y) / cut.height,
        ];
    }
    let scale = (pw / w).min(ph / h);
    [
        0.5 + (focus[0] - 0.5) * w * scale / pw,
        0.5 + (focus[1] - 0.5) * h * scale / ph,
    ]
}

/// The largest part of the shape that is asked for, as near to the focus as it can lie.
fn cover(picture: &Pixels, width: u32, height: u32, focus: [f64; 2]) -> ToolResult<Pixels> {
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    let region = cut(w, h, f64::from(width) / f64::from(height), focus);
    resize_region(picture, region, width, height, Filter::Lanczos3)
}

fn cut(w: f64, h: f64, shape: f64, focus: [f64; 2]) -> Region {
    let (width, height) = (w.min(h * shape), h.min(w / shape));
    Region {
        // The focus in the middle of what is seen, unless an edge of the picture is nearer than that.
        x: (w * focus[0] - width / 2.0).clamp(0.0, (w - width).max(0.0)),
        y: (h * focus[1] - height / 2.0).clamp(0.0, (h - height).max(0.0)),
        width,
        height,
    }
}

/// The whole picture in the middle of `behind`.
fn centred(picture: &Pixels, mut behind: RgbImage) -> ToolResult<Pixels> {
    let (width, height) = behind.dimensions();
    let scale =
        (f64::from(width) / f64::from(picture.width())).min(f64::from(height) / f64::from(picture.height()));
    let side = |pixels: u32, most: u32| ((f64::from(pixels) * scale).round() as u32).clamp(1, most);
    let (w, h) = (side(picture.width(), width), side(picture.height(), height));
    let scaled = resize(picture, w, h, Filter::Lanczos3)?;
    let (x, y) = ((width - w) / 2, (height - h) / 2);
    let from = scaled.as_bytes();
    let line = w as usize * 3;
    for row in 0..h {
        let to = ((y + row) as usize * width as usize + x as usize) * 3;
        let start = row as usize * line;
        behind.as_mut()[to..to + line].copy_from_slice(&from[start..start + line]);
    }
    Ok(Pixels::Rgb(behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half red, right half blue.
    fn halves() -> Pixels {
        Pixels::Rgb(RgbImage::from_fn(200, 100, |x, _| {
            image_pixel(if x < 100 { [255, 0, 0] } else { [0, 0, 255] })
        }))
    }

    fn at(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
        let start = (y * pixels.width() + x) as usize * 3;
        [0, 1, 2].map(|i| pixels.as_bytes()[start + i])
    }

    #[test]
    fn filling_cuts_around_the_focus() {
        let left = prepare(&halves(), Fit::Fill, (50, 50), [0.0, 0.5], Color::BLACK).unwrap();
        assert_eq!((at(&left, 1, 25), at(&left, 48, 25)), ([255, 0, 0], [255, 0, 0]));
        let middle = prepare(&halves(), Fit::Fill, (50, 50), [0.5, 0.5], Color::BLACK).unwrap();
        assert_eq!(
            (at(&middle, 1, 25), at(&middle, 48, 25)),
            ([255, 0, 0], [0, 0, 255])
        );
    }

    #[test]
    fn a_colour_lets_the_background_through() {
        let half = plain(Color::new([200, 0, 0, 128]), Color::WHITE, 2, 2);
        let [r, g, b] = at(&half, 1, 1);
        assert!(
            r.abs_diff(227) <= 1 && g.abs_diff(127) <= 1 && b == g,
            "{r} {g} {b}"
        );
    }

    #[test]
    fn the_focus_is_found_again_after_cutting() {
        let near = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9;
        let found = |fit, focus| focus_in_plate((300, 100), fit, (100, 100), focus);
        assert!(near(found(Fit::Fill, [0.5, 0.2]), [0.5, 0.2]));
        assert!(near(found(Fit::Fill, [0.1, 0.2]), [0.3, 0.2]));
        assert!(near(found(Fit::Whole, [0.1, 0.0]), [0.1, 1.0 / 3.0]));
    }

    #[test]
    fn fitting_shows_all_of_it() {
        let green = Color::new([0, 255, 0, 255]);
        let whole = prepare(&halves(), Fit::Whole, (100, 100), [0.5, 0.5], green).unwrap();
        assert_eq!(
            (at(&whole, 50, 10), at(&whole, 50, 90)),
            ([0, 255, 0], [0, 255, 0])
        );
        assert_eq!(
            (at(&whole, 5, 50), at(&whole, 95, 50)),
            ([255, 0, 0], [0, 0, 255])
        );
        let blurred = prepare(&halves(), Fit::Blur, (100, 100), [0.5, 0.5], green).unwrap();
        let [r, g, b] = at(&blurred, 2, 5);
        assert!((150..=170).contains(&r) && g == 0 && b < 30, "{r} {g} {b}");
        assert_eq!(at(&blurred, 5, 50), [255, 0, 0]);
    }
}
