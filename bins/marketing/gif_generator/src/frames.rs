//! Where frames come from. A pass hands them out in order, a window at a time, so that memory stays flat
//! however long the animation is; a second pass reads the inputs again, helped by a cache of fixed size.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use app_core::{ToolError, ToolResult};
use raster::{Filter, Limits, Pixels, RgbImage, open, resize};
use rayon::prelude::*;

use crate::fit::Canvas;

/// A picture of the animation and how long it is shown, in hundredths of a second.
#[derive(Clone, Debug)]
pub struct Frame {
    /// RGB pixels, canvas size.
    pub image: Arc<RgbImage>,
    /// Hundredths of a second.
    pub delay: u16,
}

/// Called with each window of frames.
pub type Take<'a> = &'a mut dyn FnMut(Vec<Frame>) -> ToolResult<()>;

/// An animation that can be read from the start as often as needed.
pub trait Frames: Sync {
    /// Size of every frame.
    fn size(&self) -> (u32, u32);
    /// Frames in all, where that is known before the end.
    fn count(&self) -> Option<usize>;
    /// Hands out all frames in order.
    fn pass(&self, take: Take) -> ToolResult<()>;
}

/// Bytes of frames that a window or a cache may hold.
pub const MEMORY: usize = 64 << 20;

/// Frames worked on at the same time.
pub fn window(width: u32, height: u32) -> usize {
    let frame = (width as usize * height as usize * 3).max(1);
    (MEMORY / frame).clamp(2, 4 * rayon::current_num_threads().max(2))
}

/// One frame to be made from still pictures: `first`, or a mix of it and `second`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shot {
    /// Index of the picture.
    pub first: usize,
    /// Index of the picture faded in, and its share from 0 to 1.
    pub second: Option<(usize, f32)>,
    /// Hundredths of a second.
    pub delay: u16,
}

/// Plans the frames: each picture for its delay, then `fade` frames of `fade_delay` on the way to the next.
/// `wraps` fades from the last picture back to the first.
pub fn plan(delays: &[u16], fade: usize, fade_delay: u16, wraps: bool) -> Vec<Shot> {
    let mut shots = Vec::new();
    for (first, &delay) in delays.iter().enumerate() {
        shots.push(Shot {
            first,
            second: None,
            delay,
        });
        let next = if first + 1 < delays.len() { first + 1 } else { 0 };
        if next == first || (next == 0 && !wraps) {
            continue;
        }
        shots.extend((1..=fade).map(|step| {
            let share = step as f32 / (fade + 1) as f32;
            Shot {
                first,
                second: Some((next, share)),
                delay: fade_delay,
            }
        }));
    }
    shots
}

/// Frames from picture files.
pub struct Stills {
    paths: Vec<PathBuf>,
    shots: Vec<Shot>,
    canvas: Canvas,
    limits: Limits,
    cache: Mutex<HashMap<usize, Arc<RgbImage>>>,
}

impl Stills {
    /// Frames as planned from the pictures at `paths`.
    pub fn new(paths: Vec<PathBuf>, shots: Vec<Shot>, canvas: Canvas, limits: Limits) -> Self {
        Self {
            paths,
            shots,
            canvas,
            limits,
            cache: Mutex::default(),
        }
    }

    fn picture(&self, index: usize) -> ToolResult<Arc<RgbImage>> {
        let cached = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&index)
            .cloned();
        if let Some(image) = cached {
            return Ok(image);
        }
        let picture = open(&self.paths[index], &self.limits)?;
        let image = Arc::new(self.canvas.place(picture.pixels)?);
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if (cache.len() + 1) * image.as_raw().len() <= MEMORY {
            cache.insert(index, image.clone());
        }
        Ok(image)
    }

    fn window_of(&self, shots: &[Shot]) -> ToolResult<Vec<Frame>> {
        let mut wanted: Vec<usize> = shots
            .iter()
            .flat_map(|s| [Some(s.first), s.second.map(|(i, _)| i)])
            .flatten()
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let pictures: HashMap<usize, Arc<RgbImage>> = wanted
            .into_par_iter()
            .map(|i| Ok((i, self.picture(i)?)))
            .collect::<ToolResult<_>>()?;
        shots
            .par_iter()
            .map(|shot| {
                let find = |i| {
                    pictures
                        .get(&i)
                        .cloned()
                        .ok_or_else(|| ToolError::internal("a picture is missing"))
                };
                let first = find(shot.first)?;
                let image = match shot.second {
                    None => first,
                    Some((second, share)) => Arc::new(mix(&first, &*find(second)?, share)),
                };
                Ok(Frame {
                    image,
                    delay: shot.delay,
                })
            })
            .collect()
    }
}

impl Frames for Stills {
    fn size(&self) -> (u32, u32) {
        (self.canvas.width, self.canvas.height)
    }

    fn count(&self) -> Option<usize> {
        Some(self.shots.len())
    }

    fn pass(&self, take: Take) -> ToolResult<()> {
        let (width, height) = self.size();
        self.shots
            .chunks(window(width, height))
            .try_for_each(|shots| take(self.window_of(shots)?))
    }
}

fn mix(first: &RgbImage, second: &RgbImage, share: f32) -> RgbImage {
    let part = (share.clamp(0.0, 1.0) * 256.0).round() as u32;
    let mut out = first.clone();
    for (to, &from) in out.iter_mut().zip(second.as_raw()) {
        *to = ((u32::from(*to) * (256 - part) + u32::from(from) * part + 128) >> 8) as u8;
    }
    out
}

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

    #[test]
    fn fades_lie_between_pictures() {
        let shots = plan(&[10, 20], 2, 4, false);
        let shares: Vec<_> = shots
            .iter()
            .map(|s| (s.first, s.second.map(|(i, _)| i), s.delay))
            .collect();
        assert_eq!(
            shares,
            [(0, None, 10), (0, Some(1), 4), (0, Some(1), 4), (1, None, 20)]
        );
        assert_eq!(plan(&[10, 20], 2, 4, true).len(), 6);
        assert_eq!(plan(&[10], 5, 4, true).len(), 1);
    }

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
