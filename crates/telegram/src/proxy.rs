//! The way to Telegram through a SOCKS5 proxy, for networks that do not let it through.

use app_core::{Context, ErrorKind, Secret, ToolError, ToolResult};
use url::Url;

/// Variable that names it.
pub const VARIABLE: &str = "TELEGRAM_PROXY";

/// Reads an address such as `socks5://user:password@host:1080`. Errors never repeat it: it may hold a password.
///
/// # Errors
/// `config` when it is not the address of a SOCKS5 proxy.
pub fn read(address: &Secret) -> ToolResult<Url> {
    let bad = |what: &str| {
        ToolError::config(format!("`{VARIABLE}` {what}"))
            .code("setting_invalid")
            .hint("write `socks5://host:port` or `socks5://user:password@host:port`")
    };
    let url = Url::parse(address.reveal().trim()).map_err(|_| bad("is not an address"))?;
    if !matches!(url.scheme(), "socks5" | "socks5h") {
        return Err(bad(
            "is not the address of a SOCKS5 proxy; MTProto proxies are not supported",
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad("names no host"));
    }
    if url.port().is_none() {
        return Err(bad("names no port"));
    }
    Ok(url)
}

/// The address with the host's number in place of its name. The system's own resolver is asked, which knows the names of
/// its networks.
///
/// # Errors
/// `network` when the name is not known.
pub async fn located(ctx: &Context, url: &Url) -> ToolResult<String> {
    let (Some(host), Some(port)) = (url.host_str(), url.port()) else {
        return Err(ToolError::internal("a proxy without host and port"));
    };
    let unknown = || {
        ToolError::new(
            ErrorKind::Network,
            format!("the proxy `{host}` of `{VARIABLE}` is not known"),
        )
        .code("proxy_unreachable")
    };
    let mut found = tokio::net::lookup_host((host.trim_matches(['[', ']']), port))
        .await
        .map_err(|_| unknown())?;
    let address = found.next().ok_or_else(unknown)?;
    ctx.info(format!("connecting through the proxy {host}:{port}"));
    let mut located = url.clone();
    // A scheme of its own kind and a number can always be set.
    let set = located.set_ip_host(address.ip());
    debug_assert!(set.is_ok(), "an address takes a number for its host");
    Ok(located.as_str().replacen("socks5h://", "socks5://", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_socks5_is_taken_and_no_error_shows_the_password() {
        let read = |text: &str| read(&Secret::new(text.to_owned()));
        assert!(read("socks5://127.0.0.1:1080").is_ok());
        assert!(read(" socks5h://ann:secret@[::1]:1080 ").is_ok());
        for bad in [
            "http://ann:hunter2@proxy:1080",
            "socks5://ann:hunter2@proxy",
            "socks5://:1080",
            "ann:hunter2@proxy:1080",
            "https://t.me/proxy?server=a&port=1&secret=hunter2",
            "",
        ] {
            let error = read(bad).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Config, "{bad}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
