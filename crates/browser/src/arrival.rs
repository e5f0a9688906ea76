//! Why a page did not come.

use app_core::{ErrorKind, ToolError, ToolResult, address::shown};
use url::Url;

use crate::{Page, failed, guard::host_name};

impl Page {
    /// Why a page did not come, from what the proxy knows and from the browser's own word.
    pub(crate) fn reached(&self, url: &Url, failure: Option<&str>, download: bool) -> ToolResult<()> {
        let asked = &self.setup().url;
        for (tried, redirected) in [(url, url.host() != asked.host()), (asked, false)] {
            let Some(host) = tried.host_str() else { continue };
            let name = host_name(host, tried.port_or_known_default().unwrap_or(0));
            if let Some((refused, why)) = self.guard.trouble(&name) {
                return Err(match (refused, redirected) {
                    (true, true) => failed(
                        ErrorKind::ProviderRejected,
                        "private_address",
                        format!("redirected: {why}"),
                    ),
                    (true, false) => ToolError::invalid("url", why).code("private_address"),
                    (false, _) => failed(ErrorKind::Network, "cannot_connect", why),
                });
            }
        }
        let Some(code) = failure else { return Ok(()) };
        let page = shown(asked);
        if download || code.contains("ERR_ABORTED") {
            let text = format!("`{page}` is a download or an empty answer, not a page");
            return Err(failed(ErrorKind::ProviderRejected, "no_page", text));
        }
        let code = code.trim_start_matches("net::");
        if code.starts_with("ERR_FILE_NOT_FOUND") {
            return Err(ToolError::not_found(format!("there is no file `{page}`")).from_source("file"));
        }
        if code.starts_with("ERR_CERT") || code.starts_with("ERR_SSL") {
            let text = format!("no trusted connection to `{page}` ({code})");
            return Err(failed(ErrorKind::ProviderRejected, "tls_failed", text));
        }
        if code == "ERR_TUNNEL_CONNECTION_FAILED" {
            // Another host than those tried, in the middle of redirects.
            let refused = self.guard.log().into_iter().find(|host| host.refused > 0);
            if let Some(host) = refused {
                let why = host.reason.unwrap_or(host.host);
                return Err(failed(
                    ErrorKind::ProviderRejected,
                    "private_address",
                    format!("redirected: {why}"),
                ));
            }
        }
        if code == "ERR_TOO_MANY_REDIRECTS" {
            let text = format!("`{page}` redirects too often");
            return Err(failed(ErrorKind::ProviderRejected, "too_many_redirects", text));
        }
        if matches!(
            code,
            "ERR_UNSAFE_PORT" | "ERR_INVALID_URL" | "ERR_BLOCKED_BY_ADMINISTRATOR"
        ) {
            return Err(ToolError::invalid(
                "url",
                format!("the browser does not open `{page}` ({code})"),
            ));
        }
        Err(failed(
            ErrorKind::Network,
            "page_failed",
            format!("`{page}` did not come ({code})"),
        ))
    }
}
