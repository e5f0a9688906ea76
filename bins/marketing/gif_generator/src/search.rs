//! `--max-bytes`: the best-looking animation that fits.
//!
//! Every attempt is a real encoding; its size and its PSNR against the full animation are reported.
//! First colours go, at full size; where that is not enough, the largest scale that fits is looked for by bisection,
//! with all frames and with fewer. Of all that fit the one with the highest PSNR wins.

use std::path::Path;

use app_core::{ErrorKind, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    encode::{Outcome, Settings, encode},
    frames::Frames,
    quality::Reference,
    reduced::Reduced,
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
    /// The search ended early, because it had cost enough.
    pub cut_short: bool,
}

/// Colours tried at full size, from the least to the most loss.
const COLORS: [usize; 5] = [256, 128, 64, 32, 16];
/// With fewer colours than this a smaller picture may look better, so that is tried too.
const ENOUGH: usize = 64;
/// Frames kept and colours of the attempts at a smaller size.
const SMALLER: [(usize, usize); 4] = [(1, 128), (1, 64), (2, 128), (3, 64)];
/// Bisection steps for each of them: the scale is found to about 3 %.
const STEPS: usize = 4;
const SMALLEST: f64 = 0.1;
/// Frames shown are kept for the comparison; longer animations than this are compared in a sample.
const KEPT: usize = 256 << 20;

/// Pixels encoded after which the best so far is taken, and after which the search ends even without one.
const ENOUGH_WORK: u64 = 600_000_000;
const MOST_WORK: u64 = 3_000_000_000;

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
        spent: 0,
    };
    if search
        .full_size()?
        .is_none_or(|colors| colors < ENOUGH.min(settings.colors))
    {
        for (every, colors) in SMALLER {
            if every == 1 || frames.count().is_none_or(|n| n >= 2 * every) {
                search.smaller(every, colors.min(settings.colors))?;
            }
        }
    }
    let cut_short = search.is_enough();
    let Search { best, attempts, .. } = search;
    match best {
        Some((chosen, data, outcome)) => Ok(Found {
            data,
            outcome,
            chosen,
            attempts,
            cut_short,
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
    /// Pixels encoded so far.
    spent: u64,
}

impl Search<'_> {
    /// Whether the search has cost enough.
    fn is_enough(&self) -> bool {
        self.spent
            > if self.best.is_some() {
                ENOUGH_WORK
            } else {
                MOST_WORK
            }
    }

    /// The most colours with which the animation fits at full size with all its frames.
    fn full_size(&mut self) -> ToolResult<Option<usize>> {
        let mut above = None;
        for colors in COLORS.map(|colors| colors.min(self.settings.colors)) {
            if above == Some(colors) {
                continue;
            }
            if self.is_enough() {
                break;
            }
            if self.attempt(1.0, 1, colors)? {
                let (mut fits, mut fails) = (colors, above);
                for _ in 0..2 {
                    let Some(top) = fails.filter(|_| !self.is_enough()) else {
                        break;
                    };
                    let middle = usize::midpoint(fits, top);
                    if self.attempt(1.0, 1, middle)? {
                        fits = middle;
                    } else {
                        fails = Some(middle);
                    }
                }
                return Ok(Some(fits));
            }
            above = Some(colors);
        }
        Ok(None)
    }

    /// The largest scale that fits with these frames and colours, by bisection.
    fn smaller(&mut self, every: usize, colors: usize) -> ToolResult<()> {
        let (mut low, mut high) = (SMALLEST, 1.0f64);
        // Size goes roughly with the area: start where the nearest attempt puts the limit.
        let near = self
            .attempts
            .iter()
            .filter(|a| a.colors >= colors)
            .map(|a| (a.bytes, a.scale))
            .next_back();
        let (bytes, at) = near.unwrap_or((self.max_bytes, 0.7));
        let guess = at * (self.max_bytes as f64 * every as f64 / bytes.max(1) as f64).sqrt();
        let mut scale = guess.clamp(SMALLEST, 0.97);
        for _ in 0..STEPS {
            if self.is_enough() {
                break;
            }
            let fits = self.attempt(scale, every, colors)?;
            if fits {
                low = scale;
            } else {
                high = scale;
            }
            if high - low < 0.02 || scale <= SMALLEST {
                break;
            }
            let wanted = scale * if fits { 1.08 } else { 0.92 };
            scale = if wanted > low && wanted < high {
                wanted
            } else {
                f64::midpoint(low, high)
            };
        }
        Ok(())
    }

    fn attempt(&mut self, scale: f64, every: usize, colors: usize) -> ToolResult<bool> {
        let reduced = Reduced::new(self.frames, scale, every);
        let size = reduced.size();
        let settings = Settings {
            colors,
            ..*self.settings
        };
        let mut data = Vec::new();
        let mut shown: Vec<Vec<u8>> = Vec::new();
        let outcome = encode(
            &reduced,
            &settings,
            &mut data,
            Path::new("GIF"),
            &mut |_, window| {
                let bytes = size.0 as usize * size.1 as usize * 3;
                let room = (KEPT / bytes.max(1)).saturating_sub(shown.len());
                shown.extend(window.iter().take(room).cloned());
                Ok(())
            },
        )?;
        self.spent += u64::from(size.0) * u64::from(size.1) * outcome.frames as u64;
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
