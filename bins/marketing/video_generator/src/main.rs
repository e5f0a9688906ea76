//! Makes a video from pictures, colours and captions, exact to the frame.
//!
//! Replaces `video_generator_tool`, which made a title card of one second. The frames are drawn in this process and
//! given to one `ffmpeg`, which only encodes: no filter can shorten a scene, shake a slow zoom or misread a caption.

mod camera;
mod encode;
mod ffmpeg;
mod film;
mod input;
mod legacy;
mod lettering;
mod mix;
mod plate;
mod project;
mod rate;
mod report;
mod script;
mod sheet;
mod sound;
mod spec;
mod subtitles;
mod timeline;

use std::{
    fmt,
    io::Write as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use app_core::{
    Context, Definition, Effect, PendingArtifact, Policy, Tool, ToolError, ToolResult, View, contract::Gate,
};
use input::{Beside, FromScript, Input};
use migration::OldCalls;
use project::Project;
use report::Output;
use script::Wish;
use serde_json::Value;
use sound::Track;
use spec::Spec;

/// Largest description or text.
const MAX_TEXT: u64 = 4 << 20;

struct VideoGenerator;

impl Tool for VideoGenerator {
    type Input = Input;
    type Output = Output;

    fn definition() -> Definition {
        app_core::definition!("marketing")
            .replaces(2, &["video_generator_tool"])
            .effects(&[Effect::Reads, Effect::WritesFiles])
            .action("check", &[Effect::Reads], Gate::Direct)
            .known_gap("the style of an old call names the file and, where there is no script, the card; it does not choose fonts or motion")
            .policy(
                Policy::with_timeout(Duration::from_secs(3600)),
                "a minute of 1920x1080 takes one to two minutes to encode on a small machine",
            )
            .example(
                "a video with its poster, subtitles and a sheet of four frames",
                &["render", "ad.yml", "-o", "ad.mp4", "--preview", "4"],
            )
            .example("how long it will be, and what is wrong with it", &["check", "ad.yml"])
            .example(
                "four seconds from a text and a folder of pictures",
                &["from-script", "story.md", "--assets", ".", "-o", "story.mp4", "--duration", "4", "--fps", "10"],
            )
            .example_exit(
                2,
                "everything that is wrong is named before the first frame is drawn",
                &["check", "wrong.yml"],
            )
    }

    async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
        match input {
            Input::Check(check) => {
                let spec = Spec::parse(
                    ctx.read(&check.spec, MAX_TEXT)?,
                    &check.spec.display().to_string(),
                )?;
                let project = Project::gather(spec, folder(&check.spec), check.strict, ctx)?;
                looked_at(project, ctx).await
            }
            Input::Render(render) => {
                mp4(&render.output)?;
                let spec = Spec::parse(
                    ctx.read(&render.spec, MAX_TEXT)?,
                    &render.spec.display().to_string(),
                )?;
                let project = Project::gather(spec, folder(&render.spec), render.beside.strict, ctx)?;
                make(project, &render.output, &render.beside, ctx).await
            }
            Input::FromScript(wish) => {
                mp4(&wish.output)?;
                let mut notes = Vec::new();
                let spec = written(&wish, &mut notes, ctx)?;
                let shown = spec.clone();
                let mut project = Project::gather(spec, Path::new(""), wish.beside.strict, ctx)?;
                project.warnings.splice(0..0, notes);
                let made = make(project, &wish.output, &wish.beside, ctx).await?;
                Ok(Output {
                    spec: Some(shown),
                    ..made
                })
            }
        }
    }

    fn render(output: &Output, _: &View<'_, Input>, out: &mut dyn fmt::Write) -> fmt::Result {
        report::render(output, out)
    }
}

impl OldCalls for VideoGenerator {
    fn from_legacy(call: Value) -> Result<Value, Value> {
        legacy::input(&call)
    }

    fn to_legacy(_: &Value, outcome: Result<&Output, &ToolError>) -> Value {
        legacy::answer(outcome.map(|output| output.path.as_deref()))
    }
}

/// Paths in a description start from its own folder.
fn folder(spec: &Path) -> &Path {
    spec.parent().unwrap_or(Path::new(""))
}

fn mp4(output: &Path) -> ToolResult<()> {
    let fits = output
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("mp4"));
    if fits {
        return Ok(());
    }
    Err(ToolError::invalid(
        "output",
        format!(
            "`{}` does not end with .mp4, the only format that is made",
            output.display()
        ),
    ))
}

