//! One image: read, change, encode.

use std::path::Path;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use raster::{
    EncodeOptions, Filter, Format, Limits, Picture, Pixels, Region, RgbaImage, decode, encode, open, resize,
    resize_region, strip_metadata,
};

use crate::{
    actions::{Crop, Input, Resize, Rotate, Thumbnail, Watermark},
    compress,
    geometry::{Gravity, Mode, Scaling, largest, scaling},
    paint::{framed, lay_over, turned, turned_size},
    text,
};

/// Files that an action needs beside the images, read once.
#[derive(Default)]
pub struct Extras {
    mark: Option<RgbaImage>,
    font: Option<Vec<u8>>,
}

impl Extras {
    /// Reads what the action names.
    pub fn read(input: &Input, limits: &Limits, ctx: &Context) -> ToolResult<Self> {
        Ok(match input {
            Input::Watermark(action) => {
                let picture = open(&action.watermark, limits).map_err(|e| e.field("watermark"))?;
                Self {
                    mark: Some(picture.pixels.into_rgba()),
                    font: None,
                }
            }
            Input::Text(action) => {
                let font = action
                    .font
                    .as_ref()
                    .map(|path| ctx.read(path, 64 << 20))
                    .transpose()?;
                Self { mark: None, font }
            }
            _ => Self::default(),
        })
    }
}

/// The result for one image.
pub struct Made {
    /// The new file.
    pub bytes: Vec<u8>,
    /// Its size in pixels.
    pub size: (u32, u32),
    /// JPEG quality that `compress` chose.
    pub quality: Option<u8>,
    /// Frames that the input had; more than one were reduced to the first.
    pub frames: u32,
}

/// Applies the action to the file content `bytes` called `path`.
pub fn apply(
    input: &Input,
    extras: &Extras,
    bytes: &[u8],
    path: &Path,
    format: Format,
    limits: &Limits,
) -> ToolResult<Made> {
    let mut picture = decode(bytes, &path.display().to_string(), limits)?;
    let files = input.files();
    let frames = picture.frames;
    let strip = files.strip || matches!(input, Input::Strip(_) | Input::Thumbnail(_));
    let mut options = EncodeOptions {
        quality: files.quality,
        background: files.background,
        // A colour profile is not metadata in the way a location is: without it the colours would change.
        icc: picture.icc.take().filter(|_| !files.strip),
        exif: picture.exif.take().filter(|_| !strip),
        ..EncodeOptions::default()
    };
    if let Input::Strip(_) = input
        && picture.format == format
        && let Some(bytes) = strip_metadata(bytes, &picture)
    {
        let size = (picture.pixels.width(), picture.pixels.height());
        return Ok(Made {
            bytes,
            size,
            quality: None,
            frames,
        });
    }
    if let Input::Convert(action) = input {
        (options.best, options.progressive) = (action.best, action.best);
    }
    if let Input::Compress(action) = input {
        if bytes.len() as u64 <= action.max_bytes && picture.format == format && frames == 1 && !strip {
            let size = (picture.pixels.width(), picture.pixels.height());
            return Ok(Made {
                bytes: bytes.to_vec(),
                size,
                quality: None,
                frames,
            });
        }
        options.quality = 95;
        let fitted = compress::fit(
            &picture.pixels,
            format,
            action.max_bytes,
            action.min_quality,
            &options,
        )?;
        return Ok(Made {
            bytes: fitted.bytes,
            size: fitted.size,
            quality: fitted.quality,
            frames,
        });
    }
    let pixels = change(input, extras, picture, limits)?;
    let size = (pixels.width(), pixels.height());
    Ok(Made {
        bytes: encode(pixels, format, &options)?,
        size,
        quality: None,
        frames,
    })
}

fn change(input: &Input, extras: &Extras, picture: Picture, limits: &Limits) -> ToolResult<Pixels> {
    let pixels = picture.pixels;
    match input {
        Input::Resize(action) => resized(pixels, action, limits),
        Input::Watermark(action) => match &extras.mark {
            Some(mark) => marked(pixels, action, mark),
            None => Err(ToolError::internal("the watermark was not read")),
        },
        Input::Crop(action) => cropped(pixels, action),
        Input::Rotate(action) => rotated(pixels, action, limits),
        Input::Text(action) => text::write(pixels, action, extras.font.as_deref()),
        Input::Thumbnail(action) => thumbnail(pixels, action),
        Input::Convert(_) | Input::Strip(_) | Input::Compress(_) => Ok(pixels),
    }
}

fn guard(width: u32, height: u32, limits: &Limits) -> ToolResult<()> {
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        let message = format!("the result would be too large: {width}x{height}");
        return Err(ToolError::new(ErrorKind::InvalidInput, message)
            .code("image_too_large")
            .hint("see --max-pixels"));
    }
    Ok(())
}

