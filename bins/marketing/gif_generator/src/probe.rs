//! What a video is, asked of ffprobe before anything is decoded.

use std::{path::Path, process::Stdio};

use app_core::{ErrorKind, ToolError, ToolResult, process::ChildGroup};
use raster::Limits;
use serde_json::Value;
use tokio::{io::AsyncReadExt, process::Command};

/// Options before an input that keep ffmpeg to that file: playlists, concatenations, image sequences and descriptions of
/// sessions open whatever they name, so only containers that hold their streams themselves are read.
pub const ONLY_THIS_FILE: [&str; 4] = [
    "-protocol_whitelist",
    "file",
    "-format_whitelist",
    "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,gif,apng,nut,ivf,h264,hevc,obu,m4v,yuv4mpegpipe,mxf,rm,dv,wtv,swf,mjpeg",
];

/// What ffprobe says of a video.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// Width as shown.
    pub width: u32,
    /// Height as shown.
    pub height: u32,
}

/// Asks ffprobe for the size of the first video stream.
pub async fn probe(path: &Path, limits: &Limits) -> ToolResult<Facts> {
    let mut command = Command::new("ffprobe");
    command
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-of",
            "json",
            "-show_entries",
        ])
        .arg("stream=width,height:stream_tags=rotate:stream_side_data=rotation")
        .args(ONLY_THIS_FILE)
        .arg(source(path))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut group = ChildGroup::spawn(command)?;
    let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
    let (answer, complaint) = tokio::join!(read_text(stdout), read_text(stderr));
    let status = group
        .wait()
        .await
        .map_err(|e| ToolError::file("run", Path::new("ffprobe"), &e))?;
    if !status.success() {
        return Err(unreadable(path, &complaint));
    }
    let facts = facts(&answer).ok_or_else(|| unreadable(path, "it has no video stream"))?;
    if u64::from(facts.width) * u64::from(facts.height) > limits.max_pixels {
        return Err(ToolError::invalid(
            "video",
            format!(
                "`{}` is too large: {}x{}",
                path.display(),
                facts.width,
                facts.height
            ),
        ));
    }
    Ok(facts)
}

/// A name that ffmpeg takes for a file, whatever it looks like.
pub fn source(path: &Path) -> String {
    format!("file:{}", path.display())
}

/// What a stream says, at most 64 KiB.
pub async fn read_text(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = Vec::new();
    if let Some(stream) = stream {
        // What cannot be read is not shown; the exit status decides.
        let _ = stream.take(64 << 10).read_to_end(&mut text).await;
    }
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// The error for a video that ffmpeg complains of.
pub fn unreadable(path: &Path, complaint: &str) -> ToolError {
    if complaint.contains("whitelist") {
        return ToolError::new(
            ErrorKind::InvalidInput,
            format!(
                "`{}` is not a video in itself: it is a list or a description that names other files",
                path.display()
            ),
        )
        .code("bad_video")
        .field("video")
        .hint("give the video file, or first make one of the list with ffmpeg");
    }
    let line = complaint.lines().last().unwrap_or("no reason given");
    let line = line.rsplit(": ").next().unwrap_or(line);
    ToolError::new(
        ErrorKind::InvalidInput,
        format!("cannot decode the video `{}`: {line}", path.display()),
    )
    .code("bad_video")
    .field("video")
    .from_source("ffmpeg")
}

fn facts(answer: &str) -> Option<Facts> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let stream = answer.get("streams")?.get(0)?;
    let side = |name: &str| {
        stream
            .get(name)
            .and_then(Value::as_u64)
            .and_then(|v| u32::try_from(v).ok())
    };
    let (width, height) = (
        side("width").filter(|&w| w > 0)?,
        side("height").filter(|&h| h > 0)?,
    );
    let tag = stream
        .pointer("/tags/rotate")
        .and_then(Value::as_str)
        .and_then(|t| t.parse::<i64>().ok());
    let data = stream
        .pointer("/side_data_list")
        .and_then(Value::as_array)
        .and_then(|list| {
            list.iter()
                .find_map(|entry| entry.get("rotation").and_then(Value::as_i64))
        });
    let turned = tag.or(data).is_some_and(|degrees| degrees % 180 != 0);
    Some(if turned {
        Facts {
            width: height,
            height: width,
        }
    } else {
        Facts { width, height }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turned_video_is_measured_as_shown() {
        let plain = r#"{"streams":[{"width":1920,"height":1080}]}"#;
        assert_eq!(
            facts(plain),
            Some(Facts {
                width: 1920,
                height: 1080
            })
        );
        let turned = r#"{"streams":[{"width":1920,"height":1080,"side_data_list":[{"rotation":-90}]}]}"#;
        assert_eq!(
            facts(turned),
            Some(Facts {
                width: 1080,
                height: 1920
            })
        );
        assert_eq!(facts(r#"{"streams":[]}"#), None);
    }
}
