//! From pixels to bytes.

use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder, ImageResult,
    codecs::{
        bmp::BmpEncoder,
        gif::GifEncoder,
        png::{CompressionType, FilterType, PngEncoder},
        tiff::TiffEncoder,
        webp::WebPEncoder,
    },
};
use jpeg_encoder::{ColorType as JpegColor, SamplingFactor};

use super::{Color, Format, Pixels};
use app_core::{ToolError, ToolResult};

/// How a picture is written.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// JPEG in several passes, smaller and slower.
    pub progressive: bool,
    /// What shows through where the format has no transparency.
    pub background: Color,
    /// Colour profile to store, where the format can.
    pub icc: Option<Vec<u8>>,
    /// EXIF block to store, where the format can.
    pub exif: Option<Vec<u8>>,
    /// PNG: spend more time on a smaller file.
    pub best: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            quality: 85,
            progressive: false,
            background: Color::WHITE,
            icc: None,
            exif: None,
            best: false,
        }
    }
}

/// Encodes `pixels` as `format`.
pub fn encode(pixels: Pixels, format: Format, options: &EncodeOptions) -> ToolResult<Vec<u8>> {
    let pixels = match pixels {
        Pixels::Rgba(image) if !format.has_alpha() => {
            Pixels::Rgb(Pixels::Rgba(image).into_rgb(options.background))
        }
        other => other,
    };
    let mut out = Vec::new();
    let result = match format {
        Format::Jpeg => return jpeg(&pixels, options),
        Format::Png => {
            let level = if options.best {
                CompressionType::Best
            } else {
                CompressionType::Default
            };
            store(
                PngEncoder::new_with_quality(&mut out, level, FilterType::Adaptive),
                &pixels,
                options,
            )
        }
        Format::Webp => store(WebPEncoder::new_lossless(&mut out), &pixels, options),
        Format::Tiff => store(TiffEncoder::new(&mut Cursor::new(&mut out)), &pixels, options),
        Format::Bmp => store(BmpEncoder::new(&mut out), &pixels, options),
        Format::Gif if pixels.width().max(pixels.height()) > u32::from(u16::MAX) => {
            return Err(too_wide(&pixels, format));
        }
        Format::Gif => GifEncoder::new_with_speed(&mut out, 10).encode(
            pixels.as_bytes(),
            pixels.width(),
            pixels.height(),
            color_type(&pixels),
        ),
    };
    match result {
        Ok(()) => Ok(out),
        Err(e) => {
            Err(ToolError::internal(format!("cannot encode as {}: {e}", format.extension())).caused_by(&e))
        }
    }
}

fn color_type(pixels: &Pixels) -> ExtendedColorType {
    if pixels.has_alpha() {
        ExtendedColorType::Rgba8
    } else {
        ExtendedColorType::Rgb8
    }
}

/// Runs a codec, with colour profile and EXIF where it can store them.
fn store(mut encoder: impl ImageEncoder, pixels: &Pixels, options: &EncodeOptions) -> ImageResult<()> {
    if let Some(icc) = &options.icc {
        // A codec that cannot store it says so here; the picture is then written without.
        let _ = encoder.set_icc_profile(icc.clone());
    }
    if let Some(exif) = &options.exif {
        let _ = encoder.set_exif_metadata(exif.clone());
    }
    encoder.write_image(
        pixels.as_bytes(),
        pixels.width(),
        pixels.height(),
        color_type(pixels),
    )
}

fn too_wide(pixels: &Pixels, format: Format) -> ToolError {
    ToolError::new(
        app_core::ErrorKind::InvalidInput,
        format!(
            "a {}x{} picture cannot be written as {}: the format ends at 65535 pixels a side",
            pixels.width(),
            pixels.height(),
            format.extension()
        ),
    )
    .code("image_too_large")
}

fn jpeg(pixels: &Pixels, options: &EncodeOptions) -> ToolResult<Vec<u8>> {
    let (Ok(width), Ok(height)) = (u16::try_from(pixels.width()), u16::try_from(pixels.height())) else {
        return Err(too_wide(pixels, Format::Jpeg));
    };
    let failed = |e: jpeg_encoder::EncodingError| {
        ToolError::internal(format!("cannot encode as jpg: {e}")).caused_by(&e)
    };
    let mut out = Vec::with_capacity(pixels.as_bytes().len() / 8);
    let quality = options.quality.clamp(1, 100);
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, quality);
    // Colour at half resolution below quality 90, as the usual encoders do.
    encoder.set_sampling_factor(if quality < 90 {
        SamplingFactor::F_2_2
    } else {
        SamplingFactor::F_1_1
    });
    encoder.set_progressive(options.progressive);
    encoder.set_optimized_huffman_tables(options.progressive || options.best);
    if let Some(icc) = &options.icc {
        encoder.add_icc_profile(icc).map_err(failed)?;
    }
    if let Some(exif) = &options.exif {
        let mut segment = b"Exif\0\0".to_vec();
        segment.extend_from_slice(exif);
        // A block that does not fit one segment is left out: EXIF has no continuation.
        if segment.len() < 65_000 {
            encoder.add_app_segment(1, segment).map_err(failed)?;
        }
    }
    encoder
        .encode(pixels.as_bytes(), width, height, JpegColor::Rgb)
        .map_err(failed)?;
    Ok(out)
}
