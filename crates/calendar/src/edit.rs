//! Changing a file without touching the rest of it: what is not meant keeps its bytes.

use crate::{component::Component, write::folded};

/// A change of a component.
#[derive(Clone, Debug)]
pub struct Edit {
    /// Name of the property in capitals; all of that name are taken away.
    pub name: String,
    /// Content lines in their place, unfolded and without line end.
    pub lines: Vec<String>,
}

impl Edit {
    /// Puts these lines in the place of all properties of this name.
    pub fn set(name: &str, lines: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            lines,
        }
    }
}

/// The text of a component with these changes; what it does not have yet stands before its `END`.
pub fn changed(source: &[u8], component: &Component, edits: &[Edit]) -> Vec<u8> {
    let mut out = Vec::with_capacity(component.bytes.len() + 200);
    let mut at = component.bytes.start;
    let mut done = vec![false; edits.len()];
    for line in &component.lines {
        let Some(found) = edits.iter().position(|edit| edit.name == line.name) else {
            continue;
        };
        out.extend_from_slice(&source[at..line.bytes.start]);
        if !done[found] {
            done[found] = true;
            put(&mut out, &edits[found].lines);
        }
        at = line.bytes.end;
    }
    // Components within, alarms for example, stand after the properties; new ones go before them.
    let first_part = component
        .parts
        .first()
        .map_or(component.end, |part| part.bytes.start);
    let place = first_part.max(at).min(component.end);
    out.extend_from_slice(&source[at..place]);
    for (edit, done) in edits.iter().zip(done) {
        if !done {
            put(&mut out, &edit.lines);
        }
    }
    out.extend_from_slice(&source[place..component.end]);
    if component.cut {
        end_line(&mut out);
        out.extend_from_slice(format!("END:{}\r\n", component.name).as_bytes());
    } else {
        out.extend_from_slice(&source[component.end..component.bytes.end]);
    }
    out
}

/// The file with `text` in the place of a component.
pub fn replaced(source: &[u8], component: &Component, text: &[u8]) -> Vec<u8> {
    let mut out = source[..component.bytes.start].to_vec();
    out.extend_from_slice(text);
    out.extend_from_slice(&source[component.bytes.end..]);
    out
}

/// The file with `text` before the `END` of a component.
pub fn inserted(source: &[u8], component: &Component, text: &[u8]) -> Vec<u8> {
    let mut out = source[..component.end].to_vec();
    end_line(&mut out);
    out.extend_from_slice(text);
    if component.cut {
        out.extend_from_slice(format!("END:{}\r\n", component.name).as_bytes());
    }
    out.extend_from_slice(&source[component.end..]);
    out
}

fn put(out: &mut Vec<u8>, lines: &[String]) {
    end_line(out);
    for line in lines {
        out.extend_from_slice(folded(line).as_bytes());
    }
}

/// A file that was cut off may end in the middle of a line.
fn end_line(out: &mut Vec<u8>) {
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::parse;

    #[test]
    fn only_what_is_meant_changes() {
        let source = b"BEGIN:VEVENT\nUID:a\nX-ODD;a=b:c\n d\nDTSTART:1\nEXDATE:2\nEXDATE:3\nBEGIN:VALARM\nUID:b\nEND:VALARM\nEND:VEVENT\nREST";
        let document = parse(source);
        let edits = [
            Edit::set("EXDATE", vec!["EXDATE:9".to_owned()]),
            Edit::set("SEQUENCE", vec!["SEQUENCE:1".to_owned()]),
        ];
        let text = changed(source, &document.components[0], &edits);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "BEGIN:VEVENT\nUID:a\nX-ODD;a=b:c\n d\nDTSTART:1\nEXDATE:9\r\nSEQUENCE:1\r\nBEGIN:VALARM\nUID:b\nEND:VALARM\nEND:VEVENT\n"
        );
    }

    #[test]
    fn a_cut_file_is_closed() {
        let source = b"BEGIN:VEVENT\nUID:a";
        let text = changed(
            source,
            &parse(source).components[0],
            &[Edit::set("SEQUENCE", vec!["SEQUENCE:1".to_owned()])],
        );
        assert_eq!(text, b"BEGIN:VEVENT\nUID:a\r\nSEQUENCE:1\r\nEND:VEVENT\r\n");
    }
}
