//! GIF (GIF89a) block by block.

use super::{Found, LONGEST_TEXT};
use crate::Plays;

/// One block of the file.
enum Block<'b> {
    /// An extension: its label, its first sub-block, all of it.
    Extension(u8, &'b [u8], &'b [u8]),
    /// A frame with its tables.
    Frame(&'b [u8]),
}

/// Bytes of a colour table by the flags before it.
fn table(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        0
    } else {
        3usize << ((flags & 7) + 1)
    }
}

/// Header with the global table, the blocks, and where they end. `None` when the file is cut short inside a block.
fn blocks(bytes: &[u8]) -> Option<(&[u8], Vec<Block<'_>>, usize)> {
    let skip = |mut at: usize| -> Option<usize> {
        loop {
            let size = usize::from(*bytes.get(at)?);
            at += 1 + size;
            if size == 0 {
                return Some(at);
            }
        }
    };
    let mut at = 13 + table(*bytes.get(10)?);
    let head = bytes.get(..at)?;
    let mut found = Vec::new();
    loop {
        match bytes.get(at) {
            Some(0x21) => {
                let end = skip(at + 2)?;
                let first = bytes
                    .get(at + 3..at + 3 + usize::from(*bytes.get(at + 2)?))
                    .unwrap_or_default();
                found.push(Block::Extension(*bytes.get(at + 1)?, first, bytes.get(at..end)?));
                at = end;
            }
            Some(0x2c) => {
                let end = skip(at + 10 + table(*bytes.get(at + 9)?) + 1)?;
                found.push(Block::Frame(bytes.get(at..end)?));
                at = end;
            }
            // A trailer, or a file whose trailer is missing after a whole frame, as some writers leave it.
            _ => return Some((head, found, at)),
        }
    }
}

/// Counts the frames; `None` when there is none or the file is cut short inside a block.
pub(crate) fn frames(bytes: &[u8]) -> Option<u32> {
    let (_, blocks, _) = blocks(bytes)?;
    let frames = blocks.iter().filter(|b| matches!(b, Block::Frame(_))).count() as u32;
    (frames > 0).then_some(frames)
}

/// How often the animation is shown: once without the extension of Netscape, which counts the plays after the first.
pub(crate) fn plays(bytes: &[u8]) -> Plays {
    let again = blocks(bytes).and_then(|(_, blocks, _)| {
        blocks.into_iter().find_map(|block| match block {
            Block::Extension(0xff, b"NETSCAPE2.0" | b"ANIMEXTS1.0", whole) => {
                let count = whole.get(16..18)?;
                Some(u32::from(u16::from_le_bytes([count[0], count[1]])))
            }
            _ => None,
        })
    });
    match again {
        None => Plays::Times(1),
        Some(0) => Plays::Forever,
        Some(again) => Plays::Times(again + 1),
    }
}

/// What stands beside the pixels.
pub(crate) fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let Some((_, blocks, end)) = blocks(bytes) else {
        return found;
    };
    for block in blocks {
        match block {
            Block::Extension(0xfe, _, whole) if whole.len() <= LONGEST_TEXT => {
                let text = String::from_utf8_lossy(&joined(whole.get(2..).unwrap_or_default())).into_owned();
                found.comments.push(("Comment".to_owned(), text));
            }
            Block::Extension(0xff, b"XMP DataXMP", whole) => {
                // The packet is not cut into sub-blocks; a magic trailer of 258 bytes makes it skippable (XMP 3, 1.1.2).
                let end = whole.len().saturating_sub(258);
                found.xmp = whole.get(14..end).map(<[u8]>::to_vec);
            }
            _ => {}
        }
    }
    if bytes.len() > end + 1 {
        found.lost.push("data behind the picture");
    }
    found
}

fn joined(mut blocks: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((&size, rest)) = blocks.split_first() {
        if size == 0 {
            break;
        }
        let size = usize::from(size).min(rest.len());
        out.extend_from_slice(&rest[..size]);
        blocks = &rest[size..];
    }
    out
}

/// The file with comments and an XMP packet before its end.
pub(crate) fn with_texts(bytes: &[u8], xmp: Option<&[u8]>, comments: &[(String, String)]) -> Vec<u8> {
    let mut out = bytes.strip_suffix(b";").unwrap_or(bytes).to_vec();
    for (_, text) in comments {
        out.extend_from_slice(&[0x21, 0xfe]);
        for part in text.as_bytes().chunks(255) {
            out.push(part.len() as u8);
            out.extend_from_slice(part);
        }
        out.push(0);
    }
    if let Some(xmp) = xmp.filter(|xmp| !xmp.contains(&0)) {
        out.extend_from_slice(b"\x21\xff\x0bXMP DataXMP");
        out.extend_from_slice(xmp);
        out.push(1);
        out.extend((0..=255u8).rev());
        out.push(0);
    }
    out.push(0x3b);
    out
}

/// Only what is needed to show the animation: frames, their control, how often it plays, colour profile.
pub(crate) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let (head, blocks, _) = blocks(bytes)?;
    let mut out = head.to_vec();
    for block in blocks {
        match block {
            Block::Frame(whole)
            | Block::Extension(0xf9, _, whole)
            | Block::Extension(0xff, b"NETSCAPE2.0" | b"ANIMEXTS1.0" | b"ICCRGBG1012", whole) => {
                out.extend_from_slice(whole);
            }
            Block::Extension(..) => {}
        }
    }
    out.push(0x3b);
    Some(out)
}
