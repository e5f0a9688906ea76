//! The directories of tags that EXIF and TIFF are made of (TIFF 6.0, section 2; EXIF 2.32, section 4.5): read, filtered, written.
//! Values keep their bytes, so what is not understood is still carried over unharmed.

/// A directory of tags.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Directory {
    /// Its entries, in the order of the file.
    pub(crate) entries: Vec<Entry>,
    /// Where the next directory lies; 0 for none.
    pub(crate) next: usize,
}

/// One tag with its values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// Number of the tag.
    pub(crate) tag: u16,
    /// Type of its values.
    pub(crate) kind: u16,
    /// How many values there are.
    pub(crate) count: u32,
    /// The bytes of the values, in the byte order of the file.
    pub(crate) value: Vec<u8>,
}

/// Tags that this crate knows by name.
pub(crate) mod tag {
    pub(crate) const NEW_SUBFILE_TYPE: u16 = 0x00fe;
    pub(crate) const XMP: u16 = 0x02bc;
    pub(crate) const IPTC: u16 = 0x83bb;
    pub(crate) const EXIF: u16 = 0x8769;
    pub(crate) const GPS: u16 = 0x8825;
    pub(crate) const MAKER_NOTE: u16 = 0x927c;
    pub(crate) const PIXEL_X: u16 = 0xa002;
    pub(crate) const PIXEL_Y: u16 = 0xa003;
    pub(crate) const INTEROP: u16 = 0xa005;
}

/// Values longer than this are no facts about a picture but something stored inside it.
const LONGEST: usize = 16 << 10;
/// Directories of one file that are looked at.
const MOST: usize = 10_000;

/// Bytes in the order that the header names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'b> {
    bytes: &'b [u8],
    big: bool,
}

impl<'b> Block<'b> {
    /// A block that begins with a TIFF header.
    pub(crate) fn new(bytes: &'b [u8]) -> Option<Self> {
        let big = match bytes.get(..4)? {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        Some(Self { bytes, big })
    }

    fn u16(self, at: usize) -> Option<u16> {
        let two: [u8; 2] = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.big {
            u16::from_be_bytes(two)
        } else {
            u16::from_le_bytes(two)
        })
    }

    fn u32(self, at: usize) -> Option<u32> {
        let four: [u8; 4] = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.big {
            u32::from_be_bytes(four)
        } else {
            u32::from_le_bytes(four)
        })
    }

    /// Where the first directory lies.
    pub(crate) fn first(self) -> Option<usize> {
        Some(self.u32(4)? as usize)
    }

    /// The directory at `at`; entries that point out of the block are left out.
    pub(crate) fn directory(self, at: usize) -> Option<Directory> {
        let count = usize::from(self.u16(at)?);
        let mut directory = Directory::default();
        for index in 0..count {
            let at = at + 2 + index * 12;
            let (tag, kind, count) = (self.u16(at)?, self.u16(at + 2)?, self.u32(at + 4)?);
            let Some(length) = size_of(kind).checked_mul(count as usize) else {
                continue;
            };
            let start = if length <= 4 {
                at + 8
            } else {
                self.u32(at + 8)? as usize
            };
            let value = start
                .checked_add(length)
                .and_then(|end| self.bytes.get(start..end));
            if let Some(value) = value {
                let value = value.to_vec();
                directory.entries.push(Entry {
                    tag,
                    kind,
                    count,
                    value,
                });
            }
        }
        directory.next = self.u32(at + 2 + count * 12).unwrap_or(0) as usize;
        Some(directory)
    }

    /// Where the directories of the chain lie, in order; a chain that bites its tail ends there.
    pub(crate) fn chain(self) -> Vec<usize> {
        let mut places = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut at = self.first().unwrap_or(0);
        while at != 0 && places.len() < MOST && seen.insert(at) {
            let Some(next) = self
                .u16(at)
                .map(|count| self.u32(at + 2 + usize::from(count) * 12).unwrap_or(0) as usize)
            else {
                break;
            };
            places.push(at);
            at = next;
        }
        places
    }

    /// The first value of an entry as a number.
    pub(crate) fn number(self, entry: &Entry) -> Option<u32> {
        let block = Block {
            bytes: &entry.value,
            big: self.big,
        };
        match entry.kind {
            3 => block.u16(0).map(u32::from),
            4 | 13 => block.u32(0),
            _ => None,
        }
    }

    fn pair(self, value: u16) -> [u8; 2] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    fn four(self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    /// The directory as bytes that begin at `at` of a block; pointers to further directories are filled in after.
    fn write(self, directory: &Directory, at: usize) -> Vec<u8> {
        let mut table = self.pair(directory.entries.len() as u16).to_vec();
        let mut values = Vec::new();
        let start = at + 2 + directory.entries.len() * 12 + 4;
        for entry in &directory.entries {
            table.extend_from_slice(&self.pair(entry.tag));
            table.extend_from_slice(&self.pair(entry.kind));
            table.extend_from_slice(&self.four(entry.count));
            if entry.value.len() <= 4 {
                let mut inline = entry.value.clone();
                inline.resize(4, 0);
                table.extend_from_slice(&inline);
            } else {
                table.extend_from_slice(&self.four((start + values.len()) as u32));
                values.extend_from_slice(&entry.value);
                if values.len() % 2 == 1 {
                    values.push(0);
                }
            }
        }
        table.extend_from_slice(&[0; 4]);
        table.extend_from_slice(&values);
        table
    }
}

impl Directory {
    /// The entry of a tag.
    pub(crate) fn get(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }
}

/// Bytes of one value; types that are not known count as bytes.
fn size_of(kind: u16) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 => 8,
        _ => 1,
    }
}

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
