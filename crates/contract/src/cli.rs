//! How a field of an input appears on a command line: the schema extension `x-cli`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::{self, Mistake};

/// What a text that names a path stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PathKind {
    /// A file that is read.
    File,
    /// A folder.
    Dir,
    /// A file that is written.
    Out,
    /// A file or a folder.
    Any,
}

/// The `x-cli` extension of a property. A key that is not one of these is refused, so that a slip does not silently
/// take a flag away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cli {
    /// Place among the positional arguments, from 1.
    pub positional: Option<u64>,
    /// One-letter flag.
    pub short: Option<char>,
    /// Further names of the flag, for example those of the replaced script.
    pub aliases: Vec<String>,
    /// Environment variable that sets it.
    pub env: Option<String>,
    /// Dotted key of `onejob.toml` that sets it.
    pub config: Option<String>,
    /// What kind of path the text is.
    pub path: Option<PathKind>,
    /// Whether the path must exist before anything starts.
    pub exists: bool,
    /// Whether `--help` leaves it out.
    pub hidden: bool,
    /// Whether one flag takes several values: `--ids 1 2 3`.
    pub many: bool,
}

impl Cli {
    /// The extension of this property; the default when it has none. `Err` says what is wrong with it.
    pub fn of(property: &Value) -> Result<Self, String> {
        match property.get("x-cli") {
            None => Ok(Self::default()),
            Some(extension) => Self::deserialize(extension).map_err(|error| error.to_string()),
        }
    }
}

/// The properties of an input schema (all branches of a tagged one) whose `x-cli` cannot be read.
pub fn mistakes(input_schema: &Value) -> Vec<Mistake> {
    let branches = match input_schema.get("oneOf").or_else(|| input_schema.get("anyOf")) {
        Some(Value::Array(options)) if schema::tagged(options).is_some() => options.iter().collect(),
        _ => vec![input_schema],
    };
    branches
        .into_iter()
        .filter_map(|branch| branch.get("properties")?.as_object())
        .flatten()
        .filter_map(|(name, property)| Some((name.clone(), Cli::of(property).err()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_that_is_no_extension_is_refused() {
        let property = json!({"type": "string", "x-cli": {"positional": 1, "path": "file", "exists": true}});
        let cli = Cli::of(&property).unwrap();
        assert_eq!((cli.positional, cli.path), (Some(1), Some(PathKind::File)));
        let schema = json!({"properties": {
            "a": {"x-cli": {"postional": 1}},
            "b": {"x-cli": {"path": "flie"}},
            "c": {"x-cli": {"short": "c"}},
        }});
        let names: Vec<_> = mistakes(&schema).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
