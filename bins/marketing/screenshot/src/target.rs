//! From the fields of a shot to how its page is opened.

use app_core::{Context, ErrorKind, Secret, ToolError, ToolResult, address::shown_text};
use browser::{Account, Setup};
use url::Url;

use crate::{
    device::viewport,
    input::{Media, Opening},
};

/// Secret with user and password.
pub const BASIC_AUTH: &str = "SCREENSHOT_BASIC_AUTH";

/// How the page at this address is opened. `version` is the browser's.
pub fn setup(
    address: &str,
    opening: &Opening,
    omit_background: bool,
    version: &str,
    ctx: &Context,
) -> ToolResult<Setup> {
    let mut url = parse(address, opening.allow_file)?;
    let mut account = None;
    if opening.basic_auth {
        let secret = ctx.secret(BASIC_AUTH)?;
        if !secret.reveal().contains(':') {
            return Err(ToolError::config(format!(
                "the secret {BASIC_AUTH} is not `user:password`"
            )));
        }
        account = Some(Account { secret });
    } else if !url.username().is_empty() || url.password().is_some() {
        let decoded = |text: &str| percent_decoded(text);
        let pair = format!(
            "{}:{}",
            decoded(url.username()),
            decoded(url.password().unwrap_or_default())
        );
        account = Some(Account {
            secret: Secret::new(pair),
        });
    }
    // They go into a header for this origin; in the address they would be in every report. A file has none.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let files = match url.scheme() {
        "file" => Some(below_working_directory(&url)?),
        _ => None,
    };
    let values = |given: &std::collections::BTreeMap<String, Secret>, field: &str| {
        let one = |(name, value): (&String, &Secret)| Ok((name.clone(), resolved(name, value, field, ctx)?));
        given.iter().map(one).collect::<ToolResult<Vec<_>>>()
    };
    Ok(Setup {
        viewport: viewport(opening, version),
        media: match opening.media {
            Some(Media::Print) => browser::Media::Print,
            Some(Media::Screen) | None => browser::Media::Screen,
        },
        dark: opening.dark,
        reduced_motion: opening.reduced_motion,
        omit_background,
        headers: values(&opening.header, "header")?,
        cookies: values(&opening.cookie, "cookie")?,
        account,
        files,
        ..Setup::new(url)
    })
}

/// The value itself, or the secret that it names. No line can be smuggled in.
fn resolved(name: &str, value: &Secret, field: &str, ctx: &Context) -> ToolResult<Secret> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(token) {
        return Err(ToolError::invalid(
            field,
            format!("`{name}` is no name of a {field}"),
        ));
    }
    let value = match value.reveal().strip_prefix("secret:") {
        Some(key) => ctx.secret(key)?,
        None => value.clone(),
    };
    if value.reveal().chars().any(char::is_control) {
        let text = format!("the value of `{name}` holds a control character");
        return Err(ToolError::invalid(field, text));
    }
    Ok(value)
}

/// An address of the web, or with leave a file.
fn parse(address: &str, allow_file: bool) -> ToolResult<Url> {
    let wrong = |text: String| ToolError::invalid("url", text);
    if !address.contains("://") && !address.starts_with("file:") {
        let path = std::path::Path::new(address);
        if allow_file && path.is_file() {
            let real = path
                .canonicalize()
                .map_err(|e| ToolError::file("read", path, &e))?;
            return Url::from_file_path(&real).map_err(|()| wrong(format!("`{address}` has no address")));
        }
        let shown = shown_text(address);
        if path.is_file() {
            return Err(wrong(format!("`{shown}` is a file")).hint("show it with `--allow-file`"));
        }
        if allow_file {
            let text = format!("there is no file `{shown}`");
            return Err(ToolError::not_found(text).from_source("file").field("url"));
        }
        return Err(wrong(format!(
            "`{shown}` is no address: it begins with neither http:// nor https://"
        )));
    }
    let url = Url::parse(address.trim())
        .map_err(|error| wrong(format!("`{}` is no address: {error}", shown_text(address))))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        "file" if allow_file => Ok(url),
        "file" => Err(wrong("files are not shown".to_owned())
            .hint("`--allow-file` allows those below the working directory")),
        other => {
            Err(wrong(format!("`{other}:` addresses are not shown")).hint("give an http or https address"))
        }
    }
}

/// The working directory, if the file lies in it, links followed, and is not hidden.
fn below_working_directory(url: &Url) -> ToolResult<std::path::PathBuf> {
    let path = url
        .to_file_path()
        .map_err(|()| ToolError::invalid("url", "the address names no file"))?;
    let real = path
        .canonicalize()
        .map_err(|e| ToolError::file("read", &path, &e))?;
    let here = std::path::Path::new(".");
    let here = here
        .canonicalize()
        .map_err(|e| ToolError::file("read", here, &e))?;
    let hidden = |part: std::path::Component| part.as_os_str().as_encoded_bytes().starts_with(b".");
    match real.strip_prefix(&here) {
        Ok(within) if !within.components().any(hidden) && real.is_file() => Ok(here),
        Ok(_) => Err(ToolError::invalid(
            "url",
            format!("`{}` is hidden or no file", path.display()),
        )),
        Err(_) => {
            let text = format!("`{}` does not lie below the working directory", path.display());
            Err(ToolError::new(ErrorKind::InvalidInput, text)
                .code("outside_root")
                .field("url"))
        }
    }
}

fn percent_decoded(text: &str) -> String {
    // The standard's own rule for such parts, by way of a query of one name.
    let plus = text.replace('+', "%2B");
    let pair = url::form_urlencoded::parse(plus.as_bytes()).next();
    pair.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_web_only_unless_files_are_allowed() {
        assert!(parse("https://a.example/x", false).is_ok());
        for bad in [
            "a.example",
            "ftp://a.example/",
            "javascript:1",
            "data:text/html,x",
            "file:///etc/passwd",
            "http://",
        ] {
            assert!(parse(bad, false).is_err(), "{bad}");
        }
        assert!(parse("file:///etc/passwd", true).is_ok());
        assert_eq!(
            below_working_directory(&Url::parse("file:///etc/passwd").unwrap())
                .unwrap_err()
                .code,
            "outside_root"
        );
    }

    #[test]
    fn parts_of_an_account_are_decoded() {
        assert_eq!(percent_decoded("p%40ss+1"), "p@ss+1");
        assert_eq!(percent_decoded(""), "");
    }
}
