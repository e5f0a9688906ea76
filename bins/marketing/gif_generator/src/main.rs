//! Makes an animated GIF from images, a folder, a pattern, or a video.
//!
//! Replaces `gif_generator_tool`, which lost all frames but one. Everything but reading video is done in this
//! process: `ffmpeg` and `ffprobe` are needed for `--video` only. Memory stays flat however many frames there are.

mod dither;
mod encode;
mod fit;
mod frames;
mod input;
mod legacy;
mod nearest;
mod palette;
mod quality;
mod screen;
mod search;
mod video;

use std::{io::Write as _, path::PathBuf, time::Duration};

use app_core::{Artifact, Context, Definition, Effect, Policy, Source, Tool, ToolError, ToolResult};
use encode::{Outcome, Settings, encode};
use frames::{Frames, Stills, plan};
use input::Input;
use migration::OldCalls;
use quality::Quality;
use raster::{Limits, probe};
use schemars::JsonSchema;
use search::{Attempt, Found, search};
use serde::Serialize;
use serde_json::Value;
use video::{Cut, Video};

/// What was made.
#[derive(Debug, Serialize, JsonSchema)]
struct Output {
    /// The GIF.
    path: PathBuf,
    /// Width in pixels.
    width: u32,
    /// Height in pixels.
    height: u32,
    /// Frames written.
    frames: usize,
    /// Time of one play in milliseconds.
    duration_ms: u64,
    /// Size of the file.
    bytes: u64,
    /// Colours in the (largest) palette.
    colors: usize,
    /// How close the frames are to the source, in decibels; 100 means identical.
    psnr_db: f64,
    /// What `max_bytes` tried, and which attempt was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    trade_off: Option<TradeOff>,
}

/// The search for a file that fits.
#[derive(Debug, Serialize, JsonSchema)]
struct TradeOff {
    /// Index into `attempts`.
    chosen: usize,
    /// Everything that was tried.
    attempts: Vec<Attempt>,
}

struct GifGenerator;

impl Tool for GifGenerator {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(1, &["gif_generator_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .policy(Policy::with_timeout(Duration::from_secs(900)))
            .example(
                "three pictures, two per second",
                &["red.png", "green.png", "blue.png", "-o", "out.gif", "--rate", "2"],
            )
            .example(
                "a folder with crossfades, 120 pixels wide",
                &[".", "-o", "fade.gif", "--width", "120", "--crossfade", "0.3"],
            )
            .example(
                "as good as fits into 4 kB",
                &["*.png", "-o", "small.gif", "--max-bytes", "4000"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        let limits = Limits {
            max_pixels: input.max_pixels,
            ..Limits::default()
        };
        input.check_output()?;
        let (frames, sources) = gather(&input, &limits, ctx).await?;
        let settings = input.settings();
        if input.rate > 50.0 {
            ctx.warn("most viewers show frames of less than 20 ms much slower; 50 frames per second is the usual limit");
        }
        make(&input, frames.as_ref(), &settings, sources, ctx)
    }
}

impl OldCalls for GifGenerator {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::input(&call)
    }

    fn to_legacy(call: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::answer(call, outcome.map(|_| ()))
    }
}

/// Finds the inputs and measures them; decodes nothing yet.
async fn gather(input: &Input, limits: &Limits, ctx: &Context) -> ToolResult<(Box<dyn Frames>, Vec<Source>)> {
    if let Some(path) = &input.video {
        let facts = video::probe(path, limits).await?;
        let canvas = input.canvas((facts.width, facts.height), limits)?;
        let cut = Cut {
            start: input.start,
            duration: input.duration,
            rate: input.rate,
            max_frames: input.max_frames,
        };
        let sources = vec![Source::named(path.display().to_string())];
        return Ok((
            Box::new(Video::new(path.clone(), facts, cut, canvas, ctx.clone())),
            sources,
        ));
    }
    let paths = input.pictures()?;
    let first = probe(&paths[0], limits)?;
    let canvas = input.canvas((first.width, first.height), limits)?;
    let delays = input.picture_delays(paths.len())?;
    let (fade, fade_delay) = input.fade();
    let shots = plan(&delays, fade, fade_delay, input.loop_count != -1);
    if shots.len() > input.max_frames {
        let message = format!(
            "{} frames are more than `max_frames` {}",
            shots.len(),
            input.max_frames
        );
        return Err(ToolError::invalid("max_frames", message));
    }
    let sources = paths
        .iter()
        .map(|path| Source::named(path.display().to_string()))
        .collect();
    Ok((Box::new(Stills::new(paths, shots, canvas, *limits)), sources))
}

/// Encodes and writes.
fn make(
    input: &Input,
    frames: &dyn Frames,
    settings: &Settings,
    sources: Vec<Source>,
    ctx: &Context,
) -> ToolResult<Output> {
    let mut artifact = ctx.create(&input.output, "image/gif", "output")?;
    for source in sources {
        artifact = artifact.made_from(source);
    }
    let unwritable = |e: &std::io::Error| ToolError::file("write", &input.output, e);
    let (outcome, psnr_db, size, trade_off) = match input.max_bytes {
        None => {
            let progress = ctx.progress("encode", "frames", frames.count().map(|n| n as u64));
            let mut quality = Quality::default();
            let mut out = std::io::BufWriter::with_capacity(1 << 16, &mut artifact);
            let outcome = encode(frames, settings, &mut out, &mut |sources, shown| {
                quality.add(sources, shown);
                progress.inc(sources.len() as u64);
                ctx.check_cancelled()
            })?;
            out.flush().map_err(|e| unwritable(&e))?;
            drop(out);
            progress.finish();
            (outcome, quality.psnr(), frames.size(), None)
        }
        Some(max_bytes) => {
            let progress = ctx.progress("search", "attempts", None);
            let found = search(frames, settings, max_bytes, &|attempt| {
                progress.inc(1);
                progress.message(format!(
                    "{}x{} {} colours: {} bytes",
                    attempt.width, attempt.height, attempt.colors, attempt.bytes
                ));
                ctx.check_cancelled()
            })?;
            progress.finish();
            let Found {
                data,
                outcome,
                chosen,
                attempts,
            } = found;
            artifact.write_all(&data).map_err(|e| unwritable(&e))?;
            let best = &attempts[chosen];
            let (psnr, size) = (best.psnr_db.unwrap_or_default(), (best.width, best.height));
            (outcome, psnr, size, Some(TradeOff { chosen, attempts }))
        }
    };
    let Artifact { path, .. } = artifact.commit()?;
    let Outcome {
        frames,
        bytes,
        duration,
        colors,
    } = outcome;
    let psnr_db = (psnr_db * 100.0).round() / 100.0;
    ctx.count_items(frames as u64);
    Ok(Output {
        path,
        width: size.0,
        height: size.1,
        frames,
        duration_ms: duration * 10,
        bytes,
        colors,
        psnr_db,
        trade_off,
    })
}

fn main() -> std::process::ExitCode {
    migration::main::<GifGenerator>()
}
