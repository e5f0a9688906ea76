//! `--max-bytes`: the best-looking animation that fits.
//!
//! Every attempt is a real encoding; its size and its PSNR against the full animation are reported.
//! For each way of thinning out (frames kept, colours) the largest scale that fits is looked for by bisection,
//! and of all that fit the one with the highest PSNR wins.

use app_core::{ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    encode::{Outcome, Settings, encode},
    frames::{Frames, Reduced},
    quality::Reference,
};

/// One encoding that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Colours in the palette.
    pub colors: usize,
    /// Scale of each side.
    pub scale: f64,
    /// Every n-th frame was kept.
    pub every: usize,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the file.
    pub bytes: u64,
    /// PSNR against the full animation in decibels; absent where the file did not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psnr_db: Option<f64>,
    /// Whether it fits.
    pub fits: bool,
}

/// The encoding that was chosen.
pub struct Found {
    /// The file.
    pub data: Vec<u8>,
    /// What came of it.
    pub outcome: Outcome,
    /// Its place among the attempts.
    pub chosen: usize,
    /// Everything that was tried, in order.
    pub attempts: Vec<Attempt>,
}

/// Frames kept and colours, from the least to the most loss.
const LADDER: [(usize, usize); 6] = [(1, 256), (1, 128), (1, 64), (2, 128), (1, 32), (3, 64)];
/// Bisection steps per rung: the scale is found to about 3 %.
const STEPS: usize = 4;
const SMALLEST: f64 = 0.1;
/// Frames shown are kept for the comparison; longer animations than this are compared in a sample.
const KEPT: usize = 256 << 20;

/// Looks for the best encoding of at most `max_bytes`. `step` is called after each attempt.
pub fn search(
    frames: &dyn Frames,
    settings: &Settings,
    max_bytes: u64,
    step: &dyn Fn(&Attempt) -> ToolResult<()>,
) -> ToolResult<Found> {
    let mut search = Search {
        frames,
        settings,
        max_bytes,
        step,
        attempts: Vec::new(),
        best: None,
    };
    for (every, colors) in LADDER {
        let colors = colors.min(settings.colors);
        let done = search
            .attempts
            .iter()
            .any(|a| (a.every, a.colors) == (every, colors));
        if done || (every > 1 && frames.count().is_some_and(|n| n < 2 * every)) {
            continue;
        }
        if search.attempt(1.0, every, colors)? {
            // Nothing further down the ladder can look better than the full size with these colours.
            break;
        }
        // Size goes roughly with the area: start the bisection where that puts the limit.
        let bytes = search.attempts.last().map_or(max_bytes, |a| a.bytes).max(1);
        let guess = (max_bytes as f64 / bytes as f64).sqrt();
        let (mut low, mut high) = (SMALLEST, 1.0f64);
        let mut scale = guess.clamp(SMALLEST, 0.97);
        for _ in 0..STEPS {
            if search.attempt(scale, every, colors)? {
                low = scale;
                scale = (scale * 1.08).min(f64::midpoint(low, high));
            } else {
                high = scale;
                scale = (scale * 0.92).max(f64::midpoint(low, high).min(scale * 0.92));
            }
            if high - low < 0.02 || scale <= SMALLEST {
                break;
            }
        }
    }
    let Search { best, attempts, .. } = search;
    match best {
        Some((chosen, data, outcome)) => Ok(Found {
            data,
            outcome,
            chosen,
            attempts,
        }),
        None => {
            let least = attempts.iter().map(|a| a.bytes).min().unwrap_or_default();
            Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!(
                    "no encoding fits `max_bytes` {max_bytes}: the smallest of {} tried has {least} bytes",
                    attempts.len()
                ),
            )
            .code("does_not_fit")
            .field("max_bytes")
            .hint("allow more bytes, or use fewer frames or a smaller width")
            .with("attempts", serde_json::to_value(&attempts).unwrap_or_default()))
        }
    }
}

struct Search<'a> {
    frames: &'a dyn Frames,
    settings: &'a Settings,
    max_bytes: u64,
    step: &'a dyn Fn(&Attempt) -> ToolResult<()>,
    attempts: Vec<Attempt>,
    best: Option<(usize, Vec<u8>, Outcome)>,
}

impl Search<'_> {
    fn attempt(&mut self, scale: f64, every: usize, colors: usize) -> ToolResult<bool> {
        let reduced = Reduced::new(self.frames, scale, every);
        let size = reduced.size();
        let settings = Settings {
            colors,
            ..*self.settings
        };
        let mut data = Vec::new();
        let mut shown: Vec<Vec<u8>> = Vec::new();
        let outcome = encode(&reduced, &settings, &mut data, &mut |_, window| {
            let bytes = size.0 as usize * size.1 as usize * 3;
            let room = (KEPT / bytes.max(1)).saturating_sub(shown.len());
            shown.extend(window.iter().take(room).cloned());
            Ok(())
        })?;
        let fits = outcome.bytes <= self.max_bytes;
        let psnr_db = if fits {
            Some(Reference::new(self.frames, every).psnr(&shown, size)?)
        } else {
            None
        };
        let attempt = Attempt {
            colors,
            scale,
            every,
            width: size.0,
            height: size.1,
            bytes: outcome.bytes,
            psnr_db,
            fits,
        };
        (self.step)(&attempt)?;
        let better = match (&self.best, psnr_db) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((index, ..)), Some(new)) => self.attempts[*index].psnr_db.is_none_or(|old| new > old),
        };
        self.attempts.push(attempt);
        if better {
            self.best = Some((self.attempts.len() - 1, data, outcome));
        }
        Ok(fits)
    }
}
