//! Makes pictures from a prompt, and gives pictures a hand-made touch.
//!
//! Replaces `image_generation`. Beside each picture lies a sidecar (`NAME.json`) with prompt, provider, model,
//! seed and cost. The provider `canvas` draws brand cards offline: no key, no network, no cost. The others are asked over
//! the network, one after the other, with money set aside before each call and settled by what the answer says.

mod canvas;
mod card;
mod generate;
mod humanize;
mod input;
mod keep;
mod legacy;
mod naming;
mod paid;
mod provider;
mod random;
mod render;
mod sidecar;
mod touch;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{
    Artifact, Context, Definition, Effect, Gate, Policy, Source, Tool, ToolError, ToolResult, Usd, View,
};
use input::Input;
use migration::OldCalls;
use provider::Provider;
use raster::Format;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// What the tool returns.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum Output {
    /// What was made.
    Pictures(Pictures),
    /// Who can be asked.
    Models(paid::Models),
}

/// What was made, or would be.
#[derive(Debug, Serialize, JsonSchema)]
struct Pictures {
    /// The pictures, in order.
    images: Vec<Picture>,
    /// What the run cost, or in a dry run the most that the first provider would cost.
    cost_usd: Usd,
    /// Dry run: each provider of the chain.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<PlannedLink>,
    /// Every call, where one made no picture.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<paid::Attempt>,
    /// What could not be done as one would expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

/// One provider of a chain, as it would be asked.
#[derive(Debug, Serialize, JsonSchema)]
struct PlannedLink {
    /// Who.
    provider: Provider,
    /// Which model.
    model: String,
    /// Size or ratio that it makes.
    makes: String,
    /// The most that one picture may cost.
    most_usd_each: Usd,
    /// The most that all of them may cost.
    most_usd: Usd,
    /// Whether its key is set; true where it takes none.
    key_set: bool,
}

/// One picture.
#[derive(Debug, Serialize, JsonSchema)]
struct Picture {
    /// The file.
    path: PathBuf,
    /// The facts beside it; absent for `humanize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    sidecar: Option<PathBuf>,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Who made it; absent for `humanize`.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Provider>,
    /// Its seed, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
}

fn write(
    ctx: &Context,
    path: &Path,
    (bytes, format): (&[u8], Format),
    source: Option<&Path>,
) -> ToolResult<Artifact> {
    use std::io::Write as _;
    let mut artifact = ctx.create(path, format.media_type(), "output")?;
    if let Some(source) = source {
        artifact = artifact.made_from(Source::named(source.display().to_string()));
    }
    artifact
        .write_all(bytes)
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
            .effects(&[Effect::Reads, Effect::WritesFiles, Effect::Spends])
            .action("humanize", &[Effect::Reads, Effect::WritesFiles], Gate::Direct)
            .action("models", &[Effect::Reads], Gate::Direct)
            .reaches(&["openai", "gemini", "stability", "automatic1111"])
            .policy(
                Policy::with_timeout(Duration::from_secs(1800)),
                "a paid provider may take minutes for one picture, and up to ten are made in one run",
            )
            .secret("OPENAI_API_KEY", "key for the provider `openai`")
            .secret("GEMINI_API_KEY", "key for the provider `gemini`")
            .secret(
                "GOOGLE_API_KEY",
                "key for `gemini` where GEMINI_API_KEY is not set",
            )
            .secret("STABILITY_API_KEY", "key for the provider `stability`")
            .known_gap("the prompt is sent as it is given: no language model embellishes it first")
            .known_gap(
                "Stability's pictures come from its present models, not from `stable-diffusion-xl-1024-v1-0`",
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
                "what a chain of paid providers would cost, without a key and without asking anybody",
                &[
                    "generate",
                    "A teapot on a windowsill, morning light",
                    "--providers",
                    "openai,gemini",
                    "--size",
                    "1024x1536",
                    "-n",
                    "3",
                    "--dry-run",
                ],
            )
            .example("who can be asked, for how much, and until when", &["models"])
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
            Input::Models(_) => paid::models(ctx).map(Output::Models),
        }?;
        let warnings = match &output {
            Output::Pictures(pictures) => &pictures.warnings,
            Output::Models(models) => &models.warnings,
        };
        for warning in warnings {
            ctx.warn(warning.clone());
        }
        Ok(output)
    }

    fn render(output: &Output, _: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        render::render(output, out)
    }
}

impl OldCalls for ImageGeneration {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::input(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        let none = ToolError::internal("no picture was made");
        let path = outcome.and_then(|output| match output {
            Output::Pictures(made) => made.images.first().map(|image| image.path.as_path()).ok_or(&none),
            Output::Models(_) => Err(&none),
        });
        legacy::answer(call, path)
    }
}

fn main() -> std::process::ExitCode {
    migration::main::<ImageGeneration>()
}
