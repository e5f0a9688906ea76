//! Pixels on pixels: laying over, framing, turning by any angle.

use raster::{Color, Pixels, RgbImage, RgbaImage};

/// Lays `over` on `base` with its corner at `x`, `y`; what lies outside is cut off.
pub fn lay_over(base: Pixels, over: &RgbaImage, x: i64, y: i64, opacity: f64) -> Pixels {
    let strength = (opacity.clamp(0.0, 1.0) * 255.0).round() as u32;
    match base.narrowed() {
        Pixels::Rgb(mut image) => {
            each_overlap(image.dimensions(), over, x, y, |(at_x, at_y), from| {
                let alpha = scaled(from[3], strength);
                let to = image.get_pixel_mut(at_x, at_y);
                for channel in 0..3 {
                    to[channel] = blend(to[channel], from[channel], alpha);
                }
            });
            Pixels::Rgb(image)
        }
        Pixels::Rgba(mut image) => {
            each_overlap(image.dimensions(), over, x, y, |(at_x, at_y), from| {
                let above = scaled(from[3], strength);
                let to = image.get_pixel_mut(at_x, at_y);
                // Porter-Duff "over" with straight alpha.
                let below = u32::from(to[3]) * (255 - above);
                let total = above * 255 + below;
                if total == 0 {
                    return;
                }
                for channel in 0..3 {
                    let sum = u32::from(from[channel]) * above * 255 + u32::from(to[channel]) * below;
                    to[channel] = ((sum + total / 2) / total) as u8;
                }
                to[3] = ((total + 127) / 255) as u8;
            });
            Pixels::Rgba(image)
        }
        // Narrowing leaves none of these.
        wide @ (Pixels::Rgb16(_) | Pixels::Rgba16(_)) => wide,
    }
}

fn scaled(alpha: u8, strength: u32) -> u32 {
    (u32::from(alpha) * strength + 127) / 255
}

fn blend(below: u8, above: u8, alpha: u32) -> u8 {
    ((u32::from(above) * alpha + u32::from(below) * (255 - alpha) + 127) / 255) as u8
}

fn each_overlap(
    (width, height): (u32, u32),
    over: &RgbaImage,
    x: i64,
    y: i64,
    mut paint: impl FnMut((u32, u32), [u8; 4]),
) {
    for (from_x, from_y, pixel) in over.enumerate_pixels() {
        let (at_x, at_y) = (x + i64::from(from_x), y + i64::from(from_y));
        if pixel[3] > 0
            && let (Ok(at_x), Ok(at_y)) = (u32::try_from(at_x), u32::try_from(at_y))
            && at_x < width
            && at_y < height
        {
            paint((at_x, at_y), pixel.0);
        }
    }
}

/// Puts an image on a canvas of one colour, its corner at `x`, `y`.
pub fn framed(image: Pixels, width: u32, height: u32, x: i64, y: i64, background: Color) -> Pixels {
    let color = background.rgba();
    let canvas = if color[3] == 255 && !image.has_alpha() {
        let raw = color[..3].repeat(width as usize * height as usize);
        RgbImage::from_raw(width, height, raw).map(Pixels::Rgb)
    } else {
        let raw = color.repeat(width as usize * height as usize);
        RgbaImage::from_raw(width, height, raw).map(Pixels::Rgba)
    };
    match canvas {
        Some(canvas) => lay_over(canvas, &image.into_rgba(), x, y, 1.0),
        None => image,
    }
}

/// Size of the smallest box around an image turned by `degrees`.
pub fn turned_size(width: u32, height: u32, degrees: f64) -> (u32, u32) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (w, h) = (f64::from(width), f64::from(height));
    // A hair less, so that rounding errors do not add a row.
    let side = |v: f64| (v - 1e-6).ceil().max(1.0) as u32;
    (
        side(w * cos.abs() + h * sin.abs()),
        side(w * sin.abs() + h * cos.abs()),
    )
}

