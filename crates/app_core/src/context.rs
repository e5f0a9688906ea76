//! What the harness hands to a tool: clock, cancellation, progress, files, settings, money.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    contract::{
        Artifact, Definition, EventBody, LogLevel, Mode, Policy, Progress, Secret, ToolError, ToolResult, Usd,
    },
    files::PendingArtifact,
    harness::Emitter,
    state::{BudgetLimits, Checkpoint, Ledger},
};

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// Always this time (`ONEJOB_CLOCK`), for reproducible runs.
    Fixed(Timestamp),
}

impl Clock {
    /// The present time.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(at) => at,
        }
    }
}

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
    #[cfg(feature = "http")]
    pub(crate) http: std::sync::OnceLock<crate::providers::http::Http>,
}

/// A panic elsewhere must not hide what was recorded so far.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `prefix_` and 16 random hex digits.
pub(crate) fn random_id(prefix: &str) -> String {
    let mut bytes = [0_u8; 8];
    if getrandom::fill(&mut bytes).is_err() {
        // Without a random source, time and pid still tell runs of one host apart.
        let mixed = Timestamp::now().as_nanosecond() as u64 ^ (u64::from(std::process::id()) << 40);
        bytes = mixed.to_be_bytes();
    }
    format!("{prefix}_{}", hex::encode(bytes))
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
        Ok(Self::new(Inner {
            definition,
            mode: Mode::Apply,
            clock: Clock::System,
            run_id: random_id("run"),
            trace_id: random_id("trace"),
            state_dir: Some(dir.to_owned()),
            config: Config::load()?,
            emitter: Emitter::silent(),
            json: true,
            json_asked: false,
            stands_for: Mutex::default(),
            bar: None,
            cancel: CancellationToken::new(),
            cooperative: AtomicBool::new(false),
            artifacts: Mutex::default(),
            pending: Mutex::default(),
            cost: Mutex::default(),
            items: AtomicU64::new(0),
            #[cfg(feature = "http")]
            http: std::sync::OnceLock::new(),
        }))
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

    /// A decoded value of `onejob.toml`.
    pub fn setting<T: DeserializeOwned>(&self, key: &str) -> ToolResult<Option<T>> {
        self.inner.config.onejob(key)
    }

    /// The state directory of the host; kind `config` when there is none.
    pub fn state_dir(&self) -> ToolResult<&Path> {
        self.inner.state_dir.as_deref().ok_or_else(|| {
            ToolError::config("there is no state directory")
                .hint("set ONEJOB_STATE_DIR to a directory that this user may write")
        })
    }

    /// The ledger of the host, with the limits of `onejob.toml` (`[budget]`) and `DAILY_BUDGET_USD`.
    pub fn ledger(&self) -> ToolResult<Ledger> {
        let mut limits: BudgetLimits = self.setting("budget")?.unwrap_or_default();
        if let Some(text) = self.env("DAILY_BUDGET_USD") {
            let daily: Usd = text.parse().map_err(|message: String| {
                ToolError::config(format!("`DAILY_BUDGET_USD`: {message}")).code("invalid_daily_budget")
            })?;
            if daily <= Usd::ZERO {
                return Err(
                    ToolError::config("`DAILY_BUDGET_USD` must be above 0").code("invalid_daily_budget")
                );
            }
            limits.daily_usd = Some(daily);
        }
        Ledger::open(self.state_dir()?, limits)
    }

    /// The checkpoint of this tool for one job.
    pub fn checkpoint(&self, key: &str) -> ToolResult<Checkpoint> {
        Checkpoint::open(self.state_dir()?, &self.inner.definition.name, key)
    }

    /// Starts a stage of the run. `unit` names what is counted.
    pub fn progress(&self, stage: &str, unit: &str, total: Option<u64>) -> ProgressBar {
        let bar = ProgressBar {
            context: self.clone(),
            state: Mutex::new(ProgressState {
                progress: Progress {
                    stage: stage.to_owned(),
                    done: 0,
                    total,
                    unit: unit.to_owned(),
                    message: String::new(),
                },
                shown: None,
            }),
        };
        bar.show(true);
        bar
    }

    /// Starts a file that appears at `path` whole, on commit, or not at all.
    pub fn create(
        &self,
        path: impl AsRef<Path>,
        media_type: &str,
        role: &str,
    ) -> ToolResult<PendingArtifact> {
        PendingArtifact::create(self.clone(), path.as_ref(), media_type, role)
    }

    /// Writes a whole file in one go.
    pub fn write(
        &self,
        path: impl AsRef<Path>,
        media_type: &str,
        role: &str,
        bytes: &[u8],
    ) -> ToolResult<Artifact> {
        let path = path.as_ref();
        let mut pending = self.create(path, media_type, role)?;
        std::io::Write::write_all(&mut pending, bytes).map_err(|e| ToolError::file("write", path, &e))?;
        pending.commit()
    }

    /// Reads a whole file of at most `max_bytes`.
    pub fn read(&self, path: impl AsRef<Path>, max_bytes: u64) -> ToolResult<Vec<u8>> {
        crate::files::read_limited(path.as_ref(), max_bytes)
    }

    /// Files made so far.
    pub fn artifacts(&self) -> Vec<Artifact> {
        lock(&self.inner.artifacts).clone()
    }

    /// Notes money spent by this run (the ledger is separate: settle the reservation there).
    pub fn cost(&self, usd: Usd, what: &str) {
        *lock(&self.inner.cost) += usd;
        self.inner.emitter.emit(EventBody::Cost {
            usd,
            what: what.to_owned(),
        });
    }

    /// Adds to the count of handled items in run log and metrics.
    pub fn count_items(&self, items: u64) {
        self.inner.items.fetch_add(items, Ordering::Relaxed);
    }

    /// A line for log and job. Must not hold secrets or message texts.
    pub fn info(&self, message: impl Into<String>) {
        let message = message.into();
        self.hidden_bar(|| tracing::info!("{message}"));
        self.inner.emitter.emit(EventBody::Log {
            level: LogLevel::Info,
            message,
        });
    }

    /// A warning for log and job. Must not hold secrets or message texts.
    pub fn warn(&self, message: impl Into<String>) {
        let message = message.into();
        self.hidden_bar(|| tracing::warn!("{message}"));
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
            text.to_owned()
        };
        // Trouble here is met again, and told, when the result itself is written.
        self.hidden_bar(|| drop(crate::harness::write_stdout(&line)));
    }

    /// Tells systemd that a long-running tool is up.
    pub fn notify_ready(&self) {
        // Without a notify socket there is nobody to tell.
        let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    }

    /// The HTTP client of this run.
    #[cfg(feature = "http")]
    pub fn http(&self) -> ToolResult<crate::providers::http::Http> {
        if let Some(http) = self.inner.http.get() {
            return Ok(http.clone());
        }
        let http = crate::providers::http::Http::for_context(self)?;
        Ok(self.inner.http.get_or_init(|| http).clone())
    }

    fn hidden_bar(&self, act: impl FnOnce()) {
        match &self.inner.bar {
            // A bar that has shown nothing yet would be drawn by this.
            Some(bar) if !bar.prefix().is_empty() => bar.suspend(act),
            _ => act(),
        }
    }
}

