//! JPEG with four inks, which the usual decoder turns into colours without their profile.

use image::RgbImage;
use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use crate::{color, container::jpeg};

/// The colours of a CMYK JPEG as sRGB, by its profile where there is one.
pub(crate) fn cmyk(
    bytes: &[u8],
    (width, height): (u32, u32),
    icc: Option<Vec<u8>>,
    notes: &mut Vec<String>,
) -> Option<RgbImage> {
    let transform = jpeg::adobe_transform(bytes);
    let stored = jpeg::without_transform(bytes);
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX)
        .jpeg_set_out_colorspace(ColorSpace::CMYK);
    let mut inks = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&stored), options)
        .decode()
        .ok()?;
    for ink in inks.chunks_exact_mut(4) {
        if transform == Some(2) {
            // YCCK: the first three are YCbCr of the complement (JFIF 1.02; Adobe TN 5116).
            let (y, cb, cr) = (
                f32::from(ink[0]),
                f32::from(ink[1]) - 128.0,
                f32::from(ink[2]) - 128.0,
            );
            ink[0] = 255 - (y + 1.402 * cr).round().clamp(0.0, 255.0) as u8;
            ink[1] = 255 - (y - 0.344_136 * cb - 0.714_136 * cr).round().clamp(0.0, 255.0) as u8;
            ink[2] = 255 - (y + 1.772 * cb).round().clamp(0.0, 255.0) as u8;
        }
        // Adobe's programs store the complement of the inks.
        if transform.is_some() {
            for value in ink.iter_mut() {
                *value = 255 - *value;
            }
        }
    }
    let (image, by_profile) = color::cmyk_to_srgb(&inks, width, height, icc.as_deref())?;
    if !by_profile {
        notes.push("its CMYK colours are converted without a profile, and may look different".to_owned());
    }
    Some(image)
}
