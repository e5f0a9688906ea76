//! Help, completions and manual pages, of `onejob` and of every tool: made from what the tools say of themselves.

use std::path::PathBuf;

use app_core::{Context, Definition, ErrorKind, ToolError, ToolResult};
use clap::Command;
use job_manager::JobManager;

use crate::input::{Completions, Help, Man, Shell};

/// The help of a tool as its own `--help` shows it.
pub(crate) async fn help(it: &Help, jobs: &JobManager) -> ToolResult<String> {
    let definition = match &it.tool {
        None => own(),
        Some(name) => jobs.tool(name).await?.definition,
    };
    Ok(command(&definition).render_long_help().to_string())
}

/// A script for a shell.
pub(crate) async fn completions(it: &Completions, jobs: &JobManager) -> ToolResult<String> {
    let mut definitions = match &it.tool {
        Some(name) if name == env!("CARGO_PKG_NAME") => vec![own()],
        Some(name) => vec![jobs.tool(name).await?.definition],
        None => vec![own()],
    };
    // One file of bash or fish may complete many programs; the others want a file each.
    if it.tool.is_none() && matches!(it.shell, Shell::Bash | Shell::Fish) {
        let tools = jobs.list_tools().await?.into_iter().map(|t| t.definition);
        definitions.extend(tools.filter(|d| d.name != env!("CARGO_PKG_NAME")));
    }
    let shell = match it.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut script = Vec::new();
    for definition in definitions {
        clap_complete::generate(
            shell,
            &mut command(&definition),
            definition.name.clone(),
            &mut script,
        );
    }
    String::from_utf8(script).map_err(|e| ToolError::internal(format!("a completion script: {e}")))
}

/// Writes the pages, one file a program (roff, section 1).
pub(crate) async fn man(it: &Man, jobs: &JobManager, ctx: &Context) -> ToolResult<Vec<PathBuf>> {
    let mut definitions = vec![own()];
    let tools = jobs.list_tools().await?.into_iter().map(|t| t.definition);
    definitions.extend(tools.filter(|d| d.name != env!("CARGO_PKG_NAME")));
    if ctx.dry_run() {
        return Ok(definitions
            .iter()
            .map(|d| it.folder.join(format!("{}.1", d.name)))
            .collect());
    }
    std::fs::create_dir_all(&it.folder).map_err(|e| ToolError::file("make", &it.folder, &e))?;
    let mut written = Vec::new();
    for definition in definitions {
        let mut page = Vec::new();
        clap_mangen::Man::new(command(&definition))
            .render(&mut page)
            .map_err(|e| ToolError::new(ErrorKind::Io, format!("cannot make a manual page: {e}")))?;
        let path = it.folder.join(format!("{}.1", definition.name));
        ctx.write(&path, "text/troff", "manual", &page)?;
        written.push(path);
    }
    Ok(written)
}

fn own() -> Definition {
    app_core::harness::described::<crate::OneJob>()
}

fn command(definition: &Definition) -> Command {
    app_core::harness::command(definition)
}
