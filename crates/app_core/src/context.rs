//! What the harness hands to a tool: clock, cancellation, settings, log.
//!
//! Files (`artifact`), progress (`progress`), money (`spend`) and planning (`planning`) add their own methods from
//! modules above this one; a provider crate keeps what it needs once per run through [`Context::once`].

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::{
    clock::Clock,
    config::Config,
    contract::{
        Artifact, Definition, EventBody, LogLevel, Mode, Plan, Policy, Secret, ToolError, ToolResult, Usd,
    },
    events::Emitter,
    files::FileId,
    ids::random_id,
    mutex::lock,
    state::Checkpoint,
    text,
};

/// The surroundings of one run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) definition: Definition,
    pub(crate) mode: Mode,
    pub(crate) clock: Clock,
    pub(crate) run_id: String,
    pub(crate) trace_id: String,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) config: Config,
    pub(crate) emitter: Emitter,
    pub(crate) json: bool,
    pub(crate) json_asked: bool,
    pub(crate) stands_for: Mutex<Option<u8>>,
    pub(crate) bar: Option<indicatif::ProgressBar>,
    pub(crate) cancel: CancellationToken,
    pub(crate) cooperative: AtomicBool,
    pub(crate) artifacts: Mutex<Vec<Artifact>>,
    pub(crate) pending: Mutex<Vec<PathBuf>>,
    pub(crate) cost: Mutex<Usd>,
    pub(crate) items: AtomicU64,
    /// Files that the run read or said it will read: no output may take their place.
    pub(crate) inputs: Mutex<Vec<(FileId, PathBuf)>>,
    pub(crate) plan: Mutex<Plan>,
    /// The plan that this run is held to, with what it met outside it.
    pub(crate) bound: Option<crate::planning::Bound>,
    once: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
}

impl Inner {
    /// A run that acts, with fresh ids and nothing done yet.
    pub(crate) fn new(definition: Definition, clock: Clock, config: Config, emitter: Emitter) -> Self {
        Self {
            definition,
            mode: Mode::Apply,
            clock,
            run_id: random_id("run"),
            trace_id: random_id("trace"),
            state_dir: None,
            config,
            emitter,
            json: false,
            json_asked: false,
            stands_for: Mutex::default(),
            bar: None,
            cancel: CancellationToken::new(),
            cooperative: AtomicBool::new(false),
            artifacts: Mutex::default(),
            pending: Mutex::default(),
            cost: Mutex::default(),
            items: AtomicU64::new(0),
            inputs: Mutex::default(),
            plan: Mutex::default(),
            bound: None,
            once: Mutex::default(),
        }
    }
}

