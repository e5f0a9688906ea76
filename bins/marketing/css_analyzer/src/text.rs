//! A text made of pieces of several sheets that remembers where each piece comes from.

/// Text of a sheet from one place on.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: usize,
    sheet: usize,
    line: usize,
}

/// The text, and the sheet and line that each part of it was on.
#[derive(Clone, Debug, Default)]
pub struct Text {
    /// The text.
    pub css: String,
    marks: Vec<Mark>,
}

impl Text {
    /// Adds a part of a sheet that begins on this line (counted from 1).
    pub fn push(&mut self, css: &str, sheet: usize, line: usize) {
        if !css.is_empty() {
            let at = self.css.len();
            self.marks.push(Mark { at, sheet, line });
            self.css.push_str(css);
        }
    }

    /// Adds a text of our own.
    pub fn glue(&mut self, css: &str) {
        self.css.push_str(css);
    }

    /// Adds another text with its places.
    pub fn append(&mut self, other: &Self) {
        let moved = self.css.len();
        self.marks.extend(other.marks.iter().map(|mark| Mark {
            at: mark.at + moved,
            ..*mark
        }));
        self.css.push_str(&other.css);
    }

    /// The text between two others.
    pub fn within(self, before: &str, after: &str) -> Self {
        let mut out = Self::default();
        out.glue(before);
        out.append(&self);
        out.glue(after);
        out
    }

    /// Sheet and line of what stands at a line and column of this text (from 0, the column in UTF-16 units as browsers
    /// count it).
    pub fn place(&self, line: usize, column: usize) -> Option<(usize, usize)> {
        let start = self
            .css
            .split_inclusive('\n')
            .take(line)
            .map(str::len)
            .sum::<usize>();
        let mut at = start;
        let mut units = 0;
        for c in self.css.get(start..)?.chars().take_while(|c| *c != '\n') {
            if units >= column {
                break;
            }
            units += c.len_utf16();
            at += c.len_utf8();
        }
        let mark = self.marks[..self.marks.partition_point(|mark| mark.at <= at)].last()?;
        let lines = self.css[mark.at..at]
            .bytes()
            .filter(|byte| *byte == b'\n')
            .count();
        Some((mark.sheet, mark.line + lines))
    }
}

impl From<&str> for Text {
    fn from(css: &str) -> Self {
        let mut text = Self::default();
        text.push(css, 0, 1);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_move_with_their_text() {
        let mut inner = Text::default();
        inner.push("a{}\nb{}", 1, 7);
        let mut all = Text::default();
        all.push("@x;\n", 0, 1);
        all.append(&inner.within("@media y {\n", "\n}\n"));
        all.push("c{}", 0, 2);
        assert_eq!(all.css, "@x;\n@media y {\na{}\nb{}\n}\nc{}");
        assert_eq!(all.place(0, 0), Some((0, 1)));
        assert_eq!(all.place(3, 1), Some((1, 8)));
        assert_eq!(all.place(5, 0), Some((0, 2)));
        assert_eq!(Text::default().place(0, 0), None);
    }
}
