//! Sitemaps as they are found: XML with its mistakes, or a list of addresses, packed or not, whatever the server says.

mod scan;

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use jiff::{Timestamp, civil::Date};

/// Bytes of one sitemap, unpacked, at most (sitemaps.org).
pub const MOST_BYTES: u64 = 50_000_000;

/// Entries of one sitemap, at most (sitemaps.org).
pub const MOST_ENTRIES: usize = 50_000;

/// What a sitemap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A list of sitemaps.
    Index,
    /// A list of pages.
    Pages,
    /// A list of pages as plain text: whole addresses only.
    Text,
}

/// A sitemap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitemap {
    /// What it is.
    pub kind: Kind,
    /// Its entries in their order.
    pub entries: Vec<Entry>,
    /// What is odd about it.
    pub notes: Vec<String>,
}

/// An entry of a sitemap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Address as it is written, references decoded, without blanks around it.
    pub address: String,
    /// When it was changed last: RFC 3339 in UTC, or a date alone.
    pub changed: Option<String>,
}

/// Why there is no sitemap in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It would be too large when unpacked.
    TooLarge,
    /// It is packed and broken before anything could be read.
    BrokenGzip,
    /// It is neither a list of addresses nor XML of a sitemap.
    NoSitemap,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge => write!(f, "larger than {MOST_BYTES} bytes when unpacked"),
            Self::BrokenGzip => f.write_str("packed and broken"),
            Self::NoSitemap => f.write_str("not a sitemap"),
        }
    }
}

/// Reads a sitemap. Packed ones are known by their first two bytes, and those that are too large are left alone.
pub fn read(bytes: &[u8]) -> Result<Sitemap, Unreadable> {
    let mut notes = Vec::new();
    let bytes = unpacked(bytes, &mut notes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    // A byte order mark may also say UTF-16.
    let (text, _, broken) = encoding_rs::UTF_8.decode(&bytes);
    if broken {
        notes.push("not all of it is UTF-8".to_owned());
    }
    let text = text.trim_start();
    let mut sitemap = if text.starts_with('<') {
        scan::xml(text)?
    } else {
        plain(text)?
    };
    if sitemap.entries.len() > MOST_ENTRIES {
        sitemap.notes.push(format!(
            "{} entries, the first {MOST_ENTRIES} read",
            sitemap.entries.len()
        ));
        sitemap.entries.truncate(MOST_ENTRIES);
    }
    notes.append(&mut sitemap.notes);
    sitemap.notes = notes;
    Ok(sitemap)
}

fn unpacked(bytes: &[u8], notes: &mut Vec<String>) -> Result<Vec<u8>, Unreadable> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes.to_owned());
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes)
        .take(MOST_BYTES + 1)
        .read_to_end(&mut unpacked);
    if unpacked.len() as u64 > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    match read {
        Ok(_) => {}
        Err(_) if unpacked.is_empty() => return Err(Unreadable::BrokenGzip),
        Err(_) => notes.push("packed and broken at its end".to_owned()),
    }
    Ok(unpacked)
}

/// One address a line. A text without a single one is no sitemap.
fn plain(text: &str) -> Result<Sitemap, Unreadable> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let entries: Vec<Entry> = lines
        .take(MOST_ENTRIES + 1)
        .map(|line| Entry {
            address: line.chars().take(4096).collect(),
            changed: None,
        })
        .collect();
    if !entries.iter().any(|entry| entry.address.starts_with("http")) {
        return Err(Unreadable::NoSitemap);
    }
    Ok(Sitemap {
        kind: Kind::Text,
        entries,
        notes: Vec::new(),
    })
}

/// A time of the W3C profile that sitemaps use; `None` when it is none.
fn time(text: &str) -> Option<String> {
    let text = text.trim();
    if let Ok(date) = text.parse::<Date>()
        && text.len() == 10
    {
        return Some(date.to_string());
    }
    // Seconds may be left out.
    let with_seconds = match text.split_once('T') {
        Some((date, time)) if time.as_bytes().get(5).is_some_and(|byte| *byte != b':') => {
            format!("{date}T{}:00{}", time.get(..5)?, time.get(5..)?)
        }
        _ => text.to_owned(),
    };
    with_seconds
        .parse::<Timestamp>()
        .ok()
        .map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let sitemap = read(text.as_bytes()).unwrap();
        sitemap.entries.into_iter().map(|entry| entry.address).collect()
    }

    #[test]
    fn times_are_checked() {
        assert_eq!(
            time("2026-03-01T10:00+02:00").as_deref(),
            Some("2026-03-01T08:00:00Z")
        );
        assert_eq!(
            time("2026-03-01T10:00:00.5Z").as_deref(),
            Some("2026-03-01T10:00:00.5Z")
        );
        assert_eq!(time(" 2026-03-01 ").as_deref(), Some("2026-03-01"));
        for bad in ["2026-02-30", "yesterday", "2026-13-01T00:00Z", ""] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_sitemap_is_refused() {
        for text in [
            "",
            "hello\nworld",
            "<html><body><loc>x</loc></body></html>",
            "{\"a\":1}",
            "<",
            "<?xml",
        ] {
            assert_eq!(read(text.as_bytes()), Err(Unreadable::NoSitemap), "{text}");
        }
        assert_eq!(read(&[0x1f, 0x8b, 0, 0]), Err(Unreadable::BrokenGzip));
    }

    #[test]
    fn a_bomb_is_left_alone_and_a_cut_one_read_as_far_as_it_goes() {
        use std::io::Write as _;
        let pack = |bytes: &[u8]| {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(bytes).unwrap();
            packer.finish().unwrap()
        };
        // Packed parts one behind the other are one text.
        let bomb = pack(&vec![b' '; 1_000_000]).repeat(51);
        assert!(bomb.len() < 100_000);
        assert_eq!(read(&bomb), Err(Unreadable::TooLarge));
        let lines: Vec<String> = (0..5000_u64)
            .map(|n| format!("https://shop.example/{}", n * n * 7919))
            .collect();
        let whole = pack(lines.join("\n").as_bytes());
        let cut = read(&whole[..whole.len() / 2]).unwrap();
        assert!(cut.entries.len() > 100 && cut.notes.len() == 1, "{:?}", cut.notes);
    }

    #[test]
    fn a_prefix_of_the_whole_file_is_no_prefix_of_something_else() {
        let text = "<sm:urlset xmlns:sm='x'><sm:url><sm:loc> a </sm:loc></sm:url></sm:urlset>";
        assert_eq!(addresses(text), ["a"]);
        let text = "<urlset><url><video:loc>v</video:loc><loc>a&#38;b&lt;&bogus;</loc></url><!-- <url><loc>c</loc></url> --></urlset>";
        assert_eq!(addresses(text), ["a&b<&bogus;"]);
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_panic(text in "[<>/?!\\[\\]-]{0,6}(<(urlset|url|loc|sitemapindex|/loc|!.CDATA.)>?.{0,5}){0,8}") {
            let _ = read(text.as_bytes());
        }
    }
}
