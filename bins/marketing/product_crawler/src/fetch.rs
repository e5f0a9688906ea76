//! Requests to one shop, one after the other and never faster than its pace.

use std::{sync::Mutex, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, contract::RetryPolicy};
use structured::robots::{Answer, Robots};
use tokio::time::Instant;
use url::{Host, Url};
use web::{Http, HttpMethod, HttpOptions, Response, http::is_private};

/// The product token that robots.txt knows this crawler by; the `User-Agent` header begins with it.
pub const AGENT: &str = "onejob";

/// Bytes of robots.txt that are fetched at most; the reader takes the first half a mebibyte.
const MOST_ROBOTS: u64 = 4 << 20;

/// Longest silence that a shop in trouble is given before it is asked once more.
const LONGEST_SILENCE: Duration = Duration::from_secs(120);

/// What the shop said of a page when it was fetched last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub modified: Option<String>,
}

/// Asks one shop.
#[derive(Debug)]
pub struct Fetcher<'a> {
    ctx: &'a Context,
    http: Http,
    /// When the last answer was there.
    last: Mutex<Option<Instant>>,
    pace: Mutex<Duration>,
}

/// A page, or why it cannot be had.
pub type Fetched = Result<Response, Trouble>;

/// Why a page cannot be had.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// In words.
    pub why: String,
    /// Whether the shop itself is in trouble, so that it should be left alone when this goes on.
    pub of_shop: bool,
}

impl<'a> Fetcher<'a> {
    /// With so many seconds between two requests.
    pub fn new(ctx: &'a Context, pace: Duration) -> ToolResult<Self> {
        let options = HttpOptions {
            // A page that fails is asked for again by rules of its own, within the pace.
            retry: RetryPolicy::NONE,
            ..HttpOptions::of(ctx)?
        };
        Ok(Self {
            ctx,
            http: Http::with_options(ctx, options)?,
            last: Mutex::default(),
            pace: Mutex::new(pace),
        })
    }

    /// The pace.
    pub fn pace(&self) -> Duration {
        *self
            .pace
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Slows down to what robots.txt asks for.
    pub fn slow_down(&self, robots: &Robots) {
        let asked = robots
            .delay(AGENT)
            .and_then(|s| Duration::try_from_secs_f64(s).ok());
        let mut pace = self
            .pace
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *pace = (*pace).max(asked.unwrap_or_default());
    }

    /// Counts from now on as if an answer had just been there: a run that goes on does not know when the last one was.
    pub fn hold(&self) {
        *self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(Instant::now());
    }

    /// Asks once. Redirects are followed only when `follow` says so; a body of more than `most` bytes is an error.
    pub async fn get(&self, url: &Url, known: &Validators, follow: bool, most: u64) -> ToolResult<Response> {
        let last = *self
            .last
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(last) = last {
            self.wait_until(last + self.pace()).await?;
        }
        let mut request = self.http.request(HttpMethod::GET, url.as_str())?.max_bytes(most);
        if !follow {
            request = request.no_redirects();
        }
        for (name, value) in [
            ("if-none-match", &known.etag),
            ("if-modified-since", &known.modified),
        ] {
            if let Some(value) = value {
                request = request.header(name, value)?;
            }
        }
        let answer = request.send().await;
        self.hold();
        answer
    }

    /// Asks for a page; a shop in trouble is given time and asked once more. The outer error ends the crawl.
    pub async fn page(&self, url: &Url, known: &Validators, most: u64) -> ToolResult<Fetched> {
        let mut trouble = Trouble {
            why: String::new(),
            of_shop: true,
        };
        for attempt in 0..2 {
            let mut silence = self.pace() * 5;
            match self.get(url, known, false, most).await {
                Ok(answer) if answer.status == 429 || answer.status >= 500 => {
                    silence = answer.retry_after().unwrap_or(silence);
                    trouble.why = format!("answered {}", answer.status);
                }
                Ok(answer) => return Ok(Ok(answer)),
                Err(error) if error.kind == ErrorKind::Cancelled => return Err(error),
                Err(error) => {
                    let of_shop = error.retryable;
                    trouble.why = error.message;
                    if !of_shop {
                        trouble.of_shop = false;
                        return Ok(Err(trouble));
                    }
                }
            }
            if attempt == 0 {
                self.wait_until(Instant::now() + silence.min(LONGEST_SILENCE))
                    .await?;
            }
        }
        Ok(Err(trouble))
    }

    /// The rules of the site that `url` belongs to.
    pub async fn robots(&self, url: &Url) -> ToolResult<Robots> {
        let address = url
            .join("/robots.txt")
            .map_err(|_| ToolError::invalid("url", "not the address of a site"))?;
        let answer = self
            .get(&address, &Validators::default(), true, MOST_ROBOTS)
            .await?;
        let media_type = answer.media_type();
        Ok(Robots::of(Answer {
            status: answer.status,
            media_type: &media_type,
            body: &answer.body,
        }))
    }

    async fn wait_until(&self, then: Instant) -> ToolResult<()> {
        tokio::select! {
            biased;
            () = self.ctx.stopping().cancelled() => Err(ToolError::cancelled()),
            () = tokio::time::sleep_until(then) => Ok(()),
        }
    }
}

/// Whether an address names a host of the own network by itself; a name is looked up when it is asked.
pub fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => is_private(address.into()),
        Some(Host::Ipv6(address)) => is_private(address.into()),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

/// The address of a shop as the caller gave it.
pub fn shop_address(text: &str) -> ToolResult<Url> {
    let wrong = |why: String| {
        ToolError::invalid("url", why)
            .hint("give the address of the shop, for example `product_crawler https://shop.example`")
    };
    let mut url = Url::parse(text)
        .map_err(|error| wrong(format!("`{}` is not an address: {error}", web::shown_text(text))))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("`{}:` addresses are not crawled", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "an address with user and password is not crawled".to_owned(),
        ));
    }
    url.set_fragment(None);
    Ok(url)
}
