//! The trait a tool implements.

use std::{fmt, future::Future};

use garde::Validate;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    context::Context,
    contract::{Definition, ToolResult},
    render::{View, render_value},
};

/// A job that onejob can do. From this alone come its flags, schema, forms, MCP tool, job and manifest.
pub trait Tool: Sized + 'static {
    /// What it needs: the only description of its input.
    type Input: DeserializeOwned + Serialize + JsonSchema + Validate<Context = ()>;
    /// What it returns.
    type Output: Serialize + JsonSchema;

    /// What it says of itself.
    fn definition() -> Definition;

    /// Does the job. Takes clock, files, network and money from `ctx`, never from globals.
    fn run(input: Self::Input, ctx: &Context) -> impl Future<Output = ToolResult<Self::Output>>;

    /// The result for a person at a terminal. Default: the output as indented `key: value` lines.
    ///
    /// What it writes goes through a filter, so that other people's texts cannot act on the terminal; names and
    /// titles that must stay on one line go through [`visible_line`](crate::text::visible_line). Colour comes from
    /// the view.
    fn render(output: &Self::Output, _view: &View<'_, Self::Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        let value = serde_json::to_value(output).unwrap_or_default();
        render_value(&value, out)
    }

    /// The result of a run that failed in part, for a person. Default: like any other value.
    fn render_partial(
        output: &Value,
        _view: &View<'_, Self::Input>,
        out: &mut dyn fmt::Write,
    ) -> fmt::Result {
        render_value(output, out)
    }

    /// With [`Gate::ByInput`](crate::contract::Gate::ByInput): whether this input plans unless `--apply` is given.
    fn plan_first(_input: &Self::Input) -> bool {
        true
    }
}
