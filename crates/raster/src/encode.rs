//! From pixels to bytes.

use std::io::Cursor;

use image::{
    ExtendedColorType, ImageEncoder, ImageResult,
    codecs::{
        bmp::BmpEncoder,
        gif::GifEncoder,
        png::{CompressionType, FilterType, PngEncoder},
        webp::WebPEncoder,
    },
};
use jpeg_encoder::{ColorType as JpegColor, SamplingFactor};

use ::tiff::encoder::colortype;
use app_core::{ToolError, ToolResult};

use crate::{
    Color, Format, Metadata, Pixels,
    container::{gif, jpeg as segments, png, webp},
    directory::tag,
};

/// How a picture is written.
#[derive(Clone, Debug)]
pub struct EncodeOptions {
    /// JPEG quality, 1 to 100.
    pub quality: u8,
    /// JPEG in several passes, smaller and slower.
    pub progressive: bool,
    /// What shows through where the format has no transparency.
    pub background: Color,
    /// Colour profile to store, where the format can; a profile for RGB.
    pub icc: Option<Vec<u8>>,
    /// What to store beside the pixels, where the format can.
    pub metadata: Metadata,
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
            metadata: Metadata::default(),
            best: false,
        }
    }
}

/// Encodes `pixels` as `format`. What the format cannot hold is left out: see [`EncodeOptions::left_out`].
pub fn encode(pixels: Pixels, format: Format, options: &EncodeOptions) -> ToolResult<Vec<u8>> {
    let mut pixels = pixels;
    if !format.has_alpha() && pixels.has_alpha() {
        pixels = pixels.opaque(options.background);
    }
    if !format.has_16_bits() {
        pixels = pixels.narrowed();
    }
    if matches!(format, Format::Jpeg | Format::Gif) && pixels.width().max(pixels.height()) > 65535 {
        return Err(too_wide(&pixels, format));
    }
    if format == Format::Webp && pixels.width().max(pixels.height()) > 16384 {
        return Err(too_wide(&pixels, format));
    }
    let metadata = &options.metadata;
    let xmp = metadata.xmp.as_deref();
    match format {
        Format::Jpeg => jpeg(&pixels, options),
        Format::Png => {
            let bytes = png(&pixels, options).map_err(|e| failed(format, &e))?;
            if xmp.is_none() && metadata.iptc.is_none() && metadata.comments.is_empty() {
                return Ok(bytes);
            }
            Ok(png::with_texts(
                &bytes,
                xmp,
                metadata.iptc.as_deref(),
                &metadata.comments,
            ))
        }
        Format::Webp => {
            let mut out = Vec::new();
            store(WebPEncoder::new_lossless(&mut out), &pixels, options).map_err(|e| failed(format, &e))?;
            let size = (pixels.width(), pixels.height());
            Ok(match xmp {
                Some(packet) => webp::with_xmp(&out, packet, size, pixels.has_alpha()),
                None => out,
            })
        }
        Format::Tiff => tiff(&pixels, options),
        Format::Bmp => {
            let mut out = Vec::new();
            store(BmpEncoder::new(&mut out), &pixels, options).map_err(|e| failed(format, &e))?;
            Ok(out)
        }
        Format::Gif => {
            let mut out = Vec::new();
            let mut encoder = GifEncoder::new_with_speed(&mut out, 10);
            encoder
                .encode(
                    pixels.as_bytes(),
                    pixels.width(),
                    pixels.height(),
                    color_type(&pixels),
                )
                .map_err(|e| failed(format, &e))?;
            drop(encoder);
            if xmp.is_none() && metadata.comments.is_empty() {
                return Ok(out);
            }
            Ok(gif::with_texts(&out, xmp, &metadata.comments))
        }
    }
}

fn failed(format: Format, error: &image::ImageError) -> ToolError {
    ToolError::internal(format!("cannot encode as {}: {error}", format.extension())).caused_by(error)
}

impl EncodeOptions {
    /// What of a picture a file of `format` does not hold, for people to read.
    pub fn left_out(&self, pixels: &Pixels, format: Format) -> Vec<String> {
        let extension = format.extension();
        let mut notes = Vec::new();
        let missing = self.metadata.not_held_by(format);
        if !missing.is_empty() {
            notes.push(format!(
                "not kept, since a {extension} written here has no place for it: {}",
                missing.join(", ")
            ));
        }
        if pixels.is_16_bit() && !format.has_16_bits() {
            notes.push(format!(
                "its 16-bit channels become 8-bit: a {extension} holds no more"
            ));
        }
        if self.icc.is_some() && !format.has_profile() {
            notes.push(format!(
                "its colour profile is left out: a {extension} holds none"
            ));
        }
        notes
    }
}

