//! The browser itself: started, spoken to, and ended with everything it started.

use std::{
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, config::process_env, process::ChildGroup};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, process::Command};

use crate::{
    failed,
    find::find,
    guard::{Guard, Rules},
    profile::Profile,
    protocol::{Pipe, Protocol},
};

/// Time a browser gets to start.
const START: Duration = Duration::from_secs(30);

/// Time a browser gets to stop by itself.
const GRACE: Duration = Duration::from_secs(3);

/// Bytes of the browser's last messages kept for an error.
const MAX_MESSAGES: usize = 16 * 1024;

/// What of our environment the browser gets: places and language, and no secret.
const ENVIRONMENT: [&str; 11] = [
    "PATH",
    "HOME",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "XDG_DATA_HOME",
    "XDG_DATA_DIRS",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
];

/// Switches that are the same for every run.
const SWITCHES: [&str; 25] = [
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-breakpad",
    "--disable-crash-reporter",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-search-engine-choice-screen",
    "--dns-prefetch-disable",
    // Audio and video by WebRTC would go past the proxy.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    // They take 15 pixels of the width.
    "--hide-scrollbars",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--mute-audio",
];

/// Features that are switched off. In a process of its own a sandboxed frame may be painted after the picture.
const FEATURES_OFF: &str = "--disable-features=IsolateSandboxedIframes,Translate,OptimizationHints,MediaRouter,PaintHolding,HttpsUpgrades";

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    // Dropped in this order: processes first, then the folder they write into.
    group: Option<ChildGroup>,
    pub(crate) protocol: Arc<dyn Protocol>,
    _guard: Guard,
    _profile: Profile,
    messages: Arc<Mutex<Vec<u8>>>,
    version: String,
    allow_private: bool,
}

impl Browser {
    /// Starts one. A missing program is a `config` error.
    pub async fn start(ctx: &Context) -> ToolResult<Self> {
        let program = find(ctx)?;
        let profile = Profile::new()?;
        // What the browser asks on its own account goes here, and no further.
        let guard = Guard::start(Rules::Nothing).await?;
        let mut command = Command::new("sh");
        // Descriptors 3 and 4 are where the browser speaks the protocol. Opened by the shell, which becomes the
        // browser: opening them ourselves would need unsafe code.
        command
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(&program)
            .args(SWITCHES)
            .arg(FEATURES_OFF)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("--proxy-server={}", guard.url()))
            // Without this, loopback would be reached past the proxy.
            .arg("--proxy-bypass-list=<-loopback>")
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| Some((name, process_env(name)?))))
            // Whatever it leaves there goes with the profile, even after it was killed.
            .env("TMPDIR", profile.path())
            .env("XDG_CONFIG_HOME", profile.path().join("config"))
            .env("XDG_CACHE_HOME", profile.path().join("cache"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if rustix::process::getuid().is_root() {
            // Chromium refuses its sandbox to root.
            command.arg("--no-sandbox");
        }
        let mut group = ChildGroup::spawn(command)?;
        let child = group.child();
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ToolError::internal("the browser has no pipes"));
        };
        let messages = Arc::<Mutex<Vec<u8>>>::default();
        tokio::spawn(listen(stderr, messages.clone()));
        let mut browser = Self {
            group: Some(group),
            protocol: Arc::new(Pipe::new(stdin, stdout)),
            _guard: guard,
            _profile: profile,
            messages,
            version: String::new(),
            allow_private: allow_private(ctx)?,
        };
        let version = match browser.call("Browser.getVersion", json!({}), START).await {
            Ok(version) => version,
            Err(error) => {
                let said = browser.last_message();
                let error = failed(
                    ErrorKind::Io,
                    "browser_failed",
                    format!("`{}` did not start: {error}", program.display()),
                );
                browser.close().await;
                return Err(error.with("browser_message", said));
            }
        };
        browser.version = version["product"].as_str().unwrap_or("unknown").to_owned();
        Ok(browser)
    }

    /// Name and version, such as `Chrome/156.0.8078.108`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether private addresses may be reached by pages that lie inside.
    pub fn allows_private(&self) -> bool {
        self.allow_private
    }

    /// Ends it and waits until it is gone.
    pub async fn close(mut self) {
        let group = self.group.take();
        // It may be gone already, or hang.
        let _ = self
            .call("Browser.close", json!({}), Duration::from_secs(1))
            .await;
        if let Some(mut group) = group {
            let _ = tokio::time::timeout(GRACE, group.wait()).await;
            group.stop(Duration::ZERO).await;
        }
    }

    /// Calls a method of the browser itself.
    pub(crate) async fn call(&self, method: &str, params: Value, limit: Duration) -> ToolResult<Value> {
        self.protocol.call(None, method, params, limit).await
    }

    /// The last line the browser wrote to its standard error.
    fn last_message(&self) -> String {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&messages);
        let last = text.lines().rev().find(|line| !line.trim().is_empty());
        last.unwrap_or("no message").to_owned()
    }
}

/// `[http] allow_private` of `onejob.toml`, and `ONEJOB_ALLOW_PRIVATE` over it.
fn allow_private(ctx: &Context) -> ToolResult<bool> {
    let configured = ctx.config().settings()?.http.allow_private.unwrap_or(false);
    Ok(process_env("ONEJOB_ALLOW_PRIVATE").map_or(configured, |value| value == "1"))
}

/// Keeps the end of what the browser says; a full pipe would stop it.
async fn listen(mut stderr: tokio::process::ChildStderr, messages: Arc<Mutex<Vec<u8>>>) {
    let mut chunk = [0_u8; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut chunk).await {
        let mut kept = messages.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&chunk[..count]);
        let over = kept.len().saturating_sub(MAX_MESSAGES);
        kept.drain(..over);
    }
}
