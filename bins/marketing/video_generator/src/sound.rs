//! Music: exactly as long as the picture, faded, at a loudness that was measured.

use std::path::{Path, PathBuf};

use app_core::{Context, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;

mod level;

use crate::{ffmpeg::file, project::Project};

/// Samples a second.
const RATE: u32 = 48_000;
/// A fade is over this many samples before the end, since the codec smears what stands at it.
const REST: u64 = RATE as u64 * 6 / 100;
/// Containers that hold their sound themselves: playlists and descriptions open whatever they name.
const FORMATS: &str = "wav,mp3,flac,ogg,mov,matroska,webm,aac,aiff,w64,caf,au,ac3,eac3,opus,asf";

/// What was done to the music.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SoundReport {
    /// Seconds of the file that were decoded, at most those of the video.
    pub source_s: f64,
    /// Whether it is played more than once.
    pub looped: bool,
    /// Measured integrated loudness in LUFS, where it was asked for and there is enough of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub integrated_lufs: Option<f64>,
    /// Change of level in dB.
    pub gain_db: f64,
    /// By what the level was set: `loudness`, `peak` or `as_is`.
    pub level_by: String,
}

/// The music, measured and ready to be mixed in.
#[derive(Debug, Clone)]
pub struct Track {
    path: PathBuf,
    once: bool,
    samples: u64,
    fade_in: f64,
    fade_out: f64,
    /// What was done.
    pub report: SoundReport,
}

impl Track {
    /// Measures the music of a project; what is remarkable goes into `warnings`.
    pub async fn measure(
        project: &Project,
        warnings: &mut Vec<String>,
        ctx: &Context,
    ) -> ToolResult<Option<Self>> {
        let (Some(path), Some(music)) = (&project.music, &project.spec.music) else {
            return Ok(None);
        };
        let samples = project.spec.fps.units_of(project.timeline.frames, RATE);
        let progress = ctx.progress("measure the music", "passes", Some(1));
        let measured = level::pass(path, samples, ctx).await?;
        progress.inc(1);
        progress.finish();
        let (gain_db, level_by) = level::level(measured, music.loudness, warnings);
        let seconds = samples as f64 / f64::from(RATE);
        let rest = REST as f64 / f64::from(RATE);
        let fade_out = music.fade_out_s.unwrap_or_else(|| (seconds / 2.0).min(1.0));
        let integrated_lufs = measured.lufs.filter(|_| level_by == "loudness");
        Ok(Some(Self {
            path: path.clone(),
            once: music.once,
            samples,
            fade_in: music.fade_in_s,
            fade_out: (fade_out - rest).max(0.0),
            report: SoundReport {
                source_s: (measured.samples as f64 / f64::from(RATE) * 1000.0).round() / 1000.0,
                looped: measured.samples < samples && !music.once,
                integrated_lufs,
                gain_db: (gain_db * 100.0).round() / 100.0,
                level_by: level_by.to_owned(),
            },
        }))
    }

    /// Arguments that open it.
    pub fn input(&self) -> Vec<String> {
        let mut args = Vec::new();
        if !self.once {
            args.extend(["-stream_loop".to_owned(), "-1".to_owned()]);
        }
        args.extend(opened(&self.path));
        args
    }

    /// Arguments that shape and encode it.
    pub fn output(&self) -> Vec<String> {
        let total = self.samples;
        let mut chain = format!("{},volume={:.2}dB", prepared(), self.report.gain_db);
        if self.once {
            chain.push_str(&format!(",apad=whole_len={total}"));
        }
        chain.push_str(&format!(",atrim=end_sample={total},asetpts=N/SR/TB"));
        if self.fade_in > 0.0 {
            chain.push_str(&format!(",afade=t=in:st=0:d={:.6}", self.fade_in));
        }
        if self.fade_out > 0.0 {
            let rest = REST as f64 / f64::from(RATE);
            let end = (total as f64 / f64::from(RATE) - rest).max(0.0);
            let start = (end - self.fade_out).max(0.0);
            chain.push_str(&format!(",afade=t=out:st={start:.6}:d={:.6}", self.fade_out));
        }
        [
            "-af", &chain, "-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-ac", "2",
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

fn prepared() -> String {
    format!("aresample={RATE},aformat=sample_fmts=flt:channel_layouts=stereo")
}

fn opened(path: &Path) -> Vec<String> {
    [
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-vn",
        "-i",
        &file(path),
    ]
    .map(str::to_owned)
    .to_vec()
}
