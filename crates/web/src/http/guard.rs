//! The guard of the client: no request reaches loopback, private and link-local addresses unless they are allowed.
//!
//! The check runs on the resolved address, so a public name that points inside is refused too.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

pub use app_core::reach::is_private;
pub(super) use app_core::reach::{Refused, check_url};
use app_core::{config::process_env, contract::ToolError};

/// Looks the host of `url` up and refuses it when it lies inside.
///
/// The resolver of the client makes sure of the address that is connected to. Behind a proxy, though, it never sees
/// the target, so the name is looked up here before it is handed over. What the proxy resolves it to is the proxy's
/// affair: a name that changes between the two look-ups is not noticed.
pub(super) async fn check_target(url: &Url) -> Result<(), ToolError> {
    let Some(Host::Domain(name)) = url.host() else {
        return Ok(());
    };
    if proxy_hosts().is_empty() {
        return Ok(());
    }
    let found = tokio::net::lookup_host((name, 0)).await.map_err(|error| {
        ToolError::cannot_connect(format!("cannot look `{name}` up"))
            .from_source("http")
            .caused_by(&error)
            .hint(
                "behind a proxy every name is looked up first, so that none leads to a private address; \
                   ONEJOB_ALLOW_PRIVATE=1 leaves that out",
            )
    })?;
    for address in found {
        if is_private(address.ip()) {
            return Err(Refused::Private(name.to_owned()).into_error(false));
        }
    }
    Ok(())
}

/// Hosts of the proxies that the environment names; they are the operator's own and may lie inside.
fn proxy_hosts() -> Vec<String> {
    let variables = [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ];
    let host = |text: String| {
        let url = Url::parse(&text).ok().filter(Url::has_host);
        let url = url.or_else(|| Url::parse(&format!("http://{text}")).ok());
        url.and_then(|url| url.host_str().map(str::to_owned))
    };
    variables
        .into_iter()
        .filter_map(process_env)
        .filter_map(host)
        .collect()
}

/// The system's resolver, refusing names that point to private addresses.
#[derive(Debug)]
pub(super) struct PublicOnly {
    proxies: Vec<String>,
}

impl PublicOnly {
    pub(super) fn new() -> Self {
        Self {
            proxies: proxy_hosts(),
        }
    }
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let of_proxy = self.proxies.iter().any(|proxy| proxy == name.as_str());
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if !of_proxy && found.iter().any(|address| is_private(address.ip())) {
                return Err(Box::new(Refused::Private(host)) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
