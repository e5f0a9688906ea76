//! Registry v2: which tools there are.
//!
//! A tool is an executable that answers `--describe` with a definition of the contract. Nothing is registered by
//! hand: the folder is the list. Answers are kept by path, size and time of the file.

mod cache;
mod describe;

pub use app_core::contract::settings::is_tool_name;
use std::{collections::BTreeMap, path::PathBuf};

use app_core::contract::{Definition, ToolError, ToolResult};
use tokio::sync::{mpsc, oneshot};

use crate::{
    fallback::{self, Reason},
    settings::{LegacySection, Settings},
    wire::{Route, ToolEntry},
};
use cache::{Cache, Stamp, Version};
pub use describe::{describe, describe_all};

/// A tool that is ready to run.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub definition: Definition,
    pub route: Route,
    /// The binary, or the script.
    pub path: PathBuf,
    /// Set with route `legacy`.
    pub legacy: Option<(LegacySection, Reason)>,
    /// Whether the script stands in for a tool that there is, or was.
    pub stands_in: bool,
}

type Reply<T> = oneshot::Sender<ToolResult<T>>;

enum Question {
    List(Reply<Vec<ToolEntry>>),
    Resolve(String, Reply<Resolved>),
}

/// A way to ask the registry, which lives on a thread of its own because it waits for processes.
#[derive(Clone)]
pub(crate) struct Registry {
    questions: mpsc::UnboundedSender<Question>,
}

impl Registry {
    /// Starts the registry over one folder of tools. It ends with its last asker.
    pub(crate) fn open(tools_dir: PathBuf, cache_file: PathBuf, settings: Settings) -> ToolResult<Self> {
        let (questions, mut asked) = mpsc::unbounded_channel();
        let mut shelf = Shelf {
            tools_dir,
            cache: Cache::load(cache_file),
            read: settings.source.as_deref().and_then(Version::of),
            settings,
        };
        std::thread::Builder::new()
            .name("registry".to_owned())
            .spawn(move || {
                while let Some(question) = asked.blocking_recv() {
                    match question {
                        // An asker that has gone away needs no answer.
                        Question::List(reply) => drop(reply.send(shelf.list())),
                        Question::Resolve(name, reply) => drop(reply.send(shelf.resolve(&name))),
                    }
                }
            })
            .map_err(|e| ToolError::internal(format!("cannot start a thread: {e}")))?;
        Ok(Self { questions })
    }

