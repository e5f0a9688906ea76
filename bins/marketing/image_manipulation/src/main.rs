//! Resizes, crops, rotates, marks, converts and shrinks images, one or many.
//!
//! Replaces `image_manipulation_tool`, a wrapper of ImageMagick; everything is done in this process.
//! EXIF orientation is honoured, formats are known by content, bombs are refused before they are decoded,
//! and an input is never replaced unless that was asked for.

mod actions;
mod batch;
mod compress;
mod geometry;
mod legacy;
mod names;
mod paint;
mod text;
mod work;

use std::{path::PathBuf, time::Duration};

use actions::Input;
use app_core::{Context, Definition, Effect, Policy, Tool, ToolError, ToolResult};
use batch::MemoryCap;
use migration::OldCalls;
use names::{Job, jobs};
use raster::{Limits, probe};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use work::{Extras, apply};

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// One entry for each image, in order.
    images: Vec<Image>,
}

/// One image.
#[derive(Debug, Serialize, JsonSchema)]
struct Image {
    /// Where it was read.
    input: PathBuf,
    /// Where the result is; absent when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<PathBuf>,
    /// Width of the result in pixels.
    width: u32,
    /// Height of the result in pixels.
    height: u32,
    /// Size of the result.
    bytes: u64,
    /// JPEG quality that `compress` needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<u8>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

struct ImageManipulation;

impl Tool for ImageManipulation {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(1, &["image_manipulation_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(Policy::with_timeout(Duration::from_secs(600)))
            .example(
                "at most 120 pixels wide",
                &["resize", "photo.jpg", "-o", "small.jpg", "--width", "120"],
            )
            .example(
                "a half transparent mark in the corner",
                &[
                    "watermark",
                    "photo.jpg",
                    "-w",
                    "mark.png",
                    "-o",
                    "marked.png",
                    "--opacity",
                    "0.5",
                    "--margin",
                    "8",
                ],
            )
            .example(
                "square thumbnails of a whole folder",
                &["thumbnail", ".", "-O", "thumbs", "--square", "-s", "64"],
            )
            .example(
                "at most 3000 bytes",
                &["compress", "photo.jpg", "-o", "tiny.jpg", "-b", "3000"],
            )
            .example(
                "a caption",
                &[
                    "text",
                    "photo.jpg",
                    "-o",
                    "captioned.png",
                    "-t",
                    "Привет, world",
                    "--plate",
                    "#00000090",
                ],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let files = input.files();
        let limits = Limits {
            max_pixels: files.max_pixels,
            ..Limits::default()
        };
        let jobs = jobs(&files)?;
        let extras = Extras::read(&input, &limits, ctx)?;
        if let [job] = jobs.as_slice() {
            let image = one(&input, &extras, job, &limits, ctx)?;
            return Ok(Output { images: vec![image] });
        }
        let progress = ctx.progress("images", "images", Some(jobs.len() as u64));
        let cap = MemoryCap::new(files.memory_mb << 20);
        let results: Vec<ToolResult<Image>> = jobs
            .par_iter()
            .map(|job| {
                ctx.check_cancelled()?;
                let size = probe(&job.input, &limits)?;
                // Decoded once, changed once, and the codecs' own buffers.
                let bytes = u64::from(size.width) * u64::from(size.height) * 12;
                let image = cap.run(bytes, || one(&input, &extras, job, &limits, ctx));
                progress.inc(1);
                image
            })
            .collect();
        progress.finish();
        ctx.check_cancelled()?;
        collect(&jobs, results)
    }
}

impl OldCalls for ImageManipulation {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::input(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::answer(call, outcome.map(|_| ()))
    }
}

/// Works on one image from file to file.
fn one(input: &Input, extras: &Extras, job: &Job, limits: &Limits, ctx: &Context) -> ToolResult<Image> {
    let bytes = ctx.read(&job.input, limits.max_file)?;
    let made = apply(input, extras, &bytes, &job.input, job.format, limits)?;
    if made.frames > 1 {
        ctx.warn(format!(
            "`{}` has {} frames; only the first is used",
            job.input.display(),
            made.frames
        ));
    }
    let artifact = ctx.write(&job.output, job.format.media_type(), "output", &made.bytes)?;
    ctx.count_items(1);
    Ok(Image {
        input: job.input.clone(),
        output: Some(artifact.path),
        width: made.size.0,
        height: made.size.1,
        bytes: made.bytes.len() as u64,
        quality: made.quality,
        error: None,
    })
}

/// Failed images do not stop the others; the output says which failed.
fn collect(jobs: &[Job], results: Vec<ToolResult<Image>>) -> ToolResult<Output> {
    let (mut failed, total) = (0, results.len());
    let mut first = None;
    let images = jobs
        .iter()
        .zip(results)
        .map(|(job, result)| {
            result.unwrap_or_else(|error| {
                failed += 1;
                let text = error.message.clone();
                first.get_or_insert(error);
                let input = job.input.clone();
                Image {
                    input,
                    output: None,
                    width: 0,
                    height: 0,
                    bytes: 0,
                    quality: None,
                    error: Some(text),
                }
            })
        })
        .collect();
    let output = Output { images };
    match first {
        None => Ok(output),
        Some(error) if failed == total => Err(error.with_output(&output)),
        Some(error) => {
            let message = format!("{failed} of {total} images failed; the first: {}", error.message);
            Err(ToolError::partial(message, &output))
        }
    }
}

fn main() -> std::process::ExitCode {
    migration::main::<ImageManipulation>()
}
