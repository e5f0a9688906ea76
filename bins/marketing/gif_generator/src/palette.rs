//! The best few colours for many pixels: a histogram, Wu's quantizer, then k-means on the histogram.

use app_core::{ToolError, ToolResult};
use quantette::{
    PaletteCounts, PaletteSize,
    deps::palette::Srgb,
    wu::{BinnerU8x3, WuU8x3},
};
use rayon::prelude::*;

/// Bits per channel of a histogram bin.
const BITS: u32 = 6;
const BINS: usize = 1 << (3 * BITS);
/// Rounds of k-means; later ones gain under a hundredth of a decibel.
const ROUNDS: usize = 6;

/// A colour as it stands in a GIF colour table.
pub type Rgb = [u8; 3];

/// How often which colours occur. Takes any number of frames in constant memory.
pub struct Histogram {
    /// Per bin: pixels, then sums of red, green, blue.
    bins: Vec<[u64; 4]>,
}

impl Histogram {
    /// An empty histogram.
    pub fn new() -> Self {
        Self {
            bins: vec![[0; 4]; BINS],
        }
    }

    /// Adds the pixels of one or more frames (RGB, 8 bits).
    pub fn add(&mut self, frames: &[&[u8]]) {
        // Each thread counts for itself.
        let threads = rayon::current_num_threads().max(1);
        let share = frames.len().div_ceil(threads).max(1);
        let parts: Vec<Vec<[u64; 4]>> = frames.par_chunks(share).map(count).collect();
        self.bins
            .par_chunks_mut(4096)
            .enumerate()
            .for_each(|(chunk, bins)| {
                for part in &parts {
                    for (sum, add) in bins.iter_mut().zip(&part[chunk * 4096..]) {
                        for (to, from) in sum.iter_mut().zip(add) {
                            *to += *from;
                        }
                    }
                }
            });
    }

    /// At most `colors` colours with a small mean squared error over everything added.
    pub fn palette(&self, colors: usize) -> ToolResult<Vec<Rgb>> {
        let used: Vec<Bin> = self.bins.iter().filter(|bin| bin[0] > 0).map(Bin::new).collect();
        if used.is_empty() {
            return Err(ToolError::internal(
                "a palette was asked for before any frame was seen",
            ));
        }
        if let Some(exact) = few_colors(&used, &self.bins, colors) {
            return Ok(exact);
        }
        let mut centres = wu(&used, colors)?;
        for _ in 0..ROUNDS {
            refine(&used, &mut centres);
        }
        let mut palette: Vec<Rgb> = centres
            .iter()
            .map(|c| c.map(|v| v.round().clamp(0.0, 255.0) as u8))
            .collect();
        palette.sort_unstable();
        palette.dedup();
        Ok(palette)
    }
}

fn count(frames: &[&[u8]]) -> Vec<[u64; 4]> {
    let mut bins = vec![[0u64; 4]; BINS];
    for frame in frames {
        for &[r, g, b] in frame.as_chunks::<3>().0 {
            let bin = &mut bins[bin_of([r, g, b])];
            bin[0] += 1;
            bin[1] += u64::from(r);
            bin[2] += u64::from(g);
            bin[3] += u64::from(b);
        }
    }
    bins
}

fn bin_of([r, g, b]: Rgb) -> usize {
    const SHIFT: u32 = 8 - BITS;
    (usize::from(r >> SHIFT) << (2 * BITS)) | (usize::from(g >> SHIFT) << BITS) | usize::from(b >> SHIFT)
}

/// Mean colour and weight of a histogram bin.
struct Bin {
    mean: [f32; 3],
    weight: f32,
}

impl Bin {
    fn new(&[count, r, g, b]: &[u64; 4]) -> Self {
        let mean = [r, g, b].map(|sum| (sum as f64 / count as f64) as f32);
        Self {
            mean,
            weight: count as f32,
        }
    }
}

/// With no more bins than colours the means are the answer; exact when each bin holds one colour, as in drawings.
fn few_colors(used: &[Bin], bins: &[[u64; 4]], colors: usize) -> Option<Vec<Rgb>> {
    if used.len() > colors {
        return None;
    }
    let round = |sum: u64, count: u64| ((sum + count / 2) / count) as u8;
    Some(
        bins.iter()
            .filter(|b| b[0] > 0)
            .map(|&[n, r, g, b]| [round(r, n), round(g, n), round(b, n)])
            .collect(),
    )
}

