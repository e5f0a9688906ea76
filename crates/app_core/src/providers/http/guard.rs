//! Keeps requests away from loopback, private and link-local addresses unless they are allowed.
//!
//! The check runs on the resolved address, so a public name that points inside is refused too.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use crate::contract::{ErrorKind, ToolError};

/// Why a URL is not fetched.
#[derive(Clone, Debug)]
pub(super) enum Refused {
    Scheme(String),
    Private(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme(scheme) => write!(f, "only http and https addresses are fetched, not `{scheme}:`"),
            Self::Private(host) => write!(f, "`{host}` is a private address"),
        }
    }
}

impl std::error::Error for Refused {}

impl Refused {
    /// As an error of the contract.
    pub(super) fn into_error(self) -> ToolError {
        let error = ToolError::new(ErrorKind::InvalidInput, self.to_string())
            .from_source("http")
            .field("url");
        match self {
            Self::Scheme(_) => error.code("scheme_refused"),
            Self::Private(_) => error
                .code("private_address")
                .hint("set ONEJOB_ALLOW_PRIVATE=1 if you mean it"),
        }
    }
}

/// Scheme, and the host when it is an address or `localhost`.
pub(super) fn check_url(url: &Url, allow_private: bool) -> Result<(), Refused> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refused::Scheme(url.scheme().to_owned()));
    }
    let private = match url.host() {
        _ if allow_private => false,
        Some(Host::Ipv4(address)) => is_private(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_private(IpAddr::V6(address)),
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    };
    if private {
        Err(Refused::Private(url.host_str().unwrap_or_default().to_owned()))
    } else {
        Ok(())
    }
}

/// Whether an address is loopback, private, link-local, shared (RFC 6598), unspecified or multicast.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => private_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => private_v4(v4),
            None => private_v6(v6),
        },
    }
}

fn private_v4(a: Ipv4Addr) -> bool {
    let [first, second, ..] = a.octets();
    a.is_loopback()
        || a.is_private()
        || a.is_link_local()
        || a.is_unspecified()
        || a.is_multicast()
        || a.is_broadcast()
        || first == 0
        || first == 100 && (64..128).contains(&second)
        || first == 198 && (second == 18 || second == 19)
}

fn private_v6(a: Ipv6Addr) -> bool {
    let first = a.segments()[0];
    // fc00::/7 unique local, fe80::/10 link-local, 64:ff9b::/96 embeds an IPv4 address.
    let embedded = a.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0];
    let [.., c, d] = a.segments();
    let v4 = Ipv4Addr::new((c >> 8) as u8, c as u8, (d >> 8) as u8, d as u8);
    a.is_loopback()
        || a.is_unspecified()
        || a.is_multicast()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || embedded && private_v4(v4)
}

/// The system's resolver, refusing names that point to private addresses.
#[derive(Debug)]
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            if found.iter().any(|address| is_private(address.ip())) {
                return Err(Box::new(Refused::Private(host)) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inside_addresses_are_private_in_every_notation() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "172.16.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "::ffff:127.0.0.1",
            "fd00::1",
            "fe80::1",
            "64:ff9b::7f00:1",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in ["93.184.216.34", "2606:2800:220:1::1", "172.32.0.1", "100.128.0.1"] {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn urls_are_checked_by_scheme_and_host() {
        let check = |text: &str, allow| check_url(&Url::parse(text).unwrap(), allow).is_ok();
        assert!(check("https://shop.example/", false));
        for bad in [
            "http://localhost/",
            "http://a.localhost./",
            "http://2130706433/",
            "http://[::1]/",
            "http://0x7f.1/",
        ] {
            assert!(!check(bad, false), "{bad}");
        }
        assert!(check("http://127.0.0.1:8080/", true));
        assert!(!check("file:///etc/passwd", true));
    }
}
