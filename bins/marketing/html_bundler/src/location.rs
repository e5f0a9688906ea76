//! Where a page or resource lies: on the web, or in a folder.

use std::path::{Path, PathBuf};

use app_core::{ToolError, ToolResult};
use url::Url;

/// Where a page or resource lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// On the web.
    Web(Url),
    /// A local file, and the folder that files it refers to must lie in.
    File {
        /// The file.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
}

impl Location {
    /// From a command line argument: an http(s) address, or a file.
    pub fn parse(text: &str, root: Option<&Path>) -> ToolResult<Self> {
        if text.contains("://") {
            let url = Url::parse(text)
                .map_err(|e| ToolError::invalid("target", format!("`{text}` is not an address: {e}")))?;
            if !matches!(url.scheme(), "http" | "https") {
                return Err(ToolError::invalid(
                    "target",
                    format!("`{}` addresses are not read", url.scheme()),
                )
                .hint("give an http or https address, or a file"));
            }
            return Ok(Self::Web(url));
        }
        let path = PathBuf::from(text);
        let path = if path.is_dir() {
            path.join("index.html")
        } else {
            path
        };
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let root = root.or(parent).unwrap_or(Path::new(".")).to_owned();
        Ok(Self::File { path, root })
    }

    /// What an address in this page or sheet refers to; `None` when it is nothing to read.
    pub fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim();
        if let Ok(url) = Url::parse(reference) {
            return matches!(url.scheme(), "http" | "https").then_some(Self::Web(url));
        }
        match self {
            Self::Web(base) => base.join(reference).ok().map(Self::Web),
            Self::File { path, root } => {
                let bare = reference
                    .split(['?', '#'])
                    .next()
                    .filter(|bare| !bare.is_empty())?;
                if bare.starts_with("//") {
                    return Url::parse(&format!("https:{bare}")).ok().map(Self::Web);
                }
                let decoded = percent_decode(bare);
                let path = match decoded.strip_prefix('/') {
                    Some(absolute) => root.join(absolute),
                    None => path.parent().unwrap_or(Path::new("")).join(decoded),
                };
                Some(Self::File {
                    path,
                    root: root.clone(),
                })
            }
        }
    }

    /// The host, lower case; `None` for a file.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Web(url) => url.host_str().map(str::to_ascii_lowercase),
            Self::File { .. } => None,
        }
    }

    /// The last part of the path, for guessing a media type.
    pub fn file_name(&self) -> String {
        let path = match self {
            Self::Web(url) => url.path().to_owned(),
            Self::File { path, .. } => path.display().to_string(),
        };
        path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
    }

    /// Address or path, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Web(url) => url.to_string(),
            Self::File { path, .. } => path.display().to_string(),
        }
    }
}

/// `%41` becomes `A`; anything that is no escape stays.
fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_like_a_browser_does() {
        let web = Location::parse("https://a.example/css/m.css", None).unwrap();
        assert_eq!(web.join("../x.css").unwrap().name(), "https://a.example/x.css");
        assert_eq!(web.join("data:text/css,a{}"), None);
        let file = Location::parse("site/css/m.css", Some(Path::new("site"))).unwrap();
        assert_eq!(
            file.join("img/a%20b.png?v=1").unwrap().name(),
            "site/css/img/a b.png"
        );
        assert_eq!(file.join("/top.css").unwrap().name(), "site/top.css");
        assert_eq!(percent_decode("100%"), "100%");
    }
}
