//! PNG (ISO 15948, and the extensions eXIf and APNG) chunk by chunk.

use std::io::Read;

use flate2::read::ZlibDecoder;
use image::metadata::Orientation;

use super::{Found, LONGEST_TEXT, jpeg};
use crate::exif::only_orientation;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
const XMP: &str = "XML:com.adobe.xmp";
/// The keyword under which ImageMagick and others store IPTC, as hexadecimal text.
const IPTC: &str = "Raw profile type iptc";

/// A chunk.
pub(crate) struct Chunk<'b> {
    /// Its four letters.
    pub(crate) kind: [u8; 4],
    /// Its content.
    pub(crate) data: &'b [u8],
    /// All of it: length, letters, content, checksum.
    pub(crate) whole: &'b [u8],
}

/// The chunks up to the end mark; fewer when the file is cut short.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = Chunk<'_>> {
    let mut at = 8;
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?) as usize;
        let kind: [u8; 4] = bytes.get(at + 4..at + 8)?.try_into().ok()?;
        let end = at.checked_add(length)?.checked_add(12)?;
        let whole = bytes.get(at..end)?;
        at = if &kind == b"IEND" { usize::MAX - 8 } else { end };
        Some(Chunk {
            kind,
            data: &whole[8..8 + length],
            whole,
        })
    })
}

/// Frames of the animation, or 1.
pub(crate) fn frames(bytes: &[u8]) -> u32 {
    chunks(bytes)
        .take_while(|chunk| &chunk.kind != b"IDAT")
        .find(|chunk| &chunk.kind == b"acTL")
        .and_then(|chunk| Some(u32::from_be_bytes(chunk.data.get(..4)?.try_into().ok()?)))
        .unwrap_or(1)
        .max(1)
}

/// The colour profile, if it unpacks to at most `most` bytes; the error says that it is larger.
pub(crate) fn profile(bytes: &[u8], most: usize) -> Result<Option<Vec<u8>>, ()> {
    let Some(chunk) = chunks(bytes).find(|chunk| &chunk.kind == b"iCCP") else {
        return Ok(None);
    };
    let packed = chunk
        .data
        .iter()
        .position(|&b| b == 0)
        .and_then(|name| chunk.data.get(name + 2..))
        .unwrap_or_default();
    unpacked(packed, most)
}

/// Unpacks at most `most` bytes; `Err` when there is more, `None` when it is damaged.
fn unpacked(packed: &[u8], most: usize) -> Result<Option<Vec<u8>>, ()> {
    let mut out = Vec::new();
    let read = ZlibDecoder::new(packed)
        .take(most as u64 + 1)
        .read_to_end(&mut out);
    if out.len() > most {
        return Err(());
    }
    Ok(read.is_ok().then_some(out))
}

/// The file without chunks of one kind.
pub(crate) fn without(bytes: &[u8], kind: [u8; 4]) -> Vec<u8> {
    let mut out = SIGNATURE.to_vec();
    for chunk in chunks(bytes).filter(|chunk| chunk.kind != kind) {
        out.extend_from_slice(chunk.whole);
    }
    out
}

/// What stands beside the pixels.
pub(crate) fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let mut end = 8;
    for chunk in chunks(bytes) {
        end += chunk.whole.len();
        match &chunk.kind {
            b"eXIf" => found.exif = Some(chunk.data.to_vec()),
            b"tEXt" | b"zTXt" | b"iTXt" => match text(&chunk) {
                Some((keyword, text)) if keyword == XMP => found.xmp = Some(text.into_bytes()),
                Some((keyword, text))
                    if keyword.eq_ignore_ascii_case(IPTC) || keyword == "Raw profile type 8bim" =>
                {
                    found.iptc = raw_profile(&text).and_then(|raw| jpeg::iptc_of(&raw));
                }
                Some((keyword, _)) if keyword.starts_with("Raw profile type") => {
                    found.lost.push("metadata stored as a raw profile");
                }
                Some(pair) => found.comments.push(pair),
                None => found.lost.push("a damaged or very long text"),
            },
            _ => {}
        }
    }
    if bytes.len() > end {
        found.lost.push("data behind the picture");
    }
    found
}

