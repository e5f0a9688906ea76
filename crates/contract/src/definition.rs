//! What a tool says of itself: `--describe`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Policy;

/// Value of `contract` in the description this version writes.
pub const CONTRACT: &str = "onejob.tool.v1";

/// What a run can do to the world outside its own output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Reads files or far sides.
    Reads,
    /// Writes local files.
    WritesFiles,
    /// A person sees it.
    Sends,
    /// Changes something on a far side.
    ChangesRemote,
    /// Deletes something that it did not make.
    Deletes,
    /// Costs money.
    Spends,
}

/// When a run only plans unless `--apply` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Acts at once; `--dry-run` plans.
    #[default]
    Direct,
    /// Plans unless `--apply` is given.
    PlanFirst,
    /// Depends on the input: several or computed targets plan first, one explicit target acts at once.
    ByInput,
}

/// An environment variable a tool reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// What it is for.
    pub help: String,
    /// Whether it is a secret (also looked for in the systemd credentials directory).
    pub secret: bool,
    /// Whether the tool cannot work without it.
    pub required: bool,
}

/// A command line that works; the tests run it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// What it shows.
    pub about: String,
    /// Arguments after the program name. Files lie in the tool's `examples/` folder;
    /// `https://site.example` stands for a web site that serves that folder.
    pub args: Vec<String>,
    /// Exit code it ends with.
    pub exit: u8,
    /// The same as an input, for forms; filled by the harness. `None` where the arguments are not an input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
}

/// What one action of a tool with several can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ActionEffects {
    /// What a run can do to the world.
    pub effects: BTreeSet<Effect>,
    /// When it only plans.
    pub gate: Gate,
}

/// A tool as every face sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// Always [`CONTRACT`].
    pub contract: String,
    /// Name of package and binary.
    pub name: String,
    /// Folder below `bins/`.
    pub family: String,
    /// One line for the catalogue.
    pub summary: String,
    /// Version of the tool.
    pub version: String,
    /// Names under which the replaced scripts were called (module or file names).
    pub replaces: Vec<String>,
    /// Migration wave; 0 means it replaces nothing.
    pub wave: u8,
    /// What a run can do to the world.
    pub effects: BTreeSet<Effect>,
    /// When it only plans.
    pub gate: Gate,
    /// Effects and gate of each action that differs from the whole, by the value of the tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub actions: BTreeMap<String, ActionEffects>,
    /// The action that is meant where a command line or input names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_action: Option<String>,
    /// Far sides that a run may talk to: `telegram`, `web`, `smtp`, ...; empty means this machine only.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reaches: BTreeSet<String>,
    /// What it does not do, or not yet, that the replaced script did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_gaps: Vec<String>,
    /// Whether it runs until stopped in at least one of its modes.
    pub long_running: bool,
    /// Timeouts, retries, limits.
    pub policy: Policy,
    /// Why the policy has these numbers.
    #[serde(default)]
    pub policy_reason: String,
    /// Environment variables and secrets it reads.
    pub env: Vec<EnvVar>,
    /// Command lines that work.
    pub examples: Vec<Example>,
    /// Whether it also answers calls of the scripts it replaces (`--legacy`); filled by the harness.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers_old_calls: bool,
    /// JSON Schema of the input; filled by the harness.
    pub input_schema: Schema,
    /// JSON Schema of the output; filled by the harness.
    pub output_schema: Schema,
}

impl Definition {
    /// Use the [`definition!`](crate::definition!) macro, which takes name, version and summary from the package.
    pub fn new(name: &str, version: &str, summary: &str, family: &str) -> Self {
        Self {
            contract: CONTRACT.to_owned(),
            name: name.to_owned(),
            family: family.to_owned(),
            summary: summary.to_owned(),
            version: version.to_owned(),
            replaces: Vec::new(),
            wave: 0,
            effects: BTreeSet::from([Effect::Reads]),
            gate: Gate::Direct,
            actions: BTreeMap::new(),
            default_action: None,
            reaches: BTreeSet::new(),
            known_gaps: Vec::new(),
            long_running: false,
            policy: Policy::with_timeout(Duration::from_secs(300)),
            policy_reason: String::new(),
            env: Vec::new(),
            examples: Vec::new(),
            answers_old_calls: false,
            input_schema: Schema::default(),
            output_schema: Schema::default(),
        }
    }

    /// Scripts it replaces, and the migration wave.
    pub fn replaces(mut self, wave: u8, scripts: &[&str]) -> Self {
        self.wave = wave;
        self.replaces = scripts.iter().map(|&s| s.to_owned()).collect();
        self
    }

    /// What a run can do.
    pub fn effects(mut self, effects: &[Effect]) -> Self {
        self.effects = effects.iter().copied().collect();
        self
    }

    /// When it only plans.
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gate = gate;
        self
    }

    /// Timeouts, retries, limits, and why they are as they are. A tool without its own is refused by the tests.
    pub fn policy(mut self, policy: Policy, reason: &str) -> Self {
        self.policy = policy;
        reason.clone_into(&mut self.policy_reason);
        self
    }

    /// What one action of a tagged input can do, where that is less than what the whole tool can do.
    pub fn action(mut self, name: &str, effects: &[Effect], gate: Gate) -> Self {
        let effects = effects.iter().copied().collect();
        self.actions
            .insert(name.to_owned(), ActionEffects { effects, gate });
        self
    }

    /// The action that is meant where none is named.
    pub fn default_action(mut self, name: &str) -> Self {
        self.default_action = Some(name.to_owned());
        self
    }

    /// Far sides that a run may talk to.
    pub fn reaches(mut self, far_sides: &[&str]) -> Self {
        self.reaches.extend(far_sides.iter().map(|&far| far.to_owned()));
        self
    }

    /// Something the replaced script did that this tool does not, or not yet; the migration report shows it.
    pub fn known_gap(mut self, gap: &str) -> Self {
        self.known_gaps.push(gap.to_owned());
        self
    }

    /// Marks a tool that runs until stopped.
    pub fn long_running(mut self) -> Self {
        self.long_running = true;
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: &str, help: &str) -> Self {
        self.env.push(EnvVar {
            name: name.to_owned(),
            help: help.to_owned(),
            secret: false,
            required: false,
        });
        self
    }

    /// Adds a secret that some of its functions need.
    pub fn secret(mut self, name: &str, help: &str) -> Self {
        self.env.push(EnvVar {
            name: name.to_owned(),
            help: help.to_owned(),
            secret: true,
            required: false,
        });
        self
    }

    /// Adds an example that ends with exit code 0.
    pub fn example(self, about: &str, args: &[&str]) -> Self {
        self.example_exit(0, about, args)
    }

    /// Adds an example that ends with another exit code.
    pub fn example_exit(mut self, exit: u8, about: &str, args: &[&str]) -> Self {
        let args = args.iter().map(|&a| a.to_owned()).collect();
        self.examples.push(Example {
            about: about.to_owned(),
            args,
            exit,
            input: None,
        });
        self
    }

    /// Whether a run has any effect but reading.
    pub fn has_effects(&self) -> bool {
        self.effects.iter().any(|e| *e != Effect::Reads)
    }
}

/// A [`Definition`] with name, version and summary of the calling package: `definition!("marketing")`.
#[macro_export]
macro_rules! definition {
    ($family:literal) => {
        $crate::Definition::new(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            env!("CARGO_PKG_DESCRIPTION"),
            $family,
        )
    };
}
