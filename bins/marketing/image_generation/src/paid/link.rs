//! One link of a chain: a provider with its model, price and key, and what it would make of the request.

use app_core::{
    Context, ToolError, ToolResult, Usd,
    config::Price,
    contract::{Secret, settings::ImageProviderSettings},
};
use jiff::tz::TimeZone;
use url::{Host, Url};
use web::{Http, HttpOptions, http::is_private};

use super::{Ask, Fit, Remote, Target};
use crate::provider::Provider;

/// Longest wait for one picture, in seconds; `[http] timeout_s` may ask for more.
const PATIENCE_S: u64 = 300;
/// Largest answer: a large PNG as base64 within JSON.
const LARGEST_ANSWER: u64 = 96 << 20;

/// A provider that is ready to be asked.
#[derive(Debug)]
pub struct Link {
    /// Who it is.
    pub remote: &'static dyn Remote,
    /// Model.
    pub model: String,
    /// Its price today.
    pub price: Price,
    /// The most that one picture may cost.
    pub most: Usd,
    /// What it makes of the request.
    pub fit: Fit,
    /// Whether it can be asked: it needs no key, or has one.
    pub key: Key,
    base: String,
    http: Http,
}

/// The key of a provider.
#[derive(Debug)]
pub enum Key {
    /// It takes none.
    None,
    /// It is set.
    Set(Secret),
    /// None of the variables is set; only a plan goes on without.
    Missing,
}

/// Why a provider is no link of the chain.
#[derive(Debug)]
pub enum NoLink {
    /// It cannot do what is asked.
    Cannot(String),
    /// The whole run cannot go on.
    Failed(Box<ToolError>),
}

impl From<ToolError> for NoLink {
    fn from(error: ToolError) -> Self {
        Self::Failed(Box::new(error))
    }
}

impl Link {
    /// Everything about a provider that can be known without asking it.
    pub fn new(
        remote: &'static dyn Remote,
        model: Option<&str>,
        ask: &Ask,
        ctx: &Context,
    ) -> Result<Self, NoLink> {
        let provider = remote.provider();
        let settings = section(provider, ctx)?;
        let model = model
            .map(str::to_owned)
            .or(settings.model.clone())
            .unwrap_or_else(|| remote.usual_model().to_owned());
        let fit = remote
            .fit(ask, &model, &sizes(provider, &settings)?)
            .map_err(NoLink::Cannot)?;
        let price = price(remote, &model, ctx)?;
        let quality = ask.quality.name();
        let most = price.image_bound(&model, quality, fit.shape.pixels(), remote.most_tokens(ask))?;
        let base = base(remote, &settings, ctx)?;
        let mut options = HttpOptions::of(ctx)?;
        // The default of `[http]` is meant for pages; a model may draw for minutes.
        options.timeout = options.timeout.max(std::time::Duration::from_secs(PATIENCE_S));
        options.max_bytes = options.max_bytes.max(LARGEST_ANSWER);
        // Named by the operator, or this machine's own program.
        options.allow_private |= settings.base_url.is_some() || remote.keys().is_empty();
        Ok(Self {
            http: Http::with_options(ctx, options)?,
            key: key(remote, ctx)?,
            remote,
            model,
            price,
            most,
            fit,
            base,
        })
    }

    /// Where its requests go.
    pub fn target(&self) -> Target<'_> {
        Target {
            http: &self.http,
            base: &self.base,
            model: &self.model,
            key: match &self.key {
                Key::Set(key) => Some(key),
                Key::None | Key::Missing => None,
            },
        }
    }

    /// Whether this address lies where the provider does.
    pub fn is_at(&self, address: &str) -> bool {
        let origin = |text: &str| Url::parse(text).ok().map(|url| url.origin());
        origin(address).is_some_and(|found| origin(&self.base) == Some(found))
    }
}

