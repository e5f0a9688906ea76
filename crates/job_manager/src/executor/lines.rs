//! Cutting a byte stream into lines of bounded length.

/// Collects bytes until a line is whole.
#[derive(Debug)]
pub(super) struct Lines {
    buffer: Vec<u8>,
    limit: usize,
    /// The present line is longer than the limit; its rest is dropped.
    overflow: bool,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub bytes: Vec<u8>,
    pub cut: bool,
}

impl Lines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            limit,
            overflow: false,
        }
    }

    /// Adds bytes; calls `each` for every line they complete.
    pub(super) fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Line)) {
        while let Some(end) = bytes.iter().position(|b| *b == b'\n') {
            self.keep(&bytes[..end]);
            bytes = &bytes[end + 1..];
            each(self.take());
        }
        self.keep(bytes);
    }

    /// The last line, if the stream did not end with a line end.
    pub(super) fn rest(&mut self) -> Option<Line> {
        (!self.buffer.is_empty()).then(|| self.take())
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.buffer.len());
        self.overflow |= bytes.len() > room;
        self.buffer.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn take(&mut self) -> Line {
        Line {
            bytes: std::mem::take(&mut self.buffer),
            cut: std::mem::take(&mut self.overflow),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_any_cut_and_long_ones_are_bounded() {
        let text = b"one\ntwo\n\nlonger than ten\nlast";
        for size in 1..text.len() {
            let mut lines = Lines::new(10);
            let mut seen = Vec::new();
            for chunk in text.chunks(size) {
                lines.push(chunk, |l| seen.push(l));
            }
            seen.extend(lines.rest());
            let texts: Vec<_> = seen.iter().map(|l| String::from_utf8_lossy(&l.bytes)).collect();
            assert_eq!(texts, ["one", "two", "", "longer tha", "last"]);
            assert_eq!(seen.iter().filter(|l| l.cut).count(), 1);
        }
    }
}
