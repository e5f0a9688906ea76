//! How close the shown frames are to the source: PSNR over all pixels of all frames.

use app_core::{ToolError, ToolResult};
use raster::{Color, Filter, Pixels, RgbImage, resize};
use rayon::prelude::*;

use crate::frames::{Frame, Frames};

/// Sum of squared differences so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quality {
    squares: f64,
    samples: f64,
}

impl Quality {
    /// Adds a window of source frames and what is shown for them.
    pub fn add(&mut self, sources: &[Frame], shown: &[Vec<u8>]) {
        let squares: u64 = sources
            .par_iter()
            .zip(shown)
            .map(|(frame, shown)| squares(frame.image.as_raw(), shown))
            .sum();
        self.squares += squares as f64;
        self.samples += shown.iter().map(|s| s.len() as f64).sum::<f64>();
    }

    /// Peak signal-to-noise ratio in decibels; 100 for identical pictures, which have none.
    pub fn psnr(&self) -> f64 {
        if self.samples == 0.0 || self.squares == 0.0 {
            return 100.0;
        }
        (10.0 * (255.0 * 255.0 * self.samples / self.squares).log10()).min(100.0)
    }
}

fn squares(a: &[u8], b: &[u8]) -> u64 {
    // Rows of at most 64 Ki samples fit a 32-bit sum: 65536 * 65025 < 2^32.
    a.chunks(1 << 16)
        .zip(b.chunks(1 << 16))
        .map(|(a, b)| {
            let sum: u32 = a
                .iter()
                .zip(b)
                .map(|(&x, &y)| u32::from(x.abs_diff(y)).pow(2))
                .sum();
            u64::from(sum)
        })
        .sum()
}

/// PSNR of a reduced animation against the full one: each shown frame is scaled up again and held
/// for the frames it stands for.
pub struct Reference<'a> {
    full: &'a dyn Frames,
    every: usize,
}

impl<'a> Reference<'a> {
    /// `every` as in [`crate::frames::Reduced`].
    pub fn new(full: &'a dyn Frames, every: usize) -> Self {
        Self { full, every }
    }

    /// Compares the shown frames (RGB of `size`, in order) with the full animation.
    pub fn psnr(&self, shown: &[Vec<u8>], size: (u32, u32)) -> ToolResult<f64> {
        let (width, height) = self.full.size();
        let scaled: Vec<Vec<u8>> = shown
            .par_iter()
            .map(|raw| {
                if size == (width, height) {
                    return Ok(raw.clone());
                }
                let image = RgbImage::from_raw(size.0, size.1, raw.clone())
                    .ok_or_else(|| ToolError::internal("a shown frame has the wrong size"))?;
                let large = resize(&Pixels::Rgb(image), width, height, Filter::Bilinear)?;
                Ok(large.into_rgb(Color::BLACK).into_raw())
            })
            .collect::<ToolResult<_>>()?;
        let mut quality = Quality::default();
        let mut index = 0;
        self.full.pass(&mut |window| {
            for frame in &window {
                if let Some(held) = scaled.get(index / self.every) {
                    quality.squares += squares(frame.image.as_raw(), held) as f64;
                    quality.samples += held.len() as f64;
                }
                index += 1;
            }
            Ok(())
        })?;
        Ok(quality.psnr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_level_everywhere_is_48_decibels() {
        let quality = Quality {
            squares: squares(&[10; 300], &[11; 300]) as f64,
            samples: 300.0,
        };
        assert!((quality.psnr() - 48.13).abs() < 0.01);
        assert_eq!(Quality::default().psnr(), 100.0);
    }
}
