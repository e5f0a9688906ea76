//! Reads resources of pages: by HTTP, or as files below one folder, with one client for a whole run.

use std::{
    collections::HashMap,
    path::{Component, Path},
    sync::{Mutex, OnceLock, PoisonError},
};

use url::{Origin, Url};

use app_core::{
    Context,
    contract::{ErrorKind, RetryPolicy, ToolError, ToolResult},
};

use crate::{
    Http, HttpMethod, HttpOptions, Location,
    charset::{self, Encoding},
};

/// What was read.
#[derive(Debug)]
pub struct Fetched {
    /// Where it was found in the end, after redirects.
    pub location: Location,
    /// Media type that the server states, lower case, without parameters; empty for a file.
    pub media_type: String,
    /// Encoding that the server states.
    pub encoding: Option<&'static Encoding>,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Reads resources of at most some bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The run.
    pub ctx: &'a Context,
    offline: bool,
    /// Made when the first address is read: a folder needs none.
    http: OnceLock<Http>,
    /// User and password that the caller gave with an address, for its origin alone: they go into no page and no text.
    given: Mutex<HashMap<Origin, (String, String)>>,
}

impl<'a> Reader<'a> {
    /// For one run; `offline` refuses every address of the web.
    pub fn new(ctx: &'a Context, offline: bool) -> Self {
        Self {
            ctx,
            offline,
            http: OnceLock::new(),
            given: Mutex::default(),
        }
    }

    /// What the caller named: an http(s) address, or a file. Keeps user and password for requests to its origin.
    pub fn target(&self, text: &str, root: Option<&Path>) -> ToolResult<Location> {
        let mut location = Location::parse(text, root)?;
        if let Location::Web(url) = &mut location
            && (!url.username().is_empty() || url.password().is_some())
        {
            let password = url.password().unwrap_or_default().to_owned();
            let given = (url.username().to_owned(), password);
            self.given
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(url.origin(), given);
            forget_user(url);
        }
        Ok(location)
    }

    /// Reads what the caller named: any file, hidden or not.
    pub async fn read_target(&self, location: &Location, max_bytes: u64) -> ToolResult<Fetched> {
        match location {
            Location::File { path, .. } => self.file(location, path, max_bytes),
            _ => self.read(location, max_bytes).await,
        }
    }

    /// Reads what a page refers to: on the web, or a regular file below its root that is not hidden.
    pub async fn read(&self, location: &Location, max_bytes: u64) -> ToolResult<Fetched> {
        match location {
            Location::Text => Err(ToolError::internal("a given text is not read")),
            Location::File { path, root } => {
                check_place(path, root)?;
                self.file(location, path, max_bytes)
            }
            Location::Web(_) if self.offline => Err(ToolError::new(
                ErrorKind::InvalidInput,
                "the network is switched off",
            )),
            Location::Web(url) => self.web(url, max_bytes).await,
        }
    }

    fn file(&self, location: &Location, path: &Path, max_bytes: u64) -> ToolResult<Fetched> {
        Ok(Fetched {
            location: location.clone(),
            media_type: String::new(),
            encoding: None,
            bytes: self.ctx.read(path, max_bytes)?,
        })
    }

    async fn web(&self, url: &Url, max_bytes: u64) -> ToolResult<Fetched> {
        let mut asked = url.clone();
        if let Some((user, password)) = self
            .given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&url.origin())
        {
            // An http address can have both.
            let _ = asked.set_username(user);
            let _ = asked.set_password(Some(password));
        }
        let request = self.http()?.request(HttpMethod::GET, asked.as_str())?;
        let response = request.max_bytes(max_bytes).send().await?.ok()?;
        let stated = response.header("content-type").unwrap_or_default();
        let encoding = charset::of_content_type(stated);
        let media_type = response.media_type();
        let mut found = response.url;
        forget_user(&mut found);
        Ok(Fetched {
            location: Location::Web(found),
            media_type,
            encoding,
            bytes: response.body,
        })
    }

    fn http(&self) -> ToolResult<&Http> {
        if let Some(http) = self.http.get() {
            return Ok(http);
        }
        let options = HttpOptions {
            retry: RetryPolicy::NONE,
            ..HttpOptions::of(self.ctx)?
        };
        let http = Http::with_options(self.ctx, options)?;
        Ok(self.http.get_or_init(|| http))
    }
}

fn forget_user(url: &mut Url) {
    // An http address can have both.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

/// Refuses a file outside of the root, links followed; a hidden one or one in a hidden folder (`.env`, `.git`); and
/// what is no regular file, since a pipe would wait for ever.
fn check_place(path: &Path, root: &Path) -> ToolResult<()> {
    let real = |path: &Path| path.canonicalize().map_err(|e| ToolError::file("read", path, &e));
    let (found, top) = (real(path)?, real(root)?);
    let refused = |text: String, code: &str| ToolError::new(ErrorKind::InvalidInput, text).code(code);
    let Ok(within) = found.strip_prefix(&top) else {
        let text = format!("`{}` lies outside of `{}`", path.display(), root.display());
        return Err(refused(text, "outside_root").hint("give the folder of the site as `--root`"));
    };
    if hidden(within) || path.strip_prefix(root).is_ok_and(hidden) {
        let text = format!(
            "`{}` is a hidden file, or lies in a hidden folder",
            path.display()
        );
        return Err(refused(text, "hidden_file"));
    }
    if !found.metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Err(refused(
            format!("`{}` is not a regular file", path.display()),
            "not_a_file",
        ));
    }
    Ok(())
}

/// Whether a part of the path begins with a dot; `.well-known` is meant for everybody (RFC 8615).
fn hidden(path: &Path) -> bool {
    path.components().any(|part| match part {
        Component::Normal(name) => name.as_encoded_bytes().starts_with(b".") && name != ".well-known",
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_meant_for_readers_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join(".site");
        for folder in [".git", "img", ".well-known"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        for name in [
            ".env",
            ".git/config",
            "img/.x.png",
            "img/a.png",
            ".well-known/b.png",
            "../out.png",
        ] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink("../.env", root.join("img/link.png")).unwrap();
        std::os::unix::fs::symlink("../../out.png", root.join("img/away.png")).unwrap();
        let code = |name: &str| check_place(&root.join(name), &root).err().map(|error| error.code);
        assert_eq!(code("img/a.png"), None);
        assert_eq!(code(".well-known/b.png"), None);
        for name in [".env", ".git/config", "img/.x.png", "img/link.png"] {
            assert_eq!(code(name).as_deref(), Some("hidden_file"), "{name}");
        }
        assert_eq!(code("img/away.png").as_deref(), Some("outside_root"));
        assert_eq!(code("img").as_deref(), Some("not_a_file"));
        assert_eq!(code("no.png").as_deref(), Some("not_found"));
    }
}
