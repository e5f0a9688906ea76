//! Makes pictures from a prompt, and gives pictures a hand-made touch.
//!
//! Replaces `image_generation`. Beside each picture lies a sidecar (`NAME.json`) with prompt, provider, model,
//! seed and cost. The provider `canvas` draws brand cards offline: no key, no network, no cost.

mod card;
mod humanize;
mod input;
mod legacy;
mod provider;
mod random;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use app_core::{Artifact, Context, Definition, Effect, Policy, Source, Tool, ToolError, ToolResult, Usd};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use humanize::{Noise, humanize};
use input::{Generate, Humanize, Input, NoiseSource};
use migration::OldCalls;
use provider::Request;
use raster::{Color, EncodeOptions, Filter, Format, Limits, Pixels, RgbImage, decode, encode, resize};
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

/// The facts kept beside a picture.
#[derive(Debug, Serialize)]
struct Sidecar<'a> {
    format: &'static str,
    image: String,
    prompt: &'a str,
    negative_prompt: Option<&'a str>,
    provider: &'static str,
    model: &'static str,
    seed: u64,
    width: u32,
    height: u32,
    reference: Option<&'a Path>,
    humanized: bool,
    cost_usd: Usd,
    created_at: String,
}

struct ImageGeneration;

impl Tool for ImageGeneration {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(1, &["image_generation", "humanize_image"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(Policy::with_timeout(Duration::from_secs(600)))
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
        match input {
            Input::Generate(input) => generate(&input, ctx).await,
            Input::Humanize(input) => touch(&input, ctx),
        }
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

async fn generate(input: &Generate, ctx: &Context) -> ToolResult<Output> {
    let outputs = input.outputs()?;
    let request = request(input, ctx)?;
    let provider = input.provider;
    let progress = ctx.progress("generate", "images", Some(outputs.len() as u64));
    let mut made = Output {
        images: Vec::new(),
        cost_usd: Usd::ZERO,
    };
    for (index, path) in outputs.iter().enumerate() {
        ctx.check_cancelled()?;
        let seed = input.seed.wrapping_add(index as u64);
        let (pixels, cost_usd) = provider.generate(&request, seed, ctx).await?;
        let mut image = pixels.into_rgb(Color::WHITE);
        if input.humanize {
            image = humanize(&image, &Noise::Seeded(seed), input.vignette);
        }
        let (width, height) = image.dimensions();
        let png = encode(Pixels::Rgb(image), Format::Png, &EncodeOptions::default())?;
        let written = write(ctx, path, &png, input.reference.as_deref())?;
        let sidecar = Sidecar {
            format: "onejob.image.v1",
            image: path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default(),
            prompt: &request.prompt,
            negative_prompt: request.negative_prompt.as_deref(),
            provider: provider.name(),
            model: provider.model(),
            seed,
            width,
            height,
            reference: input.reference.as_deref(),
            humanized: input.humanize,
            cost_usd,
            created_at: ctx.now().to_string(),
        };
        let mut text = serde_json::to_vec_pretty(&sidecar)
            .map_err(|e| ToolError::internal(format!("the sidecar could not be written: {e}")))?;
        text.push(b'\n');
        let beside = ctx.write(path.with_extension("json"), "application/json", "sidecar", &text)?;
        made.cost_usd += cost_usd;
        made.images.push(Picture {
            path: written.path,
            sidecar: Some(beside.path),
            width,
            height,
            seed,
        });
        ctx.count_items(1);
        progress.inc(1);
    }
    progress.finish();
    Ok(made)
}

fn request(input: &Generate, ctx: &Context) -> ToolResult<Request> {
    let (width, height) = input.pixels()?;
    let title = match &input.title {
        Some(title) => title.clone(),
        None => input
            .prompt
            .lines()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default()
            .trim()
            .to_owned(),
    };
    let reference = input
        .reference
        .as_ref()
        .map(|path| reference(path, (width, height), ctx))
        .transpose()?;
    Ok(Request {
        prompt: input.prompt.clone(),
        negative_prompt: input.negative_prompt.clone(),
        width,
        height,
        reference,
        title,
        subtitle: input.subtitle.clone(),
        badge: input.badge.clone(),
        brand: input.brand.clone(),
        colors: input.colors.clone(),
        layout: input.layout,
    })
}

/// The reference as a `data:` address of a PNG, upright and no larger than it will be shown.
fn reference(path: &Path, shown: (u32, u32), ctx: &Context) -> ToolResult<String> {
    let limits = Limits::default();
    let bytes = ctx.read(path, limits.max_file)?;
    let picture = decode(&bytes, &path.display().to_string(), &limits).map_err(|e| e.field("reference"))?;
    let mut pixels = picture.pixels;
    let most = shown.0.max(shown.1);
    let scale = f64::from(most) / f64::from(pixels.width().min(pixels.height()));
    if scale < 1.0 {
        let side = |v: u32| ((f64::from(v) * scale).round() as u32).max(1);
        pixels = resize(
            &pixels,
            side(pixels.width()),
            side(pixels.height()),
            Filter::Lanczos3,
        )?;
    }
    let png = encode(pixels, Format::Png, &EncodeOptions::default())?;
    Ok(format!("data:image/png;base64,{}", STANDARD.encode(png)))
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

fn touch(input: &Humanize, ctx: &Context) -> ToolResult<Output> {
    if Format::from_path(&input.output, "output")? != Format::Png {
        return Err(ToolError::invalid(
            "output",
            format!("`{}` must end in .png", input.output.display()),
        ));
    }
    let limits = Limits::default();
    let bytes = ctx.read(&input.image, limits.max_file)?;
    let picture =
        decode(&bytes, &input.image.display().to_string(), &limits).map_err(|e| e.field("image"))?;
    let image = picture.pixels.into_rgb(Color::BLACK);
    let noise = match input.noise {
        NoiseSource::Off => Noise::Off,
        NoiseSource::Seed => Noise::Seeded(input.seed),
        NoiseSource::File => Noise::Given(given_noise(input, &image, ctx)?),
    };
    let image = humanize(&image, &noise, input.vignette);
    let (width, height) = image.dimensions();
    let pixels = if input.alpha {
        Pixels::Rgba(Pixels::Rgb(image).into_rgba())
    } else {
        Pixels::Rgb(image)
    };
    let png = encode(pixels, Format::Png, &EncodeOptions::default())?;
    let written = write(ctx, &input.output, &png, Some(&input.image))?;
    let picture = Picture {
        path: written.path,
        sidecar: None,
        width,
        height,
        seed: input.seed,
    };
    Ok(Output {
        images: vec![picture],
        cost_usd: Usd::ZERO,
    })
}

fn given_noise(input: &Humanize, image: &RgbImage, ctx: &Context) -> ToolResult<Vec<i32>> {
    let Some(path) = &input.noise_file else {
        return Err(ToolError::invalid(
            "noise_file",
            "noise from a file needs `noise_file`",
        ));
    };
    let bytes = ctx.read(path, 1 << 30)?;
    let rows: Vec<Vec<[i32; 3]>> = serde_json::from_slice(&bytes).map_err(|e| {
        ToolError::invalid(
            "noise_file",
            format!(
                "`{}` does not hold rows of pixels of three whole numbers: {e}",
                path.display()
            ),
        )
    })?;
    let (width, height) = image.dimensions();
    if rows.len() != height as usize || rows.iter().any(|row| row.len() != width as usize) {
        let message = format!("`{}` does not fit a picture of {width}x{height}", path.display());
        return Err(ToolError::invalid("noise_file", message));
    }
    Ok(rows.into_iter().flatten().flatten().collect())
}

fn main() -> std::process::ExitCode {
    migration::main::<ImageGeneration>()
}
