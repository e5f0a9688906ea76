//! Shows a result to a person: what a rendering gets to see, and the filter that it writes through.

use std::fmt;

use serde_json::Value;

use crate::text;

/// What a rendering may know beside the result: the input it answers, and the place where it appears.
#[derive(Debug)]
pub struct View<'a, I> {
    /// The input of the run, as it was checked; `None` when only the result is known.
    pub input: Option<&'a I>,
    /// Columns of the terminal; 100 when the text does not go to one.
    pub width: usize,
    style: &'a Style,
}

/// How colour is written. Renderings mark colour with a word that nobody else can know, and the filter turns the
/// mark into an escape sequence; whatever escape sequences come with other people's texts are only shown.
#[derive(Debug)]
pub(crate) struct Style {
    colour: bool,
    mark: String,
}

/// A colour of a rendering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Paint {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Paint {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }
}

/// Begins a mark; a noncharacter, which no text has a use for.
const MARK: char = '\u{fdd0}';

impl Style {
    /// A style with a fresh mark.
    pub(crate) fn new(colour: bool) -> Self {
        Self {
            colour,
            mark: format!("{MARK}{}", crate::ids::random_id("c")),
        }
    }

    /// What a rendering wrote, for the terminal: marks become colour, all that acts otherwise is made visible.
    pub(crate) fn finish(&self, written: &str) -> String {
        let mut finished = String::with_capacity(written.len());
        for (index, part) in written.split(&self.mark).enumerate() {
            let mut part = part;
            if index > 0
                && let Some((code, rest)) = part.split_once(';')
            {
                finished.push_str("\x1b[");
                finished.push_str(code);
                finished.push('m');
                part = rest;
            }
            finished.push_str(&text::visible(part));
        }
        finished
    }
}

impl<'a, I> View<'a, I> {
    pub(crate) fn new(style: &'a Style, input: Option<&'a I>, width: usize) -> Self {
        Self { input, width, style }
    }

    /// Whether colour is wanted: `--color`, then `NO_COLOR`, then whether stdout is a terminal.
    pub fn colour(&self) -> bool {
        self.style.colour
    }

    /// The text in a colour, where colour is wanted. The only way to colour: escape sequences are filtered.
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if self.style.colour {
            let mark = &self.style.mark;
            format!("{mark}{};{text}{mark}0;", paint.code())
        } else {
            text.to_owned()
        }
    }
}

/// Indented `key: value` lines; what a tool without a rendering of its own prints on a terminal.
pub fn render_value(value: &Value, out: &mut dyn fmt::Write) -> fmt::Result {
    match value {
        Value::Object(_) | Value::Array(_) => nested(value, 0, out),
        Value::Null => Ok(()),
        scalar => writeln!(out, "{}", plain(scalar)),
    }
}

fn nested(value: &Value, depth: usize, out: &mut dyn fmt::Write) -> fmt::Result {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(_, v)| !v.is_null()) {
                let label = key.replace('_', " ");
                if is_leaf(value) {
                    writeln!(out, "{indent}{label}: {}", plain(value))?;
                } else {
                    writeln!(out, "{indent}{label}:")?;
                    nested(value, depth + 1, out)?;
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                if is_leaf(item) {
                    writeln!(out, "{indent}- {}", plain(item))?;
                } else {
                    let mut text = String::new();
                    nested(item, depth + 1, &mut text)?;
                    let marked = text.replacen(&"  ".repeat(depth + 1), &format!("{indent}- "), 1);
                    out.write_str(&marked)?;
                }
            }
        }
        leaf => writeln!(out, "{indent}{}", plain(leaf))?,
    }
    Ok(())
}

fn is_leaf(value: &Value) -> bool {
    match value {
        Value::Array(items) => {
            items.is_empty() || items.len() <= 8 && items.iter().all(|i| !i.is_array() && !i.is_object())
        }
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(_) => "none".to_owned(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_rendering_itself_can_colour() {
        let style = Style::new(true);
        let view = View::<()>::new(&style, None, 80);
        let title = "\u{1b}[2Jtitle\u{fdd0}c_0000000000000000;31;";
        let written = format!("{} {title}\n", view.paint(Paint::Red, "bad"));
        let shown = style.finish(&written);
        assert!(shown.starts_with("\x1b[31mbad\x1b[0m ␛[2Jtitle"), "{shown:?}");
        assert_eq!(shown.matches('\x1b').count(), 2);
        let plain = Style::new(false);
        assert_eq!(View::<()>::new(&plain, None, 80).paint(Paint::Red, "bad"), "bad");
    }

    #[test]
    fn nested_values_are_indented() {
        let mut text = String::new();
        let value = json!({"path": "a.gif", "size": [3, 4], "frames": [{"n": 1, "ok": true}, {"n": 2, "ok": false}], "none": null});
        render_value(&value, &mut text).unwrap();
        assert_eq!(
            text,
            "path: a.gif\nsize: 3, 4\nframes:\n  - n: 1\n    ok: yes\n  - n: 2\n    ok: no\n"
        );
    }
}
