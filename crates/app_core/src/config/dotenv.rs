//! The `.env` file of the working directory, as a shell would take it.
//!
//! A line that is no assignment is left out with a warning that names its number, never its text: it may hold a
//! secret, and one slip must not stop every tool of the folder.

use std::{collections::HashMap, path::Path};

/// Largest `.env` that is read, in bytes.
const MOST: u64 = 1 << 20;

/// What the file sets, and the warnings. No file sets nothing.
pub(super) fn read(path: &Path) -> (HashMap<String, String>, Vec<String>) {
    if !path.is_file() {
        return (HashMap::new(), Vec::new());
    }
    match crate::files::read_limited(path, MOST) {
        Ok(bytes) => parse(&bytes, path),
        Err(error) => (HashMap::new(), vec![format!("{}; it is left out", error.message)]),
    }
}

fn parse(bytes: &[u8], path: &Path) -> (HashMap<String, String>, Vec<String>) {
    let mut warnings = Vec::new();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // Old editors write Latin-1; its bytes are its characters.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            warnings.push(format!(
                "`{}` is not UTF-8; it is read as Latin-1",
                path.display()
            ));
            bytes.iter().map(|&byte| char::from(byte)).collect()
        }
    };
    let mut map = HashMap::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        match assignment(rest, &map) {
            Some((set, left)) => {
                map.extend(set);
                rest = left;
            }
            None => {
                let line = text[..text.len() - rest.len()].matches('\n').count() + 1;
                warnings.push(format!(
                    "line {line} of `{}` is not `NAME=value` and is left out",
                    path.display()
                ));
                rest = after_line(rest);
            }
        }
    }
    (map, warnings)
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// One line, which may run on inside quotes: what it sets, if anything, and the text after it. `None`: no assignment.
fn assignment<'a>(
    text: &'a str,
    known: &HashMap<String, String>,
) -> Option<(Option<(String, String)>, &'a str)> {
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() || line.starts_with('#') {
        return Some((None, after_line(text)));
    }
    let start = text.trim_start();
    let start = start
        .strip_prefix("export")
        .filter(|rest| rest.starts_with([' ', '\t']))
        .unwrap_or(start);
    let start = start.trim_start_matches([' ', '\t']);
    let end = start
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(start.len());
    let (name, rest) = start.split_at(end);
    let rest = rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (value, rest) = value(rest.trim_start_matches([' ', '\t']), known)?;
    Some((Some((name.to_owned(), value)), rest))
}

/// The value at the start of the text, to the end of its line. `None` when a quote is never closed, or when a shell
/// would run a command for it.
fn value<'a>(text: &'a str, known: &HashMap<String, String>) -> Option<(String, &'a str)> {
    let mut value = String::new();
    // Blanks count only when something follows on the line that is not a comment.
    let mut blanks = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\n' => return Some((value, after)),
            ' ' | '\t' | '\r' => {
                blanks.push(c);
                rest = after;
                continue;
            }
            '#' if !blanks.is_empty() || rest.len() == text.len() => return Some((value, after_line(after))),
            _ => {}
        }
        value.push_str(&std::mem::take(&mut blanks));
        rest = match c {
            '\'' => {
                let (quoted, after) = after.split_once('\'')?;
                value.push_str(quoted);
                after
            }
            '"' => double_quoted(after, &mut value, known)?,
            '\\' => {
                let escaped = after.chars().next()?;
                if escaped != '\n' {
                    value.push(escaped);
                }
                &after[escaped.len_utf8()..]
            }
            '$' => variable(after, &mut value, known)?,
            '`' => return None,
            other => {
                value.push(other);
                after
            }
        };
    }
    Some((value, rest))
}

