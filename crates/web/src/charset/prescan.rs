//! The prescan of a byte stream for its encoding (HTML, section 13.2.3.2), and the XML declaration.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::within_ascii;

/// Elements whose content is no markup.
const RAW: [&[u8]; 5] = [b"script", b"style", b"title", b"textarea", b"noscript"];

/// The encoding that the bytes of a page name. With `skip_raw`, what stands in scripts and sheets does not count;
/// the standard's own prescan does not look at that.
pub(super) fn page(bytes: &[u8], skip_raw: bool) -> Option<&'static Encoding> {
    if bytes.starts_with(b"<\0?\0x\0") {
        return Some(UTF_16LE);
    }
    if bytes.starts_with(b"\0<\0?\0x") {
        return Some(UTF_16BE);
    }
    let mut scan = Scan { bytes, at: 0 };
    while scan.at < bytes.len() {
        if bytes[scan.at] != b'<' {
            scan.at += 1;
            continue;
        }
        let rest = &bytes[scan.at + 1..];
        if rest.starts_with(b"!--") {
            // The dashes that open a comment may also be those that close it.
            scan.at += 2;
            scan.behind(b"-->");
        } else if starts(rest, b"meta") && rest.get(4).is_some_and(|byte| is_space(*byte) || *byte == b'/') {
            scan.at += 5;
            if let Some(encoding) = scan.meta() {
                return Some(encoding);
            }
        } else if rest.first().is_some_and(u8::is_ascii_alphabetic) {
            scan.tag();
            if let Some(name) = RAW.iter().find(|name| skip_raw && is_tag(rest, name)) {
                scan.behind(&[b"</", *name].concat());
            }
        } else if rest.first() == Some(&b'/') && rest.get(1).is_some_and(u8::is_ascii_alphabetic) {
            scan.tag();
        } else if rest.first().is_some_and(|byte| b"!/?".contains(byte)) {
            scan.behind(b">");
        } else {
            scan.at += 1;
        }
    }
    xml_declaration(bytes)
}

/// The encoding of an XML declaration.
fn xml_declaration(bytes: &[u8]) -> Option<&'static Encoding> {
    bytes.starts_with(b"<?xml").then_some(())?;
    let end = bytes.iter().position(|byte| *byte == b'>')?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let value = text.split_once("encoding")?.1;
    let blank = |c: char| c <= ' ';
    let value = value
        .trim_start_matches(blank)
        .strip_prefix('=')?
        .trim_start_matches(blank);
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let label = value[1..].split_once(quote)?.0;
    Encoding::for_label(label.as_bytes()).map(within_ascii)
}

fn starts(bytes: &[u8], name: &[u8]) -> bool {
    bytes
        .get(..name.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(name))
}

fn is_tag(bytes: &[u8], name: &[u8]) -> bool {
    starts(bytes, name)
        && bytes
            .get(name.len())
            .is_none_or(|byte| is_space(*byte) || matches!(byte, b'/' | b'>'))
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ')
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes on behind the next occurrence of `mark`, or at the end.
    fn behind(&mut self, mark: &[u8]) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let found = rest
            .windows(mark.len())
            .position(|window| window.eq_ignore_ascii_case(mark));
        self.at = found.map_or(self.bytes.len(), |offset| self.at + offset + mark.len());
    }

    /// Passes over a tag with its attributes.
    fn tag(&mut self) {
        while self.peek().is_some_and(|byte| !is_space(byte) && byte != b'>') {
            self.at += 1;
        }
        while self.attribute().is_some() {}
    }

    /// The encoding of a `<meta>` whose name has been read.
    fn meta(&mut self) -> Option<&'static Encoding> {
        let mut seen: Vec<String> = Vec::new();
        let (mut pragma, mut needs_pragma) = (false, None);
        let mut encoding = None;
        while let Some((name, value)) = self.attribute() {
            if seen.contains(&name) {
                continue;
            }
            match name.as_str() {
                "http-equiv" => pragma |= value == "content-type",
                "content" if encoding.is_none() => {
                    if let Some(found) = in_content(&value) {
                        encoding = Some(Some(found));
                        needs_pragma = Some(true);
                    }
                }
                "charset" => {
                    encoding = Some(Encoding::for_label(value.as_bytes()));
                    needs_pragma = Some(false);
                }
                _ => {}
            }
            // Only the three that count are worth remembering.
            if matches!(name.as_str(), "http-equiv" | "content" | "charset") {
                seen.push(name);
            }
        }
        if needs_pragma? && !pragma {
            return None;
        }
        encoding.flatten().map(within_ascii)
    }

    /// The next attribute, lower case; `None` at the end of the tag.
    fn attribute(&mut self) -> Option<(String, String)> {
        while self.peek().is_some_and(|byte| is_space(byte) || byte == b'/') {
            self.at += 1;
        }
        if self.peek()? == b'>' {
            return None;
        }
        let (mut name, mut value) = (Vec::new(), Vec::new());
        loop {
            match self.peek() {
                Some(b'=') if !name.is_empty() => break,
                Some(b'/' | b'>') | None => return Some(lower(&name, &value)),
                Some(byte) if is_space(byte) => {
                    self.spaces();
                    if self.peek() != Some(b'=') {
                        return Some(lower(&name, &value));
                    }
                    break;
                }
                Some(byte) => name.push(byte),
            }
            self.at += 1;
        }
        self.at += 1;
        self.spaces();
        let quote = self.peek().filter(|byte| matches!(byte, b'"' | b'\''));
        self.at += usize::from(quote.is_some());
        while let Some(byte) = self.peek() {
            if quote == Some(byte) {
                self.at += 1;
                break;
            }
            if quote.is_none() && (is_space(byte) || byte == b'>') {
                break;
            }
            value.push(byte);
            self.at += 1;
        }
        Some(lower(&name, &value))
    }

    fn spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }
}

