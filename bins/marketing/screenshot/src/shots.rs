//! The file that lists many shots.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use app_core::{
    Context, ToolError, ToolResult,
    contract::schema::{self, check},
};
use browser::Format;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    input::{Framing, Opening},
    shoot, target,
};

/// Largest file.
const MAX_FILE: u64 = 4 << 20;

/// Most shots of one file.
const MOST: usize = 2000;

/// One shot as the file has it, its defaults applied.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Address of the page.
    pub url: String,
    /// The picture to write.
    pub output: PathBuf,
    /// Name of the earlier picture in the folder of baselines; that of the output if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<PathBuf>,
    /// What is in it.
    #[serde(flatten)]
    pub framing: Framing,
    /// How the page is opened.
    #[serde(flatten)]
    pub opening: Opening,
}

/// A shot that can be taken.
#[derive(Clone, Debug)]
pub struct Planned {
    /// As it is listed.
    pub listed: Listed,
    /// Format of the picture.
    pub format: Format,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Map<String, Value>,
    shots: Vec<Map<String, Value>>,
}

/// Reads the file and looks at every shot; names all that is wrong.
pub fn read(path: &Path, ctx: &Context) -> ToolResult<Vec<Planned>> {
    let bytes = ctx.read(path, MAX_FILE)?;
    let wrong = |what: String| ToolError::invalid("shots", format!("`{}`: {what}", path.display()));
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("it is not UTF-8".to_owned()))?;
    let file: File = serde_saphyr::from_str(text).map_err(|error| {
        let first = error.to_string();
        wrong(first.lines().next().unwrap_or_default().to_owned())
    })?;
    if file.shots.is_empty() || file.shots.len() > MOST {
        return Err(wrong(format!(
            "it lists {} shots; 1 to {MOST} can be taken",
            file.shots.len()
        )));
    }
    let schema = schema::of::<Listed>();
    let (mut planned, mut mistakes, mut names) = (Vec::new(), Vec::new(), HashSet::new());
    for (index, shot) in file.shots.into_iter().enumerate() {
        let at = |field: &str| {
            if field.is_empty() {
                format!("shots[{index}]")
            } else {
                format!("shots[{index}].{field}")
            }
        };
        let mut merged = file.defaults.clone();
        merged.extend(shot);
        if let Some(Value::String(one)) = merged.get("selector") {
            merged["selector"] = Value::Array(vec![one.clone().into()]);
        }
        if let Some(Value::String(one)) = merged.get("hide") {
            merged["hide"] = Value::Array(vec![one.clone().into()]);
        }
        let merged = Value::Object(merged);
        let found = check(schema.as_value(), &merged);
        if !found.is_empty() {
            mistakes.extend(found.into_iter().map(|(field, what)| (at(&field), what)));
            continue;
        }
        match plan(merged, ctx) {
            Ok(shot) => {
                if !names.insert(shot.listed.output.with_extension("")) {
                    mistakes.push((at("output"), "is the output of another shot too".to_owned()));
                }
                planned.push(shot);
            }
            Err(error) => mistakes.push((
                at(error.field_paths.first().map_or("", String::as_str)),
                error.message,
            )),
        }
    }
    if mistakes.is_empty() {
        Ok(planned)
    } else {
        Err(ToolError::invalid_fields(mistakes))
    }
}

fn plan(merged: Value, ctx: &Context) -> ToolResult<Planned> {
    let listed: Listed =
        serde_json::from_value(merged).map_err(|error| ToolError::invalid("", error.to_string()))?;
    for (field, report) in [
        ("", garde::Validate::validate(&listed.framing)),
        ("", garde::Validate::validate(&listed.opening)),
    ] {
        if let Err(report) = report {
            let first = report
                .iter()
                .next()
                .map(|(path, error)| (path.to_string(), error.to_string()));
            let (path, error) = first.unwrap_or_default();
            return Err(ToolError::invalid(format!("{field}{path}"), error));
        }
    }
    let inside = |path: &Path| {
        path.components()
            .all(|part| matches!(part, std::path::Component::Normal(_)))
    };
    for (field, path) in [
        ("output", Some(&listed.output)),
        ("baseline", listed.baseline.as_ref()),
    ] {
        if path.is_some_and(|path| !inside(path) || path.as_os_str().is_empty()) {
            return Err(ToolError::invalid(field, "must be a relative path without `..`"));
        }
    }
    let format = shoot::format_of(&listed.output, listed.framing.quality)?;
    target::setup(&listed.url, &listed.opening, false, "", ctx)?;
    Ok(Planned { listed, format })
}
