//! The texts that models are told, looked up in one order by every tool.
//!
//! `--prompt FILE`, then `PROMPTS_DIR`, then `prompts` in the configuration, then what is compiled in, so that a lone
//! binary works. The file of a tool and a role is `<tool>.<role>.md`: front matter in TOML between `+++` lines, then the
//! text. Only values that code made are put into it, and only under declared names: `{First Name}` stays as it is.
//!
//! ```text
//! +++
//! version = 2
//! max_output = 800
//! temperature = 0.3
//! variables = ["hours", "language"]
//! +++
//! Summarise the last {hours} hours in {language}.
//! ```

use std::path::{Path, PathBuf};

use app_core::{Context, ToolError, ToolResult, files, files::read_limited};
use serde::Deserialize;

/// Largest prompt in bytes.
const LARGEST: u64 = 256 << 10;

/// A prompt, ready to be used.
#[derive(Clone, Debug, PartialEq)]
pub struct Prompt {
    /// The text, with its values.
    pub text: String,
    /// Its version; 1 unless it says so.
    pub version: u32,
    /// Most tokens of the answer that it asks for.
    pub max_output: Option<u32>,
    /// How freely words are chosen.
    pub temperature: Option<f64>,
    /// SHA-256 of the file: part of the key of kept answers, and of reports.
    pub hash: String,
    /// Where it comes from, for reports: a path, or `built in`.
    pub source: String,
}

/// A prompt that a tool has compiled in.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn {
    /// The tool.
    pub tool: &'static str,
    /// What the prompt is for, where a tool has several.
    pub role: &'static str,
    /// Content of the file.
    pub text: &'static str,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Front {
    version: Option<u32>,
    max_output: Option<u32>,
    temperature: Option<f64>,
    variables: Vec<String>,
}

/// Finds a prompt, and puts `values` into it. `file` is what the caller named, if anything.
///
/// Fails with `config` when `PROMPTS_DIR` is no folder, when a file that is to be used cannot be read or understood, or
/// when it declares a variable that the tool does not have; a named file that cannot be used is never passed over.
pub fn find(
    ctx: &Context,
    prompt: &BuiltIn,
    file: Option<&Path>,
    values: &[(&str, String)],
) -> ToolResult<Prompt> {
    let name = format!("{}.{}.md", prompt.tool, prompt.role);
    // Names are names: one with a separator would be a path out of the folder.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if ![prompt.tool, prompt.role]
        .iter()
        .all(|part| !part.is_empty() && part.chars().all(plain))
    {
        return Err(ToolError::internal(format!(
            "`{name}` is not the name of a prompt"
        )));
    }
    let folder = ctx.env("PROMPTS_DIR").map(PathBuf::from);
    if let Some(folder) = &folder
        && !folder.is_dir()
    {
        return Err(ToolError::config(format!(
            "`PROMPTS_DIR` names `{}`, which is not a folder",
            folder.display()
        )));
    }
    let in_folder = folder
        .map(|folder| folder.join(&name))
        .filter(|path| path.is_file());
    let configured = || ctx.config().find_file(&format!("prompts/{name}"));
    let path = file.map(Path::to_owned).or(in_folder).or_else(configured);
    match path {
        None => read(prompt.text, "built in", values),
        Some(path) => {
            let bytes = read_limited(&path, LARGEST)?;
            let source = path.display().to_string();
            let text = String::from_utf8(bytes).map_err(|_| wrong(&source, "is not UTF-8"))?;
            read(&text, &source, values)
        }
    }
}

fn wrong(source: &str, why: &str) -> ToolError {
    ToolError::config(format!("the prompt `{source}` {why}")).code("invalid_prompt")
}

