//! What follows from the input before any pixel is decoded: canvas, times, encoding.

use app_core::{ToolError, ToolResult};
use gif::Repeat;
use raster::Limits;

use crate::{encode::Settings, fit::Canvas, input::Input};

/// Frames per second of still pictures when nothing is said.
pub const DEFAULT_RATE: f64 = 10.0;
/// Most pixels of a frame, whatever limit is given: a larger GIF is shown by no viewer and takes gigabytes to make.
pub const LARGEST_FRAME: u64 = 16_000_000;
/// Most pixels of all frames together.
pub const LARGEST_ANIMATION: u64 = 1_000_000_000;

/// Refuses an animation of more pixels than any may have.
pub fn check_total((width, height): (u32, u32), frames: usize) -> ToolResult<()> {
    let total = (u64::from(width) * u64::from(height)).saturating_mul(frames as u64);
    if total <= LARGEST_ANIMATION {
        return Ok(());
    }
    Err(ToolError::invalid(
        "max_frames",
        format!(
            "{frames} frames of {width}x{height} are {} megapixels, the limit is {}",
            total / 1_000_000,
            LARGEST_ANIMATION / 1_000_000
        ),
    )
    .code("too_many_pixels")
    .hint("use fewer frames or a smaller width"))
}

impl Input {
    /// The canvas for a first picture of this size.
    pub fn canvas(&self, first: (u32, u32), limits: &Limits) -> ToolResult<Canvas> {
        let (width, height) = Canvas::size(self.width, self.height, first);
        let most = u32::from(u16::MAX);
        let pixels = u64::from(width) * u64::from(height);
        if width.max(height) > most || pixels > limits.max_pixels.min(LARGEST_FRAME) {
            return Err(
                ToolError::invalid("width", format!("a GIF of {width}x{height} is too large"))
                    .hint("give a smaller width"),
            );
        }
        let (fit, background, filter) = (self.fit, self.background, self.filter);
        Ok(Canvas {
            width,
            height,
            fit,
            background,
            filter,
        })
    }

    /// Hundredths of a second for each picture. `own` are the times that frames of animations bring along.
    pub fn picture_delays(&self, own: &[Option<u16>]) -> ToolResult<Vec<u16>> {
        let count = own.len();
        if self.delays.len() > count {
            let message = format!("{} delays for {count} images", self.delays.len());
            return Err(ToolError::invalid("delays", message));
        }
        if let Some(&last) = self.delays.last() {
            let all = self.delays.iter().copied().chain(std::iter::repeat(last));
            return Ok(all.take(count).map(|s| (s * 100.0).round() as u16).collect());
        }
        if count == 1 && self.loop_count == -1 {
            // A single frame that plays once is a still; its delay means nothing.
            return Ok(vec![0]);
        }
        // Whole hundredths that never drift from the true time.
        let rate = self.rate.unwrap_or(DEFAULT_RATE);
        let at = |index: usize| (index as f64 * 100.0 / rate).round() as u64;
        let by_rate = |i: usize| u16::try_from(at(i + 1) - at(i)).unwrap_or(u16::MAX);
        Ok(own
            .iter()
            .enumerate()
            .map(|(i, own)| own.filter(|_| self.rate.is_none()).unwrap_or_else(|| by_rate(i)))
            .collect())
    }

    /// Frames of a crossfade and hundredths of a second for each.
    pub fn fade(&self) -> (usize, u16) {
        if self.crossfade <= 0.0 {
            return (0, 0);
        }
        let delay = (100.0 / self.crossfade_rate).round().max(2.0);
        let frames = (self.crossfade * 100.0 / delay).round().max(1.0);
        (frames as usize, delay as u16)
    }

    /// How to encode.
    pub fn settings(&self) -> Settings {
        Settings {
            colors: self.colors,
            palette: self.palette,
            dither: self.dither,
            strength: self.dither_strength * 256 / 100,
            tolerance: self.tolerance,
            repeat: match self.loop_count {
                ..=-1 => None,
                0 => Some(Repeat::Infinite),
                n => Some(Repeat::Finite(u16::try_from(n).unwrap_or(u16::MAX))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(json: &str) -> Input {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn delays_follow_the_rate_without_drift() {
        let delays = input(r#"{"output":"o.gif","rate":30}"#)
            .picture_delays(&[None; 30])
            .unwrap();
        assert_eq!(delays.iter().map(|&d| u32::from(d)).sum::<u32>(), 100);
        let delays = input(r#"{"output":"o.gif","delays":[1,0.5]}"#)
            .picture_delays(&[None; 4])
            .unwrap();
        assert_eq!(delays, [100, 50, 50, 50]);
        assert!(
            input(r#"{"output":"o.gif","delays":[1,1]}"#)
                .picture_delays(&[None])
                .is_err()
        );
    }

    #[test]
    fn frames_of_an_animation_keep_their_time_unless_a_rate_is_given() {
        let own = [Some(7), None, Some(30)];
        let kept = input(r#"{"output":"o.gif"}"#).picture_delays(&own).unwrap();
        assert_eq!(kept, [7, 10, 30]);
        let given = input(r#"{"output":"o.gif","rate":20}"#)
            .picture_delays(&own)
            .unwrap();
        assert_eq!(given, [5, 5, 5]);
    }

    #[test]
    fn the_loop_count_means_what_it_meant() {
        let repeat = |n: i32| {
            input(&format!(r#"{{"output":"o.gif","loop_count":{n}}}"#))
                .settings()
                .repeat
        };
        assert!(matches!(repeat(0), Some(Repeat::Infinite)));
        assert!(matches!(repeat(3), Some(Repeat::Finite(3))));
        assert!(repeat(-1).is_none());
    }
}
