//! Pictures, videos and pages of a report: as data URLs, or as addresses relative to the report.

use std::path::{Component, Path, PathBuf};

use app_core::{Context, ToolError, ToolResult};
use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How media get into a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Embed {
    /// In the report itself, so that it is one file.
    #[default]
    DataUrl,
    /// As addresses relative to the report.
    Relative,
}

/// The media type by extension, for what a report shows.
pub fn media_type(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "svg" => "image/svg+xml",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "mov" => "video/quicktime",
        "html" | "htm" => "text/html",
        "pdf" => "application/pdf",
        _ => return None,
    })
}

/// The address of a file in a report that lies at `report`.
pub fn address(
    ctx: &Context,
    file: &Path,
    report: &Path,
    embed: Embed,
    max_bytes: u64,
) -> ToolResult<String> {
    if embed == Embed::Relative {
        return Ok(relative(file, report));
    }
    let media_type = media_type(file).ok_or_else(|| {
        ToolError::invalid(
            "embed",
            format!("`{}` is no picture, video or page by its name", file.display()),
        )
    })?;
    let bytes = ctx.read(file, max_bytes)?;
    Ok(data_url(media_type, &bytes))
}

/// Bytes as a data URL.
pub fn data_url(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// A file as seen from the report's folder, percent-encoded.
pub fn relative(file: &Path, report: &Path) -> String {
    let folder = report.parent().unwrap_or(Path::new(""));
    let (from, to) = match (std::path::absolute(folder.join("x")), std::path::absolute(file)) {
        (Ok(from), Ok(to)) => (normal(from.parent().unwrap_or(Path::new("/"))), normal(&to)),
        _ => (normal(folder), normal(file)),
    };
    let (from, to): (Vec<_>, Vec<_>) = (from.components().collect(), to.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down)
        .map(|part| encode(&part))
        .collect::<Vec<_>>()
        .join("/")
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Escapes what has a meaning in an address; letters of all scripts stay readable.
fn encode(part: &str) -> String {
    part.chars()
        .map(|c| match c {
            ' ' | '%' | '?' | '#' | '"' | '<' | '>' | '\\' => format!("%{:02X}", u32::from(c)),
            ':' => "%3A".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

/// The text of the first `<title>` of a page, at most 120 characters.
pub fn page_title(html: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&html[..html.len().min(100_000)]).into_owned();
    let lower = head.to_ascii_lowercase();
    let open = lower.find("<title")?;
    let start = open + lower[open..].find('>')? + 1;
    let end = start + lower[start..].find("</title")?;
    let mut text = head[start..end].split_whitespace().collect::<Vec<_>>().join(" ");
    for (entity, letter) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&ndash;", "–"),
        ("&mdash;", "—"),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, letter);
    }
    let text: String = text.chars().take(120).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_called_by_its_title() {
        let title = |html: &str| page_title(html.as_bytes());
        assert_eq!(
            title("<html><TITLE lang=en>\n Ink &amp; paper </Title>").as_deref(),
            Some("Ink & paper")
        );
        assert_eq!(title("<title></title>"), None);
        assert_eq!(title("<title>open"), None);
        assert_eq!(title("<title"), None);
    }

    #[test]
    fn files_are_named_from_the_report() {
        let name = |file: &str, report: &str| relative(Path::new(file), Path::new(report));
        assert_eq!(name("camp/pic.png", "camp/report.html"), "pic.png");
        assert_eq!(name("media/a b.png", "camp/report.html"), "../media/a%20b.png");
        assert_eq!(name("camp/x/../y/z.gif", "./camp/report.html"), "y/z.gif");
        assert_eq!(name("pic.png", "report.html"), "pic.png");
    }
}