fn resized(pixels: Pixels, action: &Resize, limits: &Limits) -> ToolResult<Pixels> {
    let from = (pixels.width(), pixels.height());
    let how = scaling(
        from,
        action.width,
        action.height,
        action.mode,
        action.gravity,
        action.enlarge,
    )?;
    scaled(
        pixels,
        how,
        action.filter,
        action.gravity,
        action.background,
        limits,
    )
}

fn scaled(
    pixels: Pixels,
    how: Scaling,
    filter: Filter,
    gravity: Gravity,
    background: raster::Color,
    limits: &Limits,
) -> ToolResult<Pixels> {
    match how {
        Scaling::Whole(width, height) => {
            guard(width, height, limits)?;
            resize(&pixels, width, height, filter)
        }
        Scaling::Part([x, y, width, height], (to_width, to_height)) => {
            guard(to_width, to_height, limits)?;
            resize_region(
                &pixels,
                Region { x, y, width, height },
                to_width,
                to_height,
                filter,
            )
        }
        Scaling::Framed(inner, outer) => {
            guard(outer.0, outer.1, limits)?;
            let image = resize(&pixels, inner.0, inner.1, filter)?;
            let (x, y) = gravity.place(outer, inner, (0, 0));
            Ok(framed(image, outer.0, outer.1, x, y, background))
        }
    }
}

fn marked(pixels: Pixels, action: &Watermark, mark: &RgbaImage) -> ToolResult<Pixels> {
    let outer = (pixels.width(), pixels.height());
    let scaled = match action.scale {
        None => None,
        Some(share) => {
            let width = ((f64::from(outer.0) * share).round() as u32).max(1);
            let height = f64::from(mark.height()) * f64::from(width) / f64::from(mark.width().max(1));
            let height = (height.round() as u32).clamp(1, 65535);
            Some(
                resize(
                    &Pixels::Rgba(mark.clone()),
                    width.min(65535),
                    height,
                    Filter::Lanczos3,
                )?
                .into_rgba(),
            )
        }
    };
    let mark = scaled.as_ref().unwrap_or(mark);
    let (x, y) = action
        .gravity
        .place(outer, mark.dimensions(), (action.margin, action.margin));
    Ok(lay_over(pixels, mark, x, y, action.opacity))
}

fn cropped(pixels: Pixels, action: &Crop) -> ToolResult<Pixels> {
    let outer = (pixels.width(), pixels.height());
    let inner = match &action.aspect {
        Some(_) if action.width.is_some() || action.height.is_some() => {
            return Err(ToolError::invalid(
                "aspect",
                "a shape and a size exclude each other",
            ));
        }
        Some(aspect) => largest(outer, aspect)?,
        None if action.width.is_none() && action.height.is_none() => {
            return Err(ToolError::invalid(
                "width",
                "a width, a height or an aspect is needed",
            ));
        }
        None => (
            action.width.unwrap_or_else(|| outer.0.saturating_sub(action.x)),
            action.height.unwrap_or_else(|| outer.1.saturating_sub(action.y)),
        ),
    };
    let (x, y) = action.gravity.place(outer, inner, (action.x, action.y));
    let inside = |at: i64, length: u32, outer: u32| {
        at >= 0 && length > 0 && at + i64::from(length) <= i64::from(outer)
    };
    if !inside(x, inner.0, outer.0) || !inside(y, inner.1, outer.1) {
        return Err(ToolError::invalid(
            "width",
            format!(
                "a rectangle of {}x{} at {x},{y} does not lie inside {}x{}",
                inner.0, inner.1, outer.0, outer.1
            ),
        ));
    }
    Ok(pixels.cropped(x as u32, y as u32, inner.0, inner.1))
}

fn rotated(mut pixels: Pixels, action: &Rotate, limits: &Limits) -> ToolResult<Pixels> {
    if action.mirror {
        pixels = pixels.mirrored();
    }
    if action.flip {
        pixels = pixels.flipped();
    }
    let degrees = action.degrees.rem_euclid(360.0);
    if degrees % 90.0 == 0.0 {
        return Ok(pixels.rotated((degrees / 90.0) as u8));
    }
    let (width, height) = turned_size(pixels.width(), pixels.height(), degrees);
    guard(width, height, limits)?;
    Ok(turned(pixels, degrees, action.background))
}

fn thumbnail(pixels: Pixels, action: &Thumbnail) -> ToolResult<Pixels> {
    let from = (pixels.width(), pixels.height());
    let mode = if action.square { Mode::Cover } else { Mode::Fit };
    let how = scaling(
        from,
        Some(action.size),
        Some(action.size),
        mode,
        Gravity::Center,
        false,
    )?;
    scaled(
        pixels,
        how,
        Filter::Lanczos3,
        Gravity::Center,
        action.background,
        &Limits::default(),
    )
}
