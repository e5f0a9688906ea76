//! JPEG (ITU T.81, annex B) segment by segment, up to the end of the first picture.

use image::metadata::Orientation;

use super::{Found, LONGEST_TEXT};
use crate::exif::only_orientation;

const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const PHOTOSHOP: &[u8] = b"Photoshop 3.0\0";
/// The image resource that holds IPTC records.
const IPTC: u16 = 0x0404;

/// A segment with its marker; for a scan the entropy-coded data too.
struct Segment<'b> {
    marker: u8,
    /// All of it, marker included.
    whole: &'b [u8],
    /// What follows the length.
    payload: &'b [u8],
}

/// The segments between start and end of the first picture, and where it ends. `None` when there is no such end.
fn segments(bytes: &[u8]) -> Option<(Vec<Segment<'_>>, usize)> {
    let mut found = Vec::new();
    let mut at = 2;
    loop {
        let &[0xff, marker] = bytes.get(at..at + 2)? else {
            // Bytes between segments belong to nothing.
            at += 1;
            continue;
        };
        match marker {
            0xd9 => return Some((found, at + 2)),
            0xff | 0x00 => {
                at += 1;
                continue;
            }
            // Markers without a length.
            0x01 | 0xd0..=0xd8 => {
                at += 2;
                continue;
            }
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?])).max(2);
        let mut end = at + 2 + length;
        let payload = bytes.get(at + 4..end)?;
        if marker == 0xda {
            end += scan_length(bytes.get(end..)?)?;
        }
        found.push(Segment {
            marker,
            whole: bytes.get(at..end)?,
            payload,
        });
        at = end;
    }
}

/// Bytes of entropy-coded data: up to the next marker that is neither stuffing nor a restart.
fn scan_length(data: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += data.get(at..)?.iter().position(|&b| b == 0xff)?;
        match data.get(at + 1)? {
            0x00 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            _ => return Some(at),
        }
    }
}

/// Whether the first picture has its end. The decoder itself fills what is missing with grey and says nothing.
pub(crate) fn is_complete(bytes: &[u8]) -> bool {
    segments(bytes).is_some()
}

/// The byte in which Adobe's segment says how colours are coded: 0 as they are, 1 YCbCr, 2 YCCK.
pub(crate) fn adobe_transform(bytes: &[u8]) -> Option<u8> {
    let (segments, _) = segments(bytes)?;
    segments
        .iter()
        .find(|s| s.marker == 0xee && s.payload.starts_with(b"Adobe"))
        .and_then(|s| s.payload.get(11).copied())
}

/// Components of the picture: 1 grey, 3 colour, 4 CMYK.
pub(crate) fn components(bytes: &[u8]) -> Option<u8> {
    let (segments, _) = segments(bytes)?;
    segments
        .iter()
        .find(|s| matches!(s.marker, 0xc0..=0xcf) && !matches!(s.marker, 0xc4 | 0xc8 | 0xcc))
        .and_then(|s| s.payload.get(5).copied())
}

/// The same file with Adobe's colour transform set to none, so that a decoder hands out the stored components.
pub(crate) fn without_transform(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let at = segments(bytes).and_then(|(segments, _)| {
        let adobe = segments
            .iter()
            .find(|s| s.marker == 0xee && s.payload.starts_with(b"Adobe"))?;
        Some(adobe.payload.as_ptr() as usize - bytes.as_ptr() as usize + 11)
    });
    if let Some(byte) = at.and_then(|at| out.get_mut(at)) {
        *byte = 0;
    }
    out
}

/// What stands beside the pixels.
pub(crate) fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let Some((segments, end)) = segments(bytes) else {
        return found;
    };
    let mut resources = Vec::new();
    for segment in &segments {
        let payload = segment.payload;
        match segment.marker {
            0xe1 if payload.starts_with(b"Exif\0") && found.exif.is_none() => {
                found.exif = payload.get(6..).map(<[u8]>::to_vec);
            }
            0xe1 if payload.starts_with(XMP) && found.xmp.is_none() => {
                found.xmp = payload.get(XMP.len()..).map(<[u8]>::to_vec);
            }
            0xe1 if payload.starts_with(EXTENDED_XMP) => found.lost.push("extended XMP"),
            0xed if payload.starts_with(PHOTOSHOP) => {
                resources.extend_from_slice(&payload[PHOTOSHOP.len()..]);
            }
            0xfe if payload.len() <= LONGEST_TEXT => {
                let text = String::from_utf8_lossy(payload).trim_end_matches('\0').to_owned();
                found.comments.push(("Comment".to_owned(), text));
            }
            _ => {}
        }
    }
    found.iptc = iptc_of(&resources);
    if bytes
        .get(end..)
        .is_some_and(|rest| rest.windows(3).any(|w| w == [0xff, 0xd8, 0xff]))
    {
        found.lost.push("a further picture behind the main one");
    } else if bytes.get(end..).is_some_and(|rest| rest.iter().any(|&b| b != 0)) {
        found.lost.push("data behind the picture");
    }
    found.lost.dedup();
    found
}

