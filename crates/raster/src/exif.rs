//! EXIF (2.32, section 4.5) without anything that shows or describes another picture.

use crate::directory::{Block, Directory, Entry, tag};

/// Values longer than this are no facts about a picture but something stored inside it.
const LONGEST: usize = 16 << 10;
/// The block without anything that shows another picture or speaks of another size: thumbnails and their directory,
/// previews inside maker notes, stored sizes, orientation. `None` when nothing is left or the block is damaged.
pub(crate) fn cleaned(exif: &[u8]) -> Option<Vec<u8>> {
    let exif = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let block = Block::new(exif)?;
    let main = block.directory(block.first()?)?;
    let part = |tag: u16, of: &Directory| -> Option<Directory> {
        let at = block.number(of.get(tag)?)? as usize;
        block.directory(at)
    };
    let exif_part = part(tag::EXIF, &main);
    let interop = exif_part.as_ref().and_then(|exif| part(tag::INTEROP, exif));
    let gps = part(tag::GPS, &main);
    let kept = |directory: Directory, wanted: fn(u16) -> bool| Directory {
        entries: directory
            .entries
            .into_iter()
            .filter(|e| wanted(e.tag) && e.value.len() <= LONGEST && !holds_a_picture(&e.value))
            .collect(),
        next: 0,
    };
    let mut main = kept(main, in_main);
    let exif_part = exif_part.map(|d| {
        kept(d, |t| {
            !matches!(t, tag::MAKER_NOTE | tag::PIXEL_X | tag::PIXEL_Y | tag::INTEROP)
        })
    });
    let gps = gps.map(|d| kept(d, |_| true));
    let interop = interop.map(|d| kept(d, |_| true));
    let filled = |d: Option<Directory>| d.filter(|d| !d.entries.is_empty());
    let (mut exif_part, gps, interop) = (filled(exif_part), filled(gps), filled(interop));
    if main.entries.is_empty() && exif_part.is_none() && gps.is_none() {
        return None;
    }
    // Pointers are set to their final values once all lengths are known; a pointer fits into its entry.
    let pointer = |tag: u16| Entry {
        tag,
        kind: 4,
        count: 1,
        value: vec![0; 4],
    };
    if let (Some(exif), Some(_)) = (&mut exif_part, &interop) {
        insert(exif, pointer(tag::INTEROP));
    }
    for (tag, there) in [(tag::EXIF, exif_part.is_some()), (tag::GPS, gps.is_some())] {
        if there {
            insert(&mut main, pointer(tag));
        }
    }
    Some(laid_out(block, main, exif_part, interop, gps))
}

/// Writes the directories one after the other and sets the pointers between them.
fn laid_out(
    block: Block<'_>,
    mut main: Directory,
    exif: Option<Directory>,
    interop: Option<Directory>,
    gps: Option<Directory>,
) -> Vec<u8> {
    let mut at = 8 + block.write(&main, 8).len();
    let mut rest = Vec::new();
    if let Some(mut exif) = exif {
        let start = at;
        at += block.write(&exif, start).len();
        if let Some(interop) = interop {
            point(block, &mut exif, tag::INTEROP, at);
            let bytes = block.write(&interop, at);
            rest.extend(block.write(&exif, start));
            at += bytes.len();
            rest.extend(bytes);
        } else {
            rest.extend(block.write(&exif, start));
        }
        point(block, &mut main, tag::EXIF, start);
    }
    if let Some(gps) = gps {
        point(block, &mut main, tag::GPS, at);
        rest.extend(block.write(&gps, at));
    }
    let mut out = if block.big {
        b"MM\0*".to_vec()
    } else {
        b"II*\0".to_vec()
    };
    out.extend_from_slice(&block.four(8));
    out.extend(block.write(&main, 8));
    out.extend(rest);
    out
}

fn point(block: Block<'_>, directory: &mut Directory, tag: u16, at: usize) {
    if let Some(entry) = directory.entries.iter_mut().find(|e| e.tag == tag) {
        entry.value = block.four(at as u32).to_vec();
    }
}

/// Entries stand in the order of their tags.
fn insert(directory: &mut Directory, entry: Entry) {
    let at = directory
        .entries
        .iter()
        .position(|e| e.tag > entry.tag)
        .unwrap_or(directory.entries.len());
    directory.entries.insert(at, entry);
}

/// Tags of the first directory that are facts about the picture and stay true when its pixels change. Everything that
/// describes stored pixels, points to more of them, or has a place of its own (XMP, IPTC, profile) is not.
fn in_main(tag: u16) -> bool {
    matches!(
        tag,
        0x010d..=0x0110 | 0x011a | 0x011b | 0x0128 | 0x0131 | 0x0132 | 0x013b | 0x013c
            | 0x0213 | 0x4746 | 0x4749 | 0x8298 | 0x9c9b..=0x9c9f
    )
}

/// Whether a value holds the beginning of a JPEG or a PNG.
fn holds_a_picture(value: &[u8]) -> bool {
    value.windows(3).any(|w| w == [0xff, 0xd8, 0xff]) || value.windows(4).any(|w| w == b"\x89PNG")
}

/// A block that says nothing but how the picture has to be turned.
pub(crate) fn only_orientation(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    block
}
