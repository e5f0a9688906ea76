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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn no_value_becomes_markup(text in any::<String>()) {
            let hostile = format!("{text}<script>\"'&</pre>");
            let view = json!({
                "title": hostile, "platform": hostile, "body": "", "hashtags": hostile, "mentions": hostile,
                "call_to_action": hostile, "call_to_action_url": hostile, "prompt": hostile, "image": hostile, "alt": hostile,
                "spec": hostile, "paper": "A4",
            });
            let page = render(POST, &view).unwrap();
            prop_assert!(!page.contains("<script"));
            prop_assert_eq!(page.matches("</pre>").count(), 2);
            let figure = json!({
                "kind": "page", "address": hostile, "title": hostile, "caption": hostile, "size": hostile,
                "note": hostile, "link": hostile,
            });
            let run = json!({
                "name": hostile, "objective": hostile, "status": hostile, "run_id": hostile,
                "fonts": "", "brand": {"name": hostile, "main": "#000000", "on_main": "#ffffff", "second": "#000000"},
                "facts": [{"name": "Date", "value": hostile}], "figures": [hostile],
                "wide": [figure], "tall": [figure], "pages": [figure],
                "approvals": [{
                    "question": hostile, "status": hostile, "shown": [hostile],
                    "said": [{"what": hostile, "at": hostile, "comment": hostile}],
                }],
                "steps": [{"id": hostile, "title": hostile, "tool": hostile, "error": hostile, "output": hostile}],
                "artifacts": [{"name": hostile, "made_from": [hostile], "step": hostile}],
            });
            prop_assert!(!render(RUN, &run).unwrap().contains("<script"));
        }
    }
}
