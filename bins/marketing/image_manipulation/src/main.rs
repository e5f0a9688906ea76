//! Resizes, crops, rotates, marks, converts and shrinks images, one or many.
//!
//! Replaces `image_manipulation_tool`, a wrapper of ImageMagick; everything is done in this process.
//! EXIF orientation is honoured, formats are known by content, bombs are refused before they are decoded,
//! and an input is never replaced unless that was asked for.

mod actions;
mod batch;
mod change;
mod compress;
mod files;
mod geometry;
mod legacy;
mod names;
mod paint;
mod text;
mod work;

use std::{io::Write as _, path::PathBuf, time::Duration};

use actions::Input;
use app_core::{
    Context, Definition, Effect, PendingArtifact, Policy, Source, Tool, ToolError, ToolResult, files::FileId,
};
use batch::MemoryCap;
use migration::OldCalls;
use names::{Job, jobs};
use raster::probe;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use work::Work;

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// One entry for each image, in order.
    images: Vec<Image>,
    /// What could not be done as one would expect: reduced, left out, converted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
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
            .policy(
                Policy::with_timeout(Duration::from_secs(600)),
                "a folder of large pictures takes minutes on a small machine",
            )
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
        let work = Work::prepare(input, ctx)?;
        let jobs = jobs(&work.files, &work.beside)?;
        let progress = ctx.progress("images", "images", Some(jobs.len() as u64));
        let cap = MemoryCap::new(work.files.memory_mb.saturating_mul(1 << 20));
        let mut results = Vec::with_capacity(jobs.len());
        // A few at a time, so that files appear in the order of the inputs and few wait for their turn.
        for part in jobs.chunks(8 * rayon::current_num_threads().max(1)) {
            let made: Vec<ToolResult<Ready>> = part
                .par_iter()
                .map(|job| {
                    ctx.check_cancelled()?;
                    let ready = one(&work, job, &cap, ctx);
                    progress.inc(1);
                    ready
                })
                .collect();
            ctx.check_cancelled()?;
            results.extend(made.into_iter().map(|ready| ready?.commit(ctx)));
        }
        progress.finish();
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

/// A result that waits for its turn to appear.
struct Ready {
    pending: PendingArtifact,
    image: Image,
    notes: Vec<String>,
}

impl Ready {
    fn commit(self, ctx: &Context) -> ToolResult<(Image, Vec<String>)> {
        let artifact = self.pending.commit()?;
        ctx.count_items(1);
        let shown = self.image.input.display();
        let warnings: Vec<String> = self
            .notes
            .iter()
            .map(|note| format!("`{shown}`: {note}"))
            .collect();
        for warning in &warnings {
            ctx.warn(warning.clone());
        }
        let image = Image {
            output: Some(artifact.path),
            ..self.image
        };
        Ok((image, warnings))
    }
}

/// Works on one image, up to a file that only has to be put in place.
fn one(work: &Work, job: &Job, cap: &MemoryCap, ctx: &Context) -> ToolResult<Ready> {
    let bytes = ctx.read(&job.input, work.limits().max_file)?;
    let size = probe(&bytes, &job.input.display().to_string(), work.limits())?;
    // Decoded once, changed once, and the codecs' own buffers.
    let memory = u64::from(size.width) * u64::from(size.height) * 12;
    let made = cap.run(memory, || work.apply(&bytes, &job.input, job.format))?;
    let media_type = job.format.media_type();
    // `--in-place`: its own file, which `names` has looked after; never that of another image.
    let own = FileId::of(&job.output).is_some_and(|id| FileId::of(&job.input) == Some(id));
    let pending = if own {
        ctx.create_over(&job.output, media_type, "output")
    } else {
        ctx.create(&job.output, media_type, "output")
    };
    let mut pending = pending?.made_from(Source::named(job.input.display().to_string()));
    pending
        .write_all(&made.bytes)
        .map_err(|e| ToolError::file("write", &job.output, &e))?;
    let mut notes = made.notes;
    notes.dedup();
    Ok(Ready {
        pending,
        image: Image {
            input: job.input.clone(),
            output: None,
            width: made.size.0,
            height: made.size.1,
            bytes: made.bytes.len() as u64,
            quality: made.quality,
            error: None,
        },
        notes,
    })
}

/// Failed images do not stop the others; the output says which failed.
fn collect(jobs: &[Job], results: Vec<ToolResult<(Image, Vec<String>)>>) -> ToolResult<Output> {
    let (mut failed, total) = (0, results.len());
    let mut first = None;
    let mut warnings = Vec::new();
    let images = jobs
        .iter()
        .zip(results)
        .map(|(job, result)| {
            let told = result.map(|(image, mut said)| {
                warnings.append(&mut said);
                image
            });
            told.unwrap_or_else(|error| {
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
    let output = Output { images, warnings };
    match first {
        None => Ok(output),
        // A single image fails as itself.
        Some(error) if total == 1 => Err(error),
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
