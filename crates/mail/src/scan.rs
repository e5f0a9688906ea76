//! The last look at a message before it is sent: at its bytes, as a server will see them.
//!
//! No library is trusted with this, ours included: whatever made the message, its header block holds exactly the headers
//! that were asked for, and nothing in it ends a line but CRLF.

use std::fmt;

use crate::encoding::LONGEST_LINE;

/// Headers of which there is one.
const ONCE: [&str; 6] = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version"];

/// What is wrong with the bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScanError {
    /// A CR or LF that is no line end.
    BareLineEnd,
    /// A NUL.
    Nul,
    /// A line of more than 998 octets.
    LongLine,
    /// Octets outside ASCII.
    EightBit,
    /// No empty line behind the headers.
    NoBody,
    /// A line of the header block that is neither a header nor goes on with one.
    NoHeader,
    /// Other headers than were asked for.
    Headers(Vec<String>),
}

impl fmt::Display for ScanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareLineEnd => f.write_str("a bare CR or LF in the message"),
            Self::Nul => f.write_str("a NUL in the message"),
            Self::LongLine => f.write_str("a line of more than 998 octets"),
            Self::EightBit => f.write_str("octets outside ASCII in the message"),
            Self::NoBody => f.write_str("the header block has no end"),
            Self::NoHeader => f.write_str("a line of the header block that is no header"),
            Self::Headers(names) => write!(
                f,
                "the message has other headers than it should: {}",
                names.join(", ")
            ),
        }
    }
}

impl std::error::Error for ScanError {}

/// Checks a message. `expected` are its headers in their order; `utf8`: addresses in it may be outside ASCII.
pub fn scan(bytes: &[u8], expected: &[&str], utf8: bool) -> Result<(), ScanError> {
    let mut names = Vec::new();
    let mut in_headers = true;
    let mut rest = bytes;
    while !rest.is_empty() {
        let Some(end) = rest.iter().position(|b| *b == b'\n') else {
            return Err(ScanError::BareLineEnd);
        };
        let Some(line) = rest[..end].strip_suffix(b"\r") else {
            return Err(ScanError::BareLineEnd);
        };
        rest = &rest[end + 1..];
        check_line(line, utf8 && in_headers)?;
        if !in_headers {
            continue;
        }
        if line.is_empty() {
            in_headers = false;
        } else if line.starts_with(b" ") || line.starts_with(b"\t") {
            if names.is_empty() || line.iter().all(u8::is_ascii_whitespace) {
                return Err(ScanError::NoHeader);
            }
        } else {
            names.push(name(line).ok_or(ScanError::NoHeader)?);
        }
    }
    if in_headers {
        return Err(ScanError::NoBody);
    }
    let once = |name: &&str| expected.iter().filter(|known| *known == name).count() == 1;
    if names != expected || !ONCE.iter().all(once) {
        return Err(ScanError::Headers(names));
    }
    Ok(())
}

fn check_line(line: &[u8], utf8: bool) -> Result<(), ScanError> {
    if line.len() > LONGEST_LINE {
        return Err(ScanError::LongLine);
    }
    for byte in line {
        match byte {
            0 => return Err(ScanError::Nul),
            b'\r' => return Err(ScanError::BareLineEnd),
            128.. if !utf8 => return Err(ScanError::EightBit),
            _ => {}
        }
    }
    Ok(())
}

/// The name of a header line (RFC 5322, 2.2).
fn name(line: &[u8]) -> Option<String> {
    let colon = line.iter().position(|b| *b == b':')?;
    let name = &line[..colon];
    let fits = !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    fits.then(|| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 6] = ["Date", "From", "To", "Subject", "Message-ID", "MIME-Version"];

    fn message(subject: &str, body: &str) -> String {
        format!(
            "Date: d\r\nFrom: f\r\nTo: t\r\nSubject: {subject}\r\nMessage-ID: m\r\nMIME-Version: 1.0\r\n\r\n{body}"
        )
    }

    #[test]
    fn what_no_library_should_have_let_through() {
        let of = |subject: &str, body: &str| scan(message(subject, body).as_bytes(), &NAMES, false);
        assert_eq!(of("s", "body\r\n"), Ok(()));
        assert_eq!(of("s\r\n more", "body\r\n"), Ok(()));
        let with_bcc = [
            "Date",
            "From",
            "To",
            "Subject",
            "Bcc",
            "Message-ID",
            "MIME-Version",
        ];
        assert_eq!(
            of("A\r\nBcc: x@y.example", ""),
            Err(ScanError::Headers(with_bcc.map(str::to_owned).to_vec()))
        );
        assert_eq!(of("A\nBcc: x", ""), Err(ScanError::BareLineEnd));
        assert_eq!(of("A\rBcc: x", ""), Err(ScanError::BareLineEnd));
        assert_eq!(of("A\0", ""), Err(ScanError::Nul));
        assert_eq!(of("A\r\n \r\n more", ""), Err(ScanError::NoHeader));
        assert_eq!(of("A\r\nno colon", ""), Err(ScanError::NoHeader));
        assert_eq!(of("é", ""), Err(ScanError::EightBit));
        assert_eq!(of("s", "a\nb\r\n"), Err(ScanError::BareLineEnd));
        assert_eq!(
            of("s", &format!("{}\r\n", "x".repeat(999))),
            Err(ScanError::LongLine)
        );
        // A header block that ends early pushes the rest into the body.
        assert!(matches!(of("A\r\n\r\nbody", ""), Err(ScanError::Headers(_))));
    }
}
