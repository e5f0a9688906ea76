//! From frames to a file: one ffmpeg that gets raw pictures at a constant rate, so its number of frames is ours.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use app_core::{Context, ErrorKind, ToolError, ToolResult, process::ChildGroup};
use tokio::{
    io::AsyncWriteExt,
    process::{ChildStdin, Command},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{
    ffmpeg::{command, file, last_line, stuck, tail},
    film::{Film, Frame},
    project::Project,
    sound::Track,
};

/// Longest time ffmpeg may take for one more frame, or to end after the last one.
const PATIENCE: Duration = Duration::from_secs(300);
/// Frames drawn ahead of the encoder.
const AHEAD: usize = 4;
/// Threads of the encoder: always as many, since its choices depend on their number.
const THREADS: &str = "4";

/// Draws and encodes the whole video into `target`.
pub async fn encode(
    project: &Arc<Project>,
    track: Option<&Track>,
    target: &Path,
    ctx: &Context,
) -> ToolResult<()> {
    let mut group = ChildGroup::spawn(ffmpeg(project, track, target))?;
    let complaint = tokio::spawn(tail(group.child().stderr.take()));
    let stdin = group
        .child()
        .stdin
        .take()
        .ok_or_else(|| ToolError::internal("ffmpeg has no input pipe"))?;
    let (frames, drawing) = draw(project, ctx);
    let ended = match feed(stdin, frames, project, ctx).await {
        Ok(()) => drained(&mut group, ctx).await,
        Err(error) => Err(error),
    };
    let status = match ended {
        Ok(status) => status,
        Err(error) => {
            group.stop(Duration::from_millis(200)).await;
            // The drawing stops by itself: nobody takes its frames any more.
            let drawn = drawing.await;
            return Err(if error.kind == ErrorKind::Cancelled {
                error
            } else {
                first_fault(drawn, error)
            });
        }
    };
    let drawn = drawing
        .await
        .map_err(|e| ToolError::internal(format!("drawing broke off: {e}")))?;
    let complaint = complaint.await.unwrap_or_default();
    if !status.success() {
        return Err(failed(&complaint));
    }
    drawn
}

fn first_fault(drawn: Result<ToolResult<()>, tokio::task::JoinError>, error: ToolError) -> ToolError {
    match drawn {
        Ok(Err(fault)) => fault,
        _ => error,
    }
}

fn ffmpeg(project: &Project, track: Option<&Track>, target: &Path) -> Command {
    let mut command = command("ffmpeg");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .args(["-nostdin", "-v", "error", "-y"])
        .args([
            "-protocol_whitelist",
            "file,pipe",
            "-f",
            "rawvideo",
            "-pixel_format",
            "rgb24",
        ])
        .args(["-video_size", &project.size.to_string()])
        .args(["-framerate", &project.spec.fps.to_string()])
        .args(["-i", "pipe:0"]);
    if let Some(track) = track {
        command.args(track.input());
    }
    command.args(["-map", "0:v:0"]);
    if let Some(track) = track {
        command.args(["-map", "1:a:0"]).args(track.output());
    }
    command
        // The colours of high definition (BT.709), said in the file, so that every player shows the same.
        .args(["-vf", "scale=in_range=full:out_range=tv:out_color_matrix=bt709:flags=accurate_rnd+full_chroma_int,format=yuv420p"])
        .args(["-c:v", "libx264", "-preset", "medium", "-crf", "19", "-threads", THREADS])
        .args(["-color_range", "tv", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"])
        .args(["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"])
        .args(["-movflags", "+faststart", "-f", "mp4"])
        .arg(file(target));
    command
}

/// Draws on threads of its own, a few frames ahead; ends when nobody takes them.
fn draw(project: &Arc<Project>, ctx: &Context) -> (mpsc::Receiver<Frame>, JoinHandle<ToolResult<()>>) {
    let (send, receive) = mpsc::channel(AHEAD);
    let (project, ctx) = (Arc::clone(project), ctx.clone());
    let drawing = tokio::task::spawn_blocking(move || {
        let total = project.timeline.frames;
        let mut film = Film::new(project, ctx);
        let mut next = 0;
        while next < total {
            let end = total.min(next + AHEAD as u64);
            for frame in film.draw(next..end)? {
                if send.blocking_send(frame).is_err() {
                    return Ok(());
                }
            }
            next = end;
        }
        Ok(())
    });
    (receive, drawing)
}

/// Hands all frames over, or as many as ffmpeg takes: when it closes its input, its exit status and complaint say why.
async fn feed(
    mut stdin: ChildStdin,
    mut frames: mpsc::Receiver<Frame>,
    project: &Project,
    ctx: &Context,
) -> ToolResult<()> {
    let progress = ctx.progress("encode", "frames", Some(project.timeline.frames));
    let mut fed = 0;
    while let Some(frame) = frames.recv().await {
        let written = tokio::select! {
            written = stdin.write_all(&frame) => written,
            () = ctx.cancellation().cancelled() => return Err(ToolError::cancelled()),
            () = tokio::time::sleep(PATIENCE) => return Err(stuck("ffmpeg")),
        };
        if written.is_err() {
            return Ok(());
        }
        fed += 1;
        progress.inc(1);
    }
    progress.finish();
    if fed < project.timeline.frames {
        // The drawing itself says what went wrong; a cancelled run has priority.
        ctx.check_cancelled()?;
        return Err(ToolError::internal("drawing ended early"));
    }
    // Closing the pipe is what ends the video.
    drop(stdin);
    Ok(())
}

async fn drained(group: &mut ChildGroup, ctx: &Context) -> ToolResult<ExitStatus> {
    tokio::select! {
        status = group.wait() => status.map_err(|e| ToolError::file("run", Path::new("ffmpeg"), &e)),
        () = ctx.cancellation().cancelled() => Err(ToolError::cancelled()),
        () = tokio::time::sleep(PATIENCE) => Err(stuck("ffmpeg")),
    }
}

fn failed(complaint: &str) -> ToolError {
    if complaint.contains("Unknown encoder") {
        return ToolError::config(format!("this ffmpeg cannot encode: {}", last_line(complaint)))
            .code("missing_encoder")
            .hint("install an ffmpeg with libx264 and aac, as Debian's is");
    }
    ToolError::new(ErrorKind::Io, format!("ffmpeg failed: {}", last_line(complaint)))
        .code("ffmpeg_failed")
        .from_source("ffmpeg")
}
