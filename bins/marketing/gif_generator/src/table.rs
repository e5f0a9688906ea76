//! The colour table of an animation or of one frame.

use app_core::ToolResult;

use crate::{
    dither::Area,
    frames::Frames,
    nearest::Nearest,
    palette::{Histogram, Rgb},
};

/// A colour table with the means to look colours up in it.
pub struct Table {
    /// The colours, in the order of the file.
    pub colors: Vec<Rgb>,
    /// Finds the closest of them.
    pub nearest: Nearest,
}

impl Table {
    /// One table for all frames.
    pub fn shared(frames: &dyn Frames, colors: usize) -> ToolResult<Self> {
        let mut histogram = Histogram::new();
        frames.pass(&mut |window| {
            let pixels: Vec<&[u8]> = window.iter().map(|f| f.image.as_raw().as_slice()).collect();
            histogram.add(&pixels);
            Ok(())
        })?;
        let colors = histogram.palette(colors)?;
        let nearest = Nearest::fine(&colors);
        Ok(Self { colors, nearest })
    }

    /// A table for the changed area of one frame.
    pub fn of_frame(pixels: &[u8], width: usize, area: Area, colors: usize) -> ToolResult<Self> {
        let rows: Vec<&[u8]> = (area.y0..area.y1)
            .map(|y| &pixels[(y * width + area.x0) * 3..(y * width + area.x1) * 3])
            .collect();
        let mut histogram = Histogram::new();
        histogram.add(&rows);
        let colors = histogram.palette(colors)?;
        let nearest = Nearest::coarse(&colors);
        Ok(Self { colors, nearest })
    }

    /// As it stands in the file, with an entry for transparency at the end when asked for.
    pub fn bytes(&self, transparent: bool) -> Vec<u8> {
        let mut bytes = self.colors.concat();
        if transparent {
            bytes.extend_from_slice(&[0; 3]);
        }
        bytes
    }
}
