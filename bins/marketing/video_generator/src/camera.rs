//! Which part of a prepared picture a frame shows: a path in fractions of pixels that never goes backwards.

use raster::Region;

use crate::spec::{Motion, Size};

/// How far in a camera goes when nothing is said.
const ZOOM: f64 = 1.12;
/// A picture is prepared at most this much larger than the frame, so that a far zoom does not cost four times the memory.
const FINEST: f64 = 1.5;
/// A pan goes over at most this many frame widths, so that a panorama costs no more than that.
const WIDEST: f64 = 4.0;

/// A camera over a prepared picture.
#[derive(Debug, Clone, Copy)]
pub struct Camera {
    motion: Motion,
    zoom: f64,
    focus: [f64; 2],
    /// Size of the part that is seen where the zoom is 1.
    base: (f64, f64),
    /// Size of the prepared picture.
    plate: (u32, u32),
}

impl Camera {
    /// A camera for frames of `frame`; `shape` is width by height of the picture where it may reach beyond the frame.
    pub fn new(frame: Size, shape: Option<f64>, motion: Motion, zoom: Option<f64>, focus: [f64; 2]) -> Self {
        let zoom = if motion == Motion::None {
            1.0
        } else {
            zoom.unwrap_or(ZOOM)
        };
        let scale = zoom.min(FINEST);
        let side = |pixels: u32| (f64::from(pixels) * scale).round().max(1.0);
        let base = (side(frame.width), side(frame.height));
        let (mut width, mut height) = base;
        match (motion, shape) {
            (Motion::PanLeft | Motion::PanRight, Some(shape)) => {
                width = (height * shape).round().clamp(base.0, base.0 * WIDEST);
            }
            (Motion::PanUp | Motion::PanDown, Some(shape)) => {
                height = (width / shape).round().clamp(base.1, base.1 * WIDEST);
            }
            _ => {}
        }
        Self {
            motion,
            zoom,
            focus,
            base,
            plate: (width as u32, height as u32),
        }
    }

    /// Size in which the picture is prepared.
    pub fn plate(&self) -> (u32, u32) {
        self.plate
    }

    /// Whether all frames are alike.
    pub fn still(&self) -> bool {
        self.motion == Motion::None
    }

    /// What is seen at `time`, 0 at the first frame and 1 at the last, in pixels of the prepared picture.
    pub fn region(&self, time: f64) -> Region {
        // A power, not a line: so the speed looks the same all the way.
        let zoom = match self.motion {
            Motion::None => 1.0,
            Motion::ZoomIn => self.zoom.powf(time),
            Motion::ZoomOut => self.zoom.powf(1.0 - time),
            _ => self.zoom,
        };
        let (width, height) = (self.base.0 / zoom, self.base.1 / zoom);
        let room = (
            (f64::from(self.plate.0) - width).max(0.0),
            (f64::from(self.plate.1) - height).max(0.0),
        );
        let (across, down) = match self.motion {
            Motion::PanRight => (time, self.focus[1]),
            Motion::PanLeft => (1.0 - time, self.focus[1]),
            Motion::PanDown => (self.focus[0], time),
            Motion::PanUp => (self.focus[0], 1.0 - time),
            _ => (self.focus[0], self.focus[1]),
        };
        Region {
            x: room.0 * across,
            y: room.1 * down,
            width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Size = Size {
        width: 1280,
        height: 720,
    };

    #[test]
    fn the_part_seen_never_leaves_the_picture_and_never_goes_back() {
        for motion in [
            Motion::ZoomIn,
            Motion::ZoomOut,
            Motion::PanLeft,
            Motion::PanRight,
            Motion::PanUp,
            Motion::PanDown,
        ] {
            for (shape, zoom, focus) in [
                (3.0, 1.12, [0.2, 0.9]),
                (0.4, 2.0, [1.0, 0.0]),
                (16.0 / 9.0, 1.3, [0.5, 0.5]),
            ] {
                let camera = Camera::new(FRAME, Some(shape), motion, Some(zoom), focus);
                let path: Vec<Region> = (0..=500).map(|i| camera.region(f64::from(i) / 500.0)).collect();
                for region in &path {
                    assert!(region.x >= 0.0 && region.x + region.width <= f64::from(camera.plate().0) + 1e-6);
                    assert!(
                        region.y >= 0.0 && region.y + region.height <= f64::from(camera.plate().1) + 1e-6
                    );
                }
                for value in [|r: &Region| r.x, |r: &Region| r.y, |r: &Region| r.width] {
                    let steps: Vec<f64> = path.windows(2).map(|p| value(&p[1]) - value(&p[0])).collect();
                    assert!(
                        steps.iter().all(|&s| s >= -1e-9) || steps.iter().all(|&s| s <= 1e-9),
                        "{motion:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_zoom_keeps_its_focus_in_place() {
        let camera = Camera::new(FRAME, None, Motion::ZoomIn, Some(1.4), [0.3, 0.7]);
        for time in [0.0, 0.4, 1.0] {
            let region = camera.region(time);
            let point = f64::from(camera.plate().0) * 0.3;
            assert!(((point - region.x) / region.width - 0.3).abs() < 1e-9);
        }
    }
}
