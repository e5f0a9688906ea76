//! `config check`: every mistake in `onejob.toml` that can be seen without running anything.

use std::{
    fmt::{self, Write},
    path::PathBuf,
};

use app_core::{Context, ToolResult};
use job_manager::{JobManager, Options, Role, Settings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
        let near = known.iter().find(|k| distance(k, name) <= 2);
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

/// Letters to be added, left out or changed to make one word of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_near() {
        assert_eq!(distance("css_analyzer", "css_analyser"), 1);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
