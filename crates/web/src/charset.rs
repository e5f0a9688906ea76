//! Which encoding a text of the web is in, and the text itself: the rules of the Encoding, HTML and CSS Syntax
//! standards, for every tool that reads pages, sheets or scripts.
//!
//! In all of them a byte order mark wins, then what the server states. After that a page is asked for its `<meta>`,
//! a sheet for its `@charset`, and what says nothing is read like the page or sheet that refers to it.

mod prescan;

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

pub use encoding_rs::{Encoding, UTF_8};

/// Bytes of a page that are looked at before it is read at all (HTML, section 13.2.3.2).
const PRESCAN: usize = 1024;

/// Bytes of a page in which a `<meta>` that comes later still changes the encoding.
const LATE: usize = 256 * 1024;

/// A text and how it was read.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The text, without a byte order mark; what cannot be read is U+FFFD.
    pub text: String,
    /// The encoding it was read in.
    pub encoding: &'static Encoding,
    /// Whether nothing stated the encoding, and the bytes are not plain UTF-8 either.
    pub guessed: bool,
}

impl Decoded {
    fn new(bytes: &[u8], encoding: &'static Encoding, guessed: bool) -> Self {
        // `decode` lets a byte order mark win.
        let (text, encoding, _) = encoding.decode(bytes);
        Self {
            text: text.into_owned(),
            encoding,
            guessed,
        }
    }
}

/// The encoding that a `Content-Type` header names; `None` when it names none that is known.
pub fn of_content_type(header: &str) -> Option<&'static Encoding> {
    let mut rest = header.split_once(';')?.1;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t', '\r', '\n']);
        if rest.is_empty() {
            return None;
        }
        let name_end = rest.find([';', '=']).unwrap_or(rest.len());
        let name = rest[..name_end].trim();
        rest = &rest[name_end..];
        let Some(value) = rest.strip_prefix('=') else {
            continue;
        };
        let (label, after) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(';').unwrap_or(value.len())),
        };
        // The first one counts, also when it is unknown.
        if name.eq_ignore_ascii_case("charset") {
            return Encoding::for_label(label.trim().as_bytes());
        }
        rest = after.find(';').map_or("", |at| &after[at..]);
    }
}

/// A page: byte order mark, `stated` by the server, its own `<meta>` or XML declaration, that of the page it is
/// framed by, else UTF-8 where it is that, and windows-1252 (the standard's last resort) where it is not.
pub fn page(bytes: &[u8], stated: Option<&'static Encoding>, parent: Option<&'static Encoding>) -> Decoded {
    let known = stated
        .or_else(|| prescan::page(&bytes[..bytes.len().min(PRESCAN)], false))
        .or_else(|| prescan::page(&bytes[..bytes.len().min(LATE)], true))
        .or(parent);
    match known {
        Some(encoding) => Decoded::new(bytes, encoding, false),
        None => unlabelled(bytes),
    }
}

/// A sheet: byte order mark, `stated` by the server, its own `@charset`, `environment` (the encoding of the page or
/// sheet that refers to it), else UTF-8 (CSS Syntax, section 3.2).
pub fn sheet(
    bytes: &[u8],
    stated: Option<&'static Encoding>,
    environment: Option<&'static Encoding>,
) -> Decoded {
    let encoding = stated.or_else(|| charset_rule(bytes)).or(environment);
    Decoded::new(bytes, encoding.unwrap_or(UTF_8), false)
}

/// A script: byte order mark, `stated` by the server, else `environment`, the encoding of the page.
pub fn script(bytes: &[u8], stated: Option<&'static Encoding>, environment: &'static Encoding) -> Decoded {
    Decoded::new(bytes, stated.unwrap_or(environment), false)
}

/// An encoding that a page or sheet names for itself: what can read these bytes is no UTF-16 (HTML 13.2.3.2).
fn within_ascii(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16BE || encoding == UTF_16LE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    }
}

