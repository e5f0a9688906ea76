//! Pixels in memory: RGB or RGBA, 8 bits, straight alpha.

use std::{borrow::Cow, fmt, str::FromStr};

use image::{DynamicImage, RgbImage, RgbaImage};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The pixels of a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// Without transparency.
    Rgb(RgbImage),
    /// With straight (not premultiplied) alpha.
    Rgba(RgbaImage),
}

impl Pixels {
    /// Width in pixels.
    pub fn width(&self) -> u32 {
        match self {
            Self::Rgb(image) => image.width(),
            Self::Rgba(image) => image.width(),
        }
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        match self {
            Self::Rgb(image) => image.height(),
            Self::Rgba(image) => image.height(),
        }
    }

    /// Whether there is an alpha channel.
    pub fn has_alpha(&self) -> bool {
        matches!(self, Self::Rgba(_))
    }

    /// The samples, row by row.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Rgb(image) => image.as_raw(),
            Self::Rgba(image) => image.as_raw(),
        }
    }

    /// As RGBA; opaque where there was no alpha.
    pub fn into_rgba(self) -> RgbaImage {
        match self {
            Self::Rgb(image) => DynamicImage::ImageRgb8(image).into_rgba8(),
            Self::Rgba(image) => image,
        }
    }

    /// As RGB; transparency is laid over `background`.
    pub fn into_rgb(self, background: Color) -> RgbImage {
        match self {
            Self::Rgb(image) => image,
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
        }
    }

    pub(super) fn into_dynamic(self) -> DynamicImage {
        match self {
            Self::Rgb(image) => DynamicImage::ImageRgb8(image),
            Self::Rgba(image) => DynamicImage::ImageRgba8(image),
        }
    }

    /// Reduces any decoded picture to 8-bit RGB, or RGBA when it has alpha.
    pub(super) fn from_dynamic(image: DynamicImage) -> Self {
        match image {
            DynamicImage::ImageRgb8(image) => Self::Rgb(image),
            DynamicImage::ImageRgba8(image) => Self::Rgba(image),
            other if other.color().has_alpha() => Self::Rgba(other.into_rgba8()),
            other => Self::Rgb(other.into_rgb8()),
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

/// A colour written `#rgb`, `#rrggbb`, `#rrggbbaa`, or as one of a few names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Color([u8; 4]);

impl Color {
    /// Opaque black.
    pub const BLACK: Self = Self([0, 0, 0, 255]);
    /// Opaque white.
    pub const WHITE: Self = Self([255, 255, 255, 255]);
    /// Nothing.
    pub const TRANSPARENT: Self = Self([0; 4]);

    /// From red, green, blue, alpha.
    pub const fn new(rgba: [u8; 4]) -> Self {
        Self(rgba)
    }

    /// Red, green, blue, alpha.
    pub const fn rgba(self) -> [u8; 4] {
        self.0
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is not a colour; write #rgb, #rrggbb, #rrggbbaa, black, white or transparent")
        };
        let named = match text.trim().to_ascii_lowercase().as_str() {
            "black" => Some(Self::BLACK),
            "white" => Some(Self::WHITE),
            "transparent" | "none" => Some(Self::TRANSPARENT),
            _ => None,
        };
        if let Some(color) = named {
            return Ok(color);
        }
        let digits = text.trim().trim_start_matches('#');
        let nibbles: Vec<u8> = digits
            .chars()
            .map(|c| c.to_digit(16).map(|d| d as u8))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        match *nibbles.as_slice() {
            [r, g, b] => Ok(Self([r * 17, g * 17, b * 17, 255])),
            [r, s, g, h, b, c] => Ok(Self([r * 16 + s, g * 16 + h, b * 16 + c, 255])),
            [r, s, g, h, b, c, a, d] => Ok(Self([r * 16 + s, g * 16 + h, b * 16 + c, a * 16 + d])),
            _ => Err(wrong()),
        }
    }
}

/// `#rrggbb`, with alpha only where it is not opaque.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b, a] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")?;
        if a != 255 {
            write!(f, "{a:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for Color {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Color {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

impl JsonSchema for Color {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Color".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "color"})
    }
}
