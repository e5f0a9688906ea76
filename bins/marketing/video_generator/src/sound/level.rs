//! How loud a file is, and by how much its level is changed.

use std::path::Path;

use app_core::{Context, ErrorKind, ToolError, ToolResult, process::ChildGroup};
use tokio::io::AsyncReadExt;

use super::{RATE, opened, prepared};
use crate::ffmpeg::{command, last_line, patiently, tail};

/// Highest peak after a change of loudness, in dB below full scale.
const CEILING: f64 = -1.0;
/// Sound shorter than this has no integrated loudness worth the name (EBU R 128 gates it away).
const LOUD_ENOUGH_FROM: u64 = 3 * RATE as u64;
/// What one pass over the file tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Samples that were decoded.
    pub samples: u64,
    /// Highest sample, 1 at full scale.
    pub peak: f64,
    /// Integrated loudness.
    pub lufs: Option<f64>,
    /// Highest level between samples, in dB.
    pub true_peak: Option<f64>,
}

/// Decodes at most `most` samples and looks at each.
pub async fn pass(path: &Path, most: u64, ctx: &Context) -> ToolResult<Measured> {
    let mut command = command("ffmpeg");
    // The filter tells its sums at the end only at this level; every step of the way would be told otherwise.
    let chain = format!(
        "{},atrim=end_sample={most},ebur128=peak=true:framelog=verbose",
        prepared()
    );
    command
        .args(["-nostdin", "-hide_banner", "-nostats", "-v", "info"])
        .args(opened(path))
        .args([
            "-map",
            "0:a:0",
            "-af",
            &chain,
            "-f",
            "f32le",
            "-c:a",
            "pcm_f32le",
            "pipe:1",
        ]);
    let mut group = ChildGroup::spawn(command)?;
    let (stdout, stderr) = (group.child().stdout.take(), group.child().stderr.take());
    let heard = async {
        let (mut bytes, mut peak) = (0u64, 0f32);
        if let Some(mut pipe) = stdout {
            let mut part = vec![0; 64 << 10];
            let mut kept = 0;
            while let Ok(count @ 1..) = pipe.read(&mut part[kept..]).await {
                bytes += count as u64;
                let filled = kept + count;
                let whole = filled / 4 * 4;
                for sample in part[..whole].chunks_exact(4) {
                    let value = f32::from_le_bytes([sample[0], sample[1], sample[2], sample[3]]).abs();
                    if value > peak {
                        peak = value;
                    }
                }
                part.copy_within(whole..filled, 0);
                kept = filled - whole;
            }
        }
        (bytes / 8, f64::from(peak))
    };
    let both = async { tokio::join!(heard, tail(stderr)) };
    let ((samples, peak), told) = patiently(both, "ffmpeg", ctx).await?;
    let status = group
        .wait()
        .await
        .map_err(|e| ToolError::file("run", Path::new("ffmpeg"), &e))?;
    if !status.success() || samples == 0 {
        return Err(unreadable(path, &told));
    }
    Ok(Measured {
        samples,
        peak,
        lufs: figure(&told, "I:").filter(|lufs| *lufs > -69.0),
        true_peak: figure(&told, "Peak:"),
    })
}

/// A number of the summary that `ebur128` writes at its end.
fn figure(told: &str, name: &str) -> Option<f64> {
    let summary = &told[told.rfind("Summary:")?..];
    summary.lines().find_map(|line| {
        let rest = line.trim().strip_prefix(name)?;
        rest.split_whitespace().next()?.parse().ok()
    })
}

/// The change of level in dB, and by what it was found.
pub fn level(measured: Measured, wanted: Option<f64>, warnings: &mut Vec<String>) -> (f64, &'static str) {
    let Some(wanted) = wanted else {
        return (0.0, "as_is");
    };
    if measured.peak <= 0.0 {
        warnings.push("the music is silent".to_owned());
        return (0.0, "as_is");
    }
    let peak = 20.0 * measured.peak.log10();
    let highest = measured
        .true_peak
        .filter(|peak| peak.is_finite())
        .unwrap_or(peak)
        .max(peak);
    match measured.lufs {
        Some(lufs) if measured.samples >= LOUD_ENOUGH_FROM => {
            let (gain, most) = (wanted - lufs, CEILING - highest);
            if gain > most {
                warnings.push(format!(
                    "the music is brought to {:.1} LUFS, not to {wanted:.1}: louder it would clip",
                    lufs + most
                ));
            }
            (gain.min(most), "loudness")
        }
        _ => {
            warnings.push(format!(
                "the music sounds for {:.1} seconds, too short for its loudness to be measured: its peak is brought to {CEILING:.0} dB instead",
                measured.samples as f64 / f64::from(RATE)
            ));
            (CEILING - highest, "peak")
        }
    }
}

fn unreadable(path: &Path, complaint: &str) -> ToolError {
    let shown = path.display();
    let told = if complaint.contains("matches no streams") {
        format!("`music.file`: `{shown}` has no sound")
    } else if complaint.contains("whitelist") {
        format!(
            "`music.file`: `{shown}` is not a sound file in itself: it is a list or description that names others"
        )
    } else {
        let line = last_line(complaint);
        let line = line.rsplit(": ").next().unwrap_or(line);
        format!("`music.file`: cannot decode `{shown}`: {line}")
    };
    ToolError::new(ErrorKind::InvalidInput, told)
        .code("bad_music")
        .field("music.file")
        .from_source("ffmpeg")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(seconds: u64, lufs: Option<f64>, peak: f64) -> Measured {
        Measured {
            samples: seconds * u64::from(RATE),
            peak: 10f64.powf(peak / 20.0),
            lufs,
            true_peak: Some(peak),
        }
    }

    #[test]
    fn loudness_is_reached_where_it_can_be_measured_and_does_not_clip() {
        let mut warnings = Vec::new();
        assert_eq!(
            level(measured(10, Some(-23.0), -10.0), Some(-16.0), &mut warnings),
            (7.0, "loudness")
        );
        assert!(warnings.is_empty());
        let (gain, by) = level(measured(10, Some(-23.0), -3.0), Some(-16.0), &mut warnings);
        assert!((gain - 2.0).abs() < 1e-6 && by == "loudness");
        assert!(warnings[0].contains("-21.0 LUFS, not to -16.0"), "{warnings:?}");
        let (gain, by) = level(measured(1, Some(-23.0), -7.0), Some(-16.0), &mut warnings);
        assert!((gain - 6.0).abs() < 1e-6 && by == "peak");
        assert!(warnings[1].contains("too short"));
        assert_eq!(
            level(measured(9, None, -7.0), None, &mut warnings),
            (0.0, "as_is")
        );
    }

    #[test]
    fn the_summary_is_read_and_nothing_before_it() {
        let told = "[x] t: 1 I: -70.0 LUFS\n[Parsed] Summary:\n\n  Integrated loudness:\n    I:         -23.1 LUFS\n    Threshold: -33.0 LUFS\n\n  True peak:\n    Peak:       -2.5 dBFS";
        assert_eq!(
            (figure(told, "I:"), figure(told, "Peak:")),
            (Some(-23.1), Some(-2.5))
        );
        assert_eq!(figure("nothing", "I:"), None);
    }
}
