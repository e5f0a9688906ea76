//! Files, variables, answers and command lines that both sides get, from how they are named on the command line.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
};

use app_core::{ToolError, ToolResult};
use serde_json::Value;

use crate::{case, far_side::Route};

/// Largest stdin and input, in bytes.
const MAX_STDIN: u64 = 64 << 20;

pub(super) fn words_of(field: &str, text: &str, cwd: &Path) -> ToolResult<Vec<String>> {
    let words = shlex::split(text)
        .filter(|words| !words.is_empty())
        .ok_or_else(|| ToolError::invalid(field, format!("`{text}` is not a command line")))?;
    // Sides run elsewhere, so a script named by its path from here is named by its whole path.
    let absolute = |word: String| {
        let path = cwd.join(&word);
        if !word.starts_with('/') && path.is_file() {
            path.display().to_string()
        } else {
            word
        }
    };
    Ok(words.into_iter().map(absolute).collect())
}

pub(super) fn read_source(source: &Path) -> ToolResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let result = if source == Path::new("-") {
        std::io::stdin().take(MAX_STDIN + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(source).and_then(|file| file.take(MAX_STDIN + 1).read_to_end(&mut bytes))
    };
    result.map_err(|e| ToolError::file("read", source, &e))?;
    if bytes.len() as u64 > MAX_STDIN {
        return Err(ToolError::invalid(
            "stdin",
            format!("`{}` is larger than 64 MiB", source.display()),
        ));
    }
    Ok(bytes)
}

pub(super) fn parse_input(source: &Path) -> ToolResult<Value> {
    serde_json::from_slice(&read_source(source)?)
        .map_err(|e| ToolError::invalid("tool_input", format!("`{}` is not JSON: {e}", source.display())))
}

pub(super) fn environment(declared: &[String]) -> ToolResult<BTreeMap<String, String>> {
    let mut env = BTreeMap::new();
    for entry in declared {
        let (name, value) = match entry.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (entry.as_str(), app_core::config::process_env(entry)),
        };
        if name.is_empty() || name.contains('\0') {
            return Err(ToolError::invalid("env", format!("`{entry}` is not NAME=VALUE")));
        }
        // A variable that is not set here is not set there either.
        if let Some(value) = value {
            env.insert(name.to_owned(), value);
        }
    }
    Ok(env)
}

/// Routes from a list, from `{"http": [...]}`, or from a recorded case.
pub fn routes(path: &Path) -> ToolResult<Vec<Route>> {
    let file = if path.is_dir() {
        path.join("case.json")
    } else {
        path.to_owned()
    };
    let value: Value = case::read_json(&file)?;
    let list = match &value {
        Value::Array(_) => &value,
        object => object
            .pointer("/far_side/http")
            .or_else(|| object.get("http"))
            .unwrap_or(&Value::Null),
    };
    if list.is_null() && value.get("far_side").is_some() {
        return Ok(Vec::new());
    }
    serde_json::from_value(list.clone()).map_err(|e| {
        ToolError::invalid("far_side", format!("`{}` holds no routes: {e}", file.display())).hint(
            "a list of `{\"method\": \"GET\", \"path\": \"/\", \"responses\": [{\"status\": 200, \"body_text\": \"hi\"}]}`",
        )
    })
}

/// Relative paths that exist become inputs; absolute ones that are not the system's get a place on each side.
pub(super) fn named_files(
    args: &[String],
    stdin: &[u8],
    cwd: &Path,
) -> (Vec<(PathBuf, PathBuf)>, Vec<PathBuf>) {
    const SYSTEM: [&str; 9] = [
        "/dev", "/proc", "/sys", "/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc",
    ];
    let mut words: Vec<String> = Vec::new();
    for arg in args {
        // A dispatcher gets its parameters as JSON in one argument.
        match serde_json::from_str(arg) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => texts(&value, &mut words),
            _ => {
                let behind = arg.split_once('=').filter(|(flag, _)| flag.starts_with('-'));
                words.push(behind.map_or(arg.as_str(), |(_, value)| value).to_owned());
            }
        }
    }
    if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_slice(stdin) {
        texts(&value, &mut words);
    }
    let mut outside = Vec::new();
    let mut relative = Vec::new();
    for word in &words {
        let path = Path::new(word);
        if !path.is_absolute() {
            relative.push(path);
        } else if path.parent().is_some_and(Path::exists)
            && path.components().count() > 2
            && !SYSTEM.iter().any(|system| path.starts_with(system))
        {
            outside.push(path.to_owned());
        }
    }
    (named(relative, cwd), outside)
}

/// Every text of a value.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Paths below the working directory that exist, with their place on each side.
pub(super) fn named<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    cwd: &Path,
) -> Vec<(PathBuf, PathBuf)> {
    let inside = |path: &Path| {
        let whole = cwd.join(path);
        let normal = |c: std::path::Component<'_>| matches!(c, std::path::Component::Normal(_));
        let inner = match whole.strip_prefix(cwd) {
            Ok(inner) => inner.to_owned(),
            // From elsewhere, a file lies beside the others under its own name.
            Err(_) => PathBuf::from(path.file_name()?),
        };
        let fits = inner.components().next().is_some() && inner.components().all(normal);
        (fits && whole.exists()).then_some((whole, inner))
    };
    paths
        .into_iter()
        .filter_map(|path| inside(path.as_ref()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_name_files_bring_them_along() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("in")).unwrap();
        std::fs::write(dir.path().join("in/a.txt"), "a").unwrap();
        let outside = dir.path().join("new.txt");
        let args = ["in/a.txt", "--from=in", "absent", "..", "/api/x", "/usr/bin/env"].map(str::to_owned);
        let mut args = args.to_vec();
        args.push(format!("--to={}", outside.display()));
        let (inputs, found) = named_files(&args, b"", dir.path());
        let inner: Vec<_> = inputs.iter().map(|(_, to)| to.display().to_string()).collect();
        assert_eq!(inner, ["in/a.txt", "in"]);
        assert_eq!(found, [outside]);
    }

    #[test]
    fn a_command_line_is_split_like_in_a_shell_and_its_files_are_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("old.py"), "").unwrap();
        let words = words_of("control", "python3 old.py --name 'A B'", dir.path()).unwrap();
        assert_eq!(words[1], dir.path().join("old.py").display().to_string());
        assert_eq!((words[0].as_str(), words[3].as_str()), ("python3", "A B"));
        assert!(words_of("control", "python3 'x", dir.path()).is_err());
        assert!(words_of("control", "  ", dir.path()).is_err());
    }
}
