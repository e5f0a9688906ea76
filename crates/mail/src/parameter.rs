//! Names of files in headers (RFC 2231): whole for readers that know how, as ASCII for those that do not, and never an
//! encoded word, which has no place in a parameter.

use std::fmt::Write as _;

use crate::{address::forbidden, header::WANTED};

/// Longest name of a file, in octets, as file systems have it.
const LONGEST: usize = 255;

/// Why a name cannot be that of an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileNameError {
    /// It holds a control character.
    Control,
    /// Nothing is left of it.
    Empty,
    /// It is longer than a file's name can be.
    TooLong,
}

impl std::fmt::Display for FileNameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Control => "a control character in the name of an attachment",
            Self::Empty => "an attachment needs a name",
            Self::TooLong => "the name of an attachment is longer than 255 octets",
        })
    }
}

impl std::error::Error for FileNameError {}

/// The name of a file as a reader gets it: never a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Takes the last part of a path.
    pub fn new(path: &str) -> Result<Self, FileNameError> {
        let name = path.rsplit(['/', '\\']).next().unwrap_or_default().trim();
        if path.chars().any(forbidden) {
            return Err(FileNameError::Control);
        }
        if name.is_empty() || name == "." || name == ".." {
            return Err(FileNameError::Empty);
        }
        if name.len() > LONGEST {
            return Err(FileNameError::TooLong);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `attachment` or `inline` with the name, folded.
pub(crate) fn disposition(kind: &str, name: &FileName) -> String {
    let name = name.as_str();
    let mut value = format!("{kind};");
    if !name.is_ascii() {
        let parts = percent_encoded(name);
        for (index, part) in parts.iter().enumerate() {
            let number = if parts.len() == 1 {
                String::new()
            } else {
                format!("*{index}")
            };
            let charset = if index == 0 { "utf-8''" } else { "" };
            let _ = write!(value, "\r\n filename{number}*={charset}{part};");
        }
    }
    let quoted = fallback(name).replace('\\', "\\\\").replace('"', "\\\"");
    let _ = write!(value, "\r\n filename=\"{quoted}\"");
    value
}

/// The name for readers that know ASCII only: whole when it is ASCII, else short, with its end.
fn fallback(name: &str) -> String {
    if name.is_ascii() {
        return name.to_owned();
    }
    let ascii = |text: &str| -> String { text.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect() };
    match name.rsplit_once('.') {
        Some((stem, end)) if end.len() <= 10 => {
            format!(
                "{}.{}",
                ascii(stem).chars().take(40).collect::<String>(),
                ascii(end)
            )
        }
        _ => ascii(name).chars().take(50).collect(),
    }
}

/// In pieces that fit into a line, each of whole characters.
fn percent_encoded(name: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    for c in name.chars() {
        let mut code = String::new();
        if c.is_ascii_alphanumeric() || "-._~".contains(c) {
            code.push(c);
        } else {
            for byte in c.to_string().bytes() {
                let _ = write!(code, "%{byte:02X}");
            }
        }
        if part.len() + code.len() + " filename*NN*=utf-8'';".len() > WANTED {
            parts.push(std::mem::take(&mut part));
        }
        part.push_str(&code);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_last_part_of_a_path_and_holds_no_line_break() {
        let taken = |name| FileName::new(name).map(|n| n.as_str().to_owned());
        assert_eq!(taken("../../etc/passwd").unwrap(), "passwd");
        assert_eq!(taken("C:\\x\\a.pdf").unwrap(), "a.pdf");
        assert_eq!(taken("a\r\nX-Evil: 1.pdf"), Err(FileNameError::Control));
        assert_eq!(taken("a/.."), Err(FileNameError::Empty));
        assert_eq!(taken(&"x".repeat(256)), Err(FileNameError::TooLong));
    }

    #[test]
    fn lines_are_short_and_no_word_is_encoded() {
        let name =
            FileName::new("Очень длинное имя файла с отчётом о весенней кампании за март 2026 года.pdf")
                .unwrap();
        let value = disposition("attachment", &name);
        assert!(value.split("\r\n").all(|line| line.len() <= 78), "{value}");
        assert!(!value.contains("=?") && value.contains("filename*1*=") && value.contains("filename=\""));
    }
}
