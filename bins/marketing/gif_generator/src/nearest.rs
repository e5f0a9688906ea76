//! The nearest palette entry of a colour, exactly and fast.
//!
//! Colour space is cut into cells. Each cell lists the few entries that can be nearest to anything inside it:
//! those whose smallest distance to the cell is no larger than the smallest largest distance of any entry
//! (Heckbert's locally sorted search). Looking up a colour then compares a handful of entries.

use rayon::prelude::*;

use crate::palette::Rgb;

/// Palette entries by nearness.
pub struct Nearest {
    palette: Vec<[i32; 3]>,
    /// Bits per channel that choose the cell.
    bits: u32,
    /// Where the entries of a cell begin in `entries`; one more than there are cells.
    starts: Vec<u32>,
    entries: Vec<u8>,
}

impl Nearest {
    /// Cells for many look-ups in one palette.
    pub fn fine(palette: &[Rgb]) -> Self {
        Self::new(palette, 5)
    }

    /// Cells for the pixels of a single frame: quicker to make, slower to use.
    pub fn coarse(palette: &[Rgb]) -> Self {
        Self::new(palette, 4)
    }

    fn new(palette: &[Rgb], bits: u32) -> Self {
        let palette: Vec<[i32; 3]> = palette.iter().map(|c| c.map(i32::from)).collect();
        let planes = 1usize << bits;
        let rows: Vec<Vec<Vec<u8>>> = (0..planes * planes)
            .into_par_iter()
            .map(|row| {
                (0..planes)
                    .map(|blue| candidates(&palette, bits, row >> bits, row & (planes - 1), blue))
                    .collect()
            })
            .collect();
        let mut starts = Vec::with_capacity(planes * planes * planes + 1);
        let mut entries = Vec::new();
        for cell in rows.iter().flatten() {
            starts.push(entries.len() as u32);
            entries.extend_from_slice(cell);
        }
        starts.push(entries.len() as u32);
        Self {
            palette,
            bits,
            starts,
            entries,
        }
    }

    /// Index of the entry nearest to a colour (squared distance in RGB; the first of equals).
    #[inline]
    pub fn find(&self, color: Rgb) -> u8 {
        let shift = 8 - self.bits;
        let [r, g, b] = color.map(|v| usize::from(v >> shift));
        let cell = (((r << self.bits) | g) << self.bits) | b;
        let entries = &self.entries[self.starts[cell] as usize..self.starts[cell + 1] as usize];
        if let &[only] = entries {
            return only;
        }
        let [r, g, b] = color.map(i32::from);
        let mut best = (i32::MAX, 0);
        for &entry in entries {
            let [x, y, z] = self.palette[usize::from(entry)];
            let distance = (x - r) * (x - r) + (y - g) * (y - g) + (z - b) * (z - b);
            if distance < best.0 {
                best = (distance, entry);
            }
        }
        best.1
    }

    /// The colour of an entry.
    #[inline]
    pub fn color(&self, index: u8) -> [i32; 3] {
        self.palette[usize::from(index)]
    }
}

/// Entries that can be nearest to a colour of the cell.
fn candidates(palette: &[[i32; 3]], bits: u32, red: usize, green: usize, blue: usize) -> Vec<u8> {
    let side = 1i32 << (8 - bits);
    let low = [red, green, blue].map(|v| v as i32 * side);
    let mut least_far = i32::MAX;
    let mut near = [0i32; 256];
    for (entry, color) in palette.iter().enumerate().take(256) {
        let (mut closest, mut farthest) = (0, 0);
        for channel in 0..3 {
            let below = low[channel] - color[channel];
            let above = color[channel] - (low[channel] + side - 1);
            let gap = below.max(above).max(0);
            let reach = (-below).abs().max(above.abs());
            closest += gap * gap;
            farthest += reach * reach;
        }
        near[entry] = closest;
        least_far = least_far.min(farthest);
    }
    (0..palette.len().min(256))
        .filter(|&entry| near[entry] <= least_far)
        .map(|entry| entry as u8)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_looking_at_every_entry() {
        let mut seed = 7u32;
        let mut byte = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        };
        let palette: Vec<Rgb> = (0..200).map(|_| [byte(), byte(), byte()]).collect();
        let (fine, coarse) = (Nearest::fine(&palette), Nearest::coarse(&palette));
        for _ in 0..20_000 {
            let color = [byte(), byte(), byte()];
            let distance = |c: &Rgb| {
                (0..3)
                    .map(|i| (i32::from(c[i]) - i32::from(color[i])).pow(2))
                    .sum::<i32>()
            };
            let best = palette.iter().map(distance).min().unwrap();
            assert_eq!(distance(&palette[usize::from(fine.find(color))]), best);
            assert_eq!(distance(&palette[usize::from(coarse.find(color))]), best);
        }
    }
}
