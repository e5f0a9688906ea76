//! The door of a shop: its rules, and its first page.

use app_core::{ErrorKind, ToolError, ToolResult};
use structured::robots::Robots;
use url::Url;
use web::Response;

use crate::fetch::{AGENT, Fetcher, Validators};

/// A shop that lets itself be asked.
#[derive(Debug)]
pub struct Shop {
    /// Address of its first page, after redirects.
    pub home: Url,
    /// Its rules.
    pub robots: Robots,
    /// Its first page, unless robots.txt forbids it.
    pub first: Option<Response>,
}

/// Asks for rules and first page. A shop that leads to another name or scheme of its own (`www.`, https) is asked
/// there. Fails when the rules cannot be had, or the first page answers anything but 2xx.
pub async fn open(fetcher: &Fetcher<'_>, start: &Url, most: u64) -> ToolResult<Shop> {
    let mut home = start.clone();
    let mut robots = fetcher.robots(&home).await?;
    for _ in 0..5 {
        if robots.is_closed() {
            let text = format!("`{}`: {}", home.authority(), robots.warnings.join(", "));
            return Err(ToolError::new(ErrorKind::ProviderUnavailable, text)
                .code("robots_unknown")
                .hint("nothing is fetched before the rules are known; try again later"));
        }
        fetcher.slow_down(&robots);
        if !robots.verdict(AGENT, &home).allowed {
            return Ok(Shop {
                home,
                robots,
                first: None,
            });
        }
        let answer = fetcher.get(&home, &Validators::default(), false, most).await?;
        let Some(to) = leads_to(&answer) else {
            return Ok(Shop {
                home,
                robots,
                first: Some(answer.ok()?),
            });
        };
        if !same_shop(&home, &to) {
            let text = format!("`{}` leads to `{}`", web::shown(&home), web::shown(&to));
            return Err(ToolError::new(ErrorKind::ProviderRejected, text)
                .code("another_host")
                .hint("give that address, if you mean that shop"));
        }
        if to.origin() != home.origin() {
            robots = fetcher.robots(&to).await?;
        }
        home = to;
    }
    Err(
        ToolError::new(ErrorKind::ProviderRejected, "the shop redirects too often")
            .code("too_many_redirects"),
    )
}

/// Where a redirect leads.
pub fn leads_to(answer: &Response) -> Option<Url> {
    matches!(answer.status, 301 | 302 | 303 | 307 | 308).then_some(())?;
    let location = answer.headers.get("location")?;
    let mut url = answer
        .url
        .join(std::str::from_utf8(location.as_bytes()).ok()?)
        .ok()?;
    url.set_fragment(None);
    Some(url)
}

/// Whether both are names of one shop: the same host, with or without `www.`, and no port of its own in play.
fn same_shop(one: &Url, other: &Url) -> bool {
    let bare = |url: &Url| {
        url.host_str()
            .map(|host| host.trim_start_matches("www.").to_owned())
    };
    let web = matches!(other.scheme(), "http" | "https");
    web && bare(one) == bare(other)
        && (one.origin() == other.origin() || one.port().is_none() && other.port().is_none())
}
