//! A proxy on loopback through which a page reaches the network, and nothing else.
//!
//! Every request and every tunnel is looked at: the name is looked up here, private addresses are refused, and the
//! connection goes to the address that was looked at. What the browser asks for on its own account is refused by name.

mod head;
mod relay;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app_core::{ErrorKind, ToolResult, reach};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};

use crate::failed;

/// Connections of one page at a time.
const MOST_CONNECTIONS: usize = 256;

/// Hosts that the log names; further ones are counted together.
const MOST_HOSTS: usize = 500;

/// Time to connect to one address.
const CONNECT: Duration = Duration::from_secs(10);

/// Hosts that the browser asks by itself, whatever page is open, and that no page needs.
const OWN_CALLS: [&str; 10] = [
    "clients2.google.com",
    "clientservices.googleapis.com",
    "content-autofill.googleapis.com",
    "edgedl.me.gvt1.com",
    "optimizationguide-pa.googleapis.com",
    "redirector.gvt1.com",
    "safebrowsing.googleapis.com",
    "safebrowsingohttpgateway.googleapis.com",
    "update.googleapis.com",
    "android.clients.google.com",
];

/// What a page may reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Nothing: for the browser itself, and for pages without network.
    Nothing,
    /// Public addresses.
    Public,
    /// Every address, for a page that lies inside itself.
    Inside,
}

/// What was asked of one host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostUse {
    /// Host and, where it is not the usual one, port.
    pub host: String,
    /// Connections and plain requests that were let through.
    pub passed: u64,
    /// Those that were refused.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Why one was refused or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The log of a proxy.
#[derive(Debug, Default)]
struct Log {
    hosts: BTreeMap<String, HostUse>,
    beyond: HostUse,
}

/// What happened to a request.
#[derive(Debug)]
enum Outcome {
    Passed,
    Refused(String),
    Failed(String),
}

/// A running proxy; it stops when dropped.
#[derive(Debug)]
pub struct Guard {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    rules: Rules,
    log: Mutex<Log>,
}

impl Guard {
    /// Starts to listen on a free port of loopback.
    pub async fn start(rules: Rules) -> ToolResult<Self> {
        let refused = |e: std::io::Error| {
            failed(
                ErrorKind::Io,
                "no_guard",
                format!("cannot listen on loopback for the browser: {e}"),
            )
        };
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let shared = Arc::new(Shared {
            rules,
            log: Mutex::default(),
        });
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self {
            address,
            shared,
            task,
        })
    }

    /// Where the browser finds it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What was asked, by host, with what was refused.
    pub fn log(&self) -> Vec<HostUse> {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        let beyond = (log.beyond != HostUse::default()).then(|| HostUse {
            host: "(further hosts)".to_owned(),
            ..log.beyond.clone()
        });
        log.hosts.values().cloned().chain(beyond).collect()
    }

    /// What kept a host (and port) from being reached, if something did: whether it was refused, and why.
    pub fn trouble(&self, host: &str) -> Option<(bool, String)> {
        let log = self.shared.log.lock().unwrap_or_else(PoisonError::into_inner);
        let found = log.hosts.get(host)?;
        Some((found.refused > 0, found.reason.clone()?))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn note(&self, host: &str, outcome: &Outcome) {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let known = log.hosts.contains_key(host) || log.hosts.len() < MOST_HOSTS;
        let entry = if known {
            log.hosts.entry(host.to_owned()).or_insert_with(|| HostUse {
                host: host.to_owned(),
                ..HostUse::default()
            })
        } else {
            &mut log.beyond
        };
        match outcome {
            Outcome::Passed => entry.passed += 1,
            Outcome::Refused(why) => {
                entry.refused += 1;
                entry.reason = Some(why.clone());
            }
            Outcome::Failed(why) => entry.reason = Some(why.clone()),
        }
    }

    /// A connection to a host that may be reached.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Outcome> {
        let bare = host.trim_end_matches('.').to_ascii_lowercase();
        if self.rules == Rules::Nothing {
            return Err(Outcome::Refused("nothing may be reached".to_owned()));
        }
        if OWN_CALLS.contains(&bare.as_str()) {
            return Err(Outcome::Refused("a call of the browser itself".to_owned()));
        }
        let inside = self.rules == Rules::Inside;
        let url = url::Url::parse(&format!("http://{host}/"))
            .map_err(|_| Outcome::Failed("is no host name".to_owned()))?;
        reach::check_url(&url, inside).map_err(|why| Outcome::Refused(why.to_string()))?;
        let found = reach::look_up(host, port, inside)
            .await
            .map_err(|_| Outcome::Failed(format!("cannot look `{host}` up")))?
            .map_err(|why| Outcome::Refused(why.to_string()))?;
        for address in found {
            if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
                // Small pieces of a page must not wait for each other.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
        }
        Err(Outcome::Failed(format!("cannot connect to `{host}`")))
    }
}

/// The name of a host in the log.
pub fn host_name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if matches!(port, 80 | 443) {
        host
    } else {
        format!("{host}:{port}")
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    // Connections end with the proxy.
    let mut open = tokio::task::JoinSet::new();
    loop {
        let Ok(permit) = room.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((client, _)) => {
                let shared = shared.clone();
                open.spawn(async move {
                    // A connection that breaks off concerns only the page.
                    let _ = relay::serve(client, &shared).await;
                    drop(permit);
                });
            }
            // Out of descriptors, for example: others may end soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while open.try_join_next().is_some() {}
    }
}

#[cfg(test)]
mod tests;