fn color_type(pixels: &Pixels) -> ExtendedColorType {
    match pixels {
        Pixels::Rgb(_) => ExtendedColorType::Rgb8,
        Pixels::Rgba(_) => ExtendedColorType::Rgba8,
        Pixels::Rgb16(_) => ExtendedColorType::Rgb16,
        Pixels::Rgba16(_) => ExtendedColorType::Rgba16,
    }
}

fn png(pixels: &Pixels, options: &EncodeOptions) -> ImageResult<Vec<u8>> {
    let level = if options.best {
        CompressionType::Best
    } else {
        CompressionType::Default
    };
    let mut out = Vec::new();
    store(
        PngEncoder::new_with_quality(&mut out, level, FilterType::Adaptive),
        pixels,
        options,
    )?;
    Ok(out)
}

/// Runs a codec, with colour profile and EXIF where it can store them.
fn store(mut encoder: impl ImageEncoder, pixels: &Pixels, options: &EncodeOptions) -> ImageResult<()> {
    if let Some(icc) = &options.icc {
        // A codec that cannot store it says so here; that was told by `left_out`.
        let _ = encoder.set_icc_profile(icc.clone());
    }
    if let Some(exif) = &options.metadata.exif {
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
    let most = if format == Format::Webp { 16384 } else { 65535 };
    ToolError::new(
        app_core::ErrorKind::InvalidInput,
        format!(
            "a {}x{} picture cannot be written as {}: the format ends at {most} pixels a side",
            pixels.width(),
            pixels.height(),
            format.extension()
        ),
    )
    .code("image_too_large")
}

/// TIFF with profile, XMP and IPTC as tags of its one page.
fn tiff(pixels: &Pixels, options: &EncodeOptions) -> ToolResult<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    let written = match pixels {
        Pixels::Rgb(image) => page::<colortype::RGB8>(&mut out, image.dimensions(), image.as_raw(), options),
        Pixels::Rgba(image) => {
            page::<colortype::RGBA8>(&mut out, image.dimensions(), image.as_raw(), options)
        }
        Pixels::Rgb16(image) => {
            page::<colortype::RGB16>(&mut out, image.dimensions(), image.as_raw(), options)
        }
        Pixels::Rgba16(image) => {
            page::<colortype::RGBA16>(&mut out, image.dimensions(), image.as_raw(), options)
        }
    };
    written.map_err(|e| ToolError::internal(format!("cannot encode as tiff: {e}")).caused_by(&e))?;
    Ok(out.into_inner())
}

fn page<C: colortype::ColorType>(
    out: &mut Cursor<Vec<u8>>,
    (width, height): (u32, u32),
    samples: &[C::Inner],
    options: &EncodeOptions,
) -> ::tiff::TiffResult<()>
where
    [C::Inner]: ::tiff::encoder::TiffValue,
{
    let mut file = ::tiff::encoder::TiffEncoder::new(out)?;
    let mut image = file.new_image::<C>(width, height)?;
    for (number, part) in [
        (34675, &options.icc),
        (tag::XMP, &options.metadata.xmp),
        (tag::IPTC, &options.metadata.iptc),
    ] {
        if let Some(part) = part {
            image
                .encoder()
                .write_tag(::tiff::tags::Tag::from_u16_exhaustive(number), part.as_slice())?;
        }
    }
    image.write_data(samples)
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
    encoder
        .encode(pixels.as_bytes(), width, height, JpegColor::Rgb)
        .map_err(failed)?;
    let Metadata {
        exif,
        xmp,
        iptc,
        comments,
    } = &options.metadata;
    let mut added: Vec<(u8, Vec<u8>)> = Vec::new();
    added.extend(
        exif.as_ref()
            .map(|exif| (0xe1, [b"Exif\0\0", &exif[..]].concat())),
    );
    added.extend(xmp.as_ref().map(|packet| (0xe1, segments::xmp_payload(packet))));
    added.extend(iptc.as_ref().map(|iptc| (0xed, segments::iptc_payload(iptc))));
    added.extend(comments.iter().map(|(keyword, text)| {
        let said = if keyword == "Comment" {
            text.clone()
        } else {
            format!("{keyword}: {text}")
        };
        (0xfe, said.into_bytes())
    }));
    Ok(if added.is_empty() {
        out
    } else {
        segments::with_segments(&out, &added)
    })
}
