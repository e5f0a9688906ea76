//! Opening a page: a context of its own, what it may reach, and how it is set up.

use std::sync::Arc;

use app_core::{ErrorKind, ToolError, ToolResult, reach};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    Browser, Media, Page, Setup, failed,
    guard::{Guard, Rules},
    page::CALL,
    watch::{Watch, auto_attach},
};

impl Browser {
    /// Opens an empty page that is set up for its address.
    pub async fn open(&self, setup: Setup) -> ToolResult<Page> {
        let rules = self.rules(&setup).await?;
        let guard = Guard::start(rules).await?;
        let own =
            json!({"disposeOnDetach": true, "proxyServer": guard.url(), "proxyBypassList": "<-loopback>"});
        let context = text(
            &self.call("Target.createBrowserContext", own, CALL).await?,
            "browserContextId",
        )?;
        let deny = json!({"behavior": "deny", "browserContextId": context});
        self.call("Browser.setDownloadBehavior", deny, CALL).await?;
        let (width, height) = (setup.viewport.width, setup.viewport.height);
        let made =
            json!({"url": "about:blank", "browserContextId": context, "width": width, "height": height});
        let target = text(&self.call("Target.createTarget", made, CALL).await?, "targetId")?;
        let attach = json!({"targetId": target, "flatten": true});
        let session = text(
            &self.call("Target.attachToTarget", attach, CALL).await?,
            "sessionId",
        )?;
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
            closed: false,
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
            failed(
                ErrorKind::Network,
                "cannot_connect",
                format!("cannot look `{host}` up"),
            )
            .caused_by(&e)
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
        self.call("Emulation.setDeviceMetricsOverride", metrics, CALL)
            .await?;
        if view.mobile {
            let touch = json!({"enabled": true, "maxTouchPoints": 5});
            self.call("Emulation.setTouchEmulationEnabled", touch, CALL)
                .await?;
        }
        if let Some(agent) = &view.user_agent {
            self.call(
                "Emulation.setUserAgentOverride",
                json!({"userAgent": agent}),
                CALL,
            )
            .await?;
        }
        let media = if setup.media == Media::Print {
            "print"
        } else {
            "screen"
        };
        let scheme = if setup.dark { "dark" } else { "light" };
        let motion = if setup.reduced_motion {
            "reduce"
        } else {
            "no-preference"
        };
        let features = json!({"media": media, "features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion},
        ]});
        self.call("Emulation.setEmulatedMedia", features, CALL).await?;
        if setup.omit_background {
            let clear = json!({"color": {"r": 0, "g": 0, "b": 0, "a": 0}});
            self.call("Emulation.setDefaultBackgroundColorOverride", clear, CALL)
                .await?;
        }
        if !setup.scripts {
            self.call(
                "Emulation.setScriptExecutionDisabled",
                json!({"value": true}),
                CALL,
            )
            .await?;
        }
        for (name, value) in &setup.cookies {
            let cookie = json!({"name": name, "value": value.reveal(), "url": setup.url.as_str()});
            self.call("Network.setCookie", cookie, CALL).await.map_err(|_| {
                ToolError::invalid(
                    "cookie",
                    format!("the cookie `{name}` is not one that a page could have"),
                )
            })?;
        }
        Ok(())
    }
}

fn text(answer: &Value, name: &str) -> ToolResult<String> {
    let found = answer[name].as_str().map(str::to_owned);
    found.ok_or_else(|| ToolError::internal(format!("the browser gave no `{name}`")))
}