/// The IPTC records among Photoshop's image resources (Adobe Photoshop File Formats, image resource blocks).
pub(crate) fn iptc_of(resources: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    while resources.get(at..at + 4)? == b"8BIM" {
        let id = u16::from_be_bytes(resources.get(at + 4..at + 6)?.try_into().ok()?);
        let name = usize::from(*resources.get(at + 6)?) + 1;
        let start = at + 6 + name + name % 2;
        let length = u32::from_be_bytes(resources.get(start..start + 4)?.try_into().ok()?) as usize;
        let data = resources.get(start + 4..(start + 4).checked_add(length)?)?;
        if id == IPTC {
            return Some(data.to_vec());
        }
        at = start + 4 + length + length % 2;
    }
    None
}

/// IPTC records as the one image resource of a block.
pub(crate) fn resource_of(iptc: &[u8]) -> Vec<u8> {
    let mut out = b"8BIM\x04\x04\0\0".to_vec();
    out.extend_from_slice(&(iptc.len() as u32).to_be_bytes());
    out.extend_from_slice(iptc);
    if iptc.len() % 2 == 1 {
        out.push(0);
    }
    out
}

/// Payload of the segment for an XMP packet.
pub(crate) fn xmp_payload(packet: &[u8]) -> Vec<u8> {
    [XMP, packet].concat()
}

/// Payload of the segment for IPTC records.
pub(crate) fn iptc_payload(iptc: &[u8]) -> Vec<u8> {
    [PHOTOSHOP, &resource_of(iptc)].concat()
}

/// Most bytes of a payload.
pub(crate) const MOST: usize = 65_533;

/// The file with further segments before its tables. Payloads that are too long are left out.
pub(crate) fn with_segments(bytes: &[u8], added: &[(u8, Vec<u8>)]) -> Vec<u8> {
    // Behind the application segments that the encoder wrote.
    let mut at = 2;
    while let Some(&[0xff, 0xe0..=0xef, high, low]) = bytes.get(at..at + 4) {
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    let (head, tail) = bytes.split_at(at.min(bytes.len()));
    let mut out = head.to_vec();
    for (marker, payload) in added.iter().filter(|(_, payload)| payload.len() <= MOST) {
        out.extend_from_slice(&[0xff, *marker]);
        out.extend_from_slice(&(payload.len() as u16 + 2).to_be_bytes());
        out.extend_from_slice(payload);
    }
    out.extend_from_slice(tail);
    out
}

/// Only what is needed to show the picture: frame, tables, scans, JFIF without its thumbnail, profile and Adobe's colour mark.
/// Everything behind the first picture goes.
pub(crate) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let (segments, _) = segments(bytes)?;
    let mut out = vec![0xff, 0xd8];
    let mut scanning = false;
    for segment in segments {
        let payload = segment.payload;
        match segment.marker {
            0xe0 if payload.starts_with(b"JFIF\0") && !scanning => {
                out.extend_from_slice(&[0xff, 0xe0, 0, 16]);
                out.extend_from_slice(payload.get(..12)?);
                out.extend_from_slice(&[0, 0]);
            }
            0xe1 => {
                let turned = payload
                    .strip_prefix(b"Exif\0\0")
                    .and_then(Orientation::from_exif_chunk)
                    .filter(|o| *o != Orientation::NoTransforms && !scanning);
                if let Some(orientation) = turned {
                    let block = [b"Exif\0\0", &only_orientation(orientation.to_exif())[..]].concat();
                    out.extend_from_slice(&[0xff, 0xe1, 0, block.len() as u8 + 2]);
                    out.extend_from_slice(&block);
                }
            }
            0xe2 if payload.starts_with(b"ICC_PROFILE\0") && !scanning => {
                out.extend_from_slice(segment.whole);
            }
            0xee if payload.starts_with(b"Adobe") && payload.len() >= 12 && !scanning => {
                out.extend_from_slice(&[0xff, 0xee, 0, 14]);
                out.extend_from_slice(&payload[..12]);
            }
            0xe0..=0xfe => {}
            marker => {
                scanning |= marker == 0xda;
                out.extend_from_slice(segment.whole);
            }
        }
    }
    out.extend_from_slice(&[0xff, 0xd9]);
    Some(out)
}
