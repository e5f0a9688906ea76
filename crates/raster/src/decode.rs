//! From bytes to pixels, with the size checked first.

use std::{borrow::Cow, io::Cursor};

use app_core::{ErrorKind, ToolError, ToolResult};
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageError, ImageReader, metadata::Orientation};

use crate::{
    Format, Limits, Metadata, Pixels,
    cmyk::cmyk,
    color::{self, LARGEST_PROFILE, Space},
    container::{gif, jpeg, png, tiff, webp},
    metadata,
};

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its pixels, upright.
    pub pixels: Pixels,
    /// The format it was read from.
    pub format: Format,
    /// Its colour profile, always one for RGB; without one the pixels are sRGB.
    pub icc: Option<Vec<u8>>,
    /// What else the file says, cleaned of other pictures.
    pub metadata: Metadata,
    /// Frames or pages in the file; only the first was decoded.
    pub frames: u32,
    /// What of the pixels could not be taken over as it was, for people to read.
    pub notes: Vec<String>,
    /// What else the file holds that no result will, for people to read.
    pub lost: Vec<String>,
}

impl Picture {
    /// The pixels in sRGB, converted from the profile that came with them.
    pub fn into_srgb(self) -> Pixels {
        match self.icc {
            Some(icc) => color::to_srgb(&self.pixels, &icc).unwrap_or(self.pixels),
            None => self.pixels,
        }
    }

    /// The same picture in sRGB and without a profile.
    #[must_use]
    pub fn in_srgb(mut self) -> Self {
        if let Some(icc) = self.icc.take() {
            match color::to_srgb(&self.pixels, &icc) {
                Some(pixels) => self.pixels = pixels,
                None => self
                    .notes
                    .push("its colour profile is damaged: the colours may be shown differently".to_owned()),
            }
        }
        self
    }
}

/// What the header of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Format by content.
    pub format: Format,
    /// Width in pixels, upright.
    pub width: u32,
    /// Height in pixels, upright.
    pub height: u32,
    /// Frames or pages in the file.
    pub frames: u32,
}

/// Size and format of a picture, without decoding its pixels; `name` is what errors call it.
pub fn probe(bytes: &[u8], name: &str, limits: &Limits) -> ToolResult<Probe> {
    let bytes = without_huge_profile(bytes, &mut Vec::new());
    let Opened {
        mut decoder,
        format,
        frames,
    } = check(&bytes, name, limits)?;
    let (width, height) = decoder.dimensions();
    let turned = decoder.orientation().is_ok_and(|o| o.to_exif() >= 5);
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok(Probe {
        format,
        width,
        height,
        frames,
    })
}

/// Decodes a picture; `name` is what errors call it.
pub fn decode(bytes: &[u8], name: &str, limits: &Limits) -> ToolResult<Picture> {
    let mut notes = Vec::new();
    let bytes = without_huge_profile(bytes, &mut notes);
    let Opened {
        mut decoder,
        format,
        frames,
    } = check(&bytes, name, limits)?;
    let mut icc = decoder.icc_profile().ok().flatten();
    if icc.as_ref().is_some_and(|icc| icc.len() > LARGEST_PROFILE) {
        icc = None;
        notes.push(HUGE_PROFILE.to_owned());
    }
    let original = decoder.original_color_type();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (metadata, lost) = metadata::gather(&bytes, format);
    let inks = (format == Format::Jpeg && jpeg::components(&bytes) == Some(4)).then(|| decoder.dimensions());
    let mut image = match inks {
        Some(size) => {
            drop(decoder);
            let image = cmyk(&bytes, size, icc.take(), &mut notes)
                .ok_or_else(|| damaged(name, format, "its CMYK components cannot be read"))?;
            DynamicImage::ImageRgb8(image)
        }
        None => DynamicImage::from_decoder(decoder).map_err(|e| failure(name, format, &e))?,
    };
    if matches!(
        image,
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_)
    ) {
        notes.push("its floating-point samples become 16-bit".to_owned());
    }
    image.apply_orientation(orientation);
    let grey = matches!(
        original,
        ExtendedColorType::L1 | ExtendedColorType::L2 | ExtendedColorType::L4
    ) || !image.color().has_color();
    let mut pixels = Pixels::from_dynamic(image);
    icc = settled_profile(icc, grey, original, &mut pixels, &mut notes);
    Ok(Picture {
        pixels,
        format,
        icc,
        metadata,
        frames,
        notes,
        lost,
    })
}

const HUGE_PROFILE: &str = "its colour profile is not kept: it is larger than any real one";

