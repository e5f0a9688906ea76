//! Where a page, sheet or other resource lies, and what an address in it refers to.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::{shown, shown_text};
use app_core::contract::{ToolError, ToolResult};

/// Where a resource lies.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Location {
    /// On the web. Holds no user and password of the one who asked for the page.
    Web(Url),
    /// A local file, and the folder that files it refers to must lie in.
    File {
        /// The file, with `.` and `..` resolved by name.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// A text without a place: refers to nothing but whole addresses.
    Text,
}

impl Location {
    /// From a command line argument: an http(s) address, or a file. Fails with `invalid_input` for other addresses.
    pub fn parse(text: &str, root: Option<&Path>) -> ToolResult<Self> {
        if text.contains("://") {
            let url = Url::parse(text).map_err(|error| {
                ToolError::invalid(
                    "target",
                    format!("`{}` is not an address: {error}", shown_text(text)),
                )
            })?;
            if !matches!(url.scheme(), "http" | "https") {
                let message = format!("`{}` addresses are not read", url.scheme());
                return Err(
                    ToolError::invalid("target", message).hint("give an http or https address, or a file")
                );
            }
            return Ok(Self::Web(url));
        }
        let path = PathBuf::from(text);
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let root = root.or(parent).unwrap_or(Path::new(".")).to_owned();
        // A link to a folder can make `..` lead elsewhere than the name says.
        let short = plain(&path);
        let same = short == path
            || short
                .canonicalize()
                .is_ok_and(|real| path.canonicalize().is_ok_and(|it| it == real));
        let path = if same { short } else { path };
        Ok(Self::File { path, root })
    }

    /// What an address in this page or sheet refers to, by the rules of the URL standard; `None` when it is nothing
    /// that is read.
    ///
    /// In a local page `/x` means the root folder, and a folder means the `index.html` in it, as on a server.
    pub fn join(&self, reference: &str) -> Option<Self> {
        let reference = cleaned(reference);
        if !matches!(self, Self::Web(_)) {
            match Url::parse(&reference) {
                Ok(url) => return matches!(url.scheme(), "http" | "https").then_some(Self::Web(url)),
                Err(url::ParseError::RelativeUrlWithoutBase) => {}
                Err(_) => return None,
            }
        }
        match self {
            Self::Web(base) => base
                .join(&reference)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https"))
                .map(Self::Web),
            Self::Text => None,
            Self::File { path, root } => {
                let bare = reference
                    .split(['?', '#'])
                    .next()
                    .unwrap_or_default()
                    .replace('\\', "/");
                if bare.starts_with("//") {
                    return Url::parse(&format!("https:{reference}")).ok().map(Self::Web);
                }
                let joined = match bare.strip_prefix('/') {
                    Some(absolute) => climbed(root, absolute, true)?,
                    None if bare.is_empty() => path.clone(),
                    None => climbed(path.parent().unwrap_or(Path::new("")), &bare, false)?,
                };
                Some(Self::File {
                    path: joined,
                    root: root.clone(),
                })
            }
        }
    }

    /// The address to write into the page at `page` for what `reference` means here: whole on the web; for a file
    /// as it is, or from the folder of the page where that is another one.
    pub fn refer(&self, reference: &str, page: &Self) -> String {
        let as_it_is = || reference.to_owned();
        match (self.join(reference), self, page) {
            (Some(Self::Web(url)), ..) => url.into(),
            (Some(Self::File { path, .. }), Self::File { path: here, .. }, Self::File { path: page, .. }) => {
                let folder = |path: &Path| plain(path.parent().unwrap_or(Path::new("")));
                let reference = cleaned(reference);
                let tail = reference.find(['?', '#']).map_or("", |at| &reference[at..]);
                let bare = &reference[..reference.len() - tail.len()];
                if folder(here) == folder(page) || bare.starts_with(['/', '\\']) || bare.is_empty() {
                    return as_it_is();
                }
                let mut path = between(&folder(page), &plain(&path));
                if bare.ends_with(['/', '\\']) {
                    path.truncate(path.rfind('/').map_or(0, |at| at + 1));
                }
                format!("{path}{tail}")
            }
            _ => as_it_is(),
        }
    }

    /// Whether a browser would let scripts of both see each other: same scheme, host and port, or both local.
    pub fn same_origin(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Web(one), Self::Web(two)) => one.origin() == two.origin(),
            (Self::Web(_), _) | (_, Self::Web(_)) => false,
            _ => true,
        }
    }

    /// The host, lower case; `None` for a file.
    pub fn host(&self) -> Option<String> {
        match self {
            Self::Web(url) => url.host_str().map(str::to_ascii_lowercase),
            Self::File { .. } | Self::Text => None,
        }
    }

    /// The last part of the path, lower case.
    pub fn file_name(&self) -> String {
        let path = match self {
            Self::Web(url) => url.path().to_owned(),
            Self::File { path, .. } => path.display().to_string(),
            Self::Text => String::new(),
        };
        path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
    }

    /// Address or path for people, without secrets.
    pub fn name(&self) -> String {
        match self {
            Self::Web(url) => shown(url),
            Self::File { path, .. } => path.display().to_string(),
            Self::Text => "the given text".to_owned(),
        }
    }
}

/// An address without what the URL standard takes away first: blanks and controls around it, tabs and line ends within.
pub fn cleaned(reference: &str) -> String {
    let trimmed = reference.trim_matches(|c: char| c <= ' ');
    trimmed
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect()
}

