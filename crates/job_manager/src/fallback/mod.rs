//! The decision whether a tool's binary or the script it replaces runs.

mod answer;
mod call;

use std::time::Duration;

use app_core::contract::{CONTRACT, Definition, Effect, Policy, RetryPolicy, ToolError, ToolResult};
use serde_json::json;

pub(crate) use answer::{EXIT_CODE, outcome};
pub use call::arguments;
pub(crate) use call::{Call, call, check};

use crate::{
    settings::{LegacySection, Settings},
    wire::Route,
};

/// Why a script runs instead of the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no binary (any more, or yet).
    BinaryMissing,
    /// `route = "legacy"` in the configuration.
    Switched,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BinaryMissing => "binary_missing",
            Self::Switched => "switched",
        }
    }
}

/// Who runs, decided from what is there and what is allowed.
pub(crate) fn decide(tool: &str, binary: bool, settings: &Settings) -> ToolResult<(Route, Option<Reason>)> {
    let switched = settings.tools.get(tool).is_some_and(|t| t.route == Route::Legacy);
    let reason = match (binary, switched) {
        (true, false) => return Ok((Route::Rust, None)),
        (_, true) => Reason::Switched,
        (false, false) => Reason::BinaryMissing,
    };
    let script = settings.legacy.contains_key(tool);
    if let Some(distrusted) = settings.distrusted_error(tool) {
        return Err(distrusted);
    }
    let allowed = settings.fallback_enabled(tool);
    let cut_over = settings.tools.get(tool).is_some_and(|t| t.cut_over);
    match (reason, script, allowed) {
        (_, true, false) if cut_over => Err(ToolError::config(format!(
            "`{tool}` is cut over: its script never stands in again"
        ))
        .hint("install the binary; `onejob route NAME legacy --force` brings the script back")),
        (_, true, true) => Ok((Route::Legacy, Some(reason))),
        (Reason::BinaryMissing, false, _) => Err(ToolError::not_found(format!("no tool `{tool}`"))
            .from_source("registry")
            .hint("`onejob list_tools` shows what there is; ONEJOB_TOOLS_DIR names the folder")),
        (Reason::BinaryMissing, true, false) => Err(ToolError::not_found(format!(
            "no binary of tool `{tool}`, and its script is switched off"
        ))
        .from_source("registry")
        .hint("install the binary, or set `python_fallback_enabled = true` under `[jobs]` of onejob.toml")),
        (Reason::Switched, false, _) => Err(ToolError::config(format!(
            "`{tool}` is switched to its script, but there is no `[legacy.{tool}]`"
        ))
        .hint("add the section to onejob.toml, or remove `route = \"legacy\"`")),
        (Reason::Switched, true, false) => Err(ToolError::config(format!(
            "`{tool}` is switched to its script, but `python_fallback_enabled` is off"
        ))
        .hint("switch one of the two in onejob.toml")),
    }
}

/// The definition of a replaced script, in the shape every tool has.
pub(crate) fn definition(name: &str, legacy: &LegacySection) -> Definition {
    let mut definition = Definition::new(name, "0.0.0", &legacy.summary, &legacy.family);
    CONTRACT.clone_into(&mut definition.contract);
    if definition.summary.is_empty() {
        definition.summary = format!("Replaced script {}", legacy.script.display());
    }
    // What a script does is not known unless somebody said so: then nothing is repeated by itself.
    definition.effects = legacy.effects.clone().unwrap_or_else(|| {
        [
            Effect::Reads,
            Effect::WritesFiles,
            Effect::Sends,
            Effect::ChangesRemote,
            Effect::Deletes,
        ]
        .into()
    });
    definition.replaces = vec![name.to_owned()];
    definition.wave = legacy.wave;
    // A script fails in its own ways, so nothing is tried again unless `[tools.NAME] policy` says so.
    definition.policy = Policy::with_timeout(Duration::from_secs(3600));
    definition.policy.retry = RetryPolicy::NONE;
    let input = legacy
        .input
        .clone()
        .map_or_else(|| json!({"type": "object"}), serde_json::Value::Object);
    if let Ok(schema) = schemars::Schema::try_from(input) {
        definition.input_schema = schema;
    }
    apply(&mut definition, legacy);
    definition
}

/// What the section says of the script, over what the tool says of itself.
pub(crate) fn apply(definition: &mut Definition, legacy: &LegacySection) {
    if let Some(seconds) = legacy.timeout_s {
        definition.policy.timeout_s = seconds;
    }
    definition.effects.extend(legacy.effects.iter().flatten());
}

#[cfg(test)]
mod tests {
    use app_core::contract::ErrorKind;

    use super::*;

    fn settings(toml: &str) -> Settings {
        Settings::parse(toml, std::path::Path::new("/c/onejob.toml")).unwrap()
    }

    #[test]
    fn the_script_runs_only_when_it_may() {
        let on = settings("[legacy.a]\nscript='a.py'\n[tools.a]\nroute='legacy'\n[legacy.b]\nscript='b.py'");
        assert_eq!(
            decide("a", true, &on).unwrap(),
            (Route::Legacy, Some(Reason::Switched))
        );
        assert_eq!(decide("b", true, &on).unwrap(), (Route::Rust, None));
        assert_eq!(
            decide("b", false, &on).unwrap(),
            (Route::Legacy, Some(Reason::BinaryMissing))
        );
        assert_eq!(decide("c", false, &on).unwrap_err().kind, ErrorKind::NotFound);
        let off = settings(
            "[jobs]\npython_fallback_enabled=false\n[legacy.b]\nscript='b.py'\n[tools.d]\nroute='legacy'",
        );
        assert_eq!(decide("b", false, &off).unwrap_err().kind, ErrorKind::NotFound);
        assert_eq!(decide("d", true, &off).unwrap_err().kind, ErrorKind::Config);
        let own = settings(
            "[jobs]\npython_fallback_enabled=false\n[legacy.b]\nscript='b.py'\n[tools.b]\npython_fallback_enabled=true",
        );
        assert_eq!(decide("b", false, &own).unwrap().0, Route::Legacy);
    }

    #[test]
    fn cut_over_is_the_end_of_the_script() {
        let over =
            settings("[legacy.a]\nscript='a.py'\n[tools.a]\ncut_over=true\npython_fallback_enabled=true");
        assert_eq!(decide("a", true, &over).unwrap(), (Route::Rust, None));
        let error = decide("a", false, &over).unwrap_err();
        assert!(error.message.contains("cut over"), "{error}");
        let both = settings("[legacy.a]\nscript='a.py'\n[tools.a]\ncut_over=true\nroute='legacy'");
        assert_eq!(decide("a", true, &both).unwrap_err().kind, ErrorKind::Config);
    }

    #[test]
    fn a_script_is_described_by_its_section() {
        let on = settings(
            "[legacy.a]\nscript='a.py'\nsummary='Counts'\nwave=3\ntimeout_s=7\neffects=['reads']\ninput={type='object', required=['url']}",
        );
        let a = definition("a", &on.legacy["a"]);
        assert_eq!((a.summary.as_str(), a.wave, a.policy.timeout_s), ("Counts", 3, 7));
        assert_eq!(a.effects, [Effect::Reads].into());
        assert_eq!(a.input_schema.as_value()["required"], json!(["url"]));
        let unknown = settings("[legacy.b]\nscript='b.py'");
        let b = definition("b", &unknown.legacy["b"]);
        assert!(b.effects.contains(&Effect::Deletes) && b.policy.retry.attempts == 1);
    }
}
