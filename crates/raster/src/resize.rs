//! Scaling, with alpha premultiplied where there is alpha.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Pixels, pixels::check_size};
use app_core::{ErrorKind, ToolError, ToolResult};

/// How pixels are resampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// Sharp; the best for photographs.
    #[default]
    Lanczos3,
    /// A little softer, less ringing.
    CatmullRom,
    /// Softer still.
    Mitchell,
    /// Linear.
    Bilinear,
    /// Average of the covered pixels.
    Box,
    /// Takes single pixels; for pixel art.
    Nearest,
}

impl Filter {
    fn algorithm(self) -> ResizeAlg {
        match self {
            Self::Lanczos3 => ResizeAlg::Convolution(FilterType::Lanczos3),
            Self::CatmullRom => ResizeAlg::Convolution(FilterType::CatmullRom),
            Self::Mitchell => ResizeAlg::Convolution(FilterType::Mitchell),
            Self::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
            Self::Box => ResizeAlg::Convolution(FilterType::Box),
            Self::Nearest => ResizeAlg::Nearest,
        }
    }
}

/// A rectangle of the source, in pixels, fractions allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Region {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

/// Scales the whole picture to `width` by `height`.
pub fn resize(pixels: &Pixels, width: u32, height: u32, filter: Filter) -> ToolResult<Pixels> {
    scale(pixels, None, width, height, filter)
}

/// Scales one region of the picture to `width` by `height`.
pub fn resize_region(
    pixels: &Pixels,
    region: Region,
    width: u32,
    height: u32,
    filter: Filter,
) -> ToolResult<Pixels> {
    scale(pixels, Some(region), width, height, filter)
}

fn scale(
    pixels: &Pixels,
    region: Option<Region>,
    width: u32,
    height: u32,
    filter: Filter,
) -> ToolResult<Pixels> {
    if width == 0 || height == 0 {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            "a picture cannot be 0 pixels wide or high",
        ));
    }
    if region.is_none() && (width, height) == (pixels.width(), pixels.height()) {
        return Ok(pixels.clone());
    }
    let failed = |e: &(dyn std::error::Error + 'static)| {
        ToolError::internal(format!("cannot scale the picture to {width}x{height}: {e}")).caused_by(e)
    };
    check_size(width, height, pixels.pixel_bytes())?;
    let (alpha, wide) = (pixels.has_alpha(), pixels.is_16_bit());
    let kind = match (alpha, wide) {
        (false, false) => PixelType::U8x3,
        (true, false) => PixelType::U8x4,
        (false, true) => PixelType::U16x3,
        (true, true) => PixelType::U16x4,
    };
    let source =
        ImageRef::new(pixels.width(), pixels.height(), pixels.as_bytes(), kind).map_err(|e| failed(&e))?;
    let mut target = Image::new(width, height, kind);
    let mut options = ResizeOptions::new()
        .resize_alg(filter.algorithm())
        .use_alpha(pixels.has_alpha());
    if let Some(region) = region {
        options = options.crop(region.x, region.y, region.width, region.height);
    }
    Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|e| failed(&e))?;
    Pixels::from_raw(width, height, alpha, wide, target.into_vec())
        .ok_or_else(|| ToolError::internal("the scaled picture has the wrong number of bytes"))
}
