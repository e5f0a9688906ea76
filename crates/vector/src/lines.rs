//! Breaking text into lines.

use std::collections::HashMap;

use app_core::ToolResult;

use crate::Typeface;

/// The size at which widths are measured; they grow in proportion.
const MEASURE: f32 = 100.0;

/// A text as pieces that stay together, measured once.
#[derive(Clone, Debug)]
pub struct Words {
    /// Piece, width in letter sizes, whether a blank stands before it.
    pieces: Vec<(String, f64, bool)>,
    blank: f64,
}

impl Words {
    /// Measures `text`. Scripts written without blanks may be broken between any two characters.
    pub fn measure(text: &str, bold: bool, face: &Typeface) -> ToolResult<Self> {
        let width = |text: &str| Ok(f64::from(face.width(text, MEASURE, bold)?) / f64::from(MEASURE));
        let mut pieces = Vec::new();
        let mut known: HashMap<String, f64> = HashMap::new();
        for word in text.split_whitespace() {
            for (index, piece) in breakable(word).into_iter().enumerate() {
                let measured = match known.get(&piece) {
                    Some(measured) => *measured,
                    None => *known.entry(piece.clone()).or_insert(width(&piece)?),
                };
                pieces.push((piece, measured, index == 0));
            }
        }
        // The width of a blank cannot be measured alone.
        let blank = width("n n")? - width("nn")?;
        Ok(Self { pieces, blank })
    }

    /// With pieces wider than `room` (in letter sizes) broken between characters.
    pub fn broken(&self, room: f64, bold: bool, face: &Typeface) -> ToolResult<Self> {
        let mut pieces = Vec::new();
        for (piece, measured, blank) in &self.pieces {
            if *measured <= room {
                pieces.push((piece.clone(), *measured, *blank));
                continue;
            }
            let letters: Vec<char> = piece.chars().collect();
            let per_line = ((letters.len() as f64 * room / measured * 0.9) as usize).max(1);
            for (index, part) in letters.chunks(per_line).enumerate() {
                let part: String = part.iter().collect();
                let measured = f64::from(face.width(&part, MEASURE, bold)?) / f64::from(MEASURE);
                pieces.push((part, measured, *blank && index == 0));
            }
        }
        Ok(Self {
            pieces,
            blank: self.blank,
        })
    }

    /// The widest piece, in letter sizes.
    pub fn widest(&self) -> f64 {
        self.pieces.iter().map(|(_, width, _)| *width).fold(0.0, f64::max)
    }

    /// As many pieces a line as fit into `room` letter sizes.
    pub fn wrap(&self, room: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut used = 0.0;
        for (piece, width, blank) in &self.pieces {
            let before = if *blank { self.blank } else { 0.0 };
            match lines.last_mut() {
                Some(line) if used + before + width <= room => {
                    if *blank {
                        line.push(' ');
                    }
                    line.push_str(piece);
                    used += before + width;
                }
                _ => {
                    lines.push(piece.clone());
                    used = *width;
                }
            }
        }
        lines
    }

    /// The same number of lines as [`wrap`](Self::wrap), of more equal length: the narrowest room that needs no more.
    pub fn balanced(&self, room: f64) -> Vec<String> {
        let lines = self.wrap(room);
        let (mut low, mut high) = (0.0, room);
        for _ in 0..12 {
            let middle = f64::midpoint(low, high);
            let fits = self.wrap(middle).len() <= lines.len() && self.widest() <= middle;
            if fits { high = middle } else { low = middle }
        }
        self.wrap(high)
    }
}

/// A word cut where a line may end: before every letter of Chinese and Japanese, but not before closing marks.
fn breakable(word: &str) -> Vec<String> {
    let free = |c: char| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}');
    let closing = |c: char| "、。，．・：；？！」』）】〉》ーっゃゅょッャュョ".contains(c);
    let mut pieces: Vec<String> = Vec::new();
    let mut last_free = true;
    for character in word.chars() {
        let joins = closing(character) || (!free(character) && !last_free);
        match pieces.last_mut() {
            Some(piece) if joins => piece.push(character),
            _ => pieces.push(character.to_string()),
        }
        last_free = free(character);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_whole_and_kanji_do_not() {
        assert_eq!(breakable("word"), ["word"]);
        assert_eq!(breakable("お茶。a1"), ["お", "茶。", "a1"]);
    }

    #[test]
    fn no_line_is_wider_than_the_room() {
        let text = "A very long caption that cannot possibly fit";
        let face = Typeface::for_text(text, None).unwrap();
        let words = Words::measure(text, false, &face).unwrap();
        let lines = words.balanced(12.0);
        assert!(lines.len() > 1);
        for line in &lines {
            assert!(
                f64::from(face.width(line, 100.0, false).unwrap()) <= 1205.0,
                "{line}"
            );
        }
        assert_eq!(lines.join(" "), text);
        let broken = words.broken(2.0, false, &face).unwrap();
        assert!(broken.widest() <= 2.2);
    }
}
