//! What the subcommands take.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what `apply` would write, remove and print; touches nothing.
    Plan(#[garde(dive)] Host),
    /// Write the units of every entry and remove those of entries that are gone.
    Apply(#[garde(dive)] Host),
    /// Remove every unit that was written by `apply`.
    Remove(#[garde(dive)] Host),
    /// Have systemd itself judge the units in a folder of their own: mistakes, and how exposed each service is.
    Check(#[garde(dive)] Host),
}

impl Input {
    pub(crate) const fn host(&self) -> &Host {
        match self {
            Self::Plan(host) | Self::Apply(host) | Self::Remove(host) | Self::Check(host) => host,
        }
    }
}

/// Where the units go, and what they run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Host {
    /// File with the entries; without it `schedule.toml` of the configuration.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "s", "path": "file", "exists": true}))]
    pub(crate) schedule: Option<PathBuf>,
    /// Units of the user's own manager, below ~/.config/systemd/user.
    #[serde(default)]
    pub(crate) user: bool,
    /// Folder that stands for `/` of the host, for example of an image that is being built.
    #[serde(default = "slash")]
    #[schemars(extend("x-cli" = {"path": "dir"}))]
    pub(crate) root: PathBuf,
    /// Folder of the tools on the host that runs them.
    #[serde(default = "bin_dir")]
    pub(crate) bin_dir: PathBuf,
    /// Folder of onejob.toml, sites.yml and the like on that host; its `credentials` holds the secrets, a file each.
    #[serde(default = "config_dir")]
    pub(crate) config_dir: PathBuf,
}

fn slash() -> PathBuf {
    "/".into()
}

fn bin_dir() -> PathBuf {
    "/usr/local/bin".into()
}

fn config_dir() -> PathBuf {
    "/etc/onejob".into()
}
