//! Looking for pieces of text in files as they lie on disk, whatever program or page they belong to.

use std::{collections::HashSet, fs::File, io::Read as _, path::Path};

/// Bytes of a piece; shorter texts are looked for whole.
const PIECE: usize = 16;
/// Shortest piece looked for: shorter ones are found everywhere.
pub(crate) const SHORTEST: usize = 8;
/// Most pieces looked for at a time.
const MOST: usize = 200_000;

/// Pieces of texts. Which could begin at a place is told by a bit for its first eight bytes; nearly all places have none.
#[derive(Debug)]
pub(crate) struct Pieces {
    by_length: Vec<HashSet<Vec<u8>>>,
    heads: Vec<u64>,
    count: usize,
    left_out: usize,
}

/// Bits for heads, a power of two.
const HEADS: usize = 1 << 22;

impl Default for Pieces {
    fn default() -> Self {
        Self {
            by_length: vec![HashSet::new(); PIECE + 1],
            heads: vec![0; HEADS / 64],
            count: 0,
            left_out: 0,
        }
    }
}

impl Pieces {
    /// Adds the pieces of a text, end to end. A last one that is too short is made from the end of the text.
    pub(crate) fn add(&mut self, text: &[u8]) {
        if text.len() < SHORTEST {
            return;
        }
        let length = text.len().min(PIECE);
        let mut at = 0;
        while at < text.len() {
            if self.count >= MOST {
                self.left_out += (text.len() - at).div_ceil(PIECE);
                return;
            }
            let from = at.min(text.len() - length);
            let piece = &text[from..from + length];
            if let Some(bit) = bit(piece)
                && self.by_length[length].insert(piece.to_vec())
            {
                self.heads[bit / 64] |= 1 << (bit % 64);
                self.count += 1;
            }
            at += PIECE;
        }
    }

    /// How many were not taken, for there were too many.
    pub(crate) fn left_out(&self) -> usize {
        self.left_out
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Takes out those that occur in a text.
    pub(crate) fn take_out(&mut self, text: &[u8]) {
        for piece in self.found_in(text) {
            if self.by_length[piece.len()].remove(&piece) {
                self.count -= 1;
            }
        }
    }

    /// Those that occur in a text, each once.
    pub(crate) fn found_in(&self, text: &[u8]) -> HashSet<Vec<u8>> {
        let mut found = HashSet::new();
        for at in 0..text.len().saturating_sub(SHORTEST - 1) {
            let rest = &text[at..];
            if bit(rest).is_none_or(|bit| self.heads[bit / 64] & (1 << (bit % 64)) == 0) {
                continue;
            }
            for (length, pieces) in self.by_length.iter().enumerate().skip(SHORTEST) {
                if !pieces.is_empty()
                    && let Some(piece) = rest.get(..length)
                    && pieces.contains(piece)
                {
                    found.insert(piece.to_vec());
                }
            }
        }
        found
    }

    /// Those that occur in a file, and its bytes. A file that is not there has none.
    pub(crate) fn found_in_file(&self, path: &Path) -> std::io::Result<(HashSet<Vec<u8>>, u64)> {
        let mut found = HashSet::new();
        let size = each_stretch(path, PIECE, |stretch| found.extend(self.found_in(stretch)))?;
        Ok((found, size))
    }
}

/// How often a text occurs in a file, and the file's bytes.
pub(crate) fn count_in_file(path: &Path, text: &[u8]) -> std::io::Result<(u64, u64)> {
    let mut count = 0;
    let size = each_stretch(path, text.len(), |stretch| {
        count += stretch
            .windows(text.len())
            .filter(|window| *window == text)
            .count() as u64;
    })?;
    Ok((count, size))
}

/// Calls `act` with the file in stretches that overlap by one byte less than `length`.
fn each_stretch(path: &Path, length: usize, mut act: impl FnMut(&[u8])) -> std::io::Result<u64> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut buffer = Vec::new();
    let mut size = 0;
    loop {
        let read = file.by_ref().take(1 << 20).read_to_end(&mut buffer)?;
        size += read as u64;
        act(&buffer);
        if read == 0 {
            return Ok(size);
        }
        buffer.drain(..buffer.len() - buffer.len().min(length - 1));
    }
}

/// Number of the bit for the first eight bytes (Fibonacci hashing).
fn bit(text: &[u8]) -> Option<usize> {
    let head = text.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))?;
    Some((head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HEADS.trailing_zeros())) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_across_stretches_and_only_where_they_are() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let text = b"a text of twenty-seven byte";
        let mut pieces = Pieces::default();
        pieces.add(text);
        pieces.add(b"short");
        assert_eq!(pieces.len(), 2);
        let mut bytes = vec![b'.'; (1 << 20) - 9];
        bytes.extend_from_slice(text);
        bytes.extend(vec![b'.'; 100]);
        std::fs::write(&path, &bytes).unwrap();
        let (found, size) = pieces.found_in_file(&path).unwrap();
        assert_eq!((found.len(), size), (2, bytes.len() as u64));
        assert_eq!(count_in_file(&path, text).unwrap().0, 1);
        assert_eq!(
            count_in_file(&path, b"..").unwrap().0 as usize,
            (1 << 20) - 10 + 99
        );
        std::fs::write(&path, vec![b'.'; 5000]).unwrap();
        assert!(pieces.found_in_file(&path).unwrap().0.is_empty());
        assert!(
            pieces
                .found_in_file(&dir.path().join("none"))
                .unwrap()
                .0
                .is_empty()
        );
        pieces.take_out(b"xx a text of twenty-seven");
        assert_eq!(pieces.len(), 1, "what others say too is no remnant");
    }
}
