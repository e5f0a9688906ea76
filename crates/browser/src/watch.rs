//! What happens in a page while it is open: requests, dialogs, the answer that the page came with.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc::UnboundedReceiver, mpsc::UnboundedSender};
use url::{Origin, Url};

use crate::{
    dialog::Dialog,
    protocol::{Event, Protocol},
    traffic::{Busy, Traffic},
};

/// Time for answers to what the browser asks in between.
const PROMPT: Duration = Duration::from_secs(5);

/// Dialogs that are listed; further ones are answered and counted.
const MOST_DIALOGS: usize = 20;

/// What is known so far.
#[derive(Debug)]
struct State {
    traffic: Traffic,
    loaded: bool,
    sockets: u64,
    dialogs: Vec<Dialog>,
    more_dialogs: u64,
    crashed: bool,
    answer: Option<(u16, Option<Url>)>,
    outside: Vec<String>,
    sessions: Vec<String>,
}

/// Follows the events of one page.
#[derive(Debug)]
pub struct Watch {
    state: Mutex<State>,
    crash: Notify,
    main_frame: String,
    origin: Origin,
    headers: Vec<(String, String)>,
    files: Option<PathBuf>,
}

impl Watch {
    /// For a page whose own origin and headers are these.
    pub fn new(
        main_frame: String,
        session: String,
        url: &Url,
        headers: Vec<(String, String)>,
        files: Option<PathBuf>,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                traffic: Traffic::new(),
                loaded: false,
                sockets: 0,
                dialogs: Vec::new(),
                more_dialogs: 0,
                crashed: false,
                answer: None,
                outside: Vec::new(),
                sessions: vec![session],
            }),
            crash: Notify::new(),
            main_frame,
            origin: url.origin(),
            headers,
            files,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the page and all it holds from the beginning is there.
    pub fn loaded(&self) -> bool {
        self.state().loaded
    }

    /// Status and address of the page itself, once its answer is there.
    pub fn answer(&self) -> Option<(u16, Option<Url>)> {
        self.state().answer.clone()
    }

    /// Dialogs so far, and how many more there were.
    pub fn dialogs(&self) -> (Vec<Dialog>, u64) {
        let state = self.state();
        (state.dialogs.clone(), state.more_dialogs)
    }

    /// Sockets that the page opened, requests that it sent, paths that it asks again and again.
    pub fn counts(&self) -> (u64, u64, Vec<String>) {
        let state = self.state();
        (state.sockets, state.traffic.requests, state.traffic.polls.clone())
    }

    /// Files that the page wanted from outside of its folder.
    pub fn outside(&self) -> Vec<String> {
        self.state().outside.clone()
    }

    /// Sessions of the page and its frames.
    pub fn sessions(&self) -> Vec<String> {
        self.state().sessions.clone()
    }

    /// Waits until the page's process crashes.
    pub async fn crashed(&self) {
        let told = self.crash.notified();
        if !self.state().crashed {
            told.await;
        }
    }

    /// How busy the network is, without sockets, polls, and what hangs.
    pub fn busy(&self) -> Busy {
        self.state().traffic.busy()
    }

    /// Open requests that are no polls, in words; `None` when there are none.
    pub fn hanging(&self) -> Option<String> {
        self.state().traffic.hanging()
    }

    /// Reads events until the page is closed.
    pub async fn follow(
        self: Arc<Self>,
        mut events: UnboundedReceiver<Event>,
        sender: UnboundedSender<Event>,
        protocol: Arc<dyn Protocol>,
    ) {
        while let Some(event) = events.recv().await {
            match event.method.as_str() {
                "Page.javascriptDialogOpening" => self.dialog(&event, &protocol),
                "Fetch.requestPaused" => self.paused(&event, &protocol),
                "Target.attachedToTarget" => self.frame(&event, &sender, &protocol),
                _ => self.note(&event),
            }
        }
    }

    /// Answers a dialog, which would hold everything up: a question with no.
    fn dialog(&self, event: &Event, protocol: &Arc<dyn Protocol>) {
        let text = |name: &str| event.params[name].as_str().unwrap_or_default();
        let kind = text("type");
        let accept = matches!(kind, "alert" | "beforeunload");
        {
            let mut state = self.state();
            if state.dialogs.len() < MOST_DIALOGS {
                state.dialogs.push(Dialog {
                    kind: kind.to_owned(),
                    message: text("message").chars().take(500).collect(),
                    answer: if accept { "closed" } else { "dismissed" }.to_owned(),
                });
            } else {
                state.more_dialogs += 1;
            }
        }
        answer(
            protocol,
            &event.session,
            "Page.handleJavaScriptDialog",
            json!({"accept": accept}),
        );
    }

    /// A request to the page's own origin gets its headers; a file outside of the folder is not read.
    fn paused(&self, event: &Event, protocol: &Arc<dyn Protocol>) {
        let id = &event.params["requestId"];
        let request = &event.params["request"];
        let url = Url::parse(request["url"].as_str().unwrap_or_default()).ok();
        if let Some(url) = url.as_ref().filter(|url| url.scheme() == "file")
            && !self.may_show(url)
        {
            let mut state = self.state();
            if state.outside.len() < MOST_DIALOGS {
                state.outside.push(url.path().to_owned());
            }
            drop(state);
            let refusal = json!({"requestId": id, "errorReason": "AccessDenied"});
            return answer(protocol, &event.session, "Fetch.failRequest", refusal);
        }
        let own = url.is_some_and(|url| url.origin() == self.origin);
        let mut continued = json!({"requestId": id});
        if own && !self.headers.is_empty() {
            let replaced = |name: &str| self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            let came = request["headers"].as_object().into_iter().flatten();
            let came = came
                .filter(|(name, _)| !replaced(name))
                .map(|(name, value)| json!({"name": name, "value": value}));
            let added = self
                .headers
                .iter()
                .map(|(name, value)| json!({"name": name, "value": value}));
            continued["headers"] = came.chain(added).collect();
        }
        answer(protocol, &event.session, "Fetch.continueRequest", continued);
    }

    fn may_show(&self, url: &Url) -> bool {
        let real = url.to_file_path().ok().and_then(|path| path.canonicalize().ok());
        match (real, &self.files) {
            (Some(real), Some(folder)) => real.strip_prefix(folder).is_ok_and(|within| {
                !within
                    .components()
                    .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
            }),
            _ => false,
        }
    }

    /// A frame in a process of its own is followed too.
    fn frame(&self, event: &Event, sender: &UnboundedSender<Event>, protocol: &Arc<dyn Protocol>) {
        let Some(session) = event.params["sessionId"].as_str() else {
            return;
        };
        self.state().sessions.push(session.to_owned());
        protocol.listen(session, sender.clone());
        answer(protocol, session, "Network.enable", json!({}));
        if let Some(patterns) = self.patterns() {
            answer(protocol, session, "Fetch.enable", patterns);
        }
        answer(protocol, session, "Target.setAutoAttach", auto_attach());
        answer(protocol, session, "Runtime.runIfWaitingForDebugger", json!({}));
    }

    /// Which requests are to be paused, if any.
    pub fn patterns(&self) -> Option<Value> {
        let mut patterns = Vec::new();
        if self.files.is_some() {
            patterns.push(json!({"urlPattern": "file://*"}));
        }
        if !self.headers.is_empty() && self.origin.is_tuple() {
            patterns.push(json!({"urlPattern": format!("{}/*", self.origin.ascii_serialization())}));
        }
        (!patterns.is_empty()).then(|| json!({"patterns": patterns}))
    }

    fn note(&self, event: &Event) {
        let params = &event.params;
        let text = |name: &str| params[name].as_str().unwrap_or_default();
        let mut state = self.state();
        match event.method.as_str() {
            "Page.loadEventFired" => state.loaded = true,
            "Inspector.targetCrashed" => {
                state.crashed = true;
                drop(state);
                self.crash.notify_waiters();
            }
            "Network.requestWillBeSent" => {
                let kind = text("type").to_ascii_lowercase();
                if !matches!(kind.as_str(), "websocket" | "eventsource" | "ping" | "preflight") {
                    let url = params["request"]["url"].as_str().unwrap_or_default();
                    state.traffic.begun(text("requestId"), kind, url);
                }
                if kind_is_stream(text("type")) {
                    state.sockets += 1;
                }
            }
            "Network.webSocketCreated" => state.sockets += 1,
            "Network.loadingFinished" | "Network.loadingFailed" => {
                state.traffic.ended(text("requestId"));
            }
            "Network.responseReceived"
                if text("type") == "Document" && text("frameId") == self.main_frame =>
            {
                let response = &params["response"];
                let status = response["status"]
                    .as_u64()
                    .and_then(|status| u16::try_from(status).ok());
                let url = response["url"].as_str().and_then(|url| Url::parse(url).ok());
                state.answer = status.map(|status| (status, url));
            }
            _ => {}
        }
    }
}

fn kind_is_stream(kind: &str) -> bool {
    kind == "EventSource"
}

/// Frames in processes of their own are attached to as they come, and wait until they are followed.
pub fn auto_attach() -> Value {
    json!({"autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true,
        "filter": [{"type": "iframe"}]})
}

/// Answers without waiting: the reader of events must go on.
fn answer(protocol: &Arc<dyn Protocol>, session: &str, method: &'static str, params: Value) {
    let (protocol, session) = (protocol.clone(), session.to_owned());
    tokio::spawn(async move {
        // What was to be answered may be gone with its page.
        let _ = protocol.call(Some(&session), method, params, PROMPT).await;
    });
}