/// `folder` and a relative path; `..` above an absolute one stays at the top. `None` for a name no file can have.
fn climbed(folder: &Path, relative: &str, from_root: bool) -> Option<PathBuf> {
    let mut steps: Vec<String> = Vec::new();
    let mut above = 0_usize;
    for part in relative.split('/') {
        let decoded = percent_decode(part);
        match decoded.as_str() {
            "" | "." => {}
            ".." => above += usize::from(steps.pop().is_none()),
            name if name.contains(['/', '\0']) => return None,
            _ => steps.push(decoded),
        }
    }
    let last = percent_decode(relative.rsplit('/').next().unwrap_or_default());
    if matches!(last.as_str(), "" | "." | "..") {
        steps.push("index.html".to_owned());
    }
    let mut path = folder.to_owned();
    if !from_root {
        path = plain(&path);
        for _ in 0..above {
            if !matches!(path.components().next_back(), Some(Component::Normal(_))) || !path.pop() {
                path.push("..");
            }
        }
    }
    path.extend(steps);
    Some(plain(&path))
}

/// The path without `.` and with `..` resolved by name.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The way from a folder to a file, both plain, as an address.
fn between(folder: &Path, file: &Path) -> String {
    let same = folder
        .components()
        .zip(file.components())
        .take_while(|(one, two)| one == two)
        .count();
    let up = folder.components().skip(same).map(|_| "..".to_owned());
    let down = file
        .components()
        .skip(same)
        .map(|part| percent_encode(&part.as_os_str().to_string_lossy()));
    up.chain(down).collect::<Vec<_>>().join("/")
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
            .filter(|hex| hex.iter().all(u8::is_ascii_hexdigit))
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(code.unwrap_or(bytes[at]));
        at += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A file name as part of an address.
fn percent_encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if c <= ' ' || matches!(c, '%' | '?' | '#' | '\\' | '"' | '<' | '>' | '\'' | '(' | ')') {
            out.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Location {
        Location::parse(path, Some(Path::new("site"))).unwrap()
    }

    fn joined(from: &Location, reference: &str) -> String {
        from.join(reference)
            .map_or_else(|| "nothing".to_owned(), |found| found.name())
    }

    #[test]
    fn references_are_joined_like_a_browser_does() {
        let web = Location::parse("https://a.example/css/m.css", None).unwrap();
        assert_eq!(joined(&web, "../x.css"), "https://a.example/x.css");
        assert_eq!(joined(&web, "img\\w.\npng"), "https://a.example/css/img/w.png");
        assert_eq!(joined(&web, "https:n.css"), "https://a.example/css/n.css");
        for none in [
            "data:text/css,a{}",
            "java\nscript:x",
            "mailto:a@b",
            "file:///etc/passwd",
        ] {
            assert_eq!(web.join(none), None, "{none}");
        }
    }

    #[test]
    fn local_references_follow_the_same_rules() {
        let page = file("site/css/m.css");
        let cases = [
            ("img/a%20b.png?v=1", "site/css/img/a b.png"),
            (" img\\a.\tp\nng#x ", "site/css/img/a.png"),
            ("../css/./n.css", "site/css/n.css"),
            ("%2e%2e/css/%2E/n.css", "site/css/n.css"),
            ("../../secret", "secret"),
            ("../../../secret", "../secret"),
            ("/top.css", "site/top.css"),
            ("\\top.css", "site/top.css"),
            ("/../../top.css", "site/top.css"),
            ("sub/", "site/css/sub/index.html"),
            ("?x", "site/css/m.css"),
            ("..%2f..%2fsecret", "nothing"),
            ("//cdn.example/x.js", "https://cdn.example/x.js"),
            ("\\\\cdn.example/x.js", "https://cdn.example/x.js"),
            ("C:\\x.png", "nothing"),
        ];
        for (reference, wanted) in cases {
            assert_eq!(joined(&page, reference), wanted, "{reference}");
        }
        assert_eq!(joined(&Location::parse("m.css", None).unwrap(), "../x"), "../x");
        assert_eq!(percent_decode("100%+%zz%+1"), "100%+%zz%+1");
    }

    #[test]
    fn what_stays_is_found_from_the_page() {
        let (page, base) = (file("site/index.html"), file("site/assets/index.html"));
        assert_eq!(base.refer("p 2.html?x#y", &page), "assets/p%202.html?x#y");
        assert_eq!(base.refer("sub/", &page), "assets/sub/");
        assert_eq!(base.refer("../index.html", &page), "index.html");
        assert_eq!(page.refer("x.png", &base), "../x.png");
        assert_eq!(page.refer("x\\y.png", &page), "x\\y.png");
        assert_eq!(base.refer("/x.png", &page), "/x.png");
        assert_eq!(base.refer("mailto:x@y", &page), "mailto:x@y");
        assert_eq!(
            base.refer("//cdn.example/x?k=1", &page),
            "https://cdn.example/x?k=1"
        );
    }

    #[test]
    fn origins_are_told_apart() {
        let of = |text| Location::parse(text, None).unwrap();
        assert!(of("https://a.example/x").same_origin(&of("https://a.example:443/y")));
        assert!(!of("https://a.example/x").same_origin(&of("http://a.example/x")));
        assert!(!of("https://a.example/x").same_origin(&of("a.html")));
        assert!(of("b/a.html").same_origin(&of("a.html")));
    }
}
