//! What a picture says about itself beside its pixels, cleaned of everything that shows another picture.

use crate::{
    Format,
    container::{Found, gif, jpeg, png, tiff, webp},
    exif, xmp,
};

/// Facts, rights and texts of a picture. Thumbnails, previews, stored sizes and orientation are not among them:
/// they would show or describe the picture before it was cut or covered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// EXIF, beginning with its TIFF header.
    pub exif: Option<Vec<u8>>,
    /// XMP packet.
    pub xmp: Option<Vec<u8>>,
    /// IPTC records (IIM 4).
    pub iptc: Option<Vec<u8>>,
    /// Texts with their keywords.
    pub comments: Vec<(String, String)>,
}

impl Metadata {
    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The parts that a file of `format` cannot hold, by the names people know them by.
    pub fn not_held_by(&self, format: Format) -> Vec<&'static str> {
        let too_long = |part: &Option<Vec<u8>>| {
            format == Format::Jpeg && part.as_ref().is_some_and(|p| p.len() + 40 > jpeg::MOST)
        };
        let holds = |formats: &[Format]| formats.contains(&format);
        let mut missing = Vec::new();
        for (name, there, held) in [
            (
                "EXIF",
                self.exif.is_some(),
                holds(&[Format::Jpeg, Format::Png, Format::Webp]) && !too_long(&self.exif),
            ),
            (
                "XMP",
                self.xmp.is_some(),
                format != Format::Bmp && !too_long(&self.xmp),
            ),
            (
                "IPTC",
                self.iptc.is_some(),
                holds(&[Format::Jpeg, Format::Png, Format::Tiff]) && !too_long(&self.iptc),
            ),
            (
                "comments",
                !self.comments.is_empty(),
                holds(&[Format::Jpeg, Format::Png, Format::Gif]),
            ),
        ] {
            if there && !held {
                missing.push(name);
            }
        }
        missing
    }
}

/// Most comments that are carried over.
const MOST_COMMENTS: usize = 64;

/// What `bytes` say beside their pixels, and what of it no result will hold.
pub(crate) fn gather(bytes: &[u8], format: Format) -> (Metadata, Vec<String>) {
    let found = match format {
        Format::Jpeg => jpeg::gather(bytes),
        Format::Png => png::gather(bytes),
        Format::Webp => webp::gather(bytes),
        Format::Gif => gif::gather(bytes),
        Format::Tiff => tiff::gather(bytes),
        Format::Bmp => Found::default(),
    };
    let mut lost: Vec<String> = found
        .lost
        .iter()
        .map(|what| format!("{what} is not kept"))
        .collect();
    let packet = found.xmp.as_ref().and_then(|packet| xmp::cleaned(packet));
    if found.xmp.is_some() && packet.is_none() {
        lost.push("the XMP packet is not kept: it is damaged, very long, or holds a picture".to_owned());
    }
    let mut comments = found.comments;
    if comments.len() > MOST_COMMENTS {
        lost.push(format!(
            "{} of {} texts are not kept",
            comments.len() - MOST_COMMENTS,
            comments.len()
        ));
        comments.truncate(MOST_COMMENTS);
    }
    let metadata = Metadata {
        exif: found.exif.as_ref().and_then(|block| exif::cleaned(block)),
        xmp: packet,
        iptc: found.iptc,
        comments,
    };
    (metadata, lost)
}
