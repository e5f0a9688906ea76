//! An open page: going to an address, asking it something, taking its picture, printing it.

use std::{sync::Arc, time::Duration};

use app_core::{ErrorKind, ToolError, ToolResult, address::shown, reach};
use base64::Engine as _;
use serde_json::{Value, json};
use tokio::{sync::mpsc::unbounded_channel, task::JoinHandle};
use url::Url;

use crate::{
    Browser, Dialog, HostUse, Media, Rect, Setup, failed,
    guard::{Guard, Rules, host_name},
    protocol::Protocol,
    watch::{Watch, auto_attach},
};

/// Time for a small call.
const CALL: Duration = Duration::from_secs(15);

/// Time for a picture or a PDF of the largest size.
const PICTURE: Duration = Duration::from_secs(180);

/// Name of the world in which our scripts run, out of reach of the page's.
const WORLD: &str = "onejob";

/// Format of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// PNG.
    Png,
    /// JPEG of this quality.
    Jpeg(u8),
    /// WebP of this quality.
    Webp(u8),
}

/// What is to be in a picture.
#[derive(Clone, Copy, Debug)]
pub struct Shot {
    /// Part of the page in CSS pixels; without it what the window shows.
    pub clip: Option<Rect>,
    /// Format.
    pub format: Format,
}

/// Paper of a PDF, in inches.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Margin on all sides; `None` leaves the page its own.
    pub margin: Option<f64>,
    /// Turned.
    pub landscape: bool,
    /// Colours and pictures behind the text.
    pub backgrounds: bool,
    /// Whether `@page` of the style sheets goes before the size given here.
    pub prefer_css: bool,
}

/// What the page's address answered.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Address after redirects.
    pub url: Url,
    /// Status; none for a file.
    pub status: Option<u16>,
}

/// A page in a context of its own. To be closed; dropped, it goes with the browser.
#[derive(Debug)]
pub struct Page {
    protocol: Arc<dyn Protocol>,
    session: String,
    context: String,
    frame: String,
    setup: Setup,
    guard: Guard,
    pub(crate) watch: Arc<Watch>,
    follower: JoinHandle<()>,
}

impl Browser {
    /// Opens an empty page that is set up for its address.
    pub async fn open(&self, setup: Setup) -> ToolResult<Page> {
        let rules = self.rules(&setup).await?;
        let guard = Guard::start(rules).await?;
        let own = json!({"disposeOnDetach": true, "proxyServer": guard.url(), "proxyBypassList": "<-loopback>"});
        let context = text(&self.call("Target.createBrowserContext", own, CALL).await?, "browserContextId")?;
        let deny = json!({"behavior": "deny", "browserContextId": context});
        self.call("Browser.setDownloadBehavior", deny, CALL).await?;
        let (width, height) = (setup.viewport.width, setup.viewport.height);
        let made = json!({"url": "about:blank", "browserContextId": context, "width": width, "height": height});
        let target = text(&self.call("Target.createTarget", made, CALL).await?, "targetId")?;
        let attach = json!({"targetId": target, "flatten": true});
        let session = text(&self.call("Target.attachToTarget", attach, CALL).await?, "sessionId")?;
        let watch = Arc::new(Watch::new(
            target.clone(),
            session.clone(),
            &setup.url,
            setup.own_headers(),
            setup.files.clone(),
        ));
        let (sender, events) = unbounded_channel();
        self.protocol.listen(&session, sender.clone());
        let follower = tokio::spawn(watch.clone().follow(events, sender, self.protocol.clone()));
        let page = Page {
            protocol: self.protocol.clone(),
            session,
            context,
            frame: target,
            setup,
            guard,
            watch,
            follower,
        };
        page.prepare().await?;
        Ok(page)
    }

    /// What this page may reach. A page that lies outside never reaches inside, even where its caller might.
    async fn rules(&self, setup: &Setup) -> ToolResult<Rules> {
        let url = &setup.url;
        if !setup.network {
            return Ok(Rules::Nothing);
        }
        if url.scheme() == "file" && setup.files.is_some() {
            return Ok(Rules::Public);
        }
        let allowed = self.allows_private();
        reach::check_url(url, allowed).map_err(|refused| refused.into_error(false))?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(ToolError::invalid("url", "the address names no host"));
        };
        let found = reach::look_up(host, port, allowed).await.map_err(|e| {
            failed(ErrorKind::Network, "cannot_connect", format!("cannot look `{host}` up")).caused_by(&e)
        })?;
        let addresses = found.map_err(|refused| refused.into_error(false))?;
        let inside = addresses.iter().any(|address| reach::is_private(address.ip()));
        Ok(if inside { Rules::Inside } else { Rules::Public })
    }
}

