//! Settings: `onejob.toml`, `.env`, the `config.yml` of the replaced scripts, and secrets.
//!
//! Looked for in `$ONEJOB_CONFIG_DIR`, `./shared-config`, then `/etc/onejob`. An empty variable counts as unset.

mod legacy_yaml;
mod prices;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use serde::de::DeserializeOwned;

pub use legacy_yaml::{ChatEntry, ChatKind, LegacyConfig};
pub use prices::{Price, Prices};

use crate::contract::{Secret, ToolError, ToolResult};

/// All settings of a run. Reading is lazy: a run that asks for nothing opens no file but `.env`.
#[derive(Debug)]
pub struct Config {
    dirs: Vec<PathBuf>,
    dotenv: HashMap<String, String>,
    onejob: OnceLock<toml::Table>,
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
        Ok(Self {
            dirs,
            dotenv: read_dotenv(Path::new(".env"))?,
            onejob: OnceLock::new(),
        })
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

    /// The value at a dotted key of `onejob.toml`, decoded; `None` when absent.
    pub fn onejob<T: DeserializeOwned>(&self, key: &str) -> ToolResult<Option<T>> {
        let table = self.onejob_table()?;
        let Some(value) = lookup(table, key) else {
            return Ok(None);
        };
        value
            .clone()
            .try_into()
            .map(Some)
            .map_err(|error: toml::de::Error| {
                ToolError::config(format!("`{key}` in onejob.toml: {}", error.message()))
            })
    }

    /// The whole of `onejob.toml`; empty when there is none.
    pub fn onejob_table(&self) -> ToolResult<&toml::Table> {
        if let Some(table) = self.onejob.get() {
            return Ok(table);
        }
        let table = match self.find_file("onejob.toml") {
            None => toml::Table::new(),
            Some(path) => {
                let text = std::fs::read_to_string(&path).map_err(|e| ToolError::file("read", &path, &e))?;
                text.parse().map_err(|error: toml::de::Error| {
                    ToolError::config(format!(
                        "`{}` is not valid TOML: {}",
                        path.display(),
                        error.message()
                    ))
                })?
            }
        };
        Ok(self.onejob.get_or_init(|| table))
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

    /// The `config.yml` of the replaced scripts: `./config.yml`, `../config.yml`, then the configuration directories.
    /// Warnings name entries that were skipped.
    pub fn legacy_yaml(&self) -> ToolResult<(LegacyConfig, Vec<String>)> {
        let path = ["config.yml", "../config.yml"]
            .map(PathBuf::from)
            .into_iter()
            .find(|p| p.is_file())
            .or_else(|| self.find_file("config.yml"));
        let text = match &path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|e| ToolError::file("read", path, &e))?,
        };
        LegacyConfig::parse(&text, &|name| self.env(name)).map_err(|message| {
            let name = path.map_or_else(|| "config.yml".to_owned(), |p| p.display().to_string());
            ToolError::config(format!("`{name}` is not valid YAML: {message}"))
        })
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
pub(crate) fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn lookup<'a>(table: &'a toml::Table, key: &str) -> Option<&'a toml::Value> {
    let mut parts = key.split('.');
    let mut value = table.get(parts.next()?)?;
    for part in parts {
        value = value.as_table()?.get(part)?;
    }
    Some(value)
}

fn read_dotenv(path: &Path) -> ToolResult<HashMap<String, String>> {
    if !path.is_file() {
        return Ok(HashMap::new());
    }
    let entries = dotenvy::from_path_iter(path).map_err(|error| {
        ToolError::config(format!(
            "cannot read `{}`: {}",
            path.display(),
            dotenv_cause(&error)
        ))
    })?;
    let mut map = HashMap::new();
    for entry in entries {
        let (name, value) = entry.map_err(|error| {
            ToolError::config(format!(
                "`{}` has a line that is not `NAME=value`: {}",
                path.display(),
                dotenv_cause(&error)
            ))
        })?;
        map.insert(name, value);
    }
    Ok(map)
}

/// The cause without the line itself: it may hold a secret.
fn dotenv_cause(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, position) => format!("at character {position} of the line"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_keys_reach_into_tables() {
        let table: toml::Table = "[budget]\ndaily_usd = 2.5\n[tools.x.policy]\ntimeout_s = 3"
            .parse()
            .unwrap();
        assert_eq!(
            lookup(&table, "budget.daily_usd").and_then(toml::Value::as_float),
            Some(2.5)
        );
        assert_eq!(
            lookup(&table, "tools.x.policy.timeout_s").and_then(toml::Value::as_integer),
            Some(3)
        );
        assert!(lookup(&table, "budget.daily_usd.more").is_none());
    }

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
            onejob: OnceLock::new(),
        };
        for name in entries {
            assert_eq!(config.env(name), process_env(name), "{name}");
        }
        assert_eq!(config.env(plain[1]).as_deref(), Some("mail"));
        assert_eq!(config.env("ONEJOB_METRICS_DIR").as_deref(), Some("m"));
        assert_eq!(config.unused_dotenv().len(), entries.len());
    }

    #[test]
    fn a_bad_dotenv_line_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".env");
        std::fs::write(&path, "GOOD=1\nTOKEN='hunter2\n").unwrap();
        let error = read_dotenv(&path).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Config);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
}