/// A PNG whose packed profile would unpack to more than any real one has is read without it: unpacking it would cost
/// a gigabyte for a file of one megabyte.
pub(crate) fn without_huge_profile<'b>(bytes: &'b [u8], notes: &mut Vec<String>) -> Cow<'b, [u8]> {
    if bytes.starts_with(b"\x89PNG") && png::profile(bytes, LARGEST_PROFILE).is_err() {
        notes.push(HUGE_PROFILE.to_owned());
        return Cow::Owned(png::without(bytes, *b"iCCP"));
    }
    Cow::Borrowed(bytes)
}

/// Only a profile for RGB may stand beside RGB pixels: grey is converted by its profile, any other is left out and told.
fn settled_profile(
    icc: Option<Vec<u8>>,
    grey: bool,
    original: ExtendedColorType,
    pixels: &mut Pixels,
    notes: &mut Vec<String>,
) -> Option<Vec<u8>> {
    let icc = icc?;
    match color::space(&icc) {
        Space::Rgb => return Some(icc),
        Space::Grey if grey => match color::to_srgb(pixels, &icc) {
            Some(converted) => *pixels = converted,
            None => notes.push("its grey profile is damaged: the greys may be shown differently".to_owned()),
        },
        Space::Cmyk if matches!(original, ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16) => {
            notes.push(
                "its CMYK colours are converted without their profile, and may look different".to_owned(),
            );
        }
        _ => notes
            .push("its colour profile is not kept: it is damaged or not made for these colours".to_owned()),
    }
    None
}

/// A decoder with what was found before it was made.
pub(crate) struct Opened<'b> {
    /// Ready to decode the first frame.
    pub(crate) decoder: Box<dyn ImageDecoder + 'b>,
    /// Format by content.
    pub(crate) format: Format,
    /// Frames or pages in the file.
    pub(crate) frames: u32,
}

/// Opens a decoder after checking format, size and completeness.
pub(crate) fn check<'b>(bytes: &'b [u8], name: &str, limits: &Limits) -> ToolResult<Opened<'b>> {
    let format = Format::sniff(bytes).map_err(|known| {
        let message = match known {
            _ if bytes.is_empty() => format!("`{name}` is empty"),
            Some(other) => format!("cannot read `{name}`: {other} is not supported by this build"),
            None => format!("`{name}` is not an image"),
        };
        ToolError::new(ErrorKind::InvalidInput, message)
            .code("not_an_image")
            .hint(format!("formats that can be read: {}", Format::NAMES))
    })?;
    if format == Format::Jpeg && !jpeg::is_complete(bytes) {
        return Err(damaged(name, format, "the file is truncated"));
    }
    let frames = match format {
        Format::Gif => gif::frames(bytes).ok_or_else(|| damaged(name, format, "the file is truncated"))?,
        Format::Png => png::frames(bytes),
        Format::Webp => webp::frames(bytes),
        Format::Tiff => (tiff::pages(bytes).len() as u32).max(1),
        Format::Jpeg | Format::Bmp => 1,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.max_memory);
    reader.limits(bounds);
    let decoder = Box::new(reader.into_decoder().map_err(|e| failure(name, format, &e))?);
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    // Pages are decoded one by one, and their sizes stand with each of them.
    let together = if format == Format::Tiff { 1 } else { frames };
    let all = pixels.saturating_mul(u64::from(together.max(1)));
    if all > limits.max_pixels || decoder.total_bytes().max(pixels * 4) > limits.max_memory {
        let times = if together > 1 {
            format!(", {together} frames")
        } else {
            String::new()
        };
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!(
                "`{name}` is too large: {width}x{height}{times} is {:.0} megapixels, the limit is {:.0}",
                all as f64 / 1e6,
                (limits.max_pixels.min(limits.max_memory / 4)) as f64 / 1e6,
            ),
        )
        .code("image_too_large"));
    }
    Ok(Opened {
        decoder,
        format,
        frames,
    })
}

pub(crate) fn damaged(name: &str, format: Format, what: &str) -> ToolError {
    let kind = format.extension().to_uppercase();
    ToolError::new(
        ErrorKind::InvalidInput,
        format!("cannot decode `{name}` as {kind}: {what}"),
    )
    .code("bad_image")
}

pub(crate) fn failure(name: &str, format: Format, error: &ImageError) -> ToolError {
    match error {
        ImageError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => {
            damaged(name, format, "the file is truncated")
        }
        ImageError::Limits(_) => ToolError::new(
            ErrorKind::InvalidInput,
            format!("`{name}` is too large: decoding it would take more memory than allowed"),
        )
        .code("image_too_large"),
        other => {
            let text = other.to_string();
            let text = text.lines().next().unwrap_or("the data is damaged").to_owned();
            let eof = text.to_ascii_lowercase().contains("unexpected end") || text.contains("UnexpectedEof");
            damaged(name, format, if eof { "the file is truncated" } else { &text })
        }
    }
}
