//! Where frames come from. A pass hands them out in order, a window at a time, so that memory stays flat
//! however long the animation is; a second pass reads the inputs again, helped by a cache of fixed size.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use app_core::{Context, ToolError, ToolResult};
use raster::{Limits, RgbImage, decode};
use rayon::prelude::*;

use crate::{
    fit::Canvas,
    pictures::{Picture, Pictures},
};

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
    /// What people should know of frames that are missing, after a pass.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
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
    pictures: Pictures,
    shots: Vec<Shot>,
    canvas: Canvas,
    limits: Limits,
    context: Context,
    cache: Mutex<HashMap<usize, Arc<RgbImage>>>,
}

impl Stills {
    /// Frames as planned from the pictures.
    pub fn new(
        pictures: Pictures,
        shots: Vec<Shot>,
        canvas: Canvas,
        limits: Limits,
        context: Context,
    ) -> Self {
        Self {
            pictures,
            shots,
            canvas,
            limits,
            context,
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
        let image = match self.pictures.get(index)? {
            Picture::Frame(number) => self.pictures.frame(*number, &self.canvas)?,
            Picture::File(path) => {
                let bytes = self.context.read(path, self.limits.max_file)?;
                let picture = decode(&bytes, &path.display().to_string(), &self.limits)?;
                self.canvas.place(picture.into_srgb())?
            }
        };
        let image = Arc::new(image);
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
}
