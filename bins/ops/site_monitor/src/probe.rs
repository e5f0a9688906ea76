//! One request with its time split into DNS, TCP, TLS, first byte and body, and the cause when it fails.
//!
//! Connections are made by hand, because a client library does not tell which part took how long, nor which
//! certificate it saw.

mod content;
mod request;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls_platform_verifier::ConfigVerifierExt as _;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use web::http::redirect::{self, Hop};

use crate::{condition::Facts, config::Site};
use content::{content_hash, days_left, headers, text};
use request::first_hop;

/// Largest body read, in bytes; conditions see no more of it.
const MAX_BODY: usize = 4 << 20;
/// Redirects followed.
const MAX_REDIRECTS: usize = 10;

/// Milliseconds of each part of a request; absent when it was not reached or not needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to each name")]
pub(crate) struct Timings {
    /// Name lookup.
    pub(crate) dns_ms: Option<f64>,
    /// TCP connection.
    pub(crate) tcp_ms: Option<f64>,
    /// TLS handshake.
    pub(crate) tls_ms: Option<f64>,
    /// From the request to the response's headers.
    pub(crate) first_byte_ms: Option<f64>,
    /// Reading the body.
    pub(crate) body_ms: Option<f64>,
}

/// Which part of a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    Dns,
    Tcp,
    Tls,
    FirstByte,
    Body,
    Redirect,
}

/// What one probe saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probe {
    pub(crate) facts: Facts,
    pub(crate) timings: Timings,
    pub(crate) failure: Option<(Cause, String)>,
    pub(crate) content_hash: Option<String>,
    /// Milliseconds until the headers were there, redirects included; the old script's response time.
    pub(crate) response_time_ms: u64,
}

/// The TLS side of all probes of a run.
#[derive(Clone)]
pub(crate) struct Prober {
    tls: TlsConnector,
    user_agent: String,
}

