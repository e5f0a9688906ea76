//! A smaller and sparser view of an animation, for the search of a file that fits.

use std::sync::Arc;

use app_core::ToolResult;
use raster::{Filter, Pixels, RgbImage, resize};
use rayon::prelude::*;

use crate::frames::{Frame, Frames, Take, window};

/// A smaller and sparser view of an animation.
pub struct Reduced<'a> {
    inner: &'a dyn Frames,
    size: (u32, u32),
    /// Only every n-th frame is kept; it is shown for as long as all it stands for.
    every: usize,
}

impl<'a> Reduced<'a> {
    /// `scale` is from 0 to 1; `every` is 1 for all frames.
    pub fn new(inner: &'a dyn Frames, scale: f64, every: usize) -> Self {
        let (width, height) = inner.size();
        let side = |v: u32| ((f64::from(v) * scale).round() as u32).max(1);
        Self {
            inner,
            size: (side(width), side(height)),
            every: every.max(1),
        }
    }
}

impl Frames for Reduced<'_> {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn count(&self) -> Option<usize> {
        self.inner.count().map(|n| n.div_ceil(self.every))
    }

    fn pass(&self, take: Take) -> ToolResult<()> {
        let (width, height) = self.size;
        let mut seen = 0;
        // A kept frame waits until the ones it stands for have added their time.
        let mut waiting: Vec<Frame> = Vec::new();
        let full = window(width, height);
        let mut hand_out = |kept: Vec<Frame>| -> ToolResult<()> {
            let scaled = kept
                .into_par_iter()
                .map(|frame| {
                    if frame.image.dimensions() == (width, height) {
                        return Ok(frame);
                    }
                    let pixels = Pixels::Rgb(RgbImage::clone(&frame.image));
                    let image = resize(&pixels, width, height, Filter::Lanczos3)?;
                    let image = Arc::new(image.into_rgb(raster::Color::BLACK));
                    Ok(Frame {
                        image,
                        delay: frame.delay,
                    })
                })
                .collect::<ToolResult<Vec<_>>>()?;
            take(scaled)
        };
        self.inner.pass(&mut |frames| {
            for frame in frames {
                if seen % self.every == 0 {
                    if waiting.len() >= full {
                        hand_out(std::mem::take(&mut waiting))?;
                    }
                    waiting.push(frame);
                } else if let Some(last) = waiting.last_mut() {
                    last.delay = last.delay.saturating_add(frame.delay);
                }
                seen += 1;
            }
            Ok(())
        })?;
        if waiting.is_empty() {
            Ok(())
        } else {
            hand_out(waiting)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counted(usize);
    impl Frames for Counted {
        fn size(&self) -> (u32, u32) {
            (4, 4)
        }
        fn count(&self) -> Option<usize> {
            Some(self.0)
        }
        fn pass(&self, take: Take) -> ToolResult<()> {
            (0..self.0).try_for_each(|i| {
                let image = Arc::new(RgbImage::from_raw(4, 4, vec![i as u8; 48]).unwrap_or_default());
                take(vec![Frame { image, delay: 5 }])
            })
        }
    }

    #[test]
    fn skipped_frames_leave_their_time() {
        let counted = Counted(7);
        let reduced = Reduced::new(&counted, 0.5, 3);
        let mut seen = Vec::new();
        reduced
            .pass(&mut |frames| {
                seen.extend(
                    frames
                        .iter()
                        .map(|f| (f.image.dimensions(), f.image.as_raw()[0], f.delay)),
                );
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, [((2, 2), 0, 15), ((2, 2), 3, 15), ((2, 2), 6, 5)]);
        assert_eq!(reduced.count(), Some(3));
    }
}
