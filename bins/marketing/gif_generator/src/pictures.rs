//! The pictures that frames are made of: files, and the frames of animations, which are decoded once and kept on disk.

use std::{
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use app_core::{Context, ToolError, ToolResult};
use raster::{Limits, RgbImage, each_frame, probe};

use crate::{fit::Canvas, input::Input, settings::check_total};

/// Where one picture is found.
#[derive(Debug)]
pub enum Picture {
    /// A file with a still picture.
    File(PathBuf),
    /// A frame of an animation, by its number among all that are kept.
    Frame(usize),
}

/// All pictures in the order of the input.
#[derive(Debug)]
pub struct Pictures {
    list: Vec<Picture>,
    /// Hundredths of a second that frames of animations bring along.
    delays: Vec<Option<u16>>,
    /// Frames of animations, placed on the canvas, one after the other; it has no name and goes with the run.
    kept: Option<File>,
}

impl Pictures {
    /// Looks into every file; the first gives the canvas its shape. Still pictures are not decoded yet.
    pub fn gather(
        paths: &[PathBuf],
        input: &Input,
        limits: &Limits,
        ctx: &Context,
    ) -> ToolResult<(Self, Canvas)> {
        let mut all = Self {
            list: Vec::new(),
            delays: Vec::new(),
            kept: None,
        };
        let mut canvas = None;
        let mut frames = 0;
        for path in paths {
            ctx.check_cancelled()?;
            let name = path.display().to_string();
            let bytes = ctx.read(path, limits.max_file)?;
            let facts = probe(&bytes, &name, limits)?;
            let canvas = match canvas {
                Some(canvas) => canvas,
                None => *canvas.insert(input.canvas((facts.width, facts.height), limits)?),
            };
            if facts.frames <= 1 {
                all.list.push(Picture::File(path.clone()));
                all.delays.push(None);
            } else {
                each_frame(&bytes, &name, limits, &mut |frame| {
                    ctx.check_cancelled()?;
                    all.keep(&canvas.place(frame.pixels)?)?;
                    all.list.push(Picture::Frame(frames));
                    all.delays.push(
                        frame
                            .delay_ms
                            .map(|ms| u16::try_from(ms.div_ceil(10)).unwrap_or(u16::MAX)),
                    );
                    frames += 1;
                    check_count(all.list.len(), input.max_frames)?;
                    check_total((canvas.width, canvas.height), all.list.len())
                })?;
            }
            check_count(all.list.len(), input.max_frames)?;
        }
        let canvas = canvas.ok_or_else(|| ToolError::invalid("images", "there are none"))?;
        Ok((all, canvas))
    }

    /// Hundredths of a second that each picture brings along.
    pub fn delays(&self) -> &[Option<u16>] {
        &self.delays
    }

    /// The picture with this number.
    pub fn get(&self, index: usize) -> ToolResult<&Picture> {
        self.list
            .get(index)
            .ok_or_else(|| ToolError::internal("a picture is missing"))
    }

    fn keep(&mut self, image: &RgbImage) -> ToolResult<()> {
        let failed = |e: &std::io::Error| ToolError::file("write frames to", &std::env::temp_dir(), e);
        let file = match &mut self.kept {
            Some(file) => file,
            none => none.insert(tempfile::tempfile().map_err(|e| failed(&e))?),
        };
        file.write_all(image.as_raw()).map_err(|e| failed(&e))
    }

    /// A frame of an animation, as it lies on the canvas.
    pub fn frame(&self, number: usize, canvas: &Canvas) -> ToolResult<RgbImage> {
        let length = canvas.width as usize * canvas.height as usize * 3;
        let mut raw = vec![0; length];
        if let Some(file) = &self.kept {
            file.read_exact_at(&mut raw, number as u64 * length as u64)
                .map_err(|e| ToolError::file("read frames from", Path::new("the temporary folder"), &e))?;
        }
        RgbImage::from_raw(canvas.width, canvas.height, raw)
            .ok_or_else(|| ToolError::internal("a kept frame has the wrong size"))
    }
}

/// Refuses more frames than were allowed.
pub fn check_count(frames: usize, most: usize) -> ToolResult<()> {
    if frames <= most {
        return Ok(());
    }
    let message = format!("{frames} frames are more than `max_frames` {most}");
    Err(ToolError::invalid("max_frames", message))
}
