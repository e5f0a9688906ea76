//! Frames from a video, decoded by an `ffmpeg` child process that hands over raw RGB.

use std::{
    fs::File,
    io::{ErrorKind as IoKind, Read},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use app_core::{Context, ToolError, ToolResult, process::ChildGroup};
use raster::{Pixels, RgbImage};
use tokio::process::Command;

use crate::{
    fit::{Canvas, Fit},
    frames::{Frame, Frames, MEMORY, Take, window},
    probe::{Facts, ONLY_THIS_FILE, read_text, source, unreadable},
    settings::check_total,
};

/// The part of a video that becomes the animation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Seconds to leave out at the start.
    pub start: f64,
    /// Longest part in seconds.
    pub duration: Option<f64>,
    /// Frames per second.
    pub rate: f64,
    /// Most frames.
    pub max_frames: usize,
}

/// Frames of a video.
pub struct Video {
    path: PathBuf,
    cut: Cut,
    canvas: Canvas,
    /// Size in which ffmpeg delivers.
    delivered: (u32, u32),
    context: Context,
    /// Whether the video goes on after the last frame that may be taken.
    cut_off: AtomicBool,
    /// All frames, once seen, if they are few enough.
    cache: Mutex<Option<Vec<Frame>>>,
}

impl Video {
    /// Frames of the video at `path`.
    pub fn new(path: PathBuf, facts: Facts, cut: Cut, canvas: Canvas, context: Context) -> Self {
        let delivered = match canvas.fit {
            Fit::Stretch => (canvas.width, canvas.height),
            Fit::Contain => canvas.inside(facts.width, facts.height),
            Fit::Cover => {
                let (w, h) = (f64::from(facts.width), f64::from(facts.height));
                let scale = (f64::from(canvas.width) / w).max(f64::from(canvas.height) / h);
                let side = |v: f64, least: u32| ((v * scale).round() as u32).max(least);
                (side(w, canvas.width), side(h, canvas.height))
            }
        };
        Self {
            path,
            cut,
            canvas,
            delivered,
            context,
            cut_off: AtomicBool::new(false),
            cache: Mutex::default(),
        }
    }

