//! Where a page or sheet lies, and reading it: by HTTP, or as a file below one folder.

use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, contract::RetryPolicy};
use url::Url;
use web::{Http, HttpOptions};

/// Where a page or sheet lies.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Given as text: refers to nothing unless addresses are absolute.
    Text,
}

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// The text; bytes that are not UTF-8 are replaced.
    pub text: String,
    /// Where it was found in the end, after redirects.
    pub location: Location,
    /// Media type of the answer, lower case, without parameters.
    pub media_type: Option<String>,
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
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let root = root.or(parent).unwrap_or(Path::new(".")).to_owned();
        Ok(Self::File { path, root })
    }

    /// What an address on this page or sheet refers to; `None` when it is nothing to read.
    pub fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim();
        if let Ok(url) = Url::parse(reference) {
            return matches!(url.scheme(), "http" | "https").then_some(Self::Web(url));
        }
        match self {
            Self::Web(base) => base.join(reference).ok().map(Self::Web),
            Self::Text => None,
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

    /// Address or path, for people and for sheets.
    pub fn name(&self) -> String {
        match self {
            Self::Web(url) => url.to_string(),
            Self::File { path, .. } => path.display().to_string(),
            Self::Text => "the given text".to_owned(),
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

/// Reads pages and sheets of at most some bytes, with one client for all of them.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The run.
    pub ctx: &'a Context,
    max_bytes: u64,
    /// Made when the first address is read: a file needs none.
    http: OnceLock<Http>,
}

impl<'a> Reader<'a> {
    /// For one run.
    pub fn new(ctx: &'a Context, max_bytes: u64) -> Self {
        Self {
            ctx,
            max_bytes,
            http: OnceLock::new(),
        }
    }

    fn http(&self) -> ToolResult<&Http> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let options = HttpOptions {
            max_bytes: self.max_bytes,
            retry: RetryPolicy::NONE,
            ..HttpOptions::of(self.ctx)?
        };
        let http = Http::with_options(self.ctx, options)?;
        Ok(self.http.get_or_init(|| http))
    }

    /// Reads a location.
    pub async fn read(&self, location: &Location) -> ToolResult<Loaded> {
        match location {
            Location::Text => Err(ToolError::internal("a given text is not read")),
            Location::File { path, root } => {
                let real = |path: &Path| path.canonicalize().map_err(|e| ToolError::file("read", path, &e));
                if !real(path)?.starts_with(real(root)?) {
                    return Err(ToolError::new(
                        ErrorKind::InvalidInput,
                        format!("`{}` lies outside of `{}`", path.display(), root.display()),
                    )
                    .code("outside_root")
                    .hint("give the folder of the site as `--root`"));
                }
                let bytes = self.ctx.read(path, self.max_bytes)?;
                Ok(Loaded {
                    text: decode(&bytes),
                    location: location.clone(),
                    media_type: None,
                })
            }
            Location::Web(url) => {
                let response = self.http()?.get(url.as_str()).await?;
                let media_type = Some(response.media_type()).filter(|text| !text.is_empty());
                let text = response.text();
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
                Ok(Loaded {
                    text,
                    location: Location::Web(response.url),
                    media_type,
                })
            }
        }
    }
}

fn decode(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    String::from_utf8_lossy(bytes).into_owned()
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
