//! Makes an animated GIF from images, a folder, a pattern, or a video.
//!
//! Replaces `gif_generator_tool`, which lost all frames but one. Everything but reading video is done in this
//! process: `ffmpeg` and `ffprobe` are needed for `--video` only. Memory stays flat however many frames there are.

mod dither;
mod encode;
mod files;
mod fit;
mod frames;
mod input;
mod legacy;
mod nearest;
mod palette;
mod pictures;
mod probe;
mod quality;
mod reduced;
mod screen;
mod search;
mod settings;
mod table;
mod video;

use std::{io::Write as _, path::PathBuf, time::Duration};

use app_core::{Artifact, Context, Definition, Effect, Policy, Source, Tool, ToolError, ToolResult};
use encode::{Outcome, Settings, encode};
use frames::{Frames, Stills, plan};
use input::Input;
use migration::OldCalls;
use pictures::{Pictures, check_count};
use quality::Quality;
use raster::Limits;
use schemars::JsonSchema;
use search::{Attempt, Found, search};
use serde::Serialize;
use serde_json::Value;
use settings::{DEFAULT_RATE, check_total};
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
    /// What could not be done as one would expect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
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
            .policy(
                Policy::with_timeout(Duration::from_secs(900)),
                "thousands of frames with crossfades take minutes on a small machine",
            )
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
        let mut output = make(&input, frames.as_ref(), &settings, sources, ctx)?;
        if input.rate.is_some_and(|rate| rate > 50.0) {
            output.warnings.push(
                "most viewers show frames of less than 20 ms much slower; 50 frames per second is the usual limit"
                    .to_owned(),
            );
        }
        output.warnings.extend(frames.notes());
        for warning in &output.warnings {
            ctx.warn(warning.clone());
        }
        Ok(output)
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
        let facts = probe::probe(path, limits).await?;
        let canvas = input.canvas((facts.width, facts.height), limits)?;
        let cut = Cut {
            start: input.start,
            duration: input.duration,
            rate: input.rate.unwrap_or(DEFAULT_RATE),
            max_frames: input.max_frames,
        };
        let sources = vec![Source::named(path.display().to_string())];
        return Ok((
            Box::new(Video::new(path.clone(), facts, cut, canvas, ctx.clone())),
            sources,
        ));
    }
    let paths = input.pictures()?;
    let (pictures, canvas) = Pictures::gather(&paths, input, limits, ctx)?;
    let delays = input.picture_delays(pictures.delays())?;
    let (fade, fade_delay) = input.fade();
    let count = delays.len().saturating_add(delays.len().saturating_mul(fade));
    // Before any is planned: the numbers may be absurd.
    if count > input.max_frames.saturating_add(fade) {
        check_count(count, input.max_frames)?;
    }
    let shots = plan(&delays, fade, fade_delay, input.loop_count != -1);
    check_count(shots.len(), input.max_frames)?;
    check_total((canvas.width, canvas.height), shots.len())?;
    let sources = paths
        .iter()
        .map(|path| Source::named(path.display().to_string()))
        .collect();
    Ok((
        Box::new(Stills::new(pictures, shots, canvas, *limits, ctx.clone())),
        sources,
    ))
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
    let mut warnings = Vec::new();
    let (outcome, psnr_db, size, trade_off) = match input.max_bytes {
        None => {
            let progress = ctx.progress("encode", "frames", frames.count().map(|n| n as u64));
            let mut quality = Quality::default();
            let mut out = std::io::BufWriter::with_capacity(1 << 16, &mut artifact);
            let outcome = encode(
                frames,
                settings,
                &mut out,
                &input.output,
                &mut |sources, shown| {
                    quality.add(sources, shown);
                    progress.inc(sources.len() as u64);
                    ctx.check_cancelled()
                },
            )?;
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
                cut_short,
            } = found;
            if cut_short {
                warnings.push(
                    "not every size and number of colours was tried: the animation is large".to_owned(),
                );
            }
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
        warnings,
    })
}

fn main() -> std::process::ExitCode {
    migration::main::<GifGenerator>()
}
