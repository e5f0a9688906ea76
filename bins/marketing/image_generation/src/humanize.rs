//! A hand-made touch for too clean pictures: a little noise, sharpness, contrast and lens error.
//!
//! The arithmetic, truncations included, is that of the replaced script, so that results agree to the level;
//! the one difference is at the border, where the shifted colour channels repeat the edge instead of wrapping round.

use raster::RgbImage;

use crate::random::Random;

/// Where the noise comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Noise {
    /// None.
    Off,
    /// Normal, deviation 2, truncated toward zero, from a seed.
    Seeded(u64),
    /// Given values for each pixel and channel, row by row.
    Given(Vec<i32>),
}

/// The sharpness of the result against the original.
const SHARPNESS: f32 = 1.05;
/// The contrast of the result against the original.
const CONTRAST: f32 = 1.02;
/// Share of light lost in the corners.
const VIGNETTE: f64 = 0.2;

/// Applies everything. `vignette` darkens the corners by a fifth, which the replaced script meant to do and did not.
pub fn humanize(mut image: RgbImage, noise: &Noise, vignette: bool) -> RgbImage {
    add_noise(&mut image, noise);
    let mut image = sharpen(&image);
    contrast(&mut image);
    let shifted = shift_channels(&image);
    if vignette {
        darken_corners(shifted)
    } else {
        shifted
    }
}

fn add_noise(image: &mut RgbImage, noise: &Noise) {
    let add = |value: &mut u8, by: i32| *value = i32::from(*value).saturating_add(by).clamp(0, 255) as u8;
    match noise {
        Noise::Off => {}
        Noise::Seeded(seed) => {
            let mut random = Random::new(*seed);
            image
                .iter_mut()
                .for_each(|value| add(value, (random.normal() * 2.0).trunc() as i32));
        }
        Noise::Given(values) => image
            .iter_mut()
            .zip(values)
            .for_each(|(value, by)| add(value, *by)),
    }
}

/// On the way from `from` to `to` and beyond: clipped, fraction dropped.
fn extrapolate(from: f32, to: f32, factor: f32) -> u8 {
    (from + factor * (to - from)).clamp(0.0, 255.0) as u8
}

fn sharpen(image: &RgbImage) -> RgbImage {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut out = image.clone();
    if width < 3 || height < 3 {
        return out;
    }
    let stride = width * 3;
    let source = image.as_raw();
    let samples: &mut [u8] = &mut out;
    for y in 1..height - 1 {
        let row = |y: usize| &source[y * stride..(y + 1) * stride];
        let (above, here, below) = (row(y - 1), row(y), row(y + 1));
        let target = &mut samples[y * stride..(y + 1) * stride];
        for at in 3..stride - 3 {
            let three = |row: &[u8]| u32::from(row[at - 3]) + u32::from(row[at]) + u32::from(row[at + 3]);
            let sum = 4 * u32::from(here[at]) + three(above) + three(here) + three(below);
            // Thirteenths, rounded to the nearest.
            let blurred = (2 * sum + 13) / 26;
            target[at] = extrapolate(blurred as f32, f32::from(here[at]), SHARPNESS);
        }
    }
    out
}

fn contrast(image: &mut RgbImage) {
    let lumas = image.pixels().map(|p| {
        let [r, g, b] = p.0.map(u64::from);
        (19595 * r + 38470 * g + 7471 * b + 32768) >> 16
    });
    let count = u64::from(image.width()) * u64::from(image.height());
    let mean = (lumas.sum::<u64>() as f64 / count.max(1) as f64 + 0.5).floor() as f32;
    image
        .iter_mut()
        .for_each(|value| *value = extrapolate(mean, f32::from(*value), CONTRAST));
}

/// Red one pixel down and right, blue one pixel up and left.
fn shift_channels(image: &RgbImage) -> RgbImage {
    let (last_x, last_y) = (image.width().saturating_sub(1), image.height().saturating_sub(1));
    let mut out = image.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        pixel[0] = image.get_pixel(x.saturating_sub(1), y.saturating_sub(1))[0];
        pixel[2] = image.get_pixel((x + 1).min(last_x), (y + 1).min(last_y))[2];
    }
    out
}

fn darken_corners(mut image: RgbImage) -> RgbImage {
    let (centre_x, centre_y) = (f64::from(image.width()) / 2.0, f64::from(image.height()) / 2.0);
    let corner = centre_x.hypot(centre_y).max(1.0);
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        let distance = (f64::from(x) + 0.5 - centre_x).hypot(f64::from(y) + 0.5 - centre_y);
        let light = 1.0 - VIGNETTE * distance / corner;
        pixel.0 = pixel.0.map(|value| (f64::from(value) * light).round() as u8);
    }
    image
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(width: u32, height: u32, values: &[u8]) -> RgbImage {
        RgbImage::from_raw(width, height, values.iter().flat_map(|&v| [v, v, v]).collect()).unwrap()
    }

    #[test]
    fn contrast_moves_away_from_the_mean_and_truncates() {
        let mut out = grey(2, 1, &[101, 160]);
        contrast(&mut out);
        assert_eq!((out.get_pixel(0, 0)[0], out.get_pixel(1, 0)[0]), (100, 160));
    }

    #[test]
    fn a_single_dot_is_sharpened_and_the_border_stays() {
        let mut values = [0u8; 25];
        values[12] = 130;
        let out = sharpen(&grey(5, 5, &values));
        let reds: Vec<u8> = out.pixels().map(|p| p[0]).collect();
        assert_eq!(reds[12], 134);
        assert!(reds.iter().enumerate().all(|(i, &v)| i == 12 || v == 0));
    }

    #[test]
    fn edges_are_repeated_not_wrapped() {
        let out = shift_channels(&grey(3, 1, &[10, 20, 30]));
        let pixels: Vec<[u8; 3]> = out.pixels().map(|p| p.0).collect();
        assert_eq!(pixels, [[10, 10, 20], [10, 20, 30], [20, 30, 30]]);
    }

    #[test]
    fn noise_is_small_centred_and_repeatable() {
        let noisy = || {
            let mut image = grey(100, 100, &[128; 10_000]);
            add_noise(&mut image, &Noise::Seeded(42));
            image
        };
        assert_eq!(noisy(), noisy());
        let noisy = noisy();
        let values: Vec<f64> = noisy.iter().map(|&v| f64::from(v) - 128.0).collect();
        let still = values.iter().filter(|&&v| v == 0.0).count() as f64 / values.len() as f64;
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((still - 0.38).abs() < 0.02 && mean.abs() < 0.05, "{still} {mean}");
    }

    #[test]
    fn the_vignette_darkens_corners_by_a_fifth() {
        let out = humanize(grey(101, 101, &[200; 10_201]), &Noise::Off, true);
        let (corner, centre) = (out.get_pixel(0, 0)[1], out.get_pixel(50, 50)[1]);
        assert!(corner < 165 && centre >= 199, "{corner} {centre}");
    }
}
