//! What the subcommands take.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(tag = "action", rename_all = "snake_case")]
pub(crate) enum Input {
    /// Show what is wrong, what waits to be told, and what no channel would take.
    List(#[garde(dive)] List),
    /// Send what waits. Made for a timer; exit code 3 when a channel did not take something.
    Flush(#[garde(dive)] Flush),
    /// Send one test message over every channel; exit code 3 when one did not take it.
    Test(#[garde(dive)] Test),
    /// Tell nothing of one incident for a while. What still fails then is told then.
    Silence(#[garde(dive)] Silence),
    /// End a silence.
    Unsilence(#[garde(dive)] Unsilence),
    /// Tell that a systemd unit failed; made for `OnFailure=`.
    Unit(#[garde(dive)] Unit),
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct List {}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Flush {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Test {
    /// File of a tool that names its own channels under `alerts`; without it those of `onejob.toml`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "c", "path": "file", "exists": true}))]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Silence {
    /// The incident, as `alerts list` names it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) key: String,
    /// How long, for example `2h` or `90m`; at most 30 days.
    #[serde(rename = "for")]
    #[garde(length(min = 1))]
    pub(crate) duration: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Unsilence {
    /// The incident, as `alerts list` names it.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1))]
    pub(crate) key: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub(crate) struct Unit {
    /// Name of the unit, for example `n8n_backup.service`.
    #[schemars(extend("x-cli" = {"positional": 1}))]
    #[garde(length(min = 1, max = 255))]
    pub(crate) name: String,
    /// The unit belongs to the user's own manager.
    #[serde(default)]
    pub(crate) user: bool,
    /// File of a tool that names its own channels under `alerts`; without it those of `onejob.toml`.
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "c", "path": "file", "exists": true}))]
    pub(crate) config: Option<PathBuf>,
}