/// Progress of one stage. Updates are throttled; the first and the last always go out.
#[derive(Debug)]
pub struct ProgressBar {
    context: Context,
    state: Mutex<ProgressState>,
}

#[derive(Debug)]
struct ProgressState {
    progress: Progress,
    shown: Option<Instant>,
}

/// Shortest time between two progress events.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

impl ProgressBar {
    /// Adds to the count.
    pub fn inc(&self, count: u64) {
        lock(&self.state).progress.done += count;
        self.show(false);
    }

    /// Sets the count.
    pub fn set(&self, done: u64) {
        lock(&self.state).progress.done = done;
        self.show(false);
    }

    /// Sets the total once it is known.
    pub fn set_total(&self, total: u64) {
        lock(&self.state).progress.total = Some(total);
        self.show(false);
    }

    /// Sets the text for people.
    pub fn message(&self, text: impl Into<String>) {
        lock(&self.state).progress.message = text.into();
        self.show(false);
    }

    /// Ends the stage; shows the last state.
    pub fn finish(&self) {
        self.show(true);
    }

    fn show(&self, always: bool) {
        let mut state = lock(&self.state);
        if !always && state.shown.is_some_and(|at| at.elapsed() < PROGRESS_INTERVAL) {
            return;
        }
        state.shown = Some(Instant::now());
        let progress = state.progress.clone();
        drop(state);
        let inner = self.context.inner();
        if let Some(bar) = &inner.bar {
            draw(bar, &progress);
        }
        if inner.definition.long_running {
            let status = format!("{}: {} {}", progress.stage, progress.done, progress.unit);
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Status(&status)]);
        }
        inner.emitter.emit(EventBody::Progress(progress));
    }
}

fn draw(bar: &indicatif::ProgressBar, progress: &Progress) {
    let template = if progress.total.is_some() {
        "{prefix:>12.cyan} [{bar:30}] {pos}/{len} {msg} ({eta} left)"
    } else {
        "{prefix:>12.cyan} {spinner} {pos} {msg} ({elapsed})"
    };
    if bar.prefix() != progress.stage {
        if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(progress.stage.clone());
        bar.reset();
    }
    if let Some(total) = progress.total {
        bar.set_length(total);
    }
    bar.set_position(progress.done);
    bar.set_message(
        format!("{} {}", progress.unit, progress.message)
            .trim_end()
            .to_owned(),
    );
}
