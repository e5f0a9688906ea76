//! Opening the job manager, and the handle every face works with.

use std::{
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use app_core::{
    config::Config,
    contract::{ToolError, ToolResult},
};
use tokio::sync::oneshot;

use crate::{
    actor::{Actor, Parts},
    executor::Place,
    message::{Close, Message},
    owner::{self, Owner},
    poke::{self, Pokes},
    registry::Registry,
    settings::Settings,
    store::Store,
};

/// What a process does with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs every job that nobody keeps for himself. One per store; a second gets an error of kind `locked`.
    Worker,
    /// Runs the jobs it starts itself, within the limits all processes share.
    Foreground,
    /// Runs nothing: its jobs wait for the worker.
    Client,
}

/// How to open a job manager.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the store; made if it is not there.
    pub state_dir: PathBuf,
    /// Folder of the tools.
    pub tools_dir: PathBuf,
    /// Sections of `onejob.toml`.
    pub settings: Settings,
    /// What this process does.
    pub role: Role,
    /// Folder for the Prometheus textfile of runs of replaced scripts; none are written without it.
    pub metrics_dir: Option<PathBuf>,
}

impl Options {
    /// Tools from `ONEJOB_TOOLS_DIR`, or from beside the running executable; settings from `onejob.toml`.
    pub fn from_config(config: &Config, state_dir: impl Into<PathBuf>, role: Role) -> ToolResult<Self> {
        let tools_dir = match config.env("ONEJOB_TOOLS_DIR") {
            Some(dir) => PathBuf::from(dir),
            None => std::env::current_exe()
                .ok()
                .and_then(|exe| Some(exe.parent()?.to_owned()))
                .ok_or_else(|| {
                    ToolError::config("cannot find the folder of the tools").hint("set ONEJOB_TOOLS_DIR")
                })?,
        };
        let settings = Settings::from_config(config)?;
        Ok(Self {
            state_dir: state_dir.into(),
            tools_dir,
            settings,
            role,
            metrics_dir: config.env("ONEJOB_METRICS_DIR").map(PathBuf::from),
        })
    }
}

/// A handle on the job manager; cheap to clone. When the last one is dropped its running jobs are stopped.
#[derive(Clone)]
pub struct JobManager {
    shared: Arc<Shared>,
}

struct Shared {
    inbox: mpsc::Sender<Message>,
    registry: Registry,
    state_dir: PathBuf,
    role: Role,
    name: String,
    plan_age: Duration,
    poked: tokio::task::JoinHandle<()>,
}

impl JobManager {
    /// Opens the store and starts the one task that owns it. Needs a running tokio runtime.
    pub fn open(options: Options) -> ToolResult<Self> {
        let Options {
            state_dir,
            tools_dir,
            settings,
            role,
            metrics_dir,
        } = options;
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| ToolError::internal("the job manager needs a tokio runtime"))?;
        for dir in [
            state_dir.clone(),
            state_dir.join("logs"),
            state_dir.join("owners"),
            state_dir.join("pokes"),
        ] {
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&dir)
                .map_err(|e| ToolError::file("make", &dir, &e))?;
        }
        let state_dir =
            std::path::absolute(&state_dir).map_err(|e| ToolError::file("find", &state_dir, &e))?;
        let worker = if role == Role::Worker {
            Some(owner::become_worker(&state_dir)?)
        } else {
            None
        };
        let owners_dir = state_dir.join("owners");
        let owner = Owner::new(&owners_dir, role != Role::Client)?;
        let name = owner.name.clone();
        let store = Store::open(&state_dir.join("jobs.sqlite3"))?;
        let pokes = Pokes::open(&state_dir.join("pokes"), &name)?;
        let registry = Registry::open(tools_dir, state_dir.join("registry.json"), settings.clone())?;
        let (own, inbox) = mpsc::channel();
        let poked = runtime.spawn(pass_pokes_on(pokes.receiver()?, own.clone()));
        let plan_max_age_s = settings.jobs.plan_max_age_s;
        let place = Place {
            state_dir: state_dir.clone(),
            owner: name.clone(),
            log_bytes: settings.jobs.log_bytes,
            metrics_dir,
        };
        let actor = Actor::new(Parts {
            store,
            role,
            owner,
            worker,
            place,
            owners_dir,
            limits: settings.limits(),
            jobs: settings.jobs,
            registry: registry.clone(),
            pokes,
            runtime,
            inbox,
            own: own.clone(),
        });
        std::thread::Builder::new()
            .name("jobs".to_owned())
            .spawn(move || actor.run())
            .map_err(|e| ToolError::internal(format!("cannot start a thread: {e}")))?;
        Ok(Self {
            shared: Arc::new(Shared {
                inbox: own,
                registry,
                state_dir,
                role,
                name,
                plan_age: Duration::from_secs(plan_max_age_s),
                poked,
            }),
        })
    }

    /// Takes no more jobs and ends. Returns when every job it ran is over or back in the queue.
    pub async fn close(&self, how: Close) {
        let (done, closed) = oneshot::channel();
        if self.shared.inbox.send(Message::Close(how, Some(done))).is_ok() {
            // An error means that it has ended, which is what was asked for.
            drop(closed.await);
        }
    }

    /// Folder of the store.
    pub fn state_dir(&self) -> &Path {
        &self.shared.state_dir
    }

    /// What this process does with the store.
    pub fn role(&self) -> Role {
        self.shared.role
    }

    /// Name of this process among those that share the store.
    pub(crate) fn name(&self) -> &str {
        &self.shared.name
    }

    /// How long a plan can be carried out after it was made.
    pub(crate) fn plan_age(&self) -> Duration {
        self.shared.plan_age
    }

    pub(crate) fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// Has the actor do something; answers once it is on disk.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Actor) -> ToolResult<T> + Send + 'static,
    ) -> ToolResult<T> {
        let gone = || ToolError::internal("the job manager has ended");
        let (reply, answer) = oneshot::channel();
        let call = Message::Call(Box::new(move |actor: &mut Actor| {
            let result = act(actor);
            Box::new(move |written: ToolResult<()>| {
                // Whoever asked may have gone.
                drop(reply.send(result.and_then(|value| written.map(|()| value))));
            })
        }));
        self.shared.inbox.send(call).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.poked.abort();
        // It may have been closed before.
        drop(self.inbox.send(Message::Close(Close::Stop, None)));
    }
}

async fn pass_pokes_on(socket: tokio::net::UnixDatagram, inbox: mpsc::Sender<Message>) {
    let mut buffer = [0; 8];
    while socket.recv(&mut buffer).await.is_ok() {
        let mut everything = buffer[0] != poke::FOLLOWERS;
        // Many pokes are one.
        while socket.try_recv(&mut buffer).is_ok() {
            everything |= buffer[0] != poke::FOLLOWERS;
        }
        if inbox.send(Message::Poke { everything }).is_err() {
            return;
        }
    }
}
