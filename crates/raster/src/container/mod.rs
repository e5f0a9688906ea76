//! The formats as containers: which parts a file consists of, what they say beside the pixels, and the file without that.

pub(crate) mod gif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod tiff;
pub(crate) mod webp;

/// What a container holds beside the pixels, as it stands there.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// EXIF, beginning with its TIFF header.
    pub(crate) exif: Option<Vec<u8>>,
    /// XMP packet.
    pub(crate) xmp: Option<Vec<u8>>,
    /// IPTC records (IIM 4).
    pub(crate) iptc: Option<Vec<u8>>,
    /// Texts with their keywords.
    pub(crate) comments: Vec<(String, String)>,
    /// Things that no result carries over, for people to read.
    pub(crate) lost: Vec<&'static str>,
}

/// Texts longer than this are not carried over.
pub(crate) const LONGEST_TEXT: usize = 64 << 10;
