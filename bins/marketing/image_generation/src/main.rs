//! Makes pictures from a prompt, and gives pictures a hand-made touch.
//!
//! Replaces `image_generation`. Beside each picture lies a sidecar (`NAME.json`) with prompt, provider, model,
//! seed and cost. The provider `canvas` draws brand cards offline: no key, no network, no cost.

mod card;
mod generate;
mod humanize;
mod input;
mod legacy;
mod provider;
mod random;
mod touch;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Artifact, Context, Definition, Effect, Policy, Source, Tool, ToolError, ToolResult, Usd};
use input::Input;
use migration::OldCalls;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The pictures, in order.
    images: Vec<Picture>,
    /// What they cost together.
    cost_usd: Usd,
    /// What could not be done as one would expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// One picture.
#[derive(Debug, Serialize, JsonSchema)]
struct Picture {
    /// The PNG.
    path: PathBuf,
    /// The facts beside it; absent for `humanize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sidecar: Option<PathBuf>,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Its seed.
    seed: u64,
}

fn write(ctx: &Context, path: &Path, png: &[u8], source: Option<&Path>) -> ToolResult<Artifact> {
    use std::io::Write as _;
    let mut artifact = ctx.create(path, "image/png", "output")?;
    if let Some(source) = source {
        artifact = artifact.made_from(Source::named(source.display().to_string()));
    }
    artifact
        .write_all(png)
        .map_err(|e| ToolError::file("write", path, &e))?;
    artifact.commit()
}

struct ImageGeneration;

impl Tool for ImageGeneration {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(1, &["image_generation", "humanize_image"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(
                Policy::with_timeout(Duration::from_secs(600)),
                "a paid provider may take minutes for one picture, and several are made in one run",
            )
            .example(
                "a square brand card",
                &[
                    "generate",
                    "Fresh bread every morning",
                    "-o",
                    "card.png",
                    "--subtitle",
                    "Baked while you sleep",
                    "--badge",
                    "New",
                    "--brand",
                    "Crumb & Co",
                    "--colors",
                    "#7a3b1d",
                    "--colors",
                    "#f2b84b",
                    "--size",
                    "540x540",
                ],
            )
            .example(
                "three variants as stories",
                &[
                    "generate",
                    "Summer tea",
                    "-n",
                    "3",
                    "--size",
                    "270x480",
                    "-O",
                    "cards",
                ],
            )
            .example(
                "a hand-made touch, repeatable",
                &[
                    "humanize",
                    "photo.png",
                    "-o",
                    "touched.png",
                    "--seed",
                    "7",
                    "--vignette",
                ],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let output = match input {
            Input::Generate(input) => generate::generate(&input, ctx).await,
            Input::Humanize(input) => touch::touch(&input, ctx),
        }?;
        for warning in &output.warnings {
            ctx.warn(warning.clone());
        }
        Ok(output)
    }
}

impl OldCalls for ImageGeneration {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::input(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        let none = ToolError::internal("no picture was made");
        let path = outcome.and_then(|o| o.images.first().map(|image| image.path.as_path()).ok_or(&none));
        legacy::answer(call, path)
    }
}

fn main() -> std::process::ExitCode {
    migration::main::<ImageGeneration>()
}
