//! Settings: `onejob.toml`, `.env`, and secrets.
//!
//! Looked for in `$ONEJOB_CONFIG_DIR`, `./shared-config`, then `/etc/onejob`. An empty variable counts as unset.

mod dotenv;
pub mod onejob_toml;
mod prices;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

pub use prices::{ImageTokens, Price, Prices, Tier, TokenCount};

use crate::contract::{Secret, ToolError, ToolResult, schema, settings::Settings};

/// All settings of a run. Reading is lazy: a run that asks for nothing opens no file but `.env`.
#[derive(Debug)]
pub struct Config {
    dirs: Vec<PathBuf>,
    dotenv: HashMap<String, String>,
    warnings: Vec<String>,
    settings: OnceLock<Settings>,
}

impl Config {
    /// Finds the configuration directories and reads `.env` in the working directory.
    pub fn load() -> ToolResult<Self> {
        let mut dirs = Vec::new();
        if let Some(dir) = process_env("ONEJOB_CONFIG_DIR") {
            let dir = PathBuf::from(dir);
            if !dir.is_dir() {
                return Err(ToolError::config(format!(
                    "`ONEJOB_CONFIG_DIR` names `{}`, which is not a directory",
                    dir.display()
                )));
            }
            dirs.push(dir);
        }
        dirs.extend(
            ["shared-config", "/etc/onejob"]
                .map(PathBuf::from)
                .into_iter()
                .filter(|d| d.is_dir()),
        );
        let (dotenv, warnings) = dotenv::read(Path::new(".env"));
        Ok(Self {
            dirs,
            dotenv,
            warnings,
            settings: OnceLock::new(),
        })
    }

    /// What was left out of `.env`, for the log.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// An environment variable, else the entry of that name in `.env`. Empty counts as unset.
    ///
    /// A variable that names programs, folders of programs or what a program may reach is taken from the real
    /// environment only: a `.env` lies in the working directory, which may come from a stranger.
    pub fn env(&self, name: &str) -> Option<String> {
        process_env(name).or_else(|| {
            let entry = self.dotenv.get(name).filter(|v| !v.is_empty())?;
            if real_environment_only(name) {
                tracing::warn!("`{name}` in `.env` is not used: it is taken from the real environment only");
                return None;
            }
            Some(entry.clone())
        })
    }

    /// Names in `.env` that are not used, because they are taken from the real environment only.
    pub fn unused_dotenv(&self) -> Vec<String> {
        let mut names: Vec<_> = self
            .dotenv
            .keys()
            .filter(|n| real_environment_only(n))
            .cloned()
            .collect();
        names.sort();
        names
    }

    /// A secret: the systemd credential of that name, the environment, `.env`.
    ///
    /// Fails with kind `config`, naming the variable, when it is nowhere.
    pub fn secret(&self, name: &str) -> ToolResult<Secret> {
        self.find_secret(name)?.ok_or_else(|| {
            ToolError::config(format!("`{name}` is not set"))
                .code("missing_secret")
                .hint(format!("put `{name}=...` into the environment or `.env`, or give it to the unit with LoadCredential"))
        })
    }

    /// Like [`Config::secret`], but `None` when it is nowhere.
    pub fn find_secret(&self, name: &str) -> ToolResult<Option<Secret>> {
        if let Some(dir) = process_env("CREDENTIALS_DIRECTORY") {
            let path = Path::new(&dir).join(name);
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    let text = text.trim_end_matches(['\r', '\n']);
                    if !text.is_empty() {
                        return Ok(Some(Secret::new(text)));
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(ToolError::file("read the credential", &path, &error)),
            }
        }
        Ok(self.env(name).map(Secret::new))
    }

