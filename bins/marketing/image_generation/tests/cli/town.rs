//! A sandbox with the picture services beside it.

use std::path::Path;

use app_core::{
    Usd,
    contract::settings::BudgetSettings,
    state::{Ledger, LedgerEntry},
};
use serde_json::Value;
use testkit::{Finished, ImageServices, Sandbox, images::Scene};

const PROGRAM: &str = env!("CARGO_BIN_EXE_image_generation");

/// The services, and a place to run the tool in with keys for all of them.
pub struct Town {
    pub services: ImageServices,
    pub sandbox: Sandbox,
}

impl Town {
    pub fn new(scenes: Vec<Scene>) -> Self {
        let services = ImageServices::start(scenes).unwrap();
        let settings = services.settings();
        Self::with(services, &settings)
    }

    pub fn with(services: ImageServices, settings: &str) -> Self {
        let mut sandbox = Sandbox::new().unwrap();
        let config = sandbox.root().join("config");
        std::fs::create_dir(&config).unwrap();
        std::fs::write(config.join("onejob.toml"), settings).unwrap();
        sandbox = sandbox.env("ONEJOB_CONFIG_DIR", config.display().to_string());
        for name in ["OPENAI_API_KEY", "GEMINI_API_KEY", "STABILITY_API_KEY"] {
            sandbox = sandbox.env(name, format!("canary-{name}"));
        }
        sandbox = sandbox.env("ONEJOB_CLOCK", "2026-11-28T10:00:00Z");
        Self { services, sandbox }
    }

    /// Runs the tool with `--json`.
    pub fn run(&self, args: &[&str]) -> Finished {
        let mut all = args.to_vec();
        all.push("--json");
        let finished = self.sandbox.run(Path::new(PROGRAM), &all);
        for text in [&finished.stdout, &finished.stderr] {
            assert!(!text.contains("canary-"), "a key was printed: {text}");
        }
        finished
    }

    /// Runs `generate "A red teapot"` with these further arguments.
    pub fn generate(&self, args: &[&str]) -> Finished {
        let mut all = vec!["generate", "A red teapot"];
        all.extend_from_slice(args);
        self.run(&all)
    }

    pub fn ledger(&self) -> Vec<LedgerEntry> {
        let state = self.sandbox.root().join("state");
        if !state.join("ledger.sqlite3").exists() {
            return Vec::new();
        }
        let mut ledger = Ledger::open(&state, BudgetSettings::default()).unwrap();
        ledger.entries(jiff::Timestamp::MIN).unwrap()
    }

    /// State, amount and whether it is unconfirmed, of each entry.
    pub fn money(&self) -> Vec<(String, Option<Usd>, bool)> {
        let state = |entry: &LedgerEntry| serde_json::to_value(entry.state).unwrap();
        self.ledger()
            .iter()
            .map(|entry| {
                (
                    state(entry).as_str().unwrap().to_owned(),
                    entry.spent_usd,
                    entry.unconfirmed,
                )
            })
            .collect()
    }

    /// A JSON file of the working directory.
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.sandbox.path(name)).unwrap()).unwrap()
    }
}

/// The error of a run.
pub fn error(finished: &Finished) -> Value {
    finished.events.last().unwrap()["error"].clone()
}

pub fn usd(text: &str) -> Usd {
    text.parse().unwrap()
}
