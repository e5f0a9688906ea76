//! Names of downloaded files: what a sender chose, made harmless and short enough for every file system.

use unicode_general_category::{GeneralCategory, get_general_category};

use crate::model::{DocumentKind, Media};

/// Longest name in bytes. File systems take 255; the rest is for what a name may get appended.
const LONGEST: usize = 215;

/// Longest extension that is kept when a name is cut, in bytes.
const LONGEST_EXTENSION: usize = 20;

/// Name for the downloaded file of a message: its number, and the name or sort of the file.
pub fn download_name(number: &str, media: &Media) -> String {
    let name = match media {
        Media::Document {
            file_name: Some(name),
            ..
        } if !safe_name(name).is_empty() => format!("{number}_{}", safe_name(name)),
        Media::Document { kind, mime, .. } => {
            let (word, extension) = match kind {
                DocumentKind::Video => ("video", "mp4"),
                DocumentKind::RoundVideo => ("round_video", "mp4"),
                DocumentKind::Animation => ("animation", "mp4"),
                DocumentKind::Voice => ("voice", "ogg"),
                DocumentKind::Audio => ("audio", "mp3"),
                DocumentKind::Sticker => ("sticker", if mime.contains("tgsticker") { "tgs" } else { "webp" }),
                DocumentKind::VideoSticker => ("sticker", "webm"),
                DocumentKind::File => ("file", "bin"),
            };
            format!("{number}_{word}.{extension}")
        }
        _ => format!("{number}_photo.jpg"),
    };
    cut(&name, LONGEST)
}

/// A name without anything that could lead elsewhere or show another name than it is: no path, no control, no
/// direction or zero-width characters; at most 215 bytes, its extension kept. Empty when nothing is left.
pub fn safe_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .filter(|c| !is_hidden(*c) && !"<>:\"|?*".contains(*c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let kept = kept
        .trim()
        .trim_start_matches(['.', ' '])
        .trim_end_matches(['.', ' ']);
    cut(kept, LONGEST)
}

/// Whether a character is not seen but changes what is: controls, directions, zero widths, tags, unassigned ones.
fn is_hidden(c: char) -> bool {
    use GeneralCategory as C;
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(
        get_general_category(c),
        C::Control
            | C::Format
            | C::Surrogate
            | C::LineSeparator
            | C::ParagraphSeparator
            | C::PrivateUse
            | C::Unassigned
    ) || matches!(c, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{034f}')
}

/// A name of at most so many bytes, cut before its extension.
pub(crate) fn cut(name: &str, longest: usize) -> String {
    if name.len() <= longest {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= LONGEST_EXTENSION => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut end = stem.len().min(longest.saturating_sub(extension.len()));
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", stem[..end].trim_end())
}

/// The name with something put before its extension.
pub(crate) fn marked(name: &str, mark: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= LONGEST_EXTENSION => {
            format!("{stem}_{mark}.{extension}")
        }
        _ => format!("{name}_{mark}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless_and_short_in_bytes() {
        for (name, safe) in [
            ("../../etc/passwd", "passwd"),
            ("a\\b\\c.txt", "c.txt"),
            ("..", ""),
            ("...", ""),
            (".bashrc", "bashrc"),
            ("68_\u{202e}gpj.exe", "68_gpj.exe"),
            ("in\u{200b}vis\u{2066}ible\u{feff}.pdf", "invisible.pdf"),
            ("line\nbreak\u{85}.txt", "linebreak.txt"),
            ("\u{3164}\u{115f}.txt", "txt"),
            ("план на год.pdf", "план на год.pdf"),
            ("tail. . ", "tail"),
            ("what?<now>|*.zip", "whatnow.zip"),
            ("👩\u{200d}💻.png", "👩💻.png"),
        ] {
            assert_eq!(safe_name(name), safe, "{name:?}");
        }
        let long = safe_name(&format!("{}.pdf", "文".repeat(300)));
        assert!(long.len() <= LONGEST && long.ends_with("文.pdf"), "{long}");
        let endless = safe_name(&format!("a.{}", "é".repeat(300)));
        assert!(
            endless.len() <= LONGEST && endless.starts_with("a.é"),
            "{endless}"
        );
    }

    #[test]
    fn a_mark_goes_before_the_extension() {
        assert_eq!(marked("1_a.tar.gz", "7"), "1_a.tar_7.gz");
        assert_eq!(marked("1_file", "7"), "1_file_7");
    }
}
