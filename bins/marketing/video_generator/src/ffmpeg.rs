//! The programs `ffmpeg` and `ffprobe`: which version, what a file holds, how one is started.

use std::{path::Path, process::Stdio, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, process::ChildGroup};
use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// Longest time one question to `ffprobe` or one pass over the music may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A command that asks nothing and keeps to files and pipes.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A name that ffmpeg takes for a file, whatever it looks like.
pub fn file(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// Its version, as it says it in the first line.
pub async fn version(ctx: &Context) -> ToolResult<String> {
    let mut command = command("ffmpeg");
    command.args(["-nostdin", "-version"]);
    let (answer, _) = finished(command, ctx).await?;
    let line = answer.lines().next().unwrap_or_default();
    let version = line.strip_prefix("ffmpeg version ").unwrap_or(line);
    Ok(version.split(' ').next().unwrap_or_default().to_owned())
}

/// Frames in the video stream of a file, counted there.
pub async fn count_frames(path: &Path, ctx: &Context) -> ToolResult<u64> {
    let mut command = command("ffprobe");
    command
        .args(["-v", "error", "-protocol_whitelist", "file", "-f", "mp4"])
        .args(["-select_streams", "v:0", "-count_packets"])
        .args(["-show_entries", "stream=nb_read_packets", "-of", "json"])
        .arg(file(path));
    let (answer, complaint) = finished(command, ctx).await?;
    let answer: Value = serde_json::from_str(&answer).unwrap_or_default();
    let count = answer
        .pointer("/streams/0/nb_read_packets")
        .and_then(Value::as_str)
        .and_then(|count| count.parse().ok());
    count.ok_or_else(|| {
        ToolError::internal(format!(
            "ffprobe cannot count the frames of the video: {}",
            last_line(&complaint)
        ))
        .from_source("ffprobe")
    })
}

/// Runs a command to its end and gives what it wrote; it ends with the run.
async fn finished(command: Command, ctx: &Context) -> ToolResult<(String, String)> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let mut group = ChildGroup::spawn(command)?;
    let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
    let both = async { tokio::join!(tail(stdout), tail(stderr)) };
    let (answer, complaint) = patiently(both, &program, ctx).await?;
    // Its answer counts, whatever it ended with; an empty one is looked at by the caller.
    let _ = group.wait().await;
    Ok((answer, complaint))
}

/// Waits for a child's work, but not for ever and not past the end of the run.
pub async fn patiently<T>(work: impl Future<Output = T>, program: &str, ctx: &Context) -> ToolResult<T> {
    tokio::select! {
        done = work => Ok(done),
        () = ctx.cancellation().cancelled() => Err(ToolError::cancelled()),
        () = tokio::time::sleep(PATIENCE) => Err(stuck(program)),
    }
}

/// The error for a program that does nothing any more.
pub fn stuck(program: &str) -> ToolError {
    ToolError::new(
        ErrorKind::Timeout,
        format!("`{program}` does not go on; it was ended"),
    )
    .from_source("ffmpeg")
}

/// The end of what a stream says, at most 32 KiB: there its complaints and sums stand.
pub async fn tail(stream: Option<impl AsyncRead + Unpin>) -> String {
    const KEPT: usize = 32 << 10;
    let mut text: Vec<u8> = Vec::new();
    let mut part = vec![0; 8 << 10];
    if let Some(mut stream) = stream {
        // What cannot be read is not shown; the exit status decides.
        while let Ok(count @ 1..) = stream.read(&mut part).await {
            text.extend_from_slice(&part[..count]);
            if text.len() > 2 * KEPT {
                text.drain(..text.len() - KEPT);
            }
        }
    }
    let text = String::from_utf8_lossy(&text[text.len().saturating_sub(KEPT)..]).into_owned();
    text.trim().to_owned()
}

/// The last line of a complaint.
pub fn last_line(complaint: &str) -> &str {
    complaint.lines().last().unwrap_or("no reason given")
}
