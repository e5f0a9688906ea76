//! Single frames as pictures: the poster, and a sheet of many.

use std::{ops::Range, sync::Arc};

use app_core::{Context, ToolError, ToolResult};
use raster::{EncodeOptions, Filter, Format, Pixels, RgbImage, encode, resize};

use crate::{film::Film, project::Project};

/// Longest side of a frame on the sheet.
const TILE: u32 = 320;
/// Pixels between frames on the sheet.
const GAP: u32 = 8;
/// Around the frames on the sheet.
const PAPER: [u8; 3] = [24, 24, 24];

/// One frame as PNG.
pub fn poster(project: &Arc<Project>, ctx: &Context) -> ToolResult<Vec<u8>> {
    let picture = one(
        &mut Film::new(Arc::clone(project), ctx.clone()),
        project,
        project.timeline.poster,
    )?;
    encode(picture, Format::Png, &EncodeOptions::default())
}

/// `count` frames, evenly apart, side by side as PNG. A video with fewer frames shows each of them.
pub fn contact_sheet(project: &Arc<Project>, count: u64, ctx: &Context) -> ToolResult<Vec<u8>> {
    let total = project.timeline.frames;
    let count = count.min(total);
    let (w, h) = (project.size.width, project.size.height);
    let scale = (f64::from(TILE) / f64::from(w.max(h))).min(1.0);
    let side = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
    let (tile_w, tile_h) = (side(w), side(h));
    let columns = (1..=count as u32)
        .find(|c| u64::from(*c) * u64::from(*c) >= count)
        .unwrap_or(1);
    let rows = (count as u32).div_ceil(columns);
    let (width, height) = (columns * (tile_w + GAP) + GAP, rows * (tile_h + GAP) + GAP);
    let mut sheet = PAPER.repeat(width as usize * height as usize);
    let mut film = Film::new(Arc::clone(project), ctx.clone());
    for index in 0..count {
        ctx.check_cancelled()?;
        let frame = one(&mut film, project, (2 * index + 1) * total / (2 * count))?;
        let tile = resize(&frame, tile_w, tile_h, Filter::Lanczos3)?;
        let (column, row) = (index as u32 % columns, index as u32 / columns);
        let (x, y) = (GAP + column * (tile_w + GAP), GAP + row * (tile_h + GAP));
        for (line, source) in tile.as_bytes().chunks_exact(tile_w as usize * 3).enumerate() {
            let at = ((y as usize + line) * width as usize + x as usize) * 3;
            sheet[at..at + source.len()].copy_from_slice(source);
        }
    }
    let sheet = RgbImage::from_raw(width, height, sheet);
    let sheet = sheet.ok_or_else(|| ToolError::internal("the sheet has the wrong size"))?;
    encode(Pixels::Rgb(sheet), Format::Png, &EncodeOptions::default())
}

fn one(film: &mut Film, project: &Project, frame: u64) -> ToolResult<Pixels> {
    let range: Range<u64> = frame..frame + 1;
    let drawn = film.draw(range)?.remove(0);
    let (width, height) = (project.size.width, project.size.height);
    let picture = RgbImage::from_raw(width, height, drawn.to_vec()).map(Pixels::Rgb);
    picture.ok_or_else(|| ToolError::internal("a frame has the wrong size"))
}
