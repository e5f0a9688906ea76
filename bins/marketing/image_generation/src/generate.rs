//! Pictures from a prompt, each with a sidecar.

use std::path::Path;

use app_core::{Context, ToolError, ToolResult, Usd};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use raster::{Color, EncodeOptions, Filter, Format, Limits, Pixels, decode, encode, resize};
use serde::Serialize;

use crate::{
    Output, Picture,
    humanize::{Noise, humanize},
    input::Generate,
    provider::Request,
    write,
};

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

/// Makes the pictures one after the other; a dry run checks everything and draws nothing.
pub async fn generate(input: &Generate, ctx: &Context) -> ToolResult<Output> {
    let outputs = input.outputs()?;
    input.check_total()?;
    let request = request(input, ctx)?;
    let provider = input.provider;
    let progress = ctx.progress("generate", "images", Some(outputs.len() as u64));
    let mut made = Output {
        images: Vec::new(),
        cost_usd: Usd::ZERO,
        warnings: provider.warnings(&request)?,
    };
    if ctx.dry_run() {
        for (index, path) in outputs.into_iter().enumerate() {
            made.cost_usd += provider.price();
            ctx.may("write_file", &path.display().to_string(), "image/png");
            let sidecar = path.with_extension("json");
            ctx.may("write_file", &sidecar.display().to_string(), "application/json");
            made.images.push(Picture {
                sidecar: Some(sidecar),
                path,
                width: request.width,
                height: request.height,
                seed: input.seed.wrapping_add(index as u64),
            });
        }
        return Ok(made);
    }
    for (index, path) in outputs.iter().enumerate() {
        ctx.check_cancelled()?;
        let seed = input.seed.wrapping_add(index as u64);
        let (pixels, cost_usd) = provider.generate(&request, seed, ctx).await?;
        let mut image = pixels.into_rgb(Color::WHITE);
        if input.humanize {
            image = humanize(image, &Noise::Seeded(seed), input.vignette);
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
