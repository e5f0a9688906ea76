//! `config check`: every mistake in `onejob.toml` that can be seen without running anything.

use std::{
    fmt::{self, Write},
    path::PathBuf,
};

use app_core::{
    Context, ToolResult,
    contract::{self, schema},
};
use job_manager::{JobManager, Options, Role, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was found.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Checked {
    /// The file; none if there is none.
    pub file: Option<PathBuf>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// One mistake.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Problem {
    /// What.
    pub what: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Every key that `onejob.toml` may hold, made from the types that read it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Keys {
    /// In the order of the sections.
    pub keys: Vec<Setting>,
}

/// One key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Setting {
    /// Dotted name; `NAME` stands for a name of yours.
    pub key: String,
    /// What it is for.
    pub about: String,
    /// What holds without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// Smallest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Value>,
    /// Largest value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Value>,
}

/// The generated reference of all keys.
pub(crate) fn keys() -> Keys {
    let mut keys = Vec::new();
    collect(
        schema::of::<contract::settings::Settings>().as_value(),
        "",
        &mut keys,
    );
    Keys { keys }
}

fn collect(schema: &Value, path: &str, keys: &mut Vec<Setting>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            let key = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            collect(property, &key, keys);
        }
        return;
    }
    if let Some(values @ Value::Object(_)) = schema.get("additionalProperties")
        && values.get("properties").is_some()
    {
        return collect(values, &format!("{path}.NAME"), keys);
    }
    let about = schema
        .get("description")
        .and_then(Value::as_str)
        .unwrap_or_default();
    keys.push(Setting {
        key: path.to_owned(),
        about: about.replace('\n', " "),
        default: schema.get("default").filter(|value| !value.is_null()).cloned(),
        minimum: schema.get("minimum").cloned(),
        maximum: schema.get("maximum").cloned(),
    });
}

pub(crate) fn render_keys(keys: &Keys, out: &mut dyn Write) -> fmt::Result {
    for key in &keys.keys {
        let default = key
            .default
            .as_ref()
            .map_or_else(String::new, |value| format!(" (default {value})"));
        writeln!(out, "{}{default}\n    {}", key.key, key.about)?;
    }
    Ok(())
}

pub(crate) async fn run(ctx: &Context) -> ToolResult<Checked> {
    let Some(file) = ctx.config().find_file("onejob.toml") else {
        return Ok(Checked {
            file: None,
            problems: Vec::new(),
        });
    };
    let mut problems = Vec::new();
    let mut note = |error: app_core::ToolError| {
        problems.push(Problem {
            what: error.message,
            hint: error.hint,
        });
    };
    let settings = match Settings::from_config(ctx.config()) {
        Ok(settings) => settings,
        Err(error) => {
            note(error);
            return Ok(Checked {
                file: Some(file),
                problems,
            });
        }
    };
    for name in &settings.distrusted {
        settings.distrusted_error(name).map(&mut note);
    }
    let read = Settings::for_reading(ctx.config())?;
    for (name, legacy) in &read.legacy {
        if !legacy.script.is_file() {
            let message = format!(
                "`[legacy.{name}]`: there is no script `{}`",
                legacy.script.display()
            );
            note(app_core::ToolError::config(message).hint("put it there, or change `script`"));
        }
    }
    let options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Client)?;
    let jobs = JobManager::open(Options {
        settings: Settings::default(),
        ..options
    })?;
    let mut known: Vec<String> = jobs
        .tool_list()
        .await?
        .tools
        .into_iter()
        .map(|t| t.name)
        .collect();
    known.extend(read.legacy.keys().cloned());
    for name in read.tools.keys().filter(|name| !known.contains(name)) {
        let near = known.iter().find(|known| schema::is_slip(known, name));
        let hint = near.map_or_else(
            || "`onejob list_tools` shows what there is".to_owned(),
            |near| format!("did you mean `[tools.{near}]`?"),
        );
        note(
            app_core::ToolError::config(format!("`[tools.{name}]`: there is no tool of that name"))
                .hint(hint),
        );
    }
    Ok(Checked {
        file: Some(file),
        problems,
    })
}

pub(crate) fn render(checked: &Checked, out: &mut dyn Write) -> fmt::Result {
    match &checked.file {
        None => return writeln!(out, "there is no onejob.toml"),
        Some(file) if checked.problems.is_empty() => {
            return writeln!(out, "{}: nothing wrong", file.display());
        }
        Some(file) => writeln!(out, "{}", file.display())?,
    }
    for problem in &checked.problems {
        writeln!(out, "- {}", problem.what)?;
        if let Some(hint) = &problem.hint {
            writeln!(out, "  {hint}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_listed_with_what_it_is_for() {
        let keys = keys().keys;
        let of = |name: &str| keys.iter().find(|key| key.key == name).unwrap();
        assert_eq!(of("jobs.keep_days").default, Some(30.into()));
        assert_eq!(of("budget.daily_usd").minimum, Some(0.into()));
        assert!(of("tools.NAME.route").about.contains("legacy"));
        assert!(of("legacy.NAME.script").about.contains("script"));
        for key in &keys {
            assert!(!key.about.is_empty(), "{}", key.key);
        }
    }
}
