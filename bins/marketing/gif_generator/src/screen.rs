//! What a viewer sees, and what of it a frame has to change.

use crate::{dither::Area, palette::Rgb};

/// The part of a frame that differs from the one before.
pub struct Change {
    /// Smallest rectangle around all changed pixels; one pixel when nothing changed.
    pub area: Area,
    /// Changed pixels of the whole picture; `None` means all of the area.
    pub mask: Option<Vec<bool>>,
}

/// A frame ready to be compressed.
pub struct Drawing {
    /// Where it lies.
    pub area: Area,
    /// Indices with every pixel drawn, where that is possible.
    solid: Option<Vec<u8>>,
    /// Indices with `transparent` where the screen already shows the colour.
    sparse: Option<Vec<u8>>,
    /// The index that draws nothing.
    transparent: u8,
}

impl Drawing {
    /// LZW data of the smaller way to write it, and its transparent index.
    pub fn compress(&self) -> (Vec<u8>, Option<u8>) {
        let pack = |indices: &[u8]| {
            let mut frame = gif::Frame {
                buffer: indices.into(),
                ..gif::Frame::default()
            };
            frame.make_lzw_pre_encoded();
            frame.buffer.into_owned()
        };
        let solid = self.solid.as_deref().map(pack);
        let sparse = self.sparse.as_deref().map(pack);
        match (solid, sparse) {
            (Some(solid), Some(sparse)) if solid.len() <= sparse.len() => (solid, None),
            (_, Some(sparse)) => (sparse, Some(self.transparent)),
            (solid, None) => (solid.unwrap_or_default(), None),
        }
    }
}

/// The state of a viewer's screen.
pub struct Screen {
    width: usize,
    height: usize,
    tolerance: u8,
    /// Source pixels that the screen stands for.
    reference: Vec<u8>,
    /// Colours on the screen.
    shown: Vec<u8>,
    /// Palette indices on the screen, as long as there is one palette.
    indices: Option<Vec<u8>>,
    palette: Vec<Rgb>,
}

impl Screen {
    /// A screen on which nothing has been drawn.
    pub fn new(width: usize, height: usize, tolerance: u8) -> Self {
        Self {
            width,
            height,
            tolerance,
            reference: Vec::new(),
            shown: Vec::new(),
            indices: None,
            palette: Vec::new(),
        }
    }

    /// The colours on the screen, RGB.
    pub fn shown(&self) -> Vec<u8> {
        self.shown.clone()
    }

    /// Compares the next frame with what the screen stands for, and remembers it.
    pub fn changes(&mut self, pixels: &[u8]) -> Change {
        let whole = Area {
            x0: 0,
            y0: 0,
            x1: self.width,
            y1: self.height,
        };
        if self.reference.is_empty() {
            self.reference = pixels.to_vec();
            return Change {
                area: whole,
                mask: None,
            };
        }
        let tolerance = self.tolerance;
        let old = self.reference.as_chunks_mut::<3>().0;
        let new = pixels.as_chunks::<3>().0;
        let mut mask = vec![false; new.len()];
        let mut some_still = false;
        for ((changed, old), new) in mask.iter_mut().zip(old).zip(new) {
            *changed = if tolerance == 0 {
                old != new
            } else {
                (0..3).any(|c| old[c].abs_diff(new[c]) > tolerance)
            };
            if *changed {
                *old = *new;
            } else {
                some_still = true;
            }
        }
        match bounds(&mask, self.width, whole) {
            None => Change {
                area: Area {
                    x0: 0,
                    y0: 0,
                    x1: 1,
                    y1: 1,
                },
                mask: Some(mask),
            },
            Some(area) => Change {
                area,
                mask: some_still.then_some(mask),
            },
        }
    }

    /// Draws mapped pixels on the screen and says how to write them.
    pub fn draw(&mut self, change: &Change, mut indices: Vec<u8>, palette: &[Rgb]) -> Drawing {
        let transparent = palette.len().min(255) as u8;
        let area = change.area;
        if self.shown.is_empty() {
            self.shown = indices.iter().flat_map(|&i| palette[usize::from(i)]).collect();
            self.palette = palette.to_vec();
            self.indices = Some(indices.clone());
            return Drawing {
                area,
                solid: Some(indices),
                sparse: None,
                transparent,
            };
        }
        if self.palette != palette {
            self.indices = None;
        }
        let mut sparse = indices.clone();
        let mut drawn = vec![false; self.width * self.height];
        let (mut still, width) = (0usize, area.width());
        for (line, y) in (area.y0..area.y1).enumerate() {
            for (column, x) in (area.x0..area.x1).enumerate() {
                let (at, here) = (y * self.width + x, line * width + column);
                let shown = &mut self.shown[at * 3..at * 3 + 3];
                let color = palette[usize::from(indices[here])];
                let moved = change.mask.as_ref().is_none_or(|mask| mask[at]);
                if moved && *shown != color {
                    shown.copy_from_slice(&color);
                    drawn[at] = true;
                    if let Some(kept) = self.indices.as_mut() {
                        kept[at] = indices[here];
                    }
                } else {
                    sparse[here] = transparent;
                    still += 1;
                    if let Some(kept) = &self.indices {
                        indices[here] = kept[at];
                    }
                }
            }
        }
        // Less may differ on the screen than did in the source.
        let tight = bounds(&drawn, self.width, area).unwrap_or(Area {
            x1: area.x0 + 1,
            y1: area.y0 + 1,
            ..area
        });
        let cut = |indices: &[u8]| -> Vec<u8> {
            (tight.y0..tight.y1)
                .flat_map(|y| {
                    let from = (y - area.y0) * width + tight.x0 - area.x0;
                    &indices[from..from + tight.width()]
                })
                .copied()
                .collect()
        };
        let can_be_solid = self.indices.is_some() || change.mask.is_none();
        Drawing {
            area: tight,
            solid: can_be_solid.then(|| cut(&indices)),
            sparse: (still > 0 || !can_be_solid).then(|| cut(&sparse)),
            transparent,
        }
    }
}

