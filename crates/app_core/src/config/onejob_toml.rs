//! The one reader of `onejob.toml`: every mistake is refused with the file and the line.

use std::path::Path;

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::contract::{ToolError, ToolResult, schema::Mistake, settings::Settings};

/// Reads the text of a file at `path`. Scripts named in it become relative to its folder.
///
/// Fails with kind `config`, naming every unknown section, unknown key and impossible value with its line.
pub fn parse(text: &str, path: &Path) -> ToolResult<Settings> {
    let file: Value = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        ToolError::config(format!(
            "`{}`, line {line}: not valid TOML: {}",
            path.display(),
            error.message()
        ))
        .code("invalid_settings")
    })?;
    let mut settings = Settings::read(file).map_err(|mistakes| refused(text, path, &mistakes))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    for script in settings.legacy.values_mut() {
        script.script = folder.join(&script.script);
    }
    Ok(settings)
}

/// The mistakes of a file as one error: each with its line.
pub fn refused(text: &str, path: &Path, mistakes: &[Mistake]) -> ToolError {
    let shown: Vec<String> = mistakes
        .iter()
        .map(|(key, problem)| {
            let place = line_of_key(text, key).map_or_else(String::new, |line| format!("line {line}: "));
            format!("{place}`{key}` {problem}")
        })
        .collect();
    let mut error = ToolError::config(format!("`{}`, {}", path.display(), shown.join("; ")))
        .code("invalid_settings")
        .hint("`onejob config keys` lists every section and key");
    error.field_paths = mistakes.iter().map(|(key, _)| key.clone()).collect();
    error
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(offset)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

/// The line of a dotted key, or of the nearest part of it that stands in the file.
fn line_of_key(text: &str, key: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let mut table = table.get_ref();
    let mut rest = key;
    let mut found = None;
    loop {
        // Names may hold dots themselves, so the longest that fits is taken.
        let (name, value) = table
            .iter()
            .filter(|(name, _)| {
                let name: &str = name.get_ref();
                rest.strip_prefix(name)
                    .is_some_and(|left| left.is_empty() || left.starts_with(['.', '[']))
            })
            .max_by_key(|(name, _)| name.get_ref().len())?;
        found = Some(line_of(text, name.span().start)).or(found);
        rest = rest[name.get_ref().len()..].trim_start_matches('.');
        match value.get_ref() {
            DeValue::Table(inner)
                if !rest.is_empty() && inner.iter().any(|(name, _)| rest.starts_with(&**name.get_ref())) =>
            {
                table = inner;
            }
            _ => return found,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_and_line_are_named() {
        let path = Path::new("/c/onejob.toml");
        for (text, told) in [
            (
                "[budget]\ndaily_usd = 1\n\n[budgets]\ndaily_usd = 1\n",
                "line 4: `budgets` is not a section; did you mean `budget`?",
            ),
            (
                "# x\n[tools.gif_generator]\nrout = \"legacy\"\n",
                "line 3: `tools.gif_generator.rout` is not a field",
            ),
            (
                "[budget]\ndaily_usd = -1\n",
                "line 2: `budget.daily_usd` must be at least 0",
            ),
            (
                "[jobs]\n\nconcurrency = 0\n",
                "line 3: `jobs.concurrency` must be at least 1",
            ),
            ("[jobs\n", "line 1: not valid TOML"),
            (
                "[tools.x]\npolicy = { retry = { attemps = 2 } }\n",
                "line 2: `tools.x.policy.retry.attemps` is not a field",
            ),
        ] {
            let error = parse(text, path).unwrap_err();
            assert!(
                error.message.contains("/c/onejob.toml") && error.message.contains(told),
                "{text}: {}",
                error.message
            );
            assert_eq!(error.kind, crate::ErrorKind::Config);
        }
    }

    #[test]
    fn scripts_are_relative_to_the_file() {
        let settings = parse("[legacy.x]\nscript = 'old/a.py'", Path::new("/c/onejob.toml")).unwrap();
        assert_eq!(settings.legacy["x"].script, Path::new("/c/old/a.py"));
    }
}
