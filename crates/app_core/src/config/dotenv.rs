//! The `.env` file of the working directory, as a shell would take it.
//!
//! A line that is no assignment is left out with a warning that names its number, never its text: it may hold a
//! secret, and one slip must not stop every tool of the folder.

use std::{collections::HashMap, path::Path};

/// Largest `.env` that is read, in bytes.
const MOST: u64 = 1 << 20;

/// Bad lines after which the file is taken for something else.
const MOST_BAD: usize = 100;

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
    let mut lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    loop {
        let (map, bad) = entries(&lines);
        let Some(bad) = bad else {
            return (map, warnings);
        };
        warnings.push(format!(
            "line {} of `{}` is not `NAME=value` and is left out",
            bad + 1,
            path.display()
        ));
        if warnings.len() > MOST_BAD {
            warnings.push(format!("the rest of `{}` is left out", path.display()));
            lines.truncate(bad);
        } else {
            lines[bad] = "";
        }
    }
}

/// What these lines set, up to the first bad one, and its index.
fn entries(lines: &[&str]) -> (HashMap<String, String>, Option<usize>) {
    let mut map = HashMap::new();
    let text = lines.join("\n");
    for entry in dotenvy::from_read_iter(text.as_bytes()) {
        match entry {
            Ok((name, value)) => {
                map.insert(name, value);
            }
            Err(dotenvy::Error::LineParse(line, _)) => {
                // A quote that is never closed runs over many lines; the line that opens it is the bad one.
                let first = line.lines().next().unwrap_or_default().trim();
                let bad = lines
                    .iter()
                    .position(|known| !first.is_empty() && known.trim() == first)
                    .or_else(|| {
                        lines
                            .iter()
                            .position(|known| !first.is_empty() && known.contains(first))
                    })
                    .or_else(|| lines.iter().position(|known| !known.trim().is_empty()));
                return (map, bad);
            }
            Err(_) => return (map, None),
        }
    }
    (map, None)
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
    fn byte_order_mark_and_latin_1_are_taken() {
        let (map, warnings) = read_text(b"\xef\xbb\xbfA=1\n");
        assert_eq!((map["A"].as_str(), warnings.len()), ("1", 0));
        let (map, warnings) = read_text(b"NAME=M\xfcller\n");
        assert_eq!(map["NAME"], "Müller");
        assert!(warnings[0].contains("Latin-1"));
    }
}
