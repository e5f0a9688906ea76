//! Colour profiles (ICC.1): which one may be stored beside RGB pixels, and conversion to sRGB where none may.

use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

use crate::{
    Pixels, RgbImage,
    pixels::{bytes_of, words_of},
};

/// Larger profiles are left out: real ones have a few kilobytes, printing profiles up to about two megabytes.
pub const LARGEST_PROFILE: usize = 4 << 20;

/// What a profile is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Rgb,
    Grey,
    Cmyk,
    Other,
}

/// The colours that a profile describes, by its header (ICC.1, 7.2.6).
pub(crate) fn space(icc: &[u8]) -> Space {
    if icc.get(36..40) != Some(b"acsp") {
        return Space::Other;
    }
    match icc.get(16..20) {
        Some(b"RGB ") => Space::Rgb,
        Some(b"GRAY") => Space::Grey,
        Some(b"CMYK") => Space::Cmyk,
        _ => Space::Other,
    }
}

/// Pixels converted from the profile to sRGB; `None` when the profile cannot be used.
pub(crate) fn to_srgb(pixels: &Pixels, icc: &[u8]) -> Option<Pixels> {
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    let grey = profile.color_space == DataColorSpace::Gray;
    if !grey && profile.color_space != DataColorSpace::Rgb {
        return None;
    }
    let wide = pixels.is_16_bit();
    let alpha = pixels.has_alpha();
    let target = if alpha { Layout::Rgba } else { Layout::Rgb };
    // Grey pictures are kept as RGB with three equal channels; the profile wants one.
    let source = match (grey, alpha) {
        (false, _) => target,
        (true, false) => Layout::Gray,
        (true, true) => Layout::GrayAlpha,
    };
    let (width, height) = (pixels.width(), pixels.height());
    let channels = if alpha { 4 } else { 3 };
    let srgb = ColorProfile::new_srgb();
    let options = TransformOptions::default();
    if wide {
        let samples = words_of(pixels.as_bytes());
        let samples = if grey {
            one_of_three(&samples, channels)
        } else {
            samples
        };
        let transform = profile
            .create_transform_16bit(source, &srgb, target, options)
            .ok()?;
        let mut out = vec![0u16; width as usize * height as usize * channels];
        transform.transform(&samples, &mut out).ok()?;
        Pixels::from_raw(width, height, alpha, true, bytes_of(&out))
    } else {
        let narrowed;
        let samples = if grey {
            narrowed = one_of_three(pixels.as_bytes(), channels);
            &narrowed
        } else {
            pixels.as_bytes()
        };
        let transform = profile
            .create_transform_8bit(source, &srgb, target, options)
            .ok()?;
        let mut out = vec![0u8; width as usize * height as usize * channels];
        transform.transform(samples, &mut out).ok()?;
        Pixels::from_raw(width, height, alpha, false, out)
    }
}

/// The first of three equal channels, and alpha.
fn one_of_three<T: Copy>(samples: &[T], channels: usize) -> Vec<T> {
    samples
        .chunks_exact(channels)
        .flat_map(|pixel| std::iter::once(pixel[0]).chain(pixel.get(3).copied()))
        .collect()
}

/// Ink amounts (0 none, 255 full) to sRGB, by the profile where it can be used; `true` says that it was.
pub(crate) fn cmyk_to_srgb(
    inks: &[u8],
    width: u32,
    height: u32,
    icc: Option<&[u8]>,
) -> Option<(RgbImage, bool)> {
    let by_profile = icc.and_then(|icc| {
        let profile = ColorProfile::new_from_slice(icc).ok()?;
        if profile.color_space != DataColorSpace::Cmyk {
            return None;
        }
        let transform = profile
            .create_transform_8bit(
                Layout::Rgba,
                &ColorProfile::new_srgb(),
                Layout::Rgb,
                TransformOptions::default(),
            )
            .ok()?;
        let mut out = vec![0u8; inks.len() / 4 * 3];
        transform.transform(inks, &mut out).ok()?;
        Some(out)
    });
    if let Some(out) = by_profile {
        return RgbImage::from_raw(width, height, out).map(|image| (image, true));
    }
    let out = inks
        .chunks_exact(4)
        .flat_map(|ink| {
            let white = 255 - u32::from(ink[3]);
            [0, 1, 2].map(|i| (((255 - u32::from(ink[i])) * white + 127) / 255) as u8)
        })
        .collect();
    RgbImage::from_raw(width, height, out).map(|image| (image, false))
}