impl Page {
    /// Everything that must be so before the address is asked.
    async fn prepare(&self) -> ToolResult<()> {
        for method in ["Page.enable", "Network.enable"] {
            self.call(method, json!({}), CALL).await?;
        }
        if let Some(patterns) = self.watch.patterns() {
            self.call("Fetch.enable", patterns, CALL).await?;
        }
        self.call("Target.setAutoAttach", auto_attach(), CALL).await?;
        let (setup, view) = (&self.setup, &self.setup.viewport);
        let metrics = json!({"width": view.width, "height": view.height, "deviceScaleFactor": view.scale,
            "mobile": view.mobile, "screenWidth": view.width, "screenHeight": view.height});
        self.call("Emulation.setDeviceMetricsOverride", metrics, CALL).await?;
        if view.mobile {
            let touch = json!({"enabled": true, "maxTouchPoints": 5});
            self.call("Emulation.setTouchEmulationEnabled", touch, CALL).await?;
        }
        if let Some(agent) = &view.user_agent {
            self.call("Emulation.setUserAgentOverride", json!({"userAgent": agent}), CALL).await?;
        }
        let media = if setup.media == Media::Print { "print" } else { "screen" };
        let scheme = if setup.dark { "dark" } else { "light" };
        let motion = if setup.reduced_motion { "reduce" } else { "no-preference" };
        let features = json!({"media": media, "features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]});
        self.call("Emulation.setEmulatedMedia", features, CALL).await?;
        if setup.omit_background {
            let clear = json!({"color": {"r": 0, "g": 0, "b": 0, "a": 0}});
            self.call("Emulation.setDefaultBackgroundColorOverride", clear, CALL).await?;
        }
        if !setup.scripts {
            self.call("Emulation.setScriptExecutionDisabled", json!({"value": true}), CALL).await?;
        }
        for (name, value) in &setup.cookies {
            let cookie = json!({"name": name, "value": value.reveal(), "url": setup.url.as_str()});
            self.call("Network.setCookie", cookie, CALL).await.map_err(|_| {
                ToolError::invalid("cookie", format!("the cookie `{name}` is not one that a page could have"))
            })?;
        }
        Ok(())
    }

    /// Goes to the address; returns when the page has begun to come. Takes `limit` at most.
    pub async fn go(&self, limit: Duration) -> ToolResult<Arrived> {
        let asked = &self.setup.url;
        let went = self.call("Page.navigate", json!({"url": asked.as_str()}), limit).await;
        let went = went.map_err(|error| match error.kind {
            ErrorKind::Timeout => failed(
                ErrorKind::Timeout,
                "page_timeout",
                format!("`{}` did not answer within {} s", shown(asked), limit.as_secs()),
            ),
            _ => error,
        })?;
        let failure = went["errorText"].as_str().map(str::to_owned);
        let url = self.address().await.unwrap_or_else(|_| asked.clone());
        self.reached(&url, failure.as_deref(), went["isDownload"] == true)?;
        let status = self.watch.answer().map(|(status, _)| status);
        Ok(Arrived {
            url,
            status: status.filter(|_| asked.scheme() != "file"),
        })
    }

    /// Why a page did not come, from what the proxy knows and from the browser's own word.
    fn reached(&self, url: &Url, failure: Option<&str>, download: bool) -> ToolResult<()> {
        let asked = &self.setup.url;
        for (tried, redirected) in [(url, url.host() != asked.host()), (asked, false)] {
            let Some(host) = tried.host_str() else { continue };
            let name = host_name(host, tried.port_or_known_default().unwrap_or(0));
            if let Some((refused, why)) = self.guard.trouble(&name) {
                return Err(match (refused, redirected) {
                    (true, true) => failed(ErrorKind::ProviderRejected, "private_address", format!("redirected: {why}")),
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
                return Err(failed(ErrorKind::ProviderRejected, "private_address", format!("redirected: {why}")));
            }
        }
        if code == "ERR_TOO_MANY_REDIRECTS" {
            let text = format!("`{page}` redirects too often");
            return Err(failed(ErrorKind::ProviderRejected, "too_many_redirects", text));
        }
        if matches!(code, "ERR_UNSAFE_PORT" | "ERR_INVALID_URL" | "ERR_BLOCKED_BY_ADMINISTRATOR") {
            return Err(ToolError::invalid("url", format!("the browser does not open `{page}` ({code})")));
        }
        Err(failed(ErrorKind::Network, "page_failed", format!("`{page}` did not come ({code})")))
    }

    /// The present address, after redirects and what scripts did.
    async fn address(&self) -> ToolResult<Url> {
        let history = self.call("Page.getNavigationHistory", json!({}), CALL).await?;
        let at = history["currentIndex"].as_u64().unwrap_or(0) as usize;
        let url = history["entries"][at]["url"].as_str().unwrap_or_default();
        Url::parse(url).map_err(|_| ToolError::internal("the browser names no address"))
    }

    /// Runs an expression in a world of our own: it sees the document, and the page's scripts do not see it.
    pub async fn ask(&self, expression: &str, limit: Duration) -> ToolResult<Value> {
        // Made anew each time: a page that goes elsewhere takes its worlds along.
        let world = json!({"frameId": self.frame, "worldName": WORLD});
        let world = self.call("Page.createIsolatedWorld", world, limit).await?;
        self.evaluate(expression, Some(&world["executionContextId"]), limit).await
    }

    /// Runs a script of the user as one of the page's own. A failure is the user's.
    pub async fn run(&self, script: &str, limit: Duration) -> ToolResult<()> {
        self.evaluate(&format!("(async () => {{ {script}\n}})()"), None, limit).await?;
        Ok(())
    }

    async fn evaluate(&self, expression: &str, world: Option<&Value>, limit: Duration) -> ToolResult<Value> {
        let mut params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        if let Some(world) = world {
            params["contextId"] = world.clone();
        } else {
            params["userGesture"] = true.into();
        }
        let mut answer = self.call("Runtime.evaluate", params, limit).await?;
        if let Some(thrown) = answer.get("exceptionDetails") {
            let said = thrown["exception"]["description"].as_str().or_else(|| thrown["text"].as_str());
            let first = said.unwrap_or("no reason given").lines().next().unwrap_or_default().to_owned();
            return Err(failed(ErrorKind::InvalidInput, "script_failed", format!("the script failed: {first}")));
        }
        Ok(answer["result"]["value"].take())
    }

    /// Takes a picture. Parts that the window does not show are painted without another size of the window, so that
    /// heights in parts of it stay.
    pub async fn capture(&self, shot: Shot) -> ToolResult<Vec<u8>> {
        let (format, quality) = match shot.format {
            Format::Png => ("png", None),
            Format::Jpeg(quality) => ("jpeg", Some(quality)),
            Format::Webp(quality) => ("webp", Some(quality)),
        };
        let mut params = json!({"format": format, "captureBeyondViewport": shot.clip.is_some()});
        if let Some(quality) = quality {
            params["quality"] = quality.into();
        }
        if let Some(clip) = shot.clip {
            params["clip"] = json!({"x": clip.x, "y": clip.y, "width": clip.width, "height": clip.height, "scale": 1});
        }
        let made = self.call("Page.captureScreenshot", params, PICTURE).await?;
        decoded(&made)
    }

    /// Prints the page.
    pub async fn print(&self, paper: Paper) -> ToolResult<Vec<u8>> {
        let mut params = json!({"printBackground": paper.backgrounds, "landscape": paper.landscape,
            "paperWidth": paper.width, "paperHeight": paper.height, "preferCSSPageSize": paper.prefer_css});
        if let Some(margin) = paper.margin {
            for side in ["marginTop", "marginBottom", "marginLeft", "marginRight"] {
                params[side] = margin.into();
            }
        }
        let made = self.call("Page.printToPDF", params, PICTURE).await?;
        decoded(&made)
    }

    /// Size of the whole page in CSS pixels.
    pub async fn size(&self) -> ToolResult<(f64, f64)> {
        let metrics = self.call("Page.getLayoutMetrics", json!({}), CALL).await?;
        let content = &metrics["cssContentSize"];
        let side = |name: &str| content[name].as_f64().unwrap_or(0.0).ceil();
        Ok((side("width"), side("height")))
    }

    /// How it was opened.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Hosts that it asked, with what was refused.
    pub fn hosts(&self) -> Vec<HostUse> {
        self.guard.log()
    }

    /// Files that it wanted from outside of its folder.
    pub fn outside_files(&self) -> Vec<String> {
        self.watch.outside()
    }

    /// Dialogs that were answered, and how many beyond those listed.
    pub fn dialogs(&self) -> (Vec<Dialog>, u64) {
        self.watch.dialogs()
    }

    /// Closes it with everything it kept.
    pub async fn close(self) {
        let gone = json!({"browserContextId": self.context});
        // A browser that does not answer is ended soon anyway.
        let _ = self.protocol.call(None, "Target.disposeBrowserContext", gone, CALL).await;
    }

    pub(crate) async fn call(&self, method: &str, params: Value, limit: Duration) -> ToolResult<Value> {
        tokio::select! {
            answer = self.protocol.call(Some(&self.session), method, params, limit) => answer,
            () = self.watch.crashed() => Err(failed(
                ErrorKind::ProviderRejected,
                "page_crashed",
                format!("`{}` made its process in the browser crash", shown(&self.setup.url)),
            )),
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.follower.abort();
        self.protocol.forget(&self.watch.sessions());
    }
}

fn text(answer: &Value, name: &str) -> ToolResult<String> {
    let found = answer[name].as_str().map(str::to_owned);
    found.ok_or_else(|| ToolError::internal(format!("the browser gave no `{name}`")))
}

fn decoded(answer: &Value) -> ToolResult<Vec<u8>> {
    let data = answer["data"].as_str().unwrap_or_default();
    let bytes = base64::engine::general_purpose::STANDARD.decode(data);
    bytes
        .ok()
        .filter(|bytes| !bytes.is_empty())
        .ok_or_else(|| failed(ErrorKind::Io, "no_picture", "the browser made no picture"))
}
