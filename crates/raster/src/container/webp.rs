//! WebP (RFC 9649) chunk by chunk.

use image::metadata::Orientation;

use super::Found;
use crate::exif::only_orientation;

const EXIF_FLAG: u8 = 0x08;
const XMP_FLAG: u8 = 0x04;

/// Letters and content of the chunks in `bytes`; stops where they are cut short.
fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let kind: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
        let length = u32::from_le_bytes(bytes.get(at + 4..at + 8)?.try_into().ok()?) as usize;
        let data = bytes.get(at + 8..(at + 8).checked_add(length)?)?;
        at += 8 + length + length % 2;
        Some((kind, data))
    })
}

/// The content of the file as its header measures it.
fn body(bytes: &[u8]) -> &[u8] {
    let length = bytes
        .get(4..8)
        .and_then(|four| Some(u32::from_le_bytes(four.try_into().ok()?) as usize))
        .unwrap_or(0);
    let end = (length + 8).min(bytes.len());
    bytes.get(12..end).unwrap_or_default()
}

/// Frames of the animation, or 1.
pub(crate) fn frames(bytes: &[u8]) -> u32 {
    (chunks(body(bytes)).filter(|(kind, _)| kind == b"ANMF").count() as u32).max(1)
}

/// What stands beside the pixels.
pub(crate) fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    for (kind, data) in chunks(body(bytes)) {
        match &kind {
            b"EXIF" => found.exif = Some(data.strip_prefix(b"Exif\0\0").unwrap_or(data).to_vec()),
            b"XMP " => found.xmp = Some(data.to_vec()),
            _ => {}
        }
    }
    if bytes.len() > body(bytes).len() + 13 {
        found.lost.push("data behind the picture");
    }
    found
}

fn push(out: &mut Vec<u8>, kind: [u8; 4], data: &[u8]) {
    out.extend_from_slice(&kind);
    out.extend_from_slice(&(data.len() as u32).to_le_bytes());
    out.extend_from_slice(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
}

/// The file in a frame of its own, with the right length.
fn framed(content: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&(content.len() as u32 + 4).to_le_bytes());
    out.extend_from_slice(b"WEBP");
    out.extend_from_slice(content);
    out
}

/// Only what is needed to show the picture or the animation; nothing behind its end.
pub(crate) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let turned = chunks(body(bytes))
        .find(|(kind, _)| kind == b"EXIF")
        .and_then(|(_, data)| Orientation::from_exif_chunk(data.strip_prefix(b"Exif\0\0").unwrap_or(data)))
        .filter(|o| *o != Orientation::NoTransforms);
    let mut content = Vec::new();
    let mut pictures = 0;
    for (kind, data) in chunks(body(bytes)) {
        match &kind {
            b"VP8X" => {
                let mut head = data.to_vec();
                let flags = head.first_mut()?;
                *flags &= !(EXIF_FLAG | XMP_FLAG);
                if turned.is_some() {
                    *flags |= EXIF_FLAG;
                }
                push(&mut content, kind, &head);
            }
            b"ANMF" => {
                let mut frame = data.get(..16)?.to_vec();
                for (kind, data) in chunks(&data[16..]).filter(|(kind, _)| is_picture(*kind)) {
                    push(&mut frame, kind, data);
                }
                pictures += 1;
                push(&mut content, kind, &frame);
            }
            b"ICCP" | b"ANIM" => push(&mut content, kind, data),
            _ if is_picture(kind) => {
                pictures += 1;
                push(&mut content, kind, data);
            }
            _ => {}
        }
    }
    if let Some(orientation) = turned {
        push(&mut content, *b"EXIF", &only_orientation(orientation.to_exif()));
    }
    (pictures > 0).then(|| framed(&content))
}

fn is_picture(kind: [u8; 4]) -> bool {
    matches!(&kind, b"VP8 " | b"VP8L" | b"ALPH")
}

/// The file with an XMP packet; `width`, `height` and `alpha` are needed where it had no extended header yet.
pub(crate) fn with_xmp(bytes: &[u8], packet: &[u8], size: (u32, u32), alpha: bool) -> Vec<u8> {
    let mut content = Vec::new();
    let mut extended = false;
    for (kind, data) in chunks(body(bytes)) {
        if &kind == b"VP8X" {
            extended = true;
            let mut head = data.to_vec();
            if let Some(flags) = head.first_mut() {
                *flags |= XMP_FLAG;
            }
            push(&mut content, kind, &head);
        } else {
            push(&mut content, kind, data);
        }
    }
    if !extended {
        let mut head = vec![XMP_FLAG | if alpha { 0x10 } else { 0 }, 0, 0, 0];
        for side in [size.0, size.1] {
            head.extend_from_slice(&side.saturating_sub(1).to_le_bytes()[..3]);
        }
        let mut with_head = Vec::new();
        push(&mut with_head, *b"VP8X", &head);
        with_head.extend_from_slice(&content);
        content = with_head;
    }
    push(&mut content, *b"XMP ", packet);
    framed(&content)
}