/// The text after an opening double quote; answers what follows the closing one.
fn double_quoted<'a>(text: &'a str, value: &mut String, known: &HashMap<String, String>) -> Option<&'a str> {
    let mut rest = text;
    loop {
        let c = rest.chars().next()?;
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '"' => return Some(after),
            '`' => return None,
            '$' => variable(after, value, known)?,
            '\\' => {
                let escaped = after.chars().next()?;
                match escaped {
                    '"' | '\\' | '$' | '`' => value.push(escaped),
                    '\n' => {}
                    // Not a shell's way, but that of the programs which read such files.
                    'n' => value.push('\n'),
                    other => value.extend(['\\', other]),
                }
                &after[escaped.len_utf8()..]
            }
            other => {
                value.push(other);
                after
            }
        };
    }
}

/// The text after a dollar sign: `NAME`, `{NAME}` or `{NAME:-default}`, from the lines above or the environment.
fn variable<'a>(text: &'a str, value: &mut String, known: &HashMap<String, String>) -> Option<&'a str> {
    let end = |text: &str| {
        text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(text.len())
    };
    let look_up = |name: &str| known.get(name).cloned().or_else(|| super::process_env(name));
    if text.starts_with('(') {
        return None;
    }
    if let Some(inner) = text.strip_prefix('{') {
        let (inner, after) = inner.split_once('}')?;
        let (name, rest) = inner.split_at(end(inner));
        let default = if rest.is_empty() {
            ""
        } else {
            rest.strip_prefix(":-")?
        };
        value.push_str(&look_up(name).unwrap_or_else(|| default.to_owned()));
        return Some(after);
    }
    let (name, after) = text.split_at(end(text));
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        value.push('$');
        return Some(text);
    }
    value.push_str(&look_up(name).unwrap_or_default());
    Some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(bytes: &[u8]) -> (HashMap<String, String>, Vec<String>) {
        parse(bytes, Path::new(".env"))
    }

    #[test]
    fn a_bad_line_is_told_by_number_and_the_rest_is_taken() {
        let (map, warnings) =
            read_text(b"GOOD=1\nno assignment here\nexport B='two words' # why\n\nC=\"x $GOOD\"\r\n");
        assert_eq!(
            (map["GOOD"].as_str(), map["B"].as_str(), map["C"].as_str()),
            ("1", "two words", "x 1")
        );
        assert_eq!(warnings, ["line 2 of `.env` is not `NAME=value` and is left out"]);
    }

    #[test]
    fn an_open_quote_costs_its_line_only_and_is_not_shown() {
        let (map, warnings) = read_text(b"A=1\nTOKEN='hunter2\nB=2\n");
        assert_eq!((map["A"].as_str(), map["B"].as_str()), ("1", "2"));
        assert!(
            warnings[0].contains("line 2") && !warnings.join(" ").contains("hunter2"),
            "{warnings:?}"
        );
    }

    #[test]
    fn what_a_shell_takes_is_taken() {
        let (map, warnings) = read_text(
            b"A='it is $A'\nB=\"say \\\"hi\\\" to ${A:-x}\"\nC=a#b # c\nD=\nE=one\\ two\nF='two\nlines'\nG=${NONE_SUCH:-dflt}$\nH = spaced out \nI=a'b'\"c\"\n",
        );
        let of = |name: &str| map[name].as_str();
        assert!(warnings.is_empty(), "{warnings:?}");
        assert_eq!(
            (of("A"), of("B"), of("C"), of("D")),
            ("it is $A", "say \"hi\" to it is $A", "a#b", "")
        );
        assert_eq!((of("E"), of("F"), of("G")), ("one two", "two\nlines", "dflt$"));
        assert_eq!((of("H"), of("I")), ("spaced out", "abc"));
        let (map, warnings) = read_text(b"A=$(id)\nB=`id`\n9X=1\nexport\nC=1");
        assert_eq!(
            (map.len(), map["C"].as_str(), warnings.len()),
            (1, "1", 4),
            "{warnings:?}"
        );
    }

    #[test]
    fn byte_order_mark_and_latin_1_are_taken() {
        let (map, warnings) = read_text(b"\xef\xbb\xbfA=1\n");
        assert_eq!((map["A"].as_str(), warnings.len()), ("1", 0));
        let (map, warnings) = read_text(b"NAME=M\xfcller\n");
        assert_eq!(map["NAME"], "Müller");
        assert!(warnings[0].contains("Latin-1"));
    }
}
