//! Keeps requests away from loopback, private and link-local addresses unless they are allowed: the rule that every
//! part follows that talks to the web, the HTTP client and the browser alike.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use url::{Host, Url};

use crate::contract::{ErrorKind, ToolError};

/// Why a URL is not fetched.
#[derive(Clone, Debug)]
pub enum Refused {
    /// Neither http nor https.
    Scheme(String),
    /// This host lies inside.
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
    /// As an error of the contract: of the caller, or of the far side where a `redirect` leads there.
    pub fn into_error(self, redirect: bool) -> ToolError {
        let error = if redirect {
            ToolError::new(ErrorKind::ProviderRejected, format!("redirected: {self}"))
        } else {
            ToolError::new(ErrorKind::InvalidInput, self.to_string()).field("url")
        };
        let error = error.from_source("http");
        match self {
            Self::Scheme(_) => error.code("scheme_refused"),
            Self::Private(_) => error
                .code("private_address")
                .hint("set ONEJOB_ALLOW_PRIVATE=1 if you mean it"),
        }
    }
}

/// Looks at the scheme, and at the host when it is an address or `localhost`. What a name leads to is not looked up.
pub fn check_url(url: &Url, allow_private: bool) -> Result<(), Refused> {
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

/// The special-purpose registry of IANA (RFC 6890) without the documentation ranges, which lead nowhere.
fn private_v4(a: Ipv4Addr) -> bool {
    let [first, second, third, _] = a.octets();
    a.is_loopback()
        || a.is_private()
        || a.is_link_local()
        || a.is_unspecified()
        || a.is_multicast()
        || first == 0
        || first == 100 && (64..128).contains(&second)
        || first == 192 && second == 0 && third == 0
        || first == 198 && (second == 18 || second == 19)
        || first >= 240
}

/// Unique local, link-local and site-local addresses, and every form in which an IPv4 address may hide: what a
/// translator or tunnel would make of it counts.
fn private_v6(a: Ipv6Addr) -> bool {
    let s = a.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    a.is_loopback()
        || a.is_unspecified()
        || a.is_multicast()
        || s[0] & 0xfe00 == 0xfc00 // unique local
        || s[0] & 0xff80 == 0xfe80 // link-local and, deprecated, site-local
        || s[..6] == [0; 6] // IPv4-compatible, deprecated: no public host has one
        || s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] && private_v4(v4(s[6], s[7])) // NAT64
        || s[..3] == [0x64, 0xff9b, 1] // NAT64 of a local network
        || s[0] == 0x2002 && private_v4(v4(s[1], s[2])) // 6to4
        || s[..2] == [0x2001, 0] // Teredo
        || s[..2] == [0x0100, 0] // discard only
        || s[0] == 0x5f00 // segment routing
}

/// Looks a name up; where `inside` is false, fails as soon as one of its addresses lies inside. The caller connects to
/// what is returned and not to the name, which may lead elsewhere the next time.
pub async fn look_up(
    host: &str,
    port: u16,
    inside: bool,
) -> std::io::Result<Result<Vec<SocketAddr>, Refused>> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> = tokio::net::lookup_host((bare, port)).await?.collect();
    let refused = !inside && found.iter().any(|address| is_private(address.ip()));
    Ok(if refused {
        Err(Refused::Private(host.to_owned()))
    } else {
        Ok(found)
    })
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
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::5",
            "fec0::1",
            "::127.0.0.1",
            "::8.8.8.8",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "192.0.0.8",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        for text in [
            "93.184.216.34",
            "2606:2800:220:1::1",
            "172.32.0.1",
            "100.128.0.1",
            "2002:5db8:d822::1",
        ] {
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
