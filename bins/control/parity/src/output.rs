//! What a side printed: the beginning in memory, all of it in a file and by its hash.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use sha2::{Digest as _, Sha256};

/// Bytes that are kept in memory and compared word by word.
pub const KEPT: usize = 16 << 20;

/// Most bytes that are kept in the file; a side that prints more is cut there, and that is told.
const SPOOLED: u64 = 4 << 30;

/// The output of one stream.
#[derive(Debug)]
pub struct Output {
    /// The beginning.
    pub bytes: Vec<u8>,
    /// Bytes in all.
    pub total: u64,
    sha: Sha256,
    spool: Option<File>,
    /// Not all of it is in the file.
    pub cut: bool,
}

impl Output {
    /// An empty one that is also written to this file.
    pub fn new(spool: Option<File>) -> Self {
        Self {
            bytes: Vec::new(),
            total: 0,
            sha: Sha256::new(),
            cut: spool.is_none(),
            spool,
        }
    }

    /// With a temporary file of its own.
    pub fn spooled() -> Self {
        Self::new(tempfile::tempfile().ok())
    }

    /// Reads one that another process wrote to a file.
    ///
    /// Fails as reading fails.
    pub fn read(path: &Path) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        let mut output = Self::new(None);
        output.cut = false;
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(output);
            }
            output.push(&buffer[..read]);
        }
    }

    /// Takes more of it.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = KEPT - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.sha.update(bytes);
        self.total += bytes.len() as u64;
        if let Some(spool) = &mut self.spool
            && (self.total > SPOOLED || spool.write_all(bytes).is_err())
        {
            self.spool = None;
            self.cut = true;
        }
    }

    /// What lies beyond the part in memory: bytes in all and the SHA-256 of all; `None` when there is nothing.
    pub fn beyond(&self) -> Option<(u64, String)> {
        (self.total > self.bytes.len() as u64).then(|| (self.total, hex::encode(self.sha.clone().finalize())))
    }

    /// Writes all of it; only the beginning where the file could not be kept.
    ///
    /// Fails as writing fails.
    pub fn hand_on(&mut self, to: &mut impl std::io::Write) -> std::io::Result<()> {
        match &mut self.spool {
            Some(spool) if self.total > self.bytes.len() as u64 => {
                spool.seek(SeekFrom::Start(0))?;
                std::io::copy(spool, to).map(drop)
            }
            _ => to.write_all(&self.bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_is_kept_and_handed_on() {
        let mut output = Output::spooled();
        let chunk = vec![b'x'; 1 << 20];
        (0..17).for_each(|_| output.push(&chunk));
        assert_eq!(output.bytes.len(), KEPT);
        assert_eq!(output.beyond().unwrap().0, 17 << 20);
        let mut all = Vec::new();
        output.hand_on(&mut all).unwrap();
        assert_eq!(all.len(), 17 << 20);
        assert!(!output.cut);
    }
}