/// Smallest rectangle inside `within` around all set pixels.
fn bounds(mask: &[bool], width: usize, within: Area) -> Option<Area> {
    let row = |y: usize| &mask[y * width + within.x0..y * width + within.x1];
    let y0 = (within.y0..within.y1).find(|&y| row(y).contains(&true))?;
    let y1 = (y0..within.y1).rfind(|&y| row(y).contains(&true))? + 1;
    let mut x0 = within.x1;
    let mut x1 = within.x0;
    for y in y0..y1 {
        if let Some(first) = row(y).iter().position(|&set| set) {
            x0 = x0.min(within.x0 + first);
        }
        if let Some(last) = row(y).iter().rposition(|&set| set) {
            x1 = x1.max(within.x0 + last + 1);
        }
    }
    Some(Area { x0, y0, x1, y1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PALETTE: [Rgb; 2] = [[0; 3], [255; 3]];

    #[test]
    fn a_moved_dot_is_a_small_frame() {
        let mut screen = Screen::new(8, 8, 0);
        let mut picture = vec![0u8; 8 * 8 * 3];
        let first = screen.changes(&picture);
        let _ = screen.draw(&first, vec![0; 64], &PALETTE);
        picture[(3 * 8 + 4) * 3..(3 * 8 + 5) * 3].fill(255);
        let change = screen.changes(&picture);
        assert_eq!(
            change.area,
            Area {
                x0: 4,
                y0: 3,
                x1: 5,
                y1: 4
            }
        );
        let drawing = screen.draw(&change, vec![1], &PALETTE);
        assert_eq!(drawing.area, change.area);
        assert_eq!(screen.shown(), picture);
    }

    #[test]
    fn an_unchanged_frame_is_one_transparent_pixel() {
        let mut screen = Screen::new(4, 4, 0);
        let picture = vec![255u8; 48];
        let first = screen.changes(&picture);
        let _ = screen.draw(&first, vec![1; 16], &PALETTE);
        let change = screen.changes(&picture);
        let drawing = screen.draw(&change, vec![0], &PALETTE);
        assert_eq!((drawing.area.width(), drawing.area.height()), (1, 1));
        assert_eq!(screen.shown(), picture);
    }

    #[test]
    fn what_looks_the_same_is_cut_off_at_the_sides() {
        let mut screen = Screen::new(5, 1, 0);
        let first = screen.changes(&[0; 15]);
        let _ = screen.draw(&first, vec![0; 5], &PALETTE);
        // Four source pixels change, but only the third of them enough to be mapped to another colour.
        let change = screen.changes(&[0, 0, 0, 9, 9, 9, 9, 9, 9, 200, 200, 200, 9, 9, 9]);
        let drawing = screen.draw(&change, vec![0, 0, 1, 0], &PALETTE);
        assert_eq!(
            (drawing.area.x0, drawing.area.x1, drawing.solid),
            (3, 4, Some(vec![1]))
        );
    }

    #[test]
    fn a_change_within_the_tolerance_is_none() {
        let mut screen = Screen::new(2, 1, 4);
        let _ = screen.changes(&[10, 10, 10, 20, 20, 20]);
        let change = screen.changes(&[14, 10, 10, 25, 20, 20]);
        assert_eq!(
            change.area,
            Area {
                x0: 1,
                y0: 0,
                x1: 2,
                y1: 1
            }
        );
        // The reference did not move with the small change, so that drift cannot add up unseen.
        let change = screen.changes(&[15, 10, 10, 25, 20, 20]);
        assert_eq!(
            change.area,
            Area {
                x0: 0,
                y0: 0,
                x1: 1,
                y1: 1
            }
        );
        assert_eq!(change.mask, Some(vec![true, false]));
    }
}
