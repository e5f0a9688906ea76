//! `route`: switches a tool to the script it replaces, or back, by one line of `onejob.toml`.
//!
//! Everything else in the file stays as it is, comments too. Running managers see it with their next job.

use std::{
    fmt::{self, Write},
    io::Write as _,
    path::{Path, PathBuf},
};

use app_core::{Context, ErrorKind, ToolError, ToolResult};
use job_manager::{Options, Role, Settings};
use schemars::JsonSchema;
use serde::Serialize;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::input::{SetRoute, Target};

/// What was changed, or would be.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Switched {
    /// Tool name.
    pub tool: String,
    /// Who answered for it.
    pub before: Target,
    /// Who answers for it from the next job on.
    pub after: Target,
    /// The file.
    pub file: PathBuf,
    /// Lines taken out of it.
    pub removed: Vec<String>,
    /// Lines put in their place.
    pub added: Vec<String>,
    /// Whether the file was written.
    pub written: bool,
}

pub(crate) fn run(it: &SetRoute, ctx: &Context) -> ToolResult<Switched> {
    let options = Options::from_config(ctx.config(), ctx.state_dir()?, Role::Client)?;
    let is_name = it
        .tool
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let binary = is_name && options.tools_dir.join(&it.tool).is_file();
    // The file is edited here, and nothing it names is run.
    let as_written = Settings::for_reading(ctx.config())?;
    let settings = &as_written;
    let name = &it.tool;
    if !binary && !settings.legacy.contains_key(name) {
        return Err(ToolError::not_found(format!("no tool `{name}`"))
            .from_source("registry")
            .hint("`onejob list_tools` shows what there is"));
    }
    let file = ctx.config().find_file("onejob.toml").ok_or_else(|| {
        ToolError::config("there is no onejob.toml").hint(format!(
            "make `shared-config/onejob.toml` with a section `[legacy.{name}]`"
        ))
    })?;
    // Who follows a link to the file keeps the link.
    let file = std::fs::canonicalize(&file).map_err(|e| ToolError::file("find", &file, &e))?;
    if let Some(distrusted) = options.settings.distrusted_error(name) {
        let hint = distrusted.hint.unwrap_or_default();
        ctx.warn(format!(
            "{}, so the script does not run; {hint}",
            distrusted.message
        ));
    }
    let before = target(settings, name);
    let after = it.to.unwrap_or(before);
    let old = read(&file)?;
    let new = match it.to {
        None => old.clone(),
        Some(to) => {
            if to == Target::Legacy {
                may_go_back(settings, name, it.force)?;
            } else if !binary {
                ctx.warn(format!(
                    "there is no binary of `{name}`: its script goes on standing in"
                ));
            }
            edited(&old, name, to)
                .map_err(|what| ToolError::config(format!("cannot edit `{}`: {what}", file.display())))?
        }
    };
    // What is written must mean what was asked for.
    let checked = Settings::parse(&new, &file)?;
    if target(&checked, name) != after {
        return Err(ToolError::internal(format!(
            "the edit of `{}` does not switch `{name}`",
            file.display()
        )));
    }
    let (removed, added) = changed(&old, &new);
    let written = old != new && !ctx.dry_run();
    if written {
        replace(&file, &old, &new)?;
    }
    Ok(Switched {
        tool: name.clone(),
        before,
        after,
        file,
        removed,
        added,
        written,
    })
}

pub(crate) fn render(it: &Switched, out: &mut dyn Write) -> fmt::Result {
    if !it.removed.is_empty() || !it.added.is_empty() {
        writeln!(out, "{}", it.file.display())?;
    }
    for line in &it.removed {
        writeln!(out, "- {line}")?;
    }
    for line in &it.added {
        writeln!(out, "+ {line}")?;
    }
    match (it.before == it.after, it.written) {
        (true, false) => writeln!(out, "{}: {}", it.tool, it.after),
        (_, true) => writeln!(
            out,
            "{}: {} -> {}, from the next job on",
            it.tool, it.before, it.after
        ),
        (_, false) => writeln!(out, "{}: {} -> {}, not written", it.tool, it.before, it.after),
    }
}

fn target(settings: &Settings, tool: &str) -> Target {
    let route = settings.tools.get(tool).map(|t| t.route).unwrap_or_default();
    route.into()
}

/// Whether the script could really stand in.
fn may_go_back(settings: &Settings, tool: &str, force: bool) -> ToolResult<()> {
    let Some(legacy) = settings.legacy.get(tool) else {
        return Err(
            ToolError::config(format!("there is no `[legacy.{tool}]`, so nothing to switch to")).hint(
                format!("add `[legacy.{tool}]` with at least `script = \"...\"` to onejob.toml"),
            ),
        );
    };
    if !legacy.script.is_file() {
        return Err(ToolError::config(format!(
            "there is no script `{}` for `{tool}`",
            legacy.script.display()
        ))
        .hint("put it there, or change `script` in its `[legacy]` section"));
    }
    let own = settings.tools.get(tool);
    if own.is_some_and(|t| t.cut_over) {
        if force {
            return Ok(());
        }
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("`{tool}` is cut over: its script has had its day"),
        )
        .hint("`--force` takes `cut_over` back as well"));
    }
    if !settings.fallback_enabled(tool) {
        return Err(ToolError::config(format!(
            "`python_fallback_enabled` is off for `{tool}`, so its script may not run"
        ))
        .hint("switch it on in onejob.toml, under `[jobs]` or for this tool"));
    }
    Ok(())
}

