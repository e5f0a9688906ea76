//! Pixels in memory: RGB or RGBA, 8 or 16 bits, straight alpha.

use app_core::{ErrorKind, ToolError, ToolResult};
use image::{DynamicImage, ImageBuffer, RgbImage, RgbaImage};

use crate::Color;

/// RGB with 16 bits a channel.
pub type Rgb16Image = ImageBuffer<image::Rgb<u16>, Vec<u16>>;
/// RGBA with 16 bits a channel.
pub type Rgba16Image = ImageBuffer<image::Rgba<u16>, Vec<u16>>;

/// Most bytes that one picture may take in memory, whatever limits a caller sets.
pub const LARGEST_PICTURE: u64 = 400 << 20;

/// Refuses a picture of `width` by `height` that would take more memory than any may; `bytes` are those of a pixel.
pub fn check_size(width: u32, height: u32, bytes: u64) -> ToolResult<()> {
    if (u64::from(width) * u64::from(height)).saturating_mul(bytes) <= LARGEST_PICTURE {
        return Ok(());
    }
    Err(ToolError::new(
        ErrorKind::InvalidInput,
        format!("a picture of {width}x{height} would be too large"),
    )
    .code("image_too_large"))
}

/// The pixels of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Without transparency.
    Rgb(RgbImage),
    /// With straight (not premultiplied) alpha.
    Rgba(RgbaImage),
    /// 16 bits a channel, without transparency.
    Rgb16(Rgb16Image),
    /// 16 bits a channel, with straight alpha.
    Rgba16(Rgba16Image),
}

impl Pixels {
    /// Width in pixels.
    pub fn width(&self) -> u32 {
        match self {
            Self::Rgb(image) => image.width(),
            Self::Rgba(image) => image.width(),
            Self::Rgb16(image) => image.width(),
            Self::Rgba16(image) => image.width(),
        }
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        match self {
            Self::Rgb(image) => image.height(),
            Self::Rgba(image) => image.height(),
            Self::Rgb16(image) => image.height(),
            Self::Rgba16(image) => image.height(),
        }
    }

    /// Whether there is an alpha channel.
    pub fn has_alpha(&self) -> bool {
        matches!(self, Self::Rgba(_) | Self::Rgba16(_))
    }

    /// Whether a channel has 16 bits.
    pub fn is_16_bit(&self) -> bool {
        matches!(self, Self::Rgb16(_) | Self::Rgba16(_))
    }

    /// Bytes of one pixel.
    pub fn pixel_bytes(&self) -> u64 {
        let channels = if self.has_alpha() { 4 } else { 3 };
        if self.is_16_bit() { channels * 2 } else { channels }
    }