impl Context {
    pub(crate) fn new(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    /// A context outside the harness, for unit tests: state in `dir`, system clock, no events.
    pub fn detached(definition: Definition, dir: &Path) -> ToolResult<Self> {
        let mut inner = Inner::new(definition, Clock::System, Config::load()?, Emitter::silent());
        inner.state_dir = Some(dir.to_owned());
        inner.json = true;
        Ok(Self::new(inner))
    }

    /// Whether this run may have effects.
    pub fn mode(&self) -> Mode {
        self.inner.mode
    }

    /// Whether this run only plans.
    pub fn dry_run(&self) -> bool {
        self.inner.mode == Mode::Plan
    }

    /// Fires when the run is to stop. Asking for it makes the run cooperative: it gets the policy's grace to wind up.
    pub fn cancellation(&self) -> &CancellationToken {
        self.inner.cooperative.store(true, Ordering::Relaxed);
        &self.inner.cancel
    }

    /// Fires when the run is to stop, without making the run cooperative: for waits that nothing is lost by ending.
    pub fn stopping(&self) -> &CancellationToken {
        &self.inner.cancel
    }

    /// Fails with kind `cancelled` once the run is to stop. Call it in loops.
    pub fn check_cancelled(&self) -> ToolResult<()> {
        if self.inner.cancel.is_cancelled() {
            Err(ToolError::cancelled())
        } else {
            Ok(())
        }
    }

    /// The present time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Where the time comes from.
    pub fn clock(&self) -> Clock {
        self.inner.clock
    }

    /// A fresh id: `prefix_` and 16 hex digits.
    pub fn new_id(&self, prefix: &str) -> String {
        random_id(prefix)
    }

    /// Id of this run.
    pub fn run_id(&self) -> &str {
        &self.inner.run_id
    }

    /// Id that ties log lines, errors and events of this run together.
    pub fn trace_id(&self) -> &str {
        &self.inner.trace_id
    }

    /// The policy in force, after `onejob.toml` and flags.
    pub fn policy(&self) -> &Policy {
        &self.inner.definition.policy
    }

    /// The tool's definition.
    pub fn definition(&self) -> &Definition {
        &self.inner.definition
    }

    /// All settings.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// An environment variable or `.env` entry; empty counts as unset.
    pub fn env(&self, name: &str) -> Option<String> {
        self.inner.config.env(name)
    }

    /// A secret by name; kind `config` when it is not set.
    pub fn secret(&self, name: &str) -> ToolResult<Secret> {
        self.inner.config.secret(name)
    }

    /// The settings of this tool: `[tools.NAME.settings]` of `onejob.toml`; the default without them.
    pub fn tool_settings<T: DeserializeOwned + Default>(&self) -> ToolResult<T> {
        self.inner.config.tool_settings(&self.inner.definition.name)
    }

    /// The settings of a provider: `[providers.NAME]` of `onejob.toml`; the default without them.
    pub fn provider_settings<T: DeserializeOwned + Default>(&self, provider: &str) -> ToolResult<T> {
        self.inner.config.provider_settings(provider)
    }

    /// The checkpoint of this tool for one job.
    pub fn checkpoint(&self, key: &str) -> ToolResult<Checkpoint> {
        Checkpoint::open(self.state_dir()?, &self.inner.definition.name, key)
    }

    /// The state directory of the host; kind `config` when there is none.
    pub fn state_dir(&self) -> ToolResult<&Path> {
        self.inner.state_dir.as_deref().ok_or_else(|| {
            ToolError::config("there is no state directory")
                .hint("set ONEJOB_STATE_DIR to a directory that this user may write")
        })
    }

    /// What a provider keeps once per run (a client with its pool): made by the first who asks, shared by all.
    ///
    /// Fails as `make` fails; then the next one tries again.
    pub fn once<T: Clone + Send + Sync + 'static>(
        &self,
        make: impl FnOnce() -> ToolResult<T>,
    ) -> ToolResult<T> {
        let kept = |found: &Arc<dyn Any + Send + Sync>| found.downcast_ref::<T>().cloned();
        if let Some(value) = lock(&self.inner.once).get(&TypeId::of::<T>()).and_then(kept) {
            return Ok(value);
        }
        // Not under the lock: making one may itself ask for another.
        let made = make()?;
        let mut once = lock(&self.inner.once);
        let entry = once
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(made.clone()));
        Ok(kept(entry).unwrap_or(made))
    }

    /// Files made so far.
    pub fn artifacts(&self) -> Vec<Artifact> {
        lock(&self.inner.artifacts).clone()
    }

    /// Adds to the count of handled items in run log and metrics.
    pub fn count_items(&self, items: u64) {
        self.inner.items.fetch_add(items, Ordering::Relaxed);
    }

    /// A line for log and job. Must not hold secrets or message texts.
    pub fn info(&self, message: impl Into<String>) {
        let message = message.into();
        self.hidden_bar(|| tracing::info!("{}", text::visible_line(&message)));
        self.inner.emitter.emit(EventBody::Log {
            level: LogLevel::Info,
            message,
        });
    }

    /// A warning for log and job. Must not hold secrets or message texts.
    pub fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        self.hidden_bar(|| tracing::warn!("{}", text::visible_line(&message)));
        self.inner.emitter.emit(EventBody::Log {
            level: LogLevel::Warn,
            message,
        });
    }

    /// Whether `--json` was given; without it JSON is also printed where stdout is no terminal.
    pub fn json_asked(&self) -> bool {
        self.inner.json_asked
    }

    /// Whether the result is printed as JSON: asked for, or because stdout is no terminal.
    pub fn prints_json(&self) -> bool {
        self.inner.json
    }

    /// Says that this run stands for another program whose output is on stdout already: a result prints nothing
    /// more, and the process ends with that program's exit code.
    pub fn stands_for(&self, exit: u8) {
        *lock(&self.inner.stands_for) = Some(exit);
    }

    /// Prints a part of a long-running tool's result while it runs: as text for people, else as one JSON line.
    pub fn stream(&self, value: &serde_json::Value, text: &str) {
        let line = if self.inner.json {
            format!("{value}\n")
        } else {
            text::visible(text).into_owned()
        };
        // Trouble here is met again, and told, when the result itself is written.
        self.hidden_bar(|| drop(crate::stdout::write(&line)));
    }

    /// Tells systemd that a long-running tool is up.
    pub fn notify_ready(&self) {
        // Without a notify socket there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    fn hidden_bar(&self, act: impl FnOnce()) {
        match &self.inner.bar {
            // A bar that has shown nothing yet would be drawn by this.
            Some(bar) if !bar.prefix().is_empty() => bar.suspend(act),
            _ => act(),
        }
    }
}
