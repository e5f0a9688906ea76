//! The directories of tags that EXIF and TIFF are made of (TIFF 6.0, section 2), read and written.
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

/// Directories of one file that are looked at.
const MOST: usize = 10_000;

/// Bytes in the order that the header names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'b> {
    bytes: &'b [u8],
    /// The most significant byte stands first.
    pub(crate) big: bool,
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

    pub(crate) fn four(self, value: u32) -> [u8; 4] {
        if self.big {
            value.to_be_bytes()
        } else {
            value.to_le_bytes()
        }
    }

    /// The directory as bytes that begin at `at` of a block; pointers to further directories are filled in after.
    pub(crate) fn write(self, directory: &Directory, at: usize) -> Vec<u8> {
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