    /// The samples, row by row; those of 16 bits in the byte order of the machine.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Rgb(image) => image.as_raw(),
            Self::Rgba(image) => image.as_raw(),
            Self::Rgb16(image) => bytemuck::cast_slice(image.as_raw()),
            Self::Rgba16(image) => bytemuck::cast_slice(image.as_raw()),
        }
    }

    /// Pixels from samples as [`as_bytes`](Self::as_bytes) gives them; `None` when their number is wrong.
    pub(crate) fn from_raw(width: u32, height: u32, alpha: bool, wide: bool, raw: Vec<u8>) -> Option<Self> {
        match (alpha, wide) {
            (false, false) => RgbImage::from_raw(width, height, raw).map(Self::Rgb),
            (true, false) => RgbaImage::from_raw(width, height, raw).map(Self::Rgba),
            (false, true) => Rgb16Image::from_raw(width, height, words_of(&raw)).map(Self::Rgb16),
            (true, true) => Rgba16Image::from_raw(width, height, words_of(&raw)).map(Self::Rgba16),
        }
    }

    /// With 8 bits a channel.
    #[must_use]
    pub fn narrowed(self) -> Self {
        match self {
            Self::Rgb16(image) => Self::Rgb(DynamicImage::ImageRgb16(image).into_rgb8()),
            Self::Rgba16(image) => Self::Rgba(DynamicImage::ImageRgba16(image).into_rgba8()),
            other => other,
        }
    }

    /// As RGBA with 8 bits; opaque where there was no alpha.
    pub fn into_rgba(self) -> RgbaImage {
        match self.narrowed() {
            Self::Rgba(image) => image,
            other => other.into_dynamic().into_rgba8(),
        }
    }

    /// As RGB with 8 bits; transparency is laid over `background`.
    pub fn into_rgb(self, background: Color) -> RgbImage {
        match self.narrowed() {
            Self::Rgba(image) => {
                let [r, g, b, _] = background.rgba();
                let back = [r, g, b];
                let mut out = RgbImage::new(image.width(), image.height());
                for (to, from) in out.pixels_mut().zip(image.pixels()) {
                    let alpha = u32::from(from[3]);
                    for channel in 0..3 {
                        let mixed =
                            u32::from(from[channel]) * alpha + u32::from(back[channel]) * (255 - alpha);
                        to[channel] = ((mixed + 127) / 255) as u8;
                    }
                }
                out
            }
            Self::Rgb(image) => image,
            other => other.into_dynamic().into_rgb8(),
        }
    }

    /// Without transparency, which is laid over `background`; the number of bits stays.
    #[must_use]
    pub fn opaque(self, background: Color) -> Self {
        match self {
            Self::Rgba16(image) => {
                let back = background.rgba().map(|v| u64::from(v) * 257);
                let mut out = Rgb16Image::new(image.width(), image.height());
                for (to, from) in out.pixels_mut().zip(image.pixels()) {
                    let alpha = u64::from(from[3]);
                    for channel in 0..3 {
                        let mixed = u64::from(from[channel]) * alpha + back[channel] * (65535 - alpha);
                        to[channel] = ((mixed + 32767) / 65535) as u16;
                    }
                }
                Self::Rgb16(out)
            }
            Self::Rgba(_) => Self::Rgb(self.into_rgb(background)),
            other => other,
        }
    }

    pub(super) fn into_dynamic(self) -> DynamicImage {
        match self {
            Self::Rgb(image) => DynamicImage::ImageRgb8(image),
            Self::Rgba(image) => DynamicImage::ImageRgba8(image),
            Self::Rgb16(image) => DynamicImage::ImageRgb16(image),
            Self::Rgba16(image) => DynamicImage::ImageRgba16(image),
        }
    }

    /// Any decoded picture as RGB, or RGBA when it has alpha; more than 8 bits become 16.
    pub(super) fn from_dynamic(image: DynamicImage) -> Self {
        match image {
            DynamicImage::ImageRgb8(image) => Self::Rgb(image),
            DynamicImage::ImageRgba8(image) => Self::Rgba(image),
            DynamicImage::ImageLuma8(_) => Self::Rgb(image.into_rgb8()),
            DynamicImage::ImageLumaA8(_) => Self::Rgba(image.into_rgba8()),
            other if other.color().has_alpha() => Self::Rgba16(other.into_rgba16()),
            other => Self::Rgb16(other.into_rgb16()),
        }
    }

    /// Turned clockwise by `quarters` times 90 degrees.
    pub fn rotated(self, quarters: u8) -> Self {
        let image = self.into_dynamic();
        Self::from_dynamic(match quarters % 4 {
            1 => image.rotate90(),
            2 => image.rotate180(),
            3 => image.rotate270(),
            _ => image,
        })
    }

    /// Mirrored left to right.
    pub fn mirrored(self) -> Self {
        Self::from_dynamic(self.into_dynamic().fliph())
    }

    /// Mirrored top to bottom.
    pub fn flipped(self) -> Self {
        Self::from_dynamic(self.into_dynamic().flipv())
    }

    /// The part at `x`, `y` of `width` by `height`; must lie inside.
    pub fn cropped(self, x: u32, y: u32, width: u32, height: u32) -> Self {
        Self::from_dynamic(self.into_dynamic().crop_imm(x, y, width, height))
    }
}

/// Pairs of bytes in the order of the machine as 16-bit samples.
pub(crate) fn words_of(bytes: &[u8]) -> Vec<u16> {
    bytes
        .chunks_exact(2)
        .map(|pair| u16::from_ne_bytes([pair[0], pair[1]]))
        .collect()
}

/// 16-bit samples as bytes in the order of the machine.
pub(crate) fn bytes_of(samples: &[u16]) -> Vec<u8> {
    bytemuck::cast_slice(samples).to_vec()
}
