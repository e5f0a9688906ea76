//! Relative paths in the inputs of steps.

use std::path::Path;

use serde_json::Value;

/// Relative paths of files to be read mean the folder of the campaign file, where they are written; what a step made
/// lies in the folder of the step, and is left as it is.
pub(crate) fn from_folder(mut input: Value, schema: &Value, folder: &Path, step_dir: &Path) -> Value {
    let branches = schema["oneOf"]
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![schema.clone()]);
    let fits = |branch: &&Value| {
        let properties = branch["properties"].as_object().into_iter().flatten();
        properties
            .filter_map(|(name, property)| Some((name, property.get("const")?)))
            .all(|(name, tag)| input.get(name) == Some(tag))
    };
    let Some(properties) = branches
        .iter()
        .find(fits)
        .and_then(|branch| branch["properties"].as_object())
    else {
        return input;
    };
    let absolute = |value: &mut Value| {
        let Some(text) = value.as_str() else { return };
        let relative = !text.is_empty()
            && !text.contains("://")
            && !text.starts_with('-')
            && Path::new(text).is_relative();
        if relative && !step_dir.join(text).exists() {
            *value = Value::from(folder.join(text).display().to_string());
        }
    };
    for (name, property) in properties {
        let kind = property["x-cli"]["path"]
            .as_str()
            .or(property["anyOf"][0]["x-cli"]["path"].as_str());
        if !matches!(kind, Some("file" | "any" | "dir")) {
            continue;
        }
        match input.get_mut(name) {
            Some(Value::Array(items)) => items.iter_mut().for_each(absolute),
            Some(value) => absolute(value),
            None => {}
        }
    }
    input
}
