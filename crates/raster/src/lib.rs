//! Reading, scaling and writing pictures.
//!
//! The size of a picture is checked before its pixels are decoded, so a decompression bomb costs nothing;
//! the format comes from the content and never from the name; EXIF orientation is applied on reading.
//! Pixels are RGB or RGBA with straight alpha, 8 bits a channel or 16. What a file says beside its pixels is carried
//! along cleaned of other pictures; what cannot be carried is told.

mod animation;
mod cmyk;
mod color;
mod container;
mod decode;
mod directory;
mod encode;
mod exif;
mod format;
mod metadata;
mod pixels;
mod resize;
mod rgba;
mod strip;
mod xmp;

pub use animation::{Plays, Shown, each_frame, encode_gif};
pub use decode::{Picture, Probe, decode, probe};
pub use encode::{EncodeOptions, encode};
pub use format::Format;
pub use image::{RgbImage, RgbaImage};
pub use metadata::Metadata;
pub use pixels::{Pixels, Rgb16Image, Rgba16Image, check_size};
pub use resize::{Filter, Region, resize, resize_region};
pub use rgba::Color;
pub use strip::strip_metadata;

/// What a picture may cost before it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most pixels, all frames of an animation together.
    pub max_pixels: u64,
    /// Most bytes of memory for the decoded pixels and the decoder's own buffers.
    pub max_memory: u64,
    /// Largest file.
    pub max_file: u64,
}

impl Default for Limits {
    /// 100 megapixels, 1 GiB of memory, 512 MiB of file.
    fn default() -> Self {
        Self {
            max_pixels: 100_000_000,
            max_memory: 1 << 30,
            max_file: 512 << 20,
        }
    }
}

#[cfg(test)]
mod tests;