fn read(text: &str, source: &str, values: &[(&str, String)]) -> ToolResult<Prompt> {
    let hash = files::sha256(text.as_bytes());
    let clean = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (front, body) = match clean.strip_prefix("+++\n") {
        Some(rest) => {
            let (front, body) = rest
                .split_once("\n+++\n")
                .or_else(|| rest.strip_prefix("+++\n").map(|body| ("", body)))
                .ok_or_else(|| wrong(source, "has front matter without its second `+++` line"))?;
            let front: Front = toml::from_str(front)
                .map_err(|error| wrong(source, &format!("has wrong front matter: {}", error.message())))?;
            (front, body)
        }
        None if clean.starts_with("---\n") => {
            return Err(wrong(
                source,
                "begins with `---`; its front matter is TOML between `+++` lines",
            ));
        }
        None => (Front::default(), clean.as_str()),
    };
    if front.max_output == Some(0) || front.temperature.is_some_and(|t| !(0.0..=2.0).contains(&t)) {
        return Err(wrong(
            source,
            "needs `max_output` above 0 and `temperature` from 0 to 2",
        ));
    }
    let unknown = front
        .variables
        .iter()
        .find(|name| !values.iter().any(|(known, _)| known == name));
    if let Some(name) = unknown {
        let known: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        return Err(wrong(
            source,
            &format!(
                "declares `{name}`, which there is not; known: {}",
                known.join(", ")
            ),
        ));
    }
    let body = body.trim();
    if body.is_empty() {
        return Err(wrong(source, "is empty"));
    }
    Ok(Prompt {
        text: filled(body, &front.variables, values),
        version: front.version.unwrap_or(1),
        max_output: front.max_output,
        temperature: front.temperature,
        hash,
        source: source.to_owned(),
    })
}

/// The text with its declared variables replaced, in one pass: a value is never looked through.
fn filled(text: &str, declared: &[String], values: &[(&str, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        result.push_str(&rest[..at]);
        rest = &rest[at..];
        let value = declared.iter().find_map(|name| {
            let (_, value) = values.iter().find(|(known, _)| known == name)?;
            let left = rest[1..].strip_prefix(name.as_str())?.strip_prefix('}')?;
            Some((value, left))
        });
        if let Some((value, left)) = value {
            result.push_str(value);
            rest = left;
        } else {
            result.push('{');
            rest = &rest[1..];
        }
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use app_core::Definition;

    use super::*;

    const BUILT_IN: BuiltIn = BuiltIn {
        tool: "digest",
        role: "map",
        text: "+++\nversion = 2\nmax_output = 800\nvariables = [\"hours\"]\n+++\nLast {hours} hours, {First Name}, {language}.\n",
    };

    fn values() -> [(&'static str, String); 2] {
        [
            ("hours", "24 {language}".to_owned()),
            ("language", "en".to_owned()),
        ]
    }

    #[test]
    fn only_declared_names_are_replaced_and_values_are_not_looked_through() {
        let prompt = read(BUILT_IN.text, "x", &values()).unwrap();
        assert_eq!(prompt.text, "Last 24 {language} hours, {First Name}, {language}.");
        assert_eq!(
            (prompt.version, prompt.max_output, prompt.temperature),
            (2, Some(800), None)
        );
        let plain = read("Hello {hours}\r\n", "x", &values()).unwrap();
        assert_eq!((plain.text.as_str(), plain.version), ("Hello {hours}", 1));
        assert_ne!(plain.hash, prompt.hash);
        for (text, told) in [
            ("+++\nversion = 1\nno end", "second `+++`"),
            ("+++\nvariables = [\"user\"]\n+++\nx", "known: hours, language"),
            ("+++\nversions = 1\n+++\nx", "unknown field"),
            ("+++\ntemperature = 3\n+++\nx", "from 0 to 2"),
            ("---\nversion: 1\n---\nx", "`+++`"),
            ("+++\n+++\n  \n", "is empty"),
        ] {
            let error = read(text, "f.md", &values()).unwrap_err();
            assert!(
                error.message.contains(told) && error.kind.exit_code() == 78,
                "{text}: {}",
                error.message
            );
        }
    }

    #[test]
    fn the_named_file_wins_and_is_never_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let ctx = Context::detached(Definition::new("digest", "0", "test", "ai"), dir.path()).unwrap();
        assert_eq!(find(&ctx, &BUILT_IN, None, &values()).unwrap().source, "built in");
        let file = dir.path().join("own.md");
        let missing = find(&ctx, &BUILT_IN, Some(&file), &values()).unwrap_err();
        assert_eq!(missing.kind.exit_code(), 66);
        std::fs::write(&file, "own").unwrap();
        assert_eq!(find(&ctx, &BUILT_IN, Some(&file), &values()).unwrap().text, "own");
        let path = BuiltIn {
            role: "../x",
            ..BUILT_IN
        };
        assert!(find(&ctx, &path, None, &[]).is_err());
    }
}
