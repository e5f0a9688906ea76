//! An open page: going to an address, asking it something, closing it.

use std::{sync::Arc, time::Duration};

use app_core::{ErrorKind, ToolError, ToolResult, address::shown};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use url::Url;

use crate::{Dialog, HostUse, Setup, failed, guard::Guard, protocol::Protocol, watch::Watch};

/// Time for a small call.
pub(crate) const CALL: Duration = Duration::from_secs(15);

/// Name of the world in which our scripts run, out of reach of the page's.
const WORLD: &str = "onejob";

/// What the page's address answered.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Address after redirects.
    pub url: Url,
    /// Status; none for a file.
    pub status: Option<u16>,
}

/// A page in a context of its own, which goes with it.
#[derive(Debug)]
pub struct Page {
    pub(crate) protocol: Arc<dyn Protocol>,
    pub(crate) session: String,
    pub(crate) context: String,
    pub(crate) frame: String,
    pub(crate) setup: Setup,
    pub(crate) guard: Guard,
    pub(crate) watch: Arc<Watch>,
    pub(crate) follower: JoinHandle<()>,
    pub(crate) closed: bool,
}

impl Page {
    /// Goes to the address; returns when the page has begun to come. Takes `limit` at most.
    pub async fn go(&self, limit: Duration) -> ToolResult<Arrived> {
        let asked = &self.setup.url;
        let went = self
            .call("Page.navigate", json!({"url": asked.as_str()}), limit)
            .await;
        let went = went.map_err(|error| match error.kind {
            ErrorKind::Timeout => failed(
                ErrorKind::Timeout,
                "page_timeout",
                format!("`{}` did not answer within {} s", shown(asked), limit.as_secs()),
            ),
            _ => error,
        })?;
        let failure = went["errorText"].as_str().map(str::to_owned);
        let (status, url) = self.answered(failure.is_none()).await;
        let url = url.unwrap_or_else(|| asked.clone());
        self.reached(&url, failure.as_deref(), went["isDownload"] == true)?;
        Ok(Arrived {
            url,
            status: status.filter(|_| asked.scheme() != "file"),
        })
    }

    /// Status and address of the answer. The event with them is read beside the call that brought the page.
    async fn answered(&self, expected: bool) -> (Option<u16>, Option<Url>) {
        for _ in 0..100 {
            match self.watch.answer() {
                Some((status, url)) => return (Some(status), url),
                None if expected => tokio::time::sleep(Duration::from_millis(10)).await,
                None => break,
            }
        }
        (None, None)
    }

    /// Runs an expression in a world of our own: it sees the document, and the page's scripts do not see it.
    pub async fn ask(&self, expression: &str, limit: Duration) -> ToolResult<Value> {
        // Made anew each time: a page that goes elsewhere takes its worlds along.
        let world = json!({"frameId": self.frame, "worldName": WORLD});
        let answer = async {
            let world = self.call("Page.createIsolatedWorld", world, limit).await?;
            self.evaluate(expression, Some(&world["executionContextId"]), limit)
                .await
        };
        answer
            .await
            .map_err(|error: ToolError| match error.code.as_str() {
                "browser_slow" => {
                    let page = shown(&self.setup.url);
                    let text = format!("`{page}` does not answer: a script of it keeps it busy");
                    failed(ErrorKind::Timeout, "page_busy", text)
                }
                _ => error,
            })
    }

    /// Runs a script of the user as one of the page's own. A failure is the user's.
    pub async fn run(&self, script: &str, limit: Duration) -> ToolResult<()> {
        self.evaluate(&format!("(async () => {{ {script}\n}})()"), None, limit)
            .await?;
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
            let said = thrown["exception"]["description"]
                .as_str()
                .or_else(|| thrown["text"].as_str());
            let first = said
                .unwrap_or("no reason given")
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            return Err(failed(
                ErrorKind::InvalidInput,
                "script_failed",
                format!("the script failed: {first}"),
            ));
        }
        Ok(answer["result"]["value"].take())
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
    pub async fn close(mut self) {
        self.closed = true;
        dispose(self.protocol.clone(), self.context.clone()).await;
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
        // After a failure: the next page must not find its memory full.
        if !self.closed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            runtime.spawn(dispose(self.protocol.clone(), self.context.clone()));
        }
    }
}

async fn dispose(protocol: Arc<dyn Protocol>, context: String) {
    let gone = json!({"browserContextId": context});
    // A browser that does not answer is ended soon anyway.
    let _ = protocol
        .call(None, "Target.disposeBrowserContext", gone, CALL)
        .await;
}
