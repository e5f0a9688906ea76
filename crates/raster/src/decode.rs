//! From bytes to pixels, with the size checked first.

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, metadata::Orientation};

use super::{Format, Limits, Pixels};
use app_core::{ErrorKind, ToolError, ToolResult};

/// A decoded picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Its pixels, upright.
    pub pixels: Pixels,
    /// The format it was read from.
    pub format: Format,
    /// Its colour profile.
    pub icc: Option<Vec<u8>>,
    /// Its EXIF block, with the orientation set to upright.
    pub exif: Option<Vec<u8>>,
    /// Frames in the file; only the first was decoded.
    pub frames: u32,
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
    /// Frames in the file.
    pub frames: u32,
}

/// Reads and decodes the picture at `path`.
pub fn open(path: &Path, limits: &Limits) -> ToolResult<Picture> {
    let bytes = read(path, limits)?;
    decode(&bytes, &path.display().to_string(), limits)
}

/// Reads size and format of the picture at `path` without decoding its pixels.
pub fn probe(path: &Path, limits: &Limits) -> ToolResult<Probe> {
    let bytes = read(path, limits)?;
    let name = path.display().to_string();
    let (mut decoder, format, frames) = check(&bytes, &name, limits)?;
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
    let (mut decoder, format, frames) = check(bytes, name, limits)?;
    let icc = decoder.icc_profile().ok().flatten();
    let mut exif = decoder.exif_metadata().ok().flatten();
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    if let Some(chunk) = exif.as_mut() {
        let _ = Orientation::remove_from_exif_chunk(chunk);
    }
    let mut image = DynamicImage::from_decoder(decoder).map_err(|e| failure(name, format, &e))?;
    image.apply_orientation(orientation);
    Ok(Picture {
        pixels: Pixels::from_dynamic(image),
        format,
        icc,
        exif,
        frames,
    })
}

fn read(path: &Path, limits: &Limits) -> ToolResult<Vec<u8>> {
    let file = File::open(path).map_err(|e| ToolError::file("read", path, &e))?;
    let size = file
        .metadata()
        .map_err(|e| ToolError::file("read", path, &e))?
        .len();
    if size > limits.max_file {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!(
                "`{}` is too large: {size} bytes, the limit is {}",
                path.display(),
                limits.max_file
            ),
        )
        .code("image_too_large"));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(limits.max_file)
        .read_to_end(&mut bytes)
        .map_err(|e| ToolError::file("read", path, &e))?;
    Ok(bytes)
}

/// Opens a decoder after checking format, size and completeness.
fn check<'b>(
    bytes: &'b [u8],
    name: &str,
    limits: &Limits,
) -> ToolResult<(Box<dyn ImageDecoder + 'b>, Format, u32)> {
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
    if format == Format::Jpeg && !jpeg_is_complete(bytes) {
        return Err(damaged(name, format, "the file is truncated"));
    }
    let frames = match format {
        Format::Gif => gif_frames(bytes).ok_or_else(|| damaged(name, format, "the file is truncated"))?,
        _ => 1,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format.codec());
    let mut bounds = image::Limits::default();
    bounds.max_alloc = Some(limits.max_memory);
    reader.limits(bounds);
    let decoder = Box::new(reader.into_decoder().map_err(|e| failure(name, format, &e))?);
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    let all = pixels.saturating_mul(u64::from(frames.max(1)));
    if all > limits.max_pixels || decoder.total_bytes().max(pixels * 4) > limits.max_memory {
        let times = if frames > 1 {
            format!(", {frames} frames")
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
    Ok((decoder, format, frames))
}

fn damaged(name: &str, format: Format, what: &str) -> ToolError {
    let kind = format.extension().to_uppercase();
    ToolError::new(
        ErrorKind::InvalidInput,
        format!("cannot decode `{name}` as {kind}: {what}"),
    )
    .code("bad_image")
}

fn failure(name: &str, format: Format, error: &ImageError) -> ToolError {
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

/// Whether the entropy-coded data of a JPEG ends with an end-of-image marker (ITU T.81, B.1.1.3).
/// The decoder itself fills what is missing with grey and says nothing.
fn jpeg_is_complete(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        if marker == 0xff {
            at += 1;
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else {
            return false;
        };
        at += 2 + usize::from(u16::from_be_bytes([high, low])).max(2);
        if marker == 0xda {
            let scan = bytes.get(at..).unwrap_or_default();
            return scan.windows(2).rev().any(|pair| pair == [0xff, 0xd9]);
        }
    }
    // No scan at all: let the decoder say what is wrong.
    bytes.len() > at
}

/// Counts the frames of a GIF by walking its blocks (GIF89a, section 15 on); `None` when it is cut short inside a block.
fn gif_frames(bytes: &[u8]) -> Option<u32> {
    let table = |flags: u8| {
        if flags & 0x80 == 0 {
            0
        } else {
            3usize << ((flags & 7) + 1)
        }
    };
    let skip_blocks = |mut at: usize| -> Option<usize> {
        loop {
            let size = usize::from(*bytes.get(at)?);
            at += 1 + size;
            if size == 0 {
                return Some(at);
            }
        }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    let mut frames = 0u32;
    loop {
        match bytes.get(at) {
            Some(0x21) => at = skip_blocks(at + 2)?,
            Some(0x2c) => {
                let flags = *bytes.get(at + 9)?;
                at = skip_blocks(at + 10 + table(flags) + 1)?;
                frames += 1;
            }
            // A trailer, or a file whose trailer is missing after a whole frame, as some writers leave it.
            _ => return (frames > 0).then_some(frames),
        }
    }
}