/// Keyword and text of a text chunk.
fn text(chunk: &Chunk<'_>) -> Option<(String, String)> {
    let zero = chunk.data.iter().position(|&b| b == 0)?;
    let latin1 = |bytes: &[u8]| bytes.iter().map(|&b| char::from(b)).collect::<String>();
    let (keyword, rest) = (latin1(&chunk.data[..zero]), &chunk.data[zero + 1..]);
    // Packets and profiles may be longer than what people write.
    let most = if keyword == XMP || keyword.starts_with("Raw profile") {
        1 << 20
    } else {
        LONGEST_TEXT
    };
    let text = match &chunk.kind {
        b"tEXt" => latin1(rest),
        b"zTXt" => latin1(&unpacked(rest.get(1..)?, most).ok()??),
        _ => {
            let packed = *rest.first()? == 1;
            let mut rest = rest.get(2..)?;
            for _ in 0..2 {
                rest = &rest[rest.iter().position(|&b| b == 0)? + 1..];
            }
            let bytes = if packed {
                unpacked(rest, most).ok()??
            } else {
                rest.to_vec()
            };
            String::from_utf8(bytes).ok()?
        }
    };
    (text.len() <= most).then_some((keyword, text))
}

/// The bytes of a raw profile: a name, a length, then hexadecimal digits.
fn raw_profile(text: &str) -> Option<Vec<u8>> {
    let mut lines = text.trim_start().lines();
    let (_, length) = (lines.next()?, lines.next()?.trim().parse::<usize>().ok()?);
    let digits: Vec<u32> = lines
        .flat_map(str::chars)
        .filter_map(|c| c.to_digit(16))
        .collect();
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| (pair[0] * 16 + pair[1]) as u8)
        .collect();
    (bytes.len() >= length).then(|| bytes[..length].to_vec())
}

/// A chunk as bytes.
pub(crate) fn chunk(kind: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = (data.len() as u32).to_be_bytes().to_vec();
    out.extend_from_slice(&kind);
    out.extend_from_slice(data);
    let sum = crc32fast::hash(&out[4..]);
    out.extend_from_slice(&sum.to_be_bytes());
    out
}

/// An uncompressed international text.
fn international(keyword: &str, text: &[u8]) -> Vec<u8> {
    chunk(*b"iTXt", &[keyword.as_bytes(), b"\0\0\0\0\0", text].concat())
}

/// The file with XMP, IPTC and texts added before its pixels.
pub(crate) fn with_texts(
    bytes: &[u8],
    xmp: Option<&[u8]>,
    iptc: Option<&[u8]>,
    comments: &[(String, String)],
) -> Vec<u8> {
    let mut added = Vec::new();
    if let Some(xmp) = xmp {
        added.extend(international(XMP, xmp));
    }
    if let Some(iptc) = iptc {
        let raw = jpeg::resource_of(iptc);
        let mut text = format!("\niptc\n{:8}\n", raw.len());
        for (index, byte) in raw.iter().enumerate() {
            text.push_str(&format!("{byte:02x}"));
            if index % 36 == 35 {
                text.push('\n');
            }
        }
        text.push('\n');
        added.extend(chunk(
            *b"tEXt",
            &[IPTC.as_bytes(), b"\0", text.as_bytes()].concat(),
        ));
    }
    for (keyword, text) in comments {
        let legal =
            (1..80).contains(&keyword.len()) && keyword.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        added.extend(international(
            if legal { keyword } else { "Comment" },
            text.as_bytes(),
        ));
    }
    let (head, tail) = bytes.split_at(33.min(bytes.len()));
    [head, &added, tail].concat()
}

/// Only what is needed to show the picture or the animation; nothing behind its end.
pub(crate) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.get(..8)?.to_vec();
    for chunk in chunks(bytes) {
        match &chunk.kind {
            b"eXIf" => {
                let turned =
                    Orientation::from_exif_chunk(chunk.data).filter(|o| *o != Orientation::NoTransforms);
                if let Some(orientation) = turned {
                    out.extend(self::chunk(*b"eXIf", &only_orientation(orientation.to_exif())));
                }
            }
            b"IHDR" | b"PLTE" | b"IDAT" | b"tRNS" | b"gAMA" | b"cHRM" | b"sRGB" | b"iCCP" | b"sBIT"
            | b"bKGD" | b"pHYs" | b"cICP" | b"mDCV" | b"cLLI" | b"acTL" | b"fcTL" | b"fdAT" => {
                out.extend_from_slice(chunk.whole);
            }
            b"IEND" => {
                out.extend_from_slice(chunk.whole);
                return Some(out);
            }
            _ => {}
        }
    }
    None
}
