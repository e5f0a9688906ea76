//! Breaking text into lines and finding the size at which it fits.

use app_core::ToolResult;

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

/// The size at which widths are measured; they grow in proportion.
const MEASURE: f32 = 100.0;

/// The largest letters at which `text` fits.
pub fn fit(text: &str, space: Space) -> ToolResult<Block> {
    let width = |text: &str| vector::text_width(text, MEASURE, space.bold).map(f64::from);
    let words = split(text, space.width / space.smallest * f64::from(MEASURE), &width)?;
    // The width of a blank cannot be measured alone.
    let blank = width("n n")? - width("nn")?;
    let mut size = space.largest;
    loop {
        let room = space.width / size * f64::from(MEASURE);
        let lines = wrap(&words, blank, room);
        let fits = lines.len() <= space.lines && words.iter().all(|(_, w)| *w <= room);
        if fits {
            return Ok(Block {
                lines: balanced(&words, blank, room, lines),
                size,
            });
        }
        if size <= space.smallest {
            return Ok(Block {
                lines: cut(lines, space.lines),
                size: space.smallest,
            });
        }
        size = (size * 0.94).max(space.smallest);
    }
}

/// Words with their widths; a word longer than a whole line is broken.
fn split(
    text: &str,
    longest: f64,
    width: &impl Fn(&str) -> ToolResult<f64>,
) -> ToolResult<Vec<(String, f64)>> {
    let mut words = Vec::new();
    for word in text.split_whitespace() {
        let measured = width(word)?;
        if measured <= longest {
            words.push((word.to_owned(), measured));
            continue;
        }
        let letters: Vec<char> = word.chars().collect();
        let per_line = ((letters.len() as f64 * longest / measured * 0.9) as usize).max(1);
        for part in letters.chunks(per_line) {
            let part: String = part.iter().collect();
            let measured = width(&part)?;
            words.push((part, measured));
        }
    }
    Ok(words)
}

fn wrap(words: &[(String, f64)], blank: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut used = 0.0;
    for (word, width) in words {
        match lines.last_mut() {
            Some(line) if used + blank + width <= room => {
                line.push(' ');
                line.push_str(word);
                used += blank + width;
            }
            _ => {
                lines.push(word.clone());
                used = *width;
            }
        }
    }
    lines
}

/// The same number of lines, of more equal length: the narrowest room that needs no more lines.
fn balanced(words: &[(String, f64)], blank: f64, room: f64, lines: Vec<String>) -> Vec<String> {
    let (mut low, mut high) = (0.0, room);
    for _ in 0..12 {
        let middle = f64::midpoint(low, high);
        let narrow = wrap(words, blank, middle);
        let fits = narrow.len() <= lines.len() && words.iter().all(|(_, w)| *w <= middle);
        if fits { high = middle } else { low = middle }
    }
    wrap(words, blank, high)
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
        let short = fit("Fresh bread", space(600.0, 2)).unwrap();
        assert_eq!((short.size, short.lines.len()), (80.0, 1));
        let long = fit(
            "Fresh bread for every morning of the week, baked while you sleep",
            space(600.0, 3),
        )
        .unwrap();
        assert!(long.size < 60.0 && long.lines.len() <= 3);
        for line in &long.lines {
            assert!(
                f64::from(vector::text_width(line, long.size as f32, true).unwrap()) <= 601.0,
                "{line}"
            );
        }
    }

    #[test]
    fn too_much_text_ends_in_an_ellipsis() {
        let block = fit(&"word ".repeat(200), space(300.0, 2)).unwrap();
        assert_eq!(block.lines.len(), 2);
        assert!(block.lines[1].ends_with('…'));
        let endless = fit(&"x".repeat(500), space(300.0, 2)).unwrap();
        assert!(endless.lines.len() <= 2);
    }
}
