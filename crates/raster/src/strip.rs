//! Removing metadata without touching the pixels: the file is written anew part by part, and only known parts are taken.

use crate::{
    Format,
    container::{gif, jpeg, png, webp},
};

/// The same file without EXIF, XMP, comments, text, thumbnails and whatever lies behind the picture; pixels, frames and
/// colour profile stay bit for bit. The one fact kept from EXIF is an orientation other than upright, or the picture
/// would turn. `None` when the format cannot be edited in place and has to be written anew.
pub fn strip_metadata(bytes: &[u8], format: Format) -> Option<Vec<u8>> {
    match format {
        Format::Jpeg => jpeg::stripped(bytes),
        Format::Png => png::stripped(bytes),
        Format::Webp => webp::stripped(bytes),
        Format::Gif => gif::stripped(bytes),
        Format::Bmp | Format::Tiff => None,
    }
}
