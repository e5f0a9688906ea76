//! Placing a picture of any size on the common canvas.

use app_core::ToolResult;
use raster::{Color, Filter, Pixels, Region, RgbImage, resize, resize_region};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a picture of another shape is placed on the canvas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// Whole picture visible, background around it.
    #[default]
    Contain,
    /// Canvas filled, edges of the picture cut off.
    Cover,
    /// Canvas filled, proportions lost.
    Stretch,
}

/// The canvas every frame is placed on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Canvas {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// How pictures of another shape are placed.
    pub fit: Fit,
    /// What shows around and through pictures.
    pub background: Color,
    /// How pixels are resampled.
    pub filter: Filter,
}

impl Canvas {
    /// Size of a canvas for pictures like the first one, when none or only one side is given.
    pub fn size(width: Option<u32>, height: Option<u32>, first: (u32, u32)) -> (u32, u32) {
        let scaled = |side: u32, by: u32, per: u32| {
            (f64::from(side) * f64::from(by) / f64::from(per.max(1)))
                .round()
                .max(1.0) as u32
        };
        match (width, height) {
            (Some(width), Some(height)) => (width, height),
            (Some(width), None) => (width, scaled(width, first.1, first.0)),
            (None, Some(height)) => (scaled(height, first.0, first.1), height),
            (None, None) => first,
        }
    }

    /// Size at which a picture is shown by `contain`.
    pub fn inside(&self, width: u32, height: u32) -> (u32, u32) {
        let scale =
            (f64::from(self.width) / f64::from(width)).min(f64::from(self.height) / f64::from(height));
        let side = |v: u32, most: u32| ((f64::from(v) * scale).round() as u32).clamp(1, most);
        (side(width, self.width), side(height, self.height))
    }

    /// Places a picture.
    pub fn place(&self, pixels: Pixels) -> ToolResult<RgbImage> {
        let (width, height) = (pixels.width(), pixels.height());
        let scaled = match self.fit {
            _ if (width, height) == (self.width, self.height) => pixels,
            Fit::Stretch => resize(&pixels, self.width, self.height, self.filter)?,
            Fit::Cover => {
                let scale = (f64::from(self.width) / f64::from(width))
                    .max(f64::from(self.height) / f64::from(height));
                let (part_w, part_h) = (f64::from(self.width) / scale, f64::from(self.height) / scale);
                let region = Region {
                    x: ((f64::from(width) - part_w) / 2.0).max(0.0),
                    y: ((f64::from(height) - part_h) / 2.0).max(0.0),
                    width: part_w.min(f64::from(width)),
                    height: part_h.min(f64::from(height)),
                };
                resize_region(&pixels, region, self.width, self.height, self.filter)?
            }
            Fit::Contain => {
                let (w, h) = self.inside(width, height);
                if (w, h) == (width, height) {
                    pixels
                } else {
                    resize(&pixels, w, h, self.filter)?
                }
            }
        };
        let image = scaled.into_rgb(self.background);
        Ok(self.centred(image))
    }

    /// Puts a picture that is not larger than the canvas in its middle.
    pub fn centred(&self, image: RgbImage) -> RgbImage {
        if image.dimensions() == (self.width, self.height) {
            return image;
        }
        let [r, g, b, _] = self.background.rgba();
        let row: Vec<u8> = [r, g, b].repeat(self.width as usize);
        let mut raw = row.repeat(self.height as usize);
        let left = (self.width - image.width()) as usize / 2;
        let top = (self.height - image.height()) as usize / 2;
        let (stride, length) = (self.width as usize * 3, image.width() as usize * 3);
        for (y, line) in image.as_raw().chunks_exact(length).enumerate() {
            let at = (top + y) * stride + left * 3;
            raw[at..at + length].copy_from_slice(line);
        }
        RgbImage::from_raw(self.width, self.height, raw).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(fit: Fit) -> Canvas {
        Canvas {
            width: 20,
            height: 10,
            fit,
            background: Color::new([9, 9, 9, 255]),
            filter: Filter::Lanczos3,
        }
    }

    fn red(width: u32, height: u32) -> Pixels {
        let raw = [200, 0, 0].repeat((width * height) as usize);
        Pixels::Rgb(RgbImage::from_raw(width, height, raw).unwrap())
    }

    #[test]
    fn contain_adds_background_and_cover_does_not() {
        let contained = canvas(Fit::Contain).place(red(10, 10)).unwrap();
        assert_eq!(contained.dimensions(), (20, 10));
        assert_eq!(contained.get_pixel(0, 5).0, [9, 9, 9]);
        assert_eq!(contained.get_pixel(10, 0).0, [200, 0, 0]);
        for fit in [Fit::Cover, Fit::Stretch] {
            let filled = canvas(fit).place(red(10, 10)).unwrap();
            assert!(filled.pixels().all(|p| p.0 == [200, 0, 0]), "{fit:?}");
        }
    }

    #[test]
    fn one_side_follows_the_other() {
        assert_eq!(Canvas::size(Some(320), None, (640, 360)), (320, 180));
        assert_eq!(Canvas::size(None, Some(90), (640, 360)), (160, 90));
        assert_eq!(Canvas::size(None, None, (7, 5)), (7, 5));
    }
}
