//! Fills the templates. Every value is escaped except the sanitised Markdown body.

use app_core::{ToolError, ToolResult};
use minijinja::{AutoEscape, Environment, value::Serde};
use serde::Serialize;

/// The report of a post.
pub const POST: &str = "post.html";
/// The report of a run.
pub const RUN: &str = "run.html";

/// Fills a template.
pub fn render(name: &str, view: &impl Serialize) -> ToolResult<String> {
    let failed = |e: minijinja::Error| ToolError::internal(format!("template `{name}`: {e:#}"));
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment
        .add_template(POST, include_str!("../templates/post.html"))
        .map_err(failed)?;
    environment
        .add_template(RUN, include_str!("../templates/run.html"))
        .map_err(failed)?;
    environment
        .get_template(name)
        .and_then(|template| template.render(Serde(view)))
        .map_err(failed)
}
