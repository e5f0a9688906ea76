//! The frames: scenes prepared when they are first seen and forgotten when they are over, so that memory does not grow
//! with the length of the video.

use std::{collections::BTreeMap, sync::Arc};

use app_core::{Context, ToolError, ToolResult};
use raster::{Color, Filter, Pixels, RgbaImage, resize_region};
use rayon::prelude::*;

use crate::{
    camera::Camera,
    mix::{self, Overlay},
    plate,
    project::Project,
    spec::{Size, Transition},
};

/// RGB rows of one frame.
pub type Frame = Arc<Vec<u8>>;

/// A scene that is ready to be drawn at any of its frames.
struct Shot {
    picture: Pixels,
    camera: Camera,
    overlay: Option<Overlay>,
    frames: u64,
    size: Size,
    /// The one frame of a scene without motion.
    still: Option<Frame>,
}

/// Draws the frames of a video.
pub struct Film {
    project: Arc<Project>,
    context: Context,
    shots: BTreeMap<usize, Shot>,
}

impl Film {
    /// Nothing is prepared yet.
    pub fn new(project: Arc<Project>, context: Context) -> Self {
        Self {
            project,
            context,
            shots: BTreeMap::new(),
        }
    }

    /// Draws some frames, side by side. Frames must be asked for in order for scenes to be prepared once.
    pub fn draw(&mut self, frames: std::ops::Range<u64>) -> ToolResult<Vec<Frame>> {
        let Some(last) = frames.end.checked_sub(1) else {
            return Ok(Vec::new());
        };
        self.prepare(frames.start, last)?;
        frames.into_par_iter().map(|frame| self.frame(frame)).collect()
    }

    /// Makes ready the scenes seen in a stretch of frames and forgets all others.
    fn prepare(&mut self, first: u64, last: u64) -> ToolResult<()> {
        let timeline = &self.project.timeline;
        let from = timeline.at(first);
        let oldest = from.scene - usize::from(from.before.is_some());
        let newest = timeline.at(last).scene;
        self.shots.retain(|scene, _| (oldest..=newest).contains(scene));
        let missing: Vec<usize> = (oldest..=newest)
            .filter(|scene| !self.shots.contains_key(scene))
            .collect();
        let made: Vec<(usize, Shot)> = missing
            .into_par_iter()
            .map(|scene| Ok((scene, Shot::prepare(&self.project, scene, &self.context)?)))
            .collect::<ToolResult<_>>()?;
        self.shots.extend(made);
        Ok(())
    }

    fn frame(&self, frame: u64) -> ToolResult<Frame> {
        let moment = self.project.timeline.at(frame);
        let shot = |scene: usize| {
            let found = self.shots.get(&scene);
            found.ok_or_else(|| ToolError::internal("a scene was not prepared"))
        };
        let new = shot(moment.scene)?.frame(moment.local)?;
        let Some((local, share)) = moment.before else {
            return Ok(new);
        };
        let old = shot(moment.scene - 1)?.frame(local)?;
        let mixed = match self.project.spec.scenes[moment.scene].transition {
            Transition::Wipe => mix::wipe(&old, &new, share, self.project.size.width as usize),
            _ => mix::crossfade(&old, &new, share),
        };
        Ok(Arc::new(mixed))
    }
}

impl Shot {
    fn prepare(project: &Project, index: usize, ctx: &Context) -> ToolResult<Self> {
        let scene = &project.spec.scenes[index];
        let size = project.size;
        let focus = scene.focus.unwrap_or([0.5, 0.5]);
        let camera = |shape, focus| Camera::new(size, shape, scene.motion, scene.zoom, focus);
        let (picture, camera) = if let Some(path) = &scene.image {
            let source = project.picture(path, ctx)?;
            let fit = scene.fit.unwrap_or(project.spec.fit);
            let shape = f64::from(source.width()) / f64::from(source.height());
            let shape = (fit == crate::spec::Fit::Fill).then_some(shape);
            let target = camera(shape, focus).plate();
            let picture = plate::prepare(&source, fit, target, focus, project.spec.background)?;
            let within = plate::focus_in_plate((source.width(), source.height()), fit, target, focus);
            (picture, camera(shape, within))
        } else {
            let camera = camera(None, focus);
            let (width, height) = camera.plate();
            let picture = match &project.cards[index] {
                Some(svg) => {
                    let rgba = project.face.draw(svg, width, height)?;
                    let drawn = RgbaImage::from_raw(width, height, rgba);
                    let drawn = drawn.ok_or_else(|| ToolError::internal("a card has the wrong size"))?;
                    Pixels::Rgb(Pixels::Rgba(drawn).into_rgb(project.spec.background))
                }
                None => {
                    let background = project.spec.background;
                    plate::plain(scene.color.unwrap_or(background), background, width, height)
                }
            };
            (picture, camera)
        };
        let overlay = match &project.captions[index] {
            Some(svg) => {
                let rgba = project.face.draw(svg, size.width, size.height)?;
                Overlay::cut(&rgba, size.width as usize)
            }
            None => None,
        };
        let mut shot = Self {
            picture,
            camera,
            overlay,
            frames: project.timeline.spans[index].frames,
            size,
            still: None,
        };
        if shot.camera.still() {
            shot.still = Some(shot.frame(0)?);
        }
        Ok(shot)
    }

    fn frame(&self, local: u64) -> ToolResult<Frame> {
        if let Some(still) = &self.still {
            return Ok(Arc::clone(still));
        }
        let Size { width, height } = self.size;
        let time = if self.frames > 1 {
            local as f64 / (self.frames - 1) as f64
        } else {
            0.0
        };
        let mut seen = if self.camera.still() {
            self.picture.as_bytes().to_vec()
        } else {
            let region = self.camera.region(time);
            let drawn = resize_region(&self.picture, region, width, height, Filter::CatmullRom)?;
            drawn.into_rgb(Color::BLACK).into_raw()
        };
        if let Some(overlay) = &self.overlay {
            overlay.over(&mut seen, width as usize);
        }
        Ok(Arc::new(seen))
    }
}

#[cfg(test)]
mod tests;