/// The description of a video from a text and pictures.
fn written(wish: &FromScript, notes: &mut Vec<String>, ctx: &Context) -> ToolResult<Spec> {
    let text = match (&wish.text, &wish.script) {
        (Some(path), None) => String::from_utf8(ctx.read(path, MAX_TEXT)?)
            .map_err(|_| ToolError::invalid("text", format!("`{}` is not UTF-8", path.display())))?,
        (None, Some(script)) => script.clone(),
        _ => {
            return Err(ToolError::invalid(
                "text",
                "give a text file, or the text itself with `script`",
            ));
        }
    };
    let pictures = match &wish.assets {
        Some(folder) => script::pictures(folder, wish.only_named.as_deref(), notes)?,
        None => Vec::new(),
    };
    let wished = Wish {
        duration: wish.duration,
        aspect: wish.aspect,
        fps: wish.fps,
        crossfade: wish.crossfade,
        music: wish.music.clone(),
    };
    script::compose(&script::sentences(&text), &pictures, &wished, notes)
}

/// Says what would be made.
async fn looked_at(project: Project, ctx: &Context) -> ToolResult<Output> {
    let mut output = Output::of(&project);
    let mut open = project.lacks_glyphs;
    match ffmpeg::version(ctx).await {
        Ok(version) => {
            output.ffmpeg = Some(version);
            let track = Track::measure(&project, &mut output.warnings, ctx).await?;
            output.sound = track.map(|track| track.report);
        }
        Err(error) if error.code == "missing_program" => {
            open = true;
            let music = if project.music.is_some() {
                ", and the music was not looked at"
            } else {
                ""
            };
            output.warnings.push(format!(
                "ffmpeg is not installed: `render` would fail{music} (Debian: apt install ffmpeg)"
            ));
        }
        Err(error) => return Err(error),
    }
    output.spec = Some(project.spec);
    tell(output, open, ctx)
}

/// Draws, encodes, counts, and only then puts the files in place.
async fn make(project: Project, target: &Path, beside: &Beside, ctx: &Context) -> ToolResult<Output> {
    let mut output = Output::of(&project);
    output.ffmpeg = Some(ffmpeg::version(ctx).await?);
    let track = Track::measure(&project, &mut output.warnings, ctx).await?;
    let lacks_glyphs = project.lacks_glyphs;
    let project = Arc::new(project);
    // All at once, so that a name that cannot be written is told before the work and not after it.
    let begin = |path: PathBuf, media_type: &str, role: &str| -> ToolResult<PendingArtifact> {
        let mut pending = ctx.create(path, media_type, role)?;
        for source in project.sources() {
            pending = pending.made_from(source);
        }
        Ok(pending)
    };
    let video = begin(target.to_owned(), "video/mp4", "output")?;
    let subtitles = match subtitles::subrip(&project.spec, &project.timeline) {
        Some(text) if !beside.no_srt => {
            let path = target.with_extension("srt");
            Some((begin(path, "application/x-subrip", "sidecar")?, text))
        }
        _ => None,
    };
    let poster = (!beside.no_poster)
        .then(|| begin(target.with_extension("poster.png"), "image/png", "thumbnail"))
        .transpose()?;
    let preview = beside
        .preview
        .map(|count| {
            Ok::<_, ToolError>((
                begin(target.with_extension("preview.png"), "image/png", "preview")?,
                count,
            ))
        })
        .transpose()?;
    if !ctx.dry_run() {
        encode::encode(&project, track.as_ref(), video.path(), ctx).await?;
        let counted = ffmpeg::count_frames(video.path(), ctx).await?;
        if counted != output.frames {
            return Err(ToolError::internal(format!(
                "the video has {counted} frames and not {}",
                output.frames
            )));
        }
        output.frames_counted = Some(counted);
        ctx.count_items(counted);
    }
    let path = video.commit()?.path;
    if let Some((pending, text)) = subtitles {
        output.subtitles = Some(filled(pending, text.as_bytes())?);
    }
    if let Some(pending) = poster {
        output.poster = Some(filled(pending, &sheet::poster(&project, ctx)?)?);
    }
    if let Some((pending, count)) = preview {
        output.preview = Some(filled(pending, &sheet::contact_sheet(&project, count, ctx)?)?);
    }
    output.path = Some(path);
    output.sound = track.map(|track| track.report);
    tell(output, lacks_glyphs, ctx)
}

fn filled(mut pending: PendingArtifact, bytes: &[u8]) -> ToolResult<PathBuf> {
    let target = pending.target().to_owned();
    pending
        .write_all(bytes)
        .map_err(|e| ToolError::file("write", &target, &e))?;
    Ok(pending.commit()?.path)
}

/// Repeats the warnings in the log; `open` says that something is not as it should be.
fn tell(output: Output, open: bool, ctx: &Context) -> ToolResult<Output> {
    for warning in &output.warnings {
        ctx.warn(warning.clone());
    }
    if open {
        let first = output
            .warnings
            .iter()
            .find(|w| w.contains("no font") || w.contains("not installed"));
        let message = first.cloned().unwrap_or_default();
        return Err(ToolError::partial(message, &output));
    }
    Ok(output)
}

fn main() -> std::process::ExitCode {
    migration::main::<VideoGenerator>()
}