/// Turns clockwise by any angle, with linear interpolation of premultiplied colours.
pub fn turned(image: Pixels, degrees: f64, background: Color) -> Pixels {
    let keeps_rgb = !image.has_alpha() && background.rgba()[3] == 255;
    let source = image.into_rgba();
    let (width, height) = source.dimensions();
    let (to_width, to_height) = turned_size(width, height, degrees);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let back = background.rgba().map(f64::from);
    let premultiplied = |x: i64, y: i64| -> [f64; 4] {
        match (u32::try_from(x), u32::try_from(y)) {
            (Ok(x), Ok(y)) if x < width && y < height => {
                let [r, g, b, a] = source.get_pixel(x, y).0.map(f64::from);
                [r * a / 255.0, g * a / 255.0, b * a / 255.0, a]
            }
            _ => [0.0; 4],
        }
    };
    let mut out = RgbaImage::new(to_width, to_height);
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        let dx = f64::from(x) + 0.5 - f64::from(to_width) / 2.0;
        let dy = f64::from(y) + 0.5 - f64::from(to_height) / 2.0;
        let from_x = dx * cos + dy * sin + f64::from(width) / 2.0 - 0.5;
        let from_y = dy * cos - dx * sin + f64::from(height) / 2.0 - 0.5;
        let (left, top) = (from_x.floor(), from_y.floor());
        let (share_x, share_y) = (from_x - left, from_y - top);
        let (left, top) = (left as i64, top as i64);
        let mut sum = [0.0; 4];
        for (at_x, at_y, share) in [
            (left, top, (1.0 - share_x) * (1.0 - share_y)),
            (left + 1, top, share_x * (1.0 - share_y)),
            (left, top + 1, (1.0 - share_x) * share_y),
            (left + 1, top + 1, share_x * share_y),
        ] {
            for (to, from) in sum.iter_mut().zip(premultiplied(at_x, at_y)) {
                *to += from * share;
            }
        }
        // Over the background, then back to straight alpha.
        let rest = (255.0 - sum[3]) / 255.0;
        let alpha = sum[3] + back[3] * rest;
        let channel = |i: usize| {
            let mixed = sum[i] + back[i] * back[3] / 255.0 * rest;
            if alpha > 0.0 {
                (mixed * 255.0 / alpha).round().clamp(0.0, 255.0) as u8
            } else {
                0
            }
        };
        pixel.0 = [
            channel(0),
            channel(1),
            channel(2),
            alpha.round().clamp(0.0, 255.0) as u8,
        ];
    }
    if keeps_rgb {
        Pixels::Rgb(Pixels::Rgba(out).into_rgb(background))
    } else {
        Pixels::Rgba(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: u32, height: u32, color: [u8; 4]) -> RgbaImage {
        RgbaImage::from_raw(width, height, color.repeat((width * height) as usize)).unwrap()
    }

    #[test]
    fn half_transparent_red_over_white_is_pink() {
        let base = Pixels::Rgba(plain(4, 4, [255; 4]));
        let out = lay_over(base, &plain(2, 2, [255, 0, 0, 128]), 3, 3, 1.0).into_rgba();
        assert_eq!(out.get_pixel(3, 3).0, [255, 127, 127, 255]);
        assert_eq!(out.get_pixel(2, 3).0, [255; 4]);
        let base = Pixels::Rgba(plain(1, 1, [0; 4]));
        let out = lay_over(base, &plain(1, 1, [9, 8, 7, 200]), 0, 0, 0.5).into_rgba();
        assert_eq!(out.get_pixel(0, 0).0, [9, 8, 7, 100]);
    }

    #[test]
    fn turning_by_45_degrees_adds_corners() {
        let out = turned(
            Pixels::Rgba(plain(10, 10, [1, 2, 3, 255])),
            45.0,
            Color::TRANSPARENT,
        )
        .into_rgba();
        assert_eq!(out.dimensions(), (15, 15));
        assert_eq!(out.get_pixel(0, 0)[3], 0);
        assert_eq!(out.get_pixel(7, 7).0, [1, 2, 3, 255]);
        assert_eq!(turned_size(10, 20, 90.0), (20, 10));
    }
}