/// The text with the route of one tool set, and `cut_over` taken back where the script returns. Pure.
fn edited(text: &str, tool: &str, to: Target) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|e: toml_edit::TomlError| e.to_string())?;
    let known = document.get("tools").and_then(|tools| tools.get(tool));
    if to == Target::Rust && known.is_none_or(|tool| tool.get("route").is_none()) {
        return Ok(text.to_owned());
    }
    let tools = document.entry("tools").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let tools = tools.as_table_like_mut().ok_or("`tools` is no table")?;
    let section = tools.entry(tool).or_insert_with(toml_edit::table);
    let section = section
        .as_table_like_mut()
        .ok_or_else(|| format!("`tools.{tool}` is no table"))?;
    set(section, "route", to.word().into());
    if to == Target::Legacy && section.get("cut_over").is_some() {
        set(section, "cut_over", false.into());
    }
    Ok(document.to_string())
}

/// Sets a value; what stands around it (a comment behind it) stays.
fn set(section: &mut dyn TableLike, key: &str, new: toml_edit::Value) {
    let mut new = new;
    if let Some(old) = section.get(key).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    section.insert(key, value(new));
}

/// The lines between what both texts begin and end with. Pure.
fn changed(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[begin..], &new[begin..]);
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let part = |lines: &[&str]| {
        let lines = &lines[..lines.len() - end];
        lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(ToString::to_string)
            .collect()
    };
    (part(old), part(new))
}

fn read(file: &Path) -> ToolResult<String> {
    std::fs::read_to_string(file).map_err(|e| ToolError::file("read", file, &e))
}

/// Puts the new text in the place of the old one, whole, with the same mode.
fn replace(file: &Path, old: &str, new: &str) -> ToolResult<()> {
    let failed = |e: std::io::Error| {
        let mut error = ToolError::file("write", file, &e);
        error.kind = ErrorKind::Io;
        error.code(ErrorKind::Io.as_str())
    };
    let mode = std::fs::metadata(file).map_err(failed)?.permissions();
    let mut half =
        tempfile::NamedTempFile::new_in(file.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    half.write_all(new.as_bytes()).map_err(failed)?;
    half.as_file().set_permissions(mode).map_err(failed)?;
    half.as_file().sync_all().map_err(failed)?;
    if read(file)? != old {
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("`{}` was changed by somebody else at this moment", file.display()),
        )
        .hint("do it again"));
    }
    half.persist(file).map(drop).map_err(|e| failed(e.error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_everything_else_stay() {
        let text = "# mine\n[jobs] # limits\nkeep_days = 3\n\n[tools.a] # the first\nroute = \"rust\" # since May\ncut_over = true\n\n[legacy.a]\nscript = 'a.py'\n";
        let new = edited(text, "a", Target::Legacy).unwrap();
        assert_eq!(
            new,
            text.replace("\"rust\" # since", "\"legacy\" # since")
                .replace("cut_over = true", "cut_over = false")
        );
        let (removed, added) = changed(text, &new);
        assert_eq!((removed.len(), added.len()), (2, 2));
        assert_eq!(
            edited(&new, "a", Target::Rust).unwrap(),
            text.replace("cut_over = true", "cut_over = false")
        );
        assert_eq!(
            edited(text, "b", Target::Rust).unwrap(),
            text,
            "nothing to take back"
        );
    }

    #[test]
    fn a_missing_section_is_added_wherever_tools_are_kept() {
        for text in [
            "",
            "[jobs]\nkeep_days = 3\n",
            "[tools.a.policy]\ntimeout_s = 3\n",
            "[tools.other]\nroute = 'legacy'\n",
            "tools = { other = { route = 'legacy' } }\n",
            "tools.a.python_fallback_enabled = true\n",
        ] {
            let new = edited(text, "a", Target::Legacy).unwrap();
            let settings = Settings::parse(&new, Path::new("/c/onejob.toml")).unwrap();
            assert_eq!(target(&settings, "a"), Target::Legacy, "{new}");
            let (removed, added) = changed(text, &new);
            assert!(!added.is_empty() && removed.len() <= 1, "{text} -> {new}");
        }
        assert!(
            edited("tools = 3", "a", Target::Legacy)
                .unwrap_err()
                .contains("no table")
        );
        assert!(edited("[tools", "a", Target::Legacy).is_err());
    }
}
