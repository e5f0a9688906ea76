//! Settings `[tools.email_sender.settings]`, and the mail server of the environment.

use std::time::Duration;

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use mail::{
    Address, Mailbox, Rules,
    dkim::Signer,
    smtp::{Encryption, Server},
    unsubscribe::Links,
};
use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// Who may write: addresses, or domains. The first address writes when none is named.
    pub(crate) from: Vec<String>,
    /// Who gets a letter at once: addresses, or domains.
    pub(crate) allow: Vec<String>,
    /// Connections at once.
    pub(crate) connections: usize,
    /// Letters in a second, over all programs of the host; 0 is no limit.
    pub(crate) per_second: f64,
    /// `starttls`, `tls` or `none`; by the port without it.
    pub(crate) tls: Option<Encryption>,
    /// How this host calls itself.
    pub(crate) hello: Option<String>,
    /// How long a server may take to answer, in seconds.
    pub(crate) timeout_s: u64,
    /// How long it may take after the final dot, in seconds.
    pub(crate) last_timeout_s: u64,
    /// Domain and selector of the DKIM key.
    pub(crate) dkim: Option<Dkim>,
    /// Page on which one unsubscribes, https.
    pub(crate) unsubscribe_url: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dkim {
    domain: String,
    selector: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            from: Vec::new(),
            allow: Vec::new(),
            connections: 2,
            per_second: 10.0,
            tls: None,
            hello: None,
            timeout_s: 120,
            // RFC 5321, 4.5.3.2.6.
            last_timeout_s: 600,
            dkim: None,
            unsubscribe_url: None,
        }
    }
}

impl Settings {
    pub(crate) fn of(ctx: &Context) -> ToolResult<Self> {
        let settings: Self = ctx.tool_settings()?;
        if !(1..=16).contains(&settings.connections) || !(0.0..=10_000.0).contains(&settings.per_second) {
            return Err(ToolError::config(
                "`connections` of email_sender is 1 to 16, `per_second` 0 to 10000",
            ));
        }
        Ok(settings)
    }

    /// Shortest time between two letters.
    pub(crate) fn between(&self) -> Duration {
        if self.per_second > 0.0 {
            Duration::from_secs_f64(1.0 / self.per_second)
        } else {
            Duration::ZERO
        }
    }

    /// Whether an address gets a letter at once.
    pub(crate) fn allows(&self, address: &Address) -> bool {
        listed(&self.allow, address)
    }

    /// Who writes. The flag counts when the settings, or the login, allow it.
    pub(crate) fn sender(&self, asked: Option<&str>, ctx: &Context) -> ToolResult<Mailbox> {
        let login = ctx.env("SMTP_USERNAME").filter(|user| user.contains('@'));
        let configured = self.from.iter().find(|one| one.contains('@')).or(login.as_ref());
        let text = asked.or(configured.map(String::as_str)).ok_or_else(|| {
            ToolError::config("nobody writes the letter")
                .code("no_sender")
                .hint("set `from` under [tools.email_sender.settings]")
        })?;
        let mailbox = Mailbox::parse(
            text,
            Rules {
                local_domains: true,
                utf8: false,
            },
        )
        .map_err(|error| ToolError::invalid("from", error.to_string()))?;
        let known = !self.from.is_empty() || login.is_some();
        let may = listed(&self.from, &mailbox.address)
            || login.is_some_and(|login| {
                Address::parse(&login, Rules::default())
                    .is_ok_and(|login| login.key() == mailbox.address.key())
            });
        if known && !may {
            return Err(ToolError::new(
                ErrorKind::Unauthorised,
                format!(
                    "`{}` may not write: it is not in `from` of the settings",
                    mailbox.address
                ),
            )
            .code("sender_not_allowed")
            .field("from"));
        }
        Ok(mailbox)
    }

    /// The server that the environment names.
    pub(crate) fn server(&self, ctx: &Context) -> ToolResult<Server> {
        let missing = |name: &str| {
            ToolError::config(format!("`{name}` is not set"))
                .code("smtp_not_configured")
                .hint("SMTP_HOST, SMTP_USERNAME and SMTP_PASSWORD name the mail server and who logs in")
        };
        let host = ctx.env("SMTP_HOST").ok_or_else(|| missing("SMTP_HOST"))?;
        let port = match ctx.env("SMTP_PORT") {
            None => 587,
            Some(text) => text
                .trim()
                .parse::<u16>()
                .ok()
                .filter(|port| *port > 0)
                .ok_or_else(|| {
                    ToolError::config("`SMTP_PORT` is not a port number")
                        .code("smtp_port")
                        .field("SMTP_PORT")
                })?,
        };
        let encryption = self.tls.unwrap_or(if port == 465 {
            Encryption::Tls
        } else {
            Encryption::Starttls
        });
        let login = if encryption == Encryption::None {
            None
        } else {
            let user = ctx.env("SMTP_USERNAME").ok_or_else(|| missing("SMTP_USERNAME"))?;
            let password = ctx
                .secret("SMTP_PASSWORD")
                .map_err(|_| missing("SMTP_PASSWORD"))?;
            Some((user, password))
        };
        Ok(Server {
            host,
            port,
            encryption,
            login,
            hello: self.hello.clone().unwrap_or_else(own_name),
            patience: Duration::from_secs(self.timeout_s.clamp(1, 3600)),
            last_patience: Duration::from_secs(self.last_timeout_s.clamp(1, 3600)),
        })
    }

    /// Who signs; `None` without settings for it.
    pub(crate) fn signer(&self, ctx: &Context) -> ToolResult<Option<Signer>> {
        let Some(dkim) = &self.dkim else { return Ok(None) };
        let key = ctx.secret("DKIM_PRIVATE_KEY")?;
        Signer::new(&dkim.domain, &dkim.selector, key.reveal()).map(Some)
    }

    /// Who makes links for unsubscribing; `None` without settings for it.
    pub(crate) fn links(&self, ctx: &Context) -> ToolResult<Option<Links>> {
        let Some(page) = &self.unsubscribe_url else {
            return Ok(None);
        };
        let secret = ctx.secret("UNSUBSCRIBE_SECRET")?;
        Links::new(page, &secret)
            .map(Some)
            .map_err(|error| ToolError::config(error.to_string()).code("unsubscribe_settings"))
    }
}

/// Whether an address, or its domain, is on a list of the settings.
fn listed(list: &[String], address: &Address) -> bool {
    list.iter().any(|entry| {
        let entry = entry.trim();
        if let Ok(mailbox) = Mailbox::parse(
            entry,
            Rules {
                local_domains: true,
                utf8: true,
            },
        ) {
            return mailbox.address.key() == address.key();
        }
        let domain = entry.strip_prefix('@').unwrap_or(entry);
        // Through the address type, so that both forms of a domain are one.
        Address::parse(
            &format!("x@{domain}"),
            Rules {
                local_domains: true,
                utf8: true,
            },
        )
        .is_ok_and(|known| known.domain() == address.domain())
    })
}

/// The host's full name, else the loopback literal, as RFC 5321, 4.1.3 wants of hosts without one.
fn own_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let fits = name.contains('.')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if fits { name } else { "[127.0.0.1]".to_owned() }
}
