//! Removing metadata without touching the pixels: the file is rewritten segment by segment.

use image::metadata::Orientation;

use super::{Format, decode::Picture};

/// The same file without EXIF, XMP, comments, text and thumbnails; pixels and colour profile stay bit for bit.
/// The one fact kept from EXIF is an orientation other than upright, or the picture would turn.
/// `None` when the format cannot be edited in place and has to be written anew.
pub fn strip_metadata(bytes: &[u8], picture: &Picture) -> Option<Vec<u8>> {
    match picture.format {
        Format::Jpeg => jpeg(bytes),
        Format::Png => png(bytes),
        _ => None,
    }
}

/// Keeps what is needed to show the picture: frame, tables, scans, JFIF, ICC (APP2) and Adobe (APP14).
fn jpeg(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..2)?.to_vec();
    let mut at = 2;
    loop {
        let &[0xff, marker] = bytes.get(at..at + 2)? else {
            return None;
        };
        if marker == 0xff {
            at += 1;
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
        let segment = bytes.get(at..at + 2 + length)?;
        let payload = segment.get(4..)?;
        match marker {
            0xda => {
                let rest = bytes.get(at..)?;
                let end = rest.windows(2).rposition(|pair| pair == [0xff, 0xd9])?;
                out.extend_from_slice(&rest[..end + 2]);
                return Some(out);
            }
            0xe1 => {
                let turned = payload
                    .strip_prefix(b"Exif\0\0")
                    .and_then(Orientation::from_exif_chunk)
                    .filter(|o| *o != Orientation::NoTransforms);
                if let Some(orientation) = turned {
                    out.extend_from_slice(&exif_with_orientation(orientation));
                }
            }
            0xe2 if payload.starts_with(b"ICC_PROFILE\0") => out.extend_from_slice(segment),
            0xe0 | 0xee => out.extend_from_slice(segment),
            0xe3..=0xef | 0xe2 | 0xfe => {}
            _ => out.extend_from_slice(segment),
        }
        at += 2 + length;
    }
}

/// An APP1 segment whose only entry is tag 0x0112 (EXIF 2.3, 4.6.4).
fn exif_with_orientation(orientation: Orientation) -> Vec<u8> {
    let mut segment = vec![0xff, 0xe1, 0, 34];
    segment.extend_from_slice(b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    segment.extend_from_slice(&[orientation.to_exif(), 0, 0, 0, 0, 0, 0]);
    segment
}

/// Drops text, time and EXIF chunks (PNG 1.3, section 4.2, and the eXIf extension).
fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..8)?.to_vec();
    let mut at = 8;
    loop {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let kind = bytes.get(at + 4..at + 8)?;
        let end = at.checked_add(length)?.checked_add(12)?;
        let chunk = bytes.get(at..end)?;
        match kind {
            b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" => {}
            b"eXIf" => {
                // A turned picture keeps its EXIF: there is no smaller honest form with a valid checksum here.
                let turned = Orientation::from_exif_chunk(&chunk[8..8 + length])
                    .is_some_and(|o| o != Orientation::NoTransforms);
                if turned {
                    return None;
                }
            }
            _ => out.extend_from_slice(chunk),
        }
        if kind == b"IEND" {
            return Some(out);
        }
        at = end;
    }
}