/// The encoding of exactly `@charset "label";` at the very beginning.
fn charset_rule(bytes: &[u8]) -> Option<&'static Encoding> {
    let rest = bytes.strip_prefix(b"@charset \"")?;
    let end = rest.iter().take(PRESCAN).position(|byte| *byte == b'"')?;
    (rest.get(end + 1) == Some(&b';')).then_some(())?;
    let encoding = Encoding::for_label(&rest[..end])?;
    let wide = encoding == UTF_16BE || encoding == UTF_16LE;
    Some(if wide { UTF_8 } else { encoding })
}

fn unlabelled(bytes: &[u8]) -> Decoded {
    let utf8 = Encoding::for_bom(bytes).is_some() || std::str::from_utf8(bytes).is_ok();
    Decoded::new(bytes, if utf8 { UTF_8 } else { WINDOWS_1252 }, !utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(bytes: &[u8]) -> &'static str {
        page(bytes, None, None).encoding.name()
    }

    #[test]
    fn a_header_names_an_encoding_however_it_is_written() {
        let of = |text| of_content_type(text).map(Encoding::name);
        assert_eq!(of("text/html;charset=utf-8"), Some("UTF-8"));
        assert_eq!(of("text/html; Charset=\"koi8-r\" ; x=y"), Some("KOI8-R"));
        assert_eq!(
            of("text/css; x=\"a;charset=utf-8\"; charset=cp1251"),
            Some("windows-1251")
        );
        assert_eq!(of("text/html; charset=nonsense; charset=utf-8"), None);
        assert_eq!(of("text/html"), None);
    }

    #[test]
    fn a_page_is_read_by_mark_then_server_then_meta_then_frame() {
        let bytes = b"\xef\xbb\xbf<meta charset=koi8-r>x";
        assert_eq!(
            page(bytes, Encoding::for_label(b"cp1251"), None).encoding.name(),
            "UTF-8"
        );
        let bytes = b"<meta charset=koi8-r>x";
        assert_eq!(
            page(bytes, Encoding::for_label(b"cp1251"), None).encoding.name(),
            "windows-1251"
        );
        assert_eq!(named(bytes), "KOI8-R");
        let parent = Encoding::for_label(b"cp1251");
        assert_eq!(page(b"\xcf", None, parent).text, "П");
    }

    #[test]
    fn a_page_that_says_nothing_is_utf8_where_it_can_be() {
        assert_eq!(named("<p>Чай".as_bytes()), "UTF-8");
        let guessed = page(b"<p>caf\xe9", None, None);
        assert_eq!((guessed.text.as_str(), guessed.guessed), ("<p>café", true));
    }

    #[test]
    fn a_late_meta_counts_but_not_one_in_a_script() {
        let padding = " ".repeat(2000);
        assert_eq!(
            named(format!("<head>{padding}<meta charset=koi8-r>\u{416}").as_bytes()),
            "KOI8-R"
        );
        let script = format!("<head>{padding}<script>'<meta charset=koi8-r>'</script>\u{416}");
        assert_eq!(named(script.as_bytes()), "UTF-8");
    }

    #[test]
    fn a_sheet_is_read_by_its_rule_else_like_what_refers_to_it() {
        let cyrillic = Encoding::for_label(b"windows-1251");
        let own = b"@charset \"windows-1251\";.a{content:\"\xcf\"}";
        assert!(sheet(own, None, None).text.contains('П'));
        assert!(sheet(b"\xcf", None, cyrillic).text.contains('П'));
        // Only the exact form counts, and it cannot mean UTF-16.
        assert_eq!(
            sheet(b"@charset 'windows-1251';", None, None).encoding.name(),
            "UTF-8"
        );
        assert_eq!(
            sheet(b"@charset \"utf-16\";", None, cyrillic).encoding.name(),
            "UTF-8"
        );
        assert_eq!(
            sheet(own, Encoding::for_label(b"utf-8"), None).encoding.name(),
            "UTF-8"
        );
    }

    #[test]
    fn a_script_is_read_like_its_page() {
        let page = Encoding::for_label(b"windows-1251").unwrap_or(UTF_8);
        assert_eq!(script(b"\xcf", None, page).text, "П");
        assert_eq!(script("П".as_bytes(), Some(UTF_8), page).text, "П");
        assert_eq!(script(b"\xff\xfea\0", None, page).text, "a");
    }
}
