//! Putting two frames, or a frame and a text, together.

/// A picture with straight alpha that is laid over frames, cut to what is not empty.
#[derive(Debug, Clone)]
pub struct Overlay {
    x: usize,
    y: usize,
    width: usize,
    rgba: Vec<u8>,
}

impl Overlay {
    /// From RGBA rows of the whole frame; `None` when there is nothing in it.
    pub fn cut(rgba: &[u8], width: usize) -> Option<Self> {
        let rows = || rgba.chunks_exact(width * 4);
        let seen = |row: &[u8]| row.chunks_exact(4).any(|pixel| pixel[3] > 0);
        let top = rows().position(seen)?;
        let bottom = rows().rposition(seen)?;
        let (mut left, mut right) = (width, 0);
        for row in rows().skip(top).take(bottom - top + 1) {
            let solid = |pixel: &[u8]| pixel[3] > 0;
            if let Some(first) = row.chunks_exact(4).position(solid) {
                left = left.min(first);
            }
            if let Some(last) = row.chunks_exact(4).rposition(solid) {
                right = right.max(last);
            }
        }
        let rgba = rows()
            .skip(top)
            .take(bottom - top + 1)
            .flat_map(|row| row[left * 4..(right + 1) * 4].iter().copied())
            .collect();
        Some(Self {
            x: left,
            y: top,
            width: right + 1 - left,
            rgba,
        })
    }

    /// Lays it over an RGB frame `width` pixels wide.
    pub fn over(&self, frame: &mut [u8], width: usize) {
        for (row, source) in self.rgba.chunks_exact(self.width * 4).enumerate() {
            let start = ((self.y + row) * width + self.x) * 3;
            let target = &mut frame[start..start + self.width * 3];
            for (pixel, over) in target.chunks_exact_mut(3).zip(source.chunks_exact(4)) {
                let alpha = u32::from(over[3]);
                for (below, above) in pixel.iter_mut().zip(over) {
                    let sum = u32::from(*above) * alpha + u32::from(*below) * (255 - alpha);
                    *below = ((sum + 127) / 255) as u8;
                }
            }
        }
    }
}

/// A linear blend; `share` is that of `new`, 0 to 1.
pub fn crossfade(old: &[u8], new: &[u8], share: f64) -> Vec<u8> {
    let weight = (share * 65536.0).round() as u32;
    let rest = 65536 - weight;
    old.iter()
        .zip(new)
        .map(|(&a, &b)| ((u32::from(a) * rest + u32::from(b) * weight + 32768) >> 16) as u8)
        .collect()
}

/// `new` uncovered from the left up to `share` of the width; the pixel on the edge is mixed, so that it moves evenly.
pub fn wipe(old: &[u8], new: &[u8], share: f64, width: usize) -> Vec<u8> {
    let edge = share * width as f64;
    let whole = (edge.floor() as usize).min(width);
    let mut out = old.to_vec();
    for (row, source) in out.chunks_exact_mut(width * 3).zip(new.chunks_exact(width * 3)) {
        row[..whole * 3].copy_from_slice(&source[..whole * 3]);
        if whole < width {
            let part = whole * 3..whole * 3 + 3;
            let mixed = crossfade(&row[part.clone()], &source[part.clone()], edge - whole as f64);
            row[part].copy_from_slice(&mixed);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blend_is_linear() {
        assert_eq!(crossfade(&[0, 200], &[100, 0], 0.25), [25, 150]);
        assert_eq!(crossfade(&[7, 9], &[1, 255], 1.0), [1, 255]);
    }

    #[test]
    fn a_wipe_moves_by_parts_of_pixels() {
        let (old, new) = (vec![0; 12], vec![200; 12]);
        let columns =
            |share: f64| -> Vec<u8> { wipe(&old, &new, share, 4).chunks(3).map(|p| p[0]).collect() };
        assert_eq!(columns(0.375), [200, 100, 0, 0]);
        assert_eq!(columns(1.0), [200; 4]);
    }

    #[test]
    fn an_overlay_is_cut_and_laid_where_it_was() {
        let mut rgba = vec![0; 4 * 3 * 4];
        rgba[(4 + 2) * 4..(4 + 3) * 4].copy_from_slice(&[200, 100, 0, 128]);
        let overlay = Overlay::cut(&rgba, 4).unwrap();
        let mut frame = vec![100; 4 * 3 * 3];
        overlay.over(&mut frame, 4);
        assert_eq!(frame[(4 + 2) * 3..(4 + 3) * 3], [150, 100, 50]);
        assert_eq!(frame.iter().filter(|&&sample| sample != 100).count(), 2);
        assert!(Overlay::cut(&[0; 16], 2).is_none());
    }
}