    /// Every tool, by name.
    pub(crate) async fn list(&self) -> ToolResult<Vec<ToolEntry>> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::List(reply), answer).await
    }

    /// One tool, as it is at this moment.
    pub(crate) async fn resolve(&self, name: &str) -> ToolResult<Resolved> {
        let (reply, answer) = oneshot::channel();
        self.ask(Question::Resolve(name.to_owned(), reply), answer).await
    }

    async fn ask<T>(&self, question: Question, answer: oneshot::Receiver<ToolResult<T>>) -> ToolResult<T> {
        let gone = || ToolError::internal("the registry has ended");
        self.questions.send(question).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// The folder, what is known of it, and the configuration.
struct Shelf {
    tools_dir: PathBuf,
    cache: Cache,
    settings: Settings,
    /// Which state of the file the settings are of.
    read: Option<Version>,
}

impl Shelf {
    /// Reads `onejob.toml` again when it has changed, so that a route holds from the next job on, also in a worker
    /// that has been running for weeks. A file that cannot be read changes nothing.
    fn refresh(&mut self) {
        let Some(path) = self.settings.source.clone() else {
            return;
        };
        let version = Version::of(&path);
        if version.is_none() || version == self.read {
            return;
        }
        self.read = version;
        let text = std::fs::read_to_string(&path).map_err(|e| ToolError::file("read", &path, &e));
        match text.and_then(|text| self.settings.reread(&text, &path)) {
            Ok(settings) => {
                tracing::info!(path = %path.display(), "the settings have changed");
                self.settings = settings;
            }
            Err(error) => tracing::error!("the settings before hold on: {error}"),
        }
    }

    fn list(&mut self) -> ToolResult<Vec<ToolEntry>> {
        self.refresh();
        let mut candidates = Vec::new();
        let entries = std::fs::read_dir(&self.tools_dir).map_err(|e| {
            ToolError::file("read", &self.tools_dir, &e)
                .hint("ONEJOB_TOOLS_DIR names the folder of the tools")
        })?;
        for entry in entries.flatten() {
            let path = entry.path();
            let named = entry.file_name().to_str().is_some_and(is_tool_name);
            if let Some(stamp) = named.then(|| Stamp::of(&path)).flatten() {
                candidates.push((path, stamp));
            }
        }
        candidates.sort();
        self.cache.keep_only(&self.tools_dir, &candidates);
        let unknown = candidates
            .iter()
            .filter(|(path, stamp)| self.cache.get(path, *stamp).is_none());
        for (path, stamp, definition) in describe::all(unknown.cloned().collect()) {
            self.cache.put(path, stamp, definition);
        }
        self.save_cache();

        let mut found: BTreeMap<String, (Definition, PathBuf)> = BTreeMap::new();
        for (path, stamp) in candidates {
            if let Some(Some(definition)) = self.cache.get(&path, stamp) {
                found.insert(definition.name.clone(), (definition.clone(), path));
            }
        }
        let mut tools = BTreeMap::new();
        for name in found.keys().chain(self.settings.legacy.keys()) {
            let binary = found.get(name);
            match self.with_route(name, binary.cloned()) {
                Ok(resolved) => {
                    let Resolved {
                        definition,
                        route,
                        path,
                        ..
                    } = resolved;
                    let entry = ToolEntry {
                        definition,
                        route,
                        path,
                    };
                    tools.insert(name.clone(), entry);
                }
                // A script that is switched off is no tool that can be started.
                Err(error) if binary.is_none() => tracing::debug!(tool = name, "not listed: {error}"),
                Err(error) => tracing::warn!(tool = name, "not listed: {error}"),
            }
        }
        Ok(tools.into_values().collect())
    }

    fn resolve(&mut self, name: &str) -> ToolResult<Resolved> {
        self.refresh();
        // A name is a name: with a separator or dots in it, it would be a path out of the folder.
        if !is_tool_name(name) {
            return Err(no_such_name(name));
        }
        let path = self.tools_dir.join(name);
        let mut binary = None;
        if let Some(stamp) = Stamp::of(&path) {
            if self.cache.get(&path, stamp).is_none() {
                let definition = describe::one(&path);
                self.cache.put(path.clone(), stamp, definition);
                self.save_cache();
            }
            binary = self
                .cache
                .get(&path, stamp)
                .and_then(Option::as_ref)
                .map(|d| (d.clone(), path));
        }
        self.with_route(name, binary)
    }

    /// A cache that cannot be written, on a full disk for example, costs time and nothing else.
    fn save_cache(&mut self) {
        if let Err(e) = self.cache.save() {
            tracing::warn!("what the tools say of themselves is asked again next time: {e}");
        }
    }

    fn with_route(&self, name: &str, binary: Option<(Definition, PathBuf)>) -> ToolResult<Resolved> {
        let (route, reason) = fallback::decide(name, binary.is_some(), &self.settings)?;
        let script = self.settings.legacy.get(name);
        let mut resolved = match (route, binary, script, reason) {
            (Route::Rust, Some((definition, path)), ..) => Resolved {
                definition,
                route,
                path,
                legacy: None,
                stands_in: false,
            },
            (Route::Legacy, binary, Some(script), Some(reason)) => Resolved {
                stands_in: binary.is_some() || self.cache.was_there(name),
                // The binary's definition is the better one where there is a binary.
                definition: match binary {
                    None => fallback::definition(name, script),
                    Some((mut definition, _)) => {
                        fallback::apply(&mut definition, script);
                        definition
                    }
                },
                route,
                path: script.script.clone(),
                legacy: Some((script.clone(), reason)),
            },
            _ => return Err(ToolError::internal(format!("no route to tool `{name}`"))),
        };
        resolved.definition.policy = self.settings.policy(name, resolved.definition.policy)?;
        Ok(resolved)
    }
}

fn no_such_name(name: &str) -> ToolError {
    ToolError::not_found(format!(
        "no tool `{}`: that is not the name of one",
        name.escape_debug()
    ))
    .from_source("registry")
    .hint("a tool is named by lower-case letters, digits and underscores; `onejob list_tools` shows them")
}