/// The section of `onejob.toml`.
pub fn section(provider: Provider, ctx: &Context) -> ToolResult<ImageProviderSettings> {
    let images = &ctx.config().settings()?.images;
    Ok(match provider {
        Provider::Canvas => ImageProviderSettings::default(),
        Provider::Openai => images.openai.clone(),
        Provider::Gemini => images.gemini.clone(),
        Provider::Stability => images.stability.clone(),
        Provider::Automatic1111 => images.automatic1111.clone(),
    })
}

/// The price of a model today. A retired one is refused, with those there are.
fn price(remote: &dyn Remote, model: &str, ctx: &Context) -> ToolResult<Price> {
    let today = ctx.now().to_zoned(TimeZone::UTC).date();
    let prices = ctx.config().prices()?;
    prices
        .get(remote.priced_as(model), today)
        .cloned()
        .map_err(|error| {
            error.field("model").hint(format!(
                "models of {} known here: {}; others need an entry in prices.toml",
                remote.provider(),
                remote.models().join(", ")
            ))
        })
}

fn key(remote: &dyn Remote, ctx: &Context) -> ToolResult<Key> {
    if remote.keys().is_empty() {
        return Ok(Key::None);
    }
    for name in remote.keys() {
        if let Some(key) = ctx.config().find_secret(name)? {
            return Ok(Key::Set(key));
        }
    }
    Ok(Key::Missing)
}

/// What is told when no key is set.
pub fn key_missing(remote: &dyn Remote) -> ToolError {
    let names: Vec<String> = remote.keys().iter().map(|name| format!("`{name}`")).collect();
    ToolError::config(format!(
        "{} needs a key: {} is not set",
        remote.provider(),
        names.join(" or ")
    ))
    .code("missing_secret")
    .hint("put it into the environment or `.env`; --skip-unconfigured goes on with the next provider of the chain")
}

fn sizes(provider: Provider, settings: &ImageProviderSettings) -> ToolResult<Vec<(u32, u32)>> {
    let read = |text: &String| -> ToolResult<(u32, u32)> {
        let sides = text.split_once(['x', 'X', ':']);
        let side = |text: &str| text.trim().parse::<u32>().ok().filter(|v| (1..=8192).contains(v));
        sides
            .and_then(|(w, h)| Some((side(w)?, side(h)?)))
            .ok_or_else(|| {
                ToolError::config(format!(
                    "`images.{provider}.sizes` in onejob.toml: `{text}` is not a size"
                ))
                .code("invalid_settings")
                .hint("write it as 1536x1024, or as 3:2 where the provider takes ratios")
            })
    };
    settings.sizes.iter().map(read).collect()
}

/// Where the provider is. A key goes only where the operator's own file sends it, and never over an open line to
/// another machine.
fn base(remote: &dyn Remote, settings: &ImageProviderSettings, ctx: &Context) -> ToolResult<String> {
    let Some(text) = &settings.base_url else {
        return Ok(remote.usual_base().to_owned());
    };
    let provider = remote.provider();
    let wrong = |what: &str| {
        ToolError::config(format!("`images.{provider}.base_url` in onejob.toml {what}"))
            .code("invalid_settings")
    };
    let url = Url::parse(text).map_err(|_| wrong("is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || !url.username().is_empty() {
        return Err(wrong("must be an http or https address without user and query"));
    }
    if remote.keys().is_empty() {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    let file = ctx.config().find_file("onejob.toml");
    if !file.is_some_and(|file| ctx.config().is_operators(&file)) {
        return Err(
            wrong("counts only in a file named by ONEJOB_CONFIG_DIR or below /etc/onejob")
                .hint("a file of the working directory must not decide where keys are sent"),
        );
    }
    let inside = match url.host() {
        Some(Host::Ipv4(address)) => is_private(address.into()),
        Some(Host::Ipv6(address)) => is_private(address.into()),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    if url.scheme() == "http" && !inside {
        return Err(wrong(
            "must begin with https: the key would be readable on the way",
        ));
    }
    Ok(text.trim_end_matches('/').to_owned())
}