fn wu(used: &[Bin], colors: usize) -> ToolResult<Vec<[f32; 3]>> {
    let failed = |what: &str| ToolError::internal(format!("the palette could not be made: {what}"));
    // The quantizer counts in 32 bits: scale the weights of long animations down.
    let total: f64 = used.iter().map(|bin| f64::from(bin.weight)).sum();
    let scale = (2e9 / total).min(1.0);
    let tones: Vec<Srgb<u8>> = used
        .iter()
        .map(|bin| Srgb::from(bin.mean.map(|v| v.round() as u8)))
        .collect();
    let counts = used
        .iter()
        .map(|bin| ((f64::from(bin.weight) * scale) as u32).max(1))
        .collect();
    let counted = PaletteCounts::new(tones, counts).map_err(|e| failed(&e.to_string()))?;
    let wu = WuU8x3::run_palette_counts(&counted, BinnerU8x3::<32, 32, 32>::new())
        .ok_or_else(|| failed("no colours"))?;
    let palette = wu.palette(PaletteSize::from_usize_clamped(colors));
    Ok(palette
        .iter()
        .map(|c| [f32::from(c.red), f32::from(c.green), f32::from(c.blue)])
        .collect())
}

/// One round of k-means: every bin goes to its nearest centre, every centre to the mean of its bins.
fn refine(used: &[Bin], centres: &mut [[f32; 3]]) {
    let axis = |channel: usize| -> Vec<f32> { centres.iter().map(|c| c[channel]).collect() };
    let (reds, greens, blues) = (axis(0), axis(1), axis(2));
    let sums = used
        .par_chunks(4096)
        .map(|bins| {
            let mut sums = vec![[0f64; 4]; reds.len()];
            let mut distances = vec![0f32; reds.len()];
            for bin in bins {
                let [r, g, b] = bin.mean;
                for (d, ((&x, &y), &z)) in distances.iter_mut().zip(reds.iter().zip(&greens).zip(&blues)) {
                    *d = (x - r) * (x - r) + (y - g) * (y - g) + (z - b) * (z - b);
                }
                let least = distances.iter().copied().fold(f32::MAX, f32::min);
                let nearest = distances.iter().position(|&d| d <= least).unwrap_or(0);
                let sum = &mut sums[nearest];
                let weight = f64::from(bin.weight);
                sum[0] += weight;
                for (to, value) in sum[1..].iter_mut().zip(bin.mean) {
                    *to += weight * f64::from(value);
                }
            }
            sums
        })
        .reduce(
            || vec![[0f64; 4]; reds.len()],
            |mut all, part| {
                for (to, from) in all.iter_mut().zip(part) {
                    to.iter_mut().zip(from).for_each(|(t, f)| *t += f);
                }
                all
            },
        );
    for (centre, [weight, r, g, b]) in centres.iter_mut().zip(sums) {
        if weight > 0.0 {
            *centre = [r, g, b].map(|sum| (sum / weight) as f32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_colours_are_kept_exactly() {
        let mut histogram = Histogram::new();
        histogram.add(&[&[255, 0, 0, 3, 77, 191, 255, 0, 0]]);
        let mut palette = histogram.palette(8).unwrap();
        palette.sort_unstable();
        assert_eq!(palette, [[3, 77, 191], [255, 0, 0]]);
    }

    #[test]
    fn a_ramp_is_divided_evenly() {
        let ramp: Vec<u8> = (0..=255u8).flat_map(|v| [v, v, v]).collect();
        let mut histogram = Histogram::new();
        histogram.add(&[&ramp, &ramp]);
        let palette = histogram.palette(8).unwrap();
        assert_eq!(palette.len(), 8);
        let worst = (0..=255i32)
            .map(|v| palette.iter().map(|c| (i32::from(c[0]) - v).abs()).min().unwrap())
            .max();
        assert!(worst.unwrap() <= 20, "{palette:?}");
    }
}
