//! TIFF 6.0: pages, and what the first one says beside its pixels.

use super::Found;
use crate::{
    directory::{Block, tag},
    exif::cleaned,
};

/// Where the pages lie; thumbnails of other pages are none.
pub(crate) fn pages(bytes: &[u8]) -> Vec<usize> {
    let Some(block) = Block::new(bytes) else {
        return Vec::new();
    };
    block
        .chain()
        .into_iter()
        .enumerate()
        .filter(|&(index, at)| {
            let reduced = block
                .directory(at)
                .and_then(|d| block.number(d.get(tag::NEW_SUBFILE_TYPE)?))
                .unwrap_or(0);
            index == 0 || reduced & 1 == 0
        })
        .map(|(_, at)| at)
        .collect()
}

/// The file with the page at `at` as its first.
pub(crate) fn with_first(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let place = if bytes.starts_with(b"MM") {
        (at as u32).to_be_bytes()
    } else {
        (at as u32).to_le_bytes()
    };
    if let Some(to) = out.get_mut(4..8) {
        to.copy_from_slice(&place);
    }
    out
}

/// What stands beside the pixels of the first page.
pub(crate) fn gather(bytes: &[u8]) -> Found {
    let mut found = Found::default();
    let Some(page) = Block::new(bytes).and_then(|block| block.directory(block.first()?)) else {
        return found;
    };
    let value = |tag: u16| page.get(tag).map(|entry| entry.value.clone());
    found.xmp = value(tag::XMP);
    found.iptc = value(tag::IPTC);
    // The file itself is such a block; cleaning takes its facts and leaves its pixels.
    found.exif = cleaned(bytes);
    found
}
