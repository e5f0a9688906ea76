//! Shrinking a file to a number of bytes.

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::{EncodeOptions, Filter, Format, Pixels, encode, resize};

/// A file that fits.
pub struct Fitted {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// JPEG quality it needed.
    pub quality: Option<u8>,
    /// Its size in pixels.
    pub size: (u32, u32),
}

/// Each step down leaves this share of the sides.
const STEP: f64 = 0.85;
/// Sides are not made smaller than this share.
const SMALLEST: f64 = 0.02;

/// The best quality at full size that fits; else the largest size that fits at the lowest quality.
pub fn fit(
    pixels: &Pixels,
    format: Format,
    max_bytes: u64,
    min_quality: u8,
    options: &EncodeOptions,
) -> ToolResult<Fitted> {
    let most = options.quality.max(min_quality);
    let mut scale = 1.0;
    let mut least = u64::MAX;
    while scale >= SMALLEST {
        let side = |v: u32| ((f64::from(v) * scale).round() as u32).max(1);
        let size = (side(pixels.width()), side(pixels.height()));
        let smaller = resize(pixels, size.0, size.1, Filter::Lanczos3)?;
        let (best, bytes) = if format == Format::Jpeg {
            by_quality(&smaller, max_bytes, min_quality, most, options)?
        } else {
            let options = EncodeOptions {
                best: true,
                ..options.clone()
            };
            let bytes = encode(smaller, format, &options)?;
            let length = bytes.len() as u64;
            ((length <= max_bytes).then_some((bytes, None)), length)
        };
        if let Some((bytes, quality)) = best {
            return Ok(Fitted { bytes, quality, size });
        }
        least = least.min(bytes);
        // Never a smaller step than the numbers ask for: bytes go roughly with the area.
        let wanted = (max_bytes as f64 / bytes as f64).sqrt() * 1.1;
        scale *= wanted.clamp(0.3, STEP);
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!(
            "the image does not fit {max_bytes} bytes: the smallest {} tried has {least}",
            format.extension()
        ),
    )
    .code("does_not_fit")
    .field("max_bytes")
    .hint("allow more bytes, or write another format with --format jpeg"))
}

/// What fits, and its quality where the format has one.
type Best = Option<(Vec<u8>, Option<u8>)>;

/// The highest quality between `low` and `high` that fits, and the size at the lowest.
fn by_quality(
    pixels: &Pixels,
    max_bytes: u64,
    low: u8,
    high: u8,
    options: &EncodeOptions,
) -> ToolResult<(Best, u64)> {
    let at = |quality: u8| -> ToolResult<Vec<u8>> {
        let options = EncodeOptions {
            quality,
            best: true,
            ..options.clone()
        };
        encode(pixels.clone(), Format::Jpeg, &options)
    };
    let bytes = at(low)?;
    let least = bytes.len() as u64;
    if least > max_bytes {
        return Ok((None, least));
    }
    let (mut best, mut low, mut high) = ((bytes, Some(low)), low, high);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let bytes = at(middle)?;
        if bytes.len() as u64 <= max_bytes {
            best = (bytes, Some(middle));
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Ok((Some(best), least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use raster::RgbImage;

    fn textured() -> Pixels {
        let mut seed = 1u32;
        let mut noise = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 26) as u8
        };
        let raw = (0..200 * 150 * 3)
            .map(|i| ((i / 9) % 190) as u8 + noise())
            .collect();
        Pixels::Rgb(RgbImage::from_raw(200, 150, raw).unwrap())
    }

    #[test]
    fn quality_goes_first_and_size_after() {
        let picture = textured();
        let options = EncodeOptions {
            quality: 95,
            ..EncodeOptions::default()
        };
        let roomy = fit(&picture, Format::Jpeg, 14_000, 40, &options).unwrap();
        assert!(
            roomy.bytes.len() <= 14_000 && roomy.size == (200, 150),
            "{:?}",
            roomy.size
        );
        assert!(roomy.quality.is_some_and(|q| q > 40));
        let tight = fit(&picture, Format::Jpeg, 3_000, 40, &options).unwrap();
        assert!(tight.bytes.len() <= 3_000 && tight.size.0 < 200);
        let png = fit(&picture, Format::Png, 20_000, 40, &options).unwrap();
        assert!(png.bytes.len() <= 20_000 && png.quality.is_none());
        assert!(fit(&picture, Format::Png, 30, 40, &options).is_err());
    }
}