fn lower(name: &[u8], value: &[u8]) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    (text(name), text(value))
}

/// The encoding in a `content` attribute (HTML, "extracting a character encoding from a meta element").
fn in_content(value: &str) -> Option<&'static Encoding> {
    let mut rest = value;
    loop {
        rest = rest
            .split_once("charset")?
            .1
            .trim_start_matches(|c: char| c.is_ascii_whitespace());
        let Some(label) = rest.strip_prefix('=') else {
            continue;
        };
        let label = label.trim_start_matches(|c: char| c.is_ascii_whitespace());
        let label = match label.chars().next() {
            Some(quote @ ('"' | '\'')) => label[1..].split_once(quote)?.0,
            _ => label
                .split(|c: char| c.is_ascii_whitespace() || c == ';')
                .next()?,
        };
        return Encoding::for_label(label.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&'static str> {
        page(text.as_bytes(), false).map(Encoding::name)
    }

    #[test]
    fn the_first_real_meta_counts() {
        assert_eq!(
            found("<!-- <meta charset=koi8-r> --><meta charset=utf-8>"),
            Some("UTF-8")
        );
        assert_eq!(found("<!--><meta charset=koi8-r>"), Some("KOI8-R"));
        assert_eq!(
            found("<a title='<meta charset=koi8-r>'><META CharSet = 'cp1251'>"),
            Some("windows-1251")
        );
        assert_eq!(
            found("<metadata charset=koi8-r><? <meta charset=koi8-r> <meta/charset=utf-8>"),
            Some("UTF-8")
        );
        assert_eq!(
            found("<meta charset=nonsense><meta charset=utf-8>"),
            Some("UTF-8")
        );
        assert_eq!(found("<meta charset=utf-8 charset=koi8-r>"), Some("UTF-8"));
    }

    #[test]
    fn the_old_form_needs_its_pragma() {
        let old = "<meta http-equiv=Content-Type content=\"text/html; charset = 'koi8-r'\">";
        assert_eq!(found(old), Some("KOI8-R"));
        assert_eq!(
            found("<meta content='text/html; charsets; charset=koi8-r' http-equiv=content-type>"),
            Some("KOI8-R")
        );
        assert_eq!(found("<meta name=x content='charset=koi8-r'>"), None);
    }

    #[test]
    fn labels_that_cannot_be_meant_are_read_as_the_standard_says() {
        assert_eq!(found("<meta charset=utf-16>"), Some("UTF-8"));
        assert_eq!(found("<meta charset=utf-16be>"), Some("UTF-8"));
        assert_eq!(found("<meta charset=x-user-defined>"), Some("windows-1252"));
        assert_eq!(found("<meta charset=iso-8859-1>"), Some("windows-1252"));
    }

    #[test]
    fn an_xml_declaration_is_the_last_resort() {
        assert_eq!(
            found("<?xml version='1.0' encoding = \"koi8-r\"?><html>"),
            Some("KOI8-R")
        );
        assert_eq!(
            found("<?xml version='1.0' encoding='koi8-r'?><meta charset=utf-8>"),
            Some("UTF-8")
        );
        assert_eq!(page(b"<\0?\0x\0", false).map(Encoding::name), Some("UTF-16LE"));
    }
}
