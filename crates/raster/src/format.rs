//! The formats that can be read and written.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use app_core::{ToolError, ToolResult};

/// A picture format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Portable Network Graphics.
    Png,
    /// JPEG (baseline or progressive).
    Jpeg,
    /// WebP; read lossy and lossless, written lossless.
    Webp,
    /// GIF; first frame when read as a picture.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF.
    Tiff,
}

impl Format {
    /// Every format, as written in messages.
    pub const NAMES: &str = "png, jpg, webp, gif, bmp, tiff";

    /// The format that the extension of `path` asks for; `field` is named in the error.
    pub fn from_path(path: &Path, field: &str) -> ToolResult<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        Self::from_extension(extension).ok_or_else(|| {
            let shown = path.display();
            let message = match extension.to_ascii_lowercase().as_str() {
                "" => format!("cannot tell the picture format of `{shown}`: the name has no extension"),
                "avif" => format!("cannot write `{shown}`: AVIF is not supported by this build"),
                other => {
                    format!("cannot write `{shown}`: `{other}` is not a picture format this build writes")
                }
            };
            ToolError::invalid(field, message).hint(format!("use one of: {}", Self::NAMES))
        })
    }

    /// The format of a file extension, without its dot, in any case.
    pub fn from_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" | "jpe" | "jfif" => Some(Self::Jpeg),
            "webp" => Some(Self::Webp),
            "gif" => Some(Self::Gif),
            "bmp" | "dib" => Some(Self::Bmp),
            "tif" | "tiff" => Some(Self::Tiff),
            _ => None,
        }
    }

    /// The usual file extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }

    /// Media type (RFC 6838).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    /// Whether the format can hold transparency when written.
    pub const fn has_alpha(self) -> bool {
        !matches!(self, Self::Jpeg | Self::Bmp)
    }

    /// Whether the format holds 16 bits a channel.
    pub const fn has_16_bits(self) -> bool {
        matches!(self, Self::Png | Self::Tiff)
    }

    /// Whether a file of the format written here holds a colour profile.
    pub const fn has_profile(self) -> bool {
        !matches!(self, Self::Gif | Self::Bmp)
    }

    pub(super) const fn codec(self) -> image::ImageFormat {
        match self {
            Self::Png => image::ImageFormat::Png,
            Self::Jpeg => image::ImageFormat::Jpeg,
            Self::Webp => image::ImageFormat::WebP,
            Self::Gif => image::ImageFormat::Gif,
            Self::Bmp => image::ImageFormat::Bmp,
            Self::Tiff => image::ImageFormat::Tiff,
        }
    }

    /// The format of some bytes by their first ones, or the name of a known format that cannot be read.
    pub(super) fn sniff(bytes: &[u8]) -> Result<Self, Option<&'static str>> {
        if bytes.get(4..8) == Some(b"ftyp") {
            return Err(match bytes.get(8..12) {
                Some(b"avif" | b"avis") => Some("AVIF"),
                Some(b"heic" | b"heix" | b"mif1" | b"msf1") => Some("HEIF"),
                _ => None,
            });
        }
        match image::guess_format(bytes) {
            Ok(image::ImageFormat::Png) => Ok(Self::Png),
            Ok(image::ImageFormat::Jpeg) => Ok(Self::Jpeg),
            Ok(image::ImageFormat::WebP) => Ok(Self::Webp),
            Ok(image::ImageFormat::Gif) => Ok(Self::Gif),
            Ok(image::ImageFormat::Bmp) => Ok(Self::Bmp),
            Ok(image::ImageFormat::Tiff) => Ok(Self::Tiff),
            Ok(other) => Err(other.extensions_str().first().copied()),
            Err(_) if bytes.starts_with(b"<svg") || bytes.starts_with(b"<?xml") => Err(Some("SVG")),
            Err(_) => Err(None),
        }
    }
}
