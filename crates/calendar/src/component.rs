//! Components (`BEGIN:` to `END:`), however badly they are nested.

use std::ops::Range;

use crate::{
    Note,
    content::{self, Line, Read},
    short,
};

/// Components below each other at most; a deeper one is left out.
const DEEPEST: usize = 16;

/// A component with its properties and the components in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// Name in capitals.
    pub name: String,
    /// Line of its `BEGIN`.
    pub line: usize,
    /// Properties in order.
    pub lines: Vec<Line>,
    /// Components in it.
    pub parts: Vec<Component>,
    /// Lines that are no property.
    pub broken: Vec<Note>,
    /// Bytes of the file that it takes, `BEGIN` and `END` included.
    pub bytes: Range<usize>,
    /// Where its `END` begins; the end of the file when it has none.
    pub end: usize,
    /// Whether its `END` is missing.
    pub cut: bool,
}

impl Component {
    /// The first property of this name.
    pub fn get(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// All properties of this name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Line> {
        self.lines.iter().filter(move |line| line.name == name)
    }
}

/// A file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document {
    /// The outermost components.
    pub components: Vec<Component>,
    /// What was put right.
    pub notes: Vec<Note>,
}

/// Reads components from the bytes of a file. Nothing makes it fail: what cannot be read is noted.
pub fn parse(bytes: &[u8]) -> Document {
    let mut document = Document::default();
    let mut open: Vec<Component> = Vec::new();
    // How many components too deep are open: they are passed over.
    let mut passed = 0_usize;
    for read in content::lines(bytes, &mut document.notes) {
        match read {
            Read::Broken(note) => match open.last_mut() {
                Some(component) if passed == 0 => component.broken.push(note),
                _ => document.notes.push(note),
            },
            Read::Line(line) if line.name == "BEGIN" => {
                if open.len() >= DEEPEST {
                    passed += 1;
                    document.notes.push(Note::new(
                        line.number,
                        "components nested too deeply are left out",
                    ));
                    continue;
                }
                open.push(Component {
                    name: line.value.trim().to_ascii_uppercase(),
                    line: line.number,
                    bytes: line.bytes,
                    ..Component::default()
                });
            }
            Read::Line(line) if line.name == "END" => {
                if passed > 0 {
                    passed -= 1;
                } else {
                    end(&mut document, &mut open, &line);
                }
            }
            Read::Line(line) => match open.last_mut() {
                Some(component) if passed == 0 => component.lines.push(line),
                Some(_) => {}
                None => document.notes.push(Note::new(
                    line.number,
                    format!("`{}` stands outside of any component", short(&line.name)),
                )),
            },
        }
    }
    if !open.is_empty() {
        let events = open.iter().any(|component| component.name == "VEVENT");
        let text = if events {
            "file ends inside an event"
        } else {
            "file ends inside a component"
        };
        let line = open.last().map_or(1, |component| component.line);
        document.notes.push(Note::new(line, text));
    }
    while let Some(mut component) = open.pop() {
        component.cut = true;
        component.bytes.end = bytes.len();
        component.end = bytes.len();
        close(&mut document, &mut open, component);
    }
    document
}

fn end(document: &mut Document, open: &mut Vec<Component>, line: &Line) {
    let name = line.value.trim().to_ascii_uppercase();
    let Some(depth) = open.iter().rposition(|component| component.name == name) else {
        let text = format!("`END:{}` without its `BEGIN`", short(&name));
        document.notes.push(Note::new(line.number, text));
        return;
    };
    while open.len() > depth {
        let Some(mut component) = open.pop() else { return };
        component.end = line.bytes.start;
        if open.len() == depth {
            component.bytes.end = line.bytes.end;
        } else {
            component.bytes.end = line.bytes.start;
            component.cut = true;
            let text = format!("`{}` has no `END`", short(&component.name));
            document.notes.push(Note::new(component.line, text));
        }
        close(document, open, component);
    }
}

fn close(document: &mut Document, open: &mut [Component], component: Component) {
    match open.last_mut() {
        Some(outer) => outer.parts.push(component),
        None => document.components.push(component),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_end_costs_nothing() {
        let document =
            parse(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nEND:VCALENDAR\nEND:VEVENT\nBEGIN:VEVENT\nUID:b");
        assert_eq!(document.components.len(), 2);
        assert_eq!(document.components[0].parts[0].lines[0].value, "a");
        assert!(document.components[1].cut);
        let told: Vec<_> = document
            .notes
            .iter()
            .map(|note| (note.line, note.message.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (2, "`VEVENT` has no `END`"),
                (5, "`END:VEVENT` without its `BEGIN`"),
                (6, "file ends inside an event")
            ]
        );
    }

    #[test]
    fn an_empty_begin_and_a_deep_nest_are_read() {
        assert_eq!(parse(b"BEGIN:").components.len(), 1);
        let deep = "BEGIN:A\n".repeat(100_000);
        assert!(parse(deep.as_bytes()).notes.len() > 10);
        assert_eq!(parse(b"").components.len(), 0);
    }
}
