//! Pictures at the size they are shown: a report is sent on, and nobody sends megabytes of pixels that no screen shows.

use raster::{EncodeOptions, Filter, Format, Limits, decode, encode, resize};

use crate::media;

/// Widest a picture is stored, in pixels: twice the column it is shown in.
const WIDEST: u32 = 1080;

/// A picture that is smaller than this and not too wide stays as it is, in bytes.
const SMALL: usize = 150_000;

/// The picture as a data URL. What cannot be decoded, and what moves, is taken as it is.
pub fn data_url(media_type: &str, name: &str, bytes: &[u8]) -> String {
    let plain = || media::data_url(media_type, bytes);
    if !matches!(media_type, "image/png" | "image/jpeg" | "image/webp") {
        return plain();
    }
    let Ok(picture) = decode(bytes, name, &Limits::default()) else {
        return plain();
    };
    if picture.frames > 1 || (picture.pixels.width() <= WIDEST && bytes.len() <= SMALL) {
        return plain();
    }
    let pixels = picture.into_srgb();
    let width = pixels.width().min(WIDEST);
    let height = (u64::from(pixels.height()) * u64::from(width) / u64::from(pixels.width().max(1))).max(1);
    let options = EncodeOptions {
        quality: 84,
        progressive: true,
        ..EncodeOptions::default()
    };
    let made = resize(&pixels, width, height as u32, Filter::Lanczos3).and_then(|pixels| {
        // A JPEG shows nothing through.
        let format = if pixels.has_alpha() {
            Format::Png
        } else {
            Format::Jpeg
        };
        Ok((format, encode(pixels, format, &options)?))
    });
    match made {
        Ok((Format::Png, made)) if made.len() < bytes.len() => media::data_url("image/png", &made),
        Ok((Format::Jpeg, made)) if made.len() < bytes.len() => media::data_url("image/jpeg", &made),
        _ => plain(),
    }
}
