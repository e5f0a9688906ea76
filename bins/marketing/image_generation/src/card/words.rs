//! Breaking text into lines and finding the size at which it fits.

use app_core::ToolResult;
use vector::{Typeface, Words};

/// Text broken into lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// The lines.
    pub lines: Vec<String>,
    /// Letter size in pixels.
    pub size: f64,
}

impl Block {
    /// Height of the block when lines are `leading` letter sizes apart.
    pub fn height(&self, leading: f64) -> f64 {
        self.size * leading * self.lines.len() as f64
    }
}

/// Where a text must fit.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Width in pixels.
    pub width: f64,
    /// Most lines.
    pub lines: usize,
    /// Largest letter size.
    pub largest: f64,
    /// Smallest letter size; what does not fit then is cut with an ellipsis.
    pub smallest: f64,
    /// Bold letters.
    pub bold: bool,
}

/// A text that may be absent, measured; pieces that are wider than a whole line are broken.
pub fn measured(text: &str, space: Space, face: &Typeface) -> ToolResult<Option<Words>> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let words = Words::measure(text, space.bold, face)?;
    words
        .broken(space.width / space.smallest, space.bold, face)
        .map(Some)
}

/// The largest letters at which the words fit.
pub fn fit(words: &Words, space: Space) -> Block {
    let mut size = space.largest;
    loop {
        let room = space.width / size;
        let lines = words.wrap(room);
        if lines.len() <= space.lines && words.widest() <= room {
            return Block {
                lines: words.balanced(room),
                size,
            };
        }
        if size <= space.smallest {
            return Block {
                lines: cut(lines, space.lines),
                size: space.smallest,
            };
        }
        size = (size * 0.94).max(space.smallest);
    }
}

fn cut(mut lines: Vec<String>, most: usize) -> Vec<String> {
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept = last.chars().count().saturating_sub(2);
            let text: String = last.chars().take(kept).collect();
            *last = format!("{}…", text.trim_end());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str, space: Space) -> (Block, Typeface) {
        let face = Typeface::for_text(text, None).unwrap();
        (fit(&measured(text, space, &face).unwrap().unwrap(), space), face)
    }

    fn space(width: f64, lines: usize) -> Space {
        Space {
            width,
            lines,
            largest: 80.0,
            smallest: 20.0,
            bold: true,
        }
    }

    #[test]
    fn short_text_is_large_and_long_text_smaller() {
        let (short, _) = set("Fresh bread", space(600.0, 2));
        assert_eq!((short.size, short.lines.len()), (80.0, 1));
        let (long, face) = set(
            "Fresh bread for every morning of the week, baked while you sleep",
            space(600.0, 3),
        );
        assert!(long.size < 60.0 && long.lines.len() <= 3);
        for line in &long.lines {
            assert!(
                f64::from(face.width(line, long.size as f32, true).unwrap()) <= 601.0,
                "{line}"
            );
        }
    }

    #[test]
    fn too_much_text_ends_in_an_ellipsis() {
        let (block, _) = set(&"word ".repeat(200), space(300.0, 2));
        assert_eq!(block.lines.len(), 2);
        assert!(block.lines[1].ends_with('…'));
        let (endless, _) = set(&"x".repeat(500), space(300.0, 2));
        assert!(endless.lines.len() <= 2);
    }
}
