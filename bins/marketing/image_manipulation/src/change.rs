//! How the pixels of one image or frame change, action by action.

use app_core::{ErrorKind, ToolError, ToolResult};
use raster::{Filter, Limits, Pixels, Region, RgbaImage, check_size, resize, resize_region};

use crate::{
    actions::{Crop, Resize, Rotate, Thumbnail, Watermark},
    geometry::{Gravity, Mode, Scaling, largest, scaling},
    paint::{framed, lay_over, turned, turned_size},
};

/// With 8 bits a channel, which is all that drawing knows.
pub fn narrowed(pixels: Pixels, notes: &mut Vec<String>) -> Pixels {
    if pixels.is_16_bit() {
        notes.push("its 16-bit channels become 8-bit: nothing finer is drawn on".to_owned());
    }
    pixels.narrowed()
}

/// The refusal of a result of this size.
pub fn too_large(width: u32, height: u32) -> ToolError {
    let message = format!("the result would be too large: {width}x{height}");
    ToolError::new(ErrorKind::InvalidInput, message)
        .code("image_too_large")
        .hint("see --max-pixels")
}

fn guard(width: u32, height: u32, limits: &Limits) -> ToolResult<()> {
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(too_large(width, height));
    }
    check_size(width, height, 4)
}
/// Scaled as the action says.
pub fn resized(
    mut pixels: Pixels,
    action: &Resize,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> ToolResult<Pixels> {
    let from = (pixels.width(), pixels.height());
    let how = scaling(
        from,
        action.width,
        action.height,
        action.mode,
        action.gravity,
        action.enlarge,
    )?;
    if let Scaling::Framed(..) = how {
        pixels = narrowed(pixels, notes);
    }
    scaled(
        pixels,
        how,
        action.filter,
        action.gravity,
        action.files.background,
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

/// With the mark laid over.
pub fn marked(pixels: Pixels, action: &Watermark, mark: &RgbaImage) -> ToolResult<Pixels> {
    let outer = (pixels.width(), pixels.height());
    let scaled = match action.scale {
        None => None,
        Some(share) => {
            let width = (f64::from(outer.0) * share).round().clamp(1.0, 65535.0) as u32;
            let height = f64::from(mark.height()) * f64::from(width) / f64::from(mark.width().max(1));
            let height = height.round().clamp(1.0, 65535.0) as u32;
            check_size(width, height, 4).map_err(|e| e.field("scale"))?;
            let whole = Pixels::Rgba(mark.clone());
            Some(resize(&whole, width, height, Filter::Lanczos3)?.into_rgba())
        }
    };
    let mark = scaled.as_ref().unwrap_or(mark);
    let (x, y) = action
        .gravity
        .place(outer, mark.dimensions(), (action.margin, action.margin));
    Ok(lay_over(pixels, mark, x, y, action.opacity))
}

/// The part that the action names.
pub fn cropped(pixels: Pixels, action: &Crop) -> ToolResult<Pixels> {
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

/// Mirrored and turned.
pub fn rotated(
    mut pixels: Pixels,
    action: &Rotate,
    limits: &Limits,
    notes: &mut Vec<String>,
) -> ToolResult<Pixels> {
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
    Ok(turned(narrowed(pixels, notes), degrees, action.files.background))
}

/// A small copy.
pub fn thumbnail(pixels: Pixels, action: &Thumbnail) -> ToolResult<Pixels> {
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
        action.files.background,
        &Limits::default(),
    )
}