    fn command(&self) -> Command {
        let (width, height) = self.delivered;
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-v", "error"]);
        if self.cut.start > 0.0 {
            command.args(["-ss", &self.cut.start.to_string()]);
        }
        if let Some(duration) = self.cut.duration {
            command.args(["-t", &duration.to_string()]);
        }
        command
            .args(ONLY_THIS_FILE)
            .args(["-i", &source(&self.path), "-map", "0:v:0", "-an", "-sn", "-vf"])
            .arg(format!(
                "fps={},scale={width}:{height}:flags=lanczos",
                self.cut.rate
            ))
            .args([
                "-frames:v",
                // One more tells whether something is left out.
                &self.cut.max_frames.saturating_add(1).to_string(),
                "-f",
                "rawvideo",
                "-pix_fmt",
                "rgb24",
                "pipe:1",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn place(&self, raw: Vec<u8>) -> ToolResult<RgbImage> {
        let (width, height) = self.delivered;
        let image = RgbImage::from_raw(width, height, raw)
            .ok_or_else(|| ToolError::internal("ffmpeg delivered a frame of the wrong size"))?;
        if self.canvas.fit == Fit::Cover && (width, height) != (self.canvas.width, self.canvas.height) {
            let (x, y) = ((width - self.canvas.width) / 2, (height - self.canvas.height) / 2);
            let cut = Pixels::Rgb(image).cropped(x, y, self.canvas.width, self.canvas.height);
            return Ok(cut.into_rgb(self.canvas.background));
        }
        Ok(self.canvas.centred(image))
    }

    fn decode(&self, take: Take) -> ToolResult<()> {
        let mut running = Running::start(self.command(), &self.context)?;
        let bytes = self.delivered.0 as usize * self.delivered.1 as usize * 3;
        let full = window(self.canvas.width, self.canvas.height);
        let mut kept = Some(Vec::new());
        let mut waiting = Vec::new();
        let mut count = 0u64;
        let mut shown = 0u64;
        loop {
            let mut raw = vec![0; bytes];
            match running.stdout.read_exact(&mut raw) {
                Ok(()) => {}
                Err(e) if e.kind() == IoKind::UnexpectedEof => break,
                Err(e) => return Err(ToolError::file("read", &self.path, &e)),
            }
            if count >= self.cut.max_frames as u64 {
                self.cut_off.store(true, Ordering::Relaxed);
                continue;
            }
            count += 1;
            check_total(self.size(), count as usize)?;
            // Whole hundredths that never drift from the true time.
            let until = (count as f64 * 100.0 / self.cut.rate).round() as u64;
            let delay = u16::try_from(until - shown).unwrap_or(u16::MAX);
            shown = until;
            let frame = Frame {
                image: Arc::new(self.place(raw)?),
                delay,
            };
            let size = frame.image.as_raw().len();
            if let Some(all) = kept.as_mut() {
                all.push(frame.clone());
                if all.len() * size > MEMORY {
                    kept = None;
                }
            }
            waiting.push(frame);
            if waiting.len() >= full {
                take(std::mem::take(&mut waiting))?;
            }
        }
        let (status, complaint) = running.finish()?;
        self.context.check_cancelled()?;
        if !status.success() {
            return Err(unreadable(&self.path, &complaint));
        }
        if count == 0 {
            return Err(unreadable(&self.path, "there is no frame in the chosen part"));
        }
        if !waiting.is_empty() {
            take(waiting)?;
        }
        *self.cache.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }
}

impl Frames for Video {
    fn size(&self) -> (u32, u32) {
        (self.canvas.width, self.canvas.height)
    }

    fn count(&self) -> Option<usize> {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(Vec::len)
    }

    fn notes(&self) -> Vec<String> {
        let most = self.cut.max_frames;
        let cut_off = self.cut_off.load(Ordering::Relaxed);
        let note =
            format!("the video goes on after {most} frames, which is the most that `max_frames` allows");
        cut_off.then_some(note).into_iter().collect()
    }

    fn pass(&self, take: Take) -> ToolResult<()> {
        let cached = self.cache.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match cached {
            Some(frames) => {
                let (width, height) = self.size();
                frames
                    .chunks(window(width, height))
                    .try_for_each(|part| take(part.to_vec()))
            }
            None => self.decode(take),
        }
    }
}

/// A child whose output is read here while a task of the runtime watches it; ends with the run or when dropped.
struct Running {
    stdout: File,
    finished: mpsc::Receiver<(std::io::Result<ExitStatus>, String)>,
    stop: tokio_util::sync::DropGuard,
}

impl Running {
    fn start(command: Command, context: &Context) -> ToolResult<Self> {
        let mut group = ChildGroup::spawn(command)?;
        let pipe = group
            .child()
            .stdout
            .take()
            .ok_or_else(|| ToolError::internal("ffmpeg has no output pipe"))?;
        let stdout = pipe
            .into_owned_fd()
            .map_err(|e| ToolError::file("read", Path::new("ffmpeg"), &e))?;
        let stderr = group.child().stderr.take();
        let stop = context.cancellation().child_token();
        let stopped = stop.clone();
        let (send, finished) = mpsc::channel();
        tokio::spawn(async move {
            let both = async {
                let complaint = read_text(stderr).await;
                (group.wait().await, complaint)
            };
            let ended = tokio::select! {
                ended = both => Some(ended),
                () = stopped.cancelled() => None,
            };
            match ended {
                // Nobody waits for it any more when the pass was given up.
                Some(ended) => drop(send.send(ended)),
                None => group.stop(std::time::Duration::from_millis(200)).await,
            }
        });
        Ok(Self {
            stdout: File::from(stdout),
            finished,
            stop: stop.drop_guard(),
        })
    }

    fn finish(self) -> ToolResult<(ExitStatus, String)> {
        let ended = self.finished.recv();
        drop(self.stop);
        // The watcher hangs up without a word only when the run was cancelled.
        let (status, complaint) = ended.map_err(|_| ToolError::cancelled())?;
        let status = status.map_err(|e| ToolError::file("run", Path::new("ffmpeg"), &e))?;
        Ok((status, complaint))
    }
}