impl Prober {
    /// Uses the host's certificate store (`SSL_CERT_FILE` is honoured).
    pub(crate) fn new(user_agent: &str) -> Result<Self, String> {
        // Already installed is fine: everything uses ring.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = rustls::ClientConfig::with_platform_verifier().map_err(|e| e.to_string())?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            user_agent: user_agent.to_owned(),
        })
    }

    /// Probes a site within its timeout.
    pub(crate) async fn probe(&self, site: &Site) -> Probe {
        let mut probe = Probe::default();
        let mut stage = Cause::Dns;
        let started = Instant::now();
        let limit = Duration::from_secs(site.timeout_secs);
        let ended = tokio::time::timeout(limit, self.follow(site, &mut probe, &mut stage)).await;
        let failure = match ended {
            Ok(Ok(())) => None,
            Ok(Err(text)) => Some(text),
            Err(_) => Some(format!("no answer within {} s", site.timeout_secs)),
        };
        if let Some(text) = failure {
            probe.failure = Some((stage, text));
        }
        if probe.facts.status.is_none() || probe.response_time_ms == 0 {
            probe.response_time_ms = started.elapsed().as_millis() as u64;
        }
        probe.facts.response_ms = millis(started.elapsed());
        probe.facts.dns_ms = probe.timings.dns_ms.unwrap_or(0.0);
        probe
    }

    async fn follow(&self, site: &Site, probe: &mut Probe, stage: &mut Cause) -> Result<(), String> {
        let started = Instant::now();
        let mut hop = first_hop(site)?;
        // Sites are named by the operator and may lie inside; where a redirect leads is named by the far side, so it
        // may lead inside only from there.
        let mut inside = true;
        for _ in 0..=MAX_REDIRECTS {
            let way = Way {
                site,
                hop: &hop,
                inside,
                started,
            };
            match self.once(way, probe, stage).await? {
                None => return Ok(()),
                Some(next) => hop = next,
            }
            inside &= probe
                .facts
                .ip
                .as_deref()
                .and_then(|ip| ip.parse().ok())
                .is_some_and(web::http::is_private);
        }
        *stage = Cause::Redirect;
        Err(format!("more than {MAX_REDIRECTS} redirects"))
    }

    /// One hop; returns where it redirects to.
    async fn once(&self, way: Way<'_>, probe: &mut Probe, stage: &mut Cause) -> Result<Option<Hop>, String> {
        let url = &way.hop.url;
        probe.timings = Timings::default();
        probe.facts.connected = false;
        let host = url
            .host_str()
            .ok_or("the address has no host")?
            .trim_matches(['[', ']'])
            .to_owned();
        let port = url.port_or_known_default().unwrap_or(80);

        *stage = Cause::Dns;
        let at = Instant::now();
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), port))
            .await
            .map_err(|_| format!("the name `{host}` cannot be resolved"))?
            .collect();
        probe.timings.dns_ms = Some(millis(at.elapsed()));
        if !way.inside
            && addresses
                .iter()
                .any(|address| web::http::is_private(address.ip()))
        {
            *stage = Cause::Redirect;
            return Err(format!("it redirects to `{host}`, a private address"));
        }

        *stage = Cause::Tcp;
        let at = Instant::now();
        let stream = connect(&addresses)
            .await
            .map_err(|e| format!("cannot connect to `{host}:{port}`: {}", plain(&e)))?;
        probe.timings.tcp_ms = Some(millis(at.elapsed()));
        probe.facts.ip = stream.peer_addr().ok().map(|address| address.ip().to_string());
        probe.facts.connected = true;
        let _ = stream.set_nodelay(true);

        if url.scheme() == "https" {
            *stage = Cause::Tls;
            let at = Instant::now();
            let name =
                ServerName::try_from(host.clone()).map_err(|_| format!("`{host}` is not a server name"))?;
            let stream = self
                .tls
                .connect(name, stream)
                .await
                .map_err(|e| format!("TLS: {}", plain(&e)))?;
            probe.timings.tls_ms = Some(millis(at.elapsed()));
            let certificates = stream.get_ref().1.peer_certificates();
            probe.facts.certificate_days = certificates
                .and_then(|chain| chain.first())
                .and_then(|c| days_left(c));
            self.exchange(stream, way, probe, stage).await
        } else {
            self.exchange(stream, way, probe, stage).await
        }
    }

    async fn exchange<S>(
        &self,
        stream: S,
        way: Way<'_>,
        probe: &mut Probe,
        stage: &mut Cause,
    ) -> Result<Option<Hop>, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        *stage = Cause::FirstByte;
        let at = Instant::now();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| e.to_string())?;
        let driver = tokio::spawn(connection);
        let request = self.request(way.hop)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|e| format!("no HTTP answer: {e}"))?;
        probe.timings.first_byte_ms = Some(millis(at.elapsed()));
        probe.response_time_ms = way.started.elapsed().as_millis() as u64;
        let status = response.status();
        let redirected = redirect::next(way.hop, status, response.headers());
        if !matches!(redirected, Ok(None)) {
            driver.abort();
            *stage = Cause::Redirect;
            let next = redirected.map_err(|error| error.message)?;
            if let Some(next) = &next
                && !matches!(next.url.scheme(), "http" | "https")
            {
                return Err(format!("it redirects to a `{}:` address", next.url.scheme()));
            }
            return Ok(next);
        }
        probe.facts.status = Some(status.as_u16());
        probe.facts.headers = headers(response.headers());

        *stage = Cause::Body;
        let at = Instant::now();
        let mut body = response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|e| format!("the body broke off: {e}"))?;
            if let Some(data) = frame.data_ref() {
                bytes.extend_from_slice(
                    data.get(..data.len().min(MAX_BODY - bytes.len()))
                        .unwrap_or_default(),
                );
            }
            if bytes.len() >= MAX_BODY {
                break;
            }
        }
        driver.abort();
        probe.timings.body_ms = Some(millis(at.elapsed()));
        let stated = probe
            .facts
            .headers
            .iter()
            .find(|(name, _)| name == "content-type");
        let stated = stated.map(|(_, value)| value.clone()).unwrap_or_default();
        let selector = way.site.content_selector.clone();
        // Parsing a hostile page takes long; here the timeout still ends the probe.
        let read = move || {
            let text = text(&bytes, &stated);
            (content_hash(&bytes, &text, selector.as_deref()), text)
        };
        (probe.content_hash, probe.facts.body) = web::aside(read).await;
        Ok(None)
    }
}

/// One hop of a probe.
#[derive(Clone, Copy)]
struct Way<'a> {
    site: &'a Site,
    hop: &'a Hop,
    /// Whether it may lead to a private address.
    inside: bool,
    started: Instant,
}

/// The first address that answers.
async fn connect(addresses: &[SocketAddr]) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "no address");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
