//! `[tools.event_calendar.settings]` of onejob.toml.

use app_core::{Context, ToolError, ToolResult};
use serde::Deserialize;

/// What holds where a call says nothing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Calendars: files, folders, addresses.
    pub sources: Vec<String>,
    /// Zone of days.
    pub zone: Option<String>,
    /// Calendar of holidays.
    pub holidays: Option<String>,
}

impl Settings {
    /// Of this run.
    pub fn of(ctx: &Context) -> ToolResult<Self> {
        ctx.tool_settings()
    }

    /// The calendars asked for, else those that are set. Fails with `config` when there are none.
    pub fn sources(&self, asked: &[String]) -> ToolResult<Vec<String>> {
        let sources = if asked.is_empty() { &self.sources } else { asked };
        if sources.is_empty() {
            return Err(ToolError::config("no calendar is named").code("no_calendar").hint(
                "give one with --sources FILE, or set `sources` in [tools.event_calendar.settings] of onejob.toml",
            ));
        }
        Ok(sources.to_vec())
    }
}
