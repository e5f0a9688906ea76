//! `take`: one page.

use app_core::{Context, ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    deliver::{self, Written},
    input::Take,
    session::with_browser,
    shoot::{self, Visit},
    target,
};

/// What was taken.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Taken {
    /// The pictures.
    pub pictures: Vec<Written>,
    /// What was seen.
    #[serde(flatten)]
    pub visit: Visit,
}

/// `[tools.screenshot.settings]` of onejob.toml.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// The page that is taken when none is named.
    url: Option<String>,
}

/// Takes a picture of a page.
pub async fn take(input: &Take, ctx: &Context) -> ToolResult<Taken> {
    let settings = ctx.tool_settings::<Settings>()?;
    let Some(address) = input.url.as_ref().or(settings.url.as_ref()) else {
        return Err(ToolError::invalid("url", "no page is named")
            .hint("give its address, or set `url` in `[tools.screenshot.settings]` of onejob.toml"));
    };
    let format = shoot::format_of(&input.output, input.framing.quality)?;
    // What is wrong with the fields is told before a browser is started.
    target::setup(address, &input.opening, false, "", ctx)?;
    let bar = ctx.progress("page", "pictures", None);
    let (pictures, visit) = with_browser(ctx, async |browser| {
        shoot::shoot(browser, address, &input.framing, &input.opening, format, ctx).await
    })
    .await?;
    bar.set(pictures.len() as u64);
    bar.finish();
    let numbered = input.framing.all || input.framing.selector.len() > 1;
    let pictures = deliver::write(&input.output, &pictures, &visit, numbered, ctx)?;
    for warning in &visit.warnings {
        ctx.warn(warning.clone());
    }
    let taken = Taken { pictures, visit };
    match taken.visit.status {
        Some(status) if status >= 400 => Err(ToolError::partial(
            format!("the page answered {status}; the picture shows that answer"),
            &crate::Output::Take(taken),
        )),
        _ => Ok(taken),
    }
}