    /// The content of `onejob.toml`, checked; the defaults when there is none.
    ///
    /// Fails with kind `config`, naming file and line of every mistake.
    pub fn settings(&self) -> ToolResult<&Settings> {
        if let Some(settings) = self.settings.get() {
            return Ok(settings);
        }
        let settings = match self.find_file("onejob.toml") {
            None => Settings::default(),
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|e| ToolError::file("read", &path, &e))?;
                onejob_toml::parse(&text, &path)?
            }
        };
        Ok(self.settings.get_or_init(|| settings))
    }

    /// `[tools.NAME.settings]` of a tool; the default without them.
    pub fn tool_settings<T: DeserializeOwned + Default>(&self, tool: &str) -> ToolResult<T> {
        match self.settings()?.tools.get(tool) {
            None => Ok(T::default()),
            Some(section) => decode(&section.settings, &format!("tools.{tool}.settings")),
        }
    }

    /// `[providers.NAME]`; the default without it.
    pub fn provider_settings<T: DeserializeOwned + Default>(&self, provider: &str) -> ToolResult<T> {
        match self.settings()?.providers.get(provider) {
            None => Ok(T::default()),
            Some(section) => decode(section, &format!("providers.{provider}")),
        }
    }

    /// The value at a dotted key of the settings, for fields that name one (`x-cli.config`); `None` when absent.
    pub fn value_at(&self, key: &str) -> ToolResult<Option<Value>> {
        let settings = serde_json::to_value(self.settings()?).unwrap_or_default();
        let mut value = &settings;
        for part in key.split('.') {
            match value.get(part) {
                Some(inner) => value = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(value.clone()))
    }

    /// Refuses a `[tools.NAME]` section that looks like a slip of this tool's name: its settings would count for
    /// nothing, and nobody would notice.
    pub fn check_slips(&self, tool: &str) -> ToolResult<()> {
        let settings = self.settings()?;
        let slip = settings
            .tools
            .keys()
            .find(|name| *name != tool && schema::is_slip(tool, name));
        match slip {
            Some(slip) if !settings.tools.contains_key(tool) => Err(ToolError::config(format!(
                "`[tools.{slip}]` in onejob.toml is not a tool; did you mean `[tools.{tool}]`?"
            ))
            .code("invalid_settings")
            .hint("`onejob config check` looks through the whole file")),
            _ => Ok(()),
        }
    }

    /// The first directory's file of that name.
    pub fn find_file(&self, name: &str) -> Option<PathBuf> {
        self.dirs
            .iter()
            .map(|dir| dir.join(name))
            .find(|path| path.is_file())
    }

    /// Whether a file of the configuration is the operator's: named by `ONEJOB_CONFIG_DIR` or below `/etc/onejob`, not
    /// merely found in the working directory. Only such a file may name programs.
    pub fn is_operators(&self, file: &Path) -> bool {
        let folder = file.parent().unwrap_or(Path::new("."));
        let named = process_env("ONEJOB_CONFIG_DIR").map(PathBuf::from);
        let operators = named.into_iter().chain([PathBuf::from("/etc/onejob")]);
        match std::fs::canonicalize(folder) {
            Ok(folder) => operators
                .filter_map(|dir| std::fs::canonicalize(dir).ok())
                .any(|dir| dir == folder),
            Err(_) => false,
        }
    }

    /// Prices of paid models: `prices.toml` of the configuration, else the list this version ships.
    pub fn prices(&self) -> ToolResult<Prices> {
        match self.find_file("prices.toml") {
            None => Prices::shipped(),
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|e| ToolError::file("read", &path, &e))?;
                Prices::parse(&text)
                    .map_err(|message| ToolError::config(format!("`{}`: {message}", path.display())))
            }
        }
    }
}

/// Settings of `ONEJOB_*` that name no program and widen nothing, so that `.env` may hold them.
const HARMLESS: [&str; 4] = [
    "ONEJOB_METRICS_DIR",
    "ONEJOB_LOG",
    "ONEJOB_LOG_FORMAT",
    "ONEJOB_CLOCK",
];

/// Whether a variable decides which programs run, or what they may reach.
fn real_environment_only(name: &str) -> bool {
    let steers = ["LD_", "PYTHON", "GIT_", "NODE_"]
        .iter()
        .any(|p| name.starts_with(p));
    let program = [
        "_BIN",
        "_PROGRAM",
        "_COMMAND",
        "_INTERPRETER",
        "_EXECUTABLE",
        "_PROXY",
    ]
    .iter()
    .any(|s| name.ends_with(s));
    name == "PATH"
        || name == "SHELL"
        || steers
        || program
        || (name.starts_with("ONEJOB_") && !HARMLESS.contains(&name))
}

/// A process variable; empty counts as unset.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn decode<T: DeserializeOwned>(section: &Map<String, Value>, key: &str) -> ToolResult<T> {
    serde_json::from_value(Value::Object(section.clone())).map_err(|error| {
        ToolError::config(format!("`{key}` in onejob.toml: {error}")).code("invalid_settings")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotenv_names_no_program_and_lifts_no_guard() {
        let entries = [
            "ONEJOB_TOOLS_DIR",
            "ONEJOB_CHROMIUM",
            "ONEJOB_ALLOW_PRIVATE",
            "PATH",
            "FFMPEG_BIN",
            "LD_PRELOAD",
        ];
        let plain = ["ONEJOB_TEST_PLAIN_NAME_IS_NOT_SET", "SMTP_TEST_NAME"];
        let mut dotenv: HashMap<String, String> = entries
            .iter()
            .map(|n| ((*n).to_owned(), "./x".to_owned()))
            .collect();
        dotenv.insert(plain[1].to_owned(), "mail".to_owned());
        dotenv.insert("ONEJOB_METRICS_DIR".to_owned(), "m".to_owned());
        let config = Config {
            dirs: Vec::new(),
            dotenv,
            warnings: Vec::new(),
            settings: OnceLock::new(),
        };
        for name in entries {
            assert_eq!(config.env(name), process_env(name), "{name}");
        }
        assert_eq!(config.env(plain[1]).as_deref(), Some("mail"));
        assert_eq!(config.env("ONEJOB_METRICS_DIR").as_deref(), Some("m"));
        assert_eq!(config.unused_dotenv().len(), entries.len());
    }
}
