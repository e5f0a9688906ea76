//! The GIF itself: palettes, changed rectangles, transparency, LZW.
//!
//! Frames are mapped and compressed in parallel, a window at a time, and written in order.

use std::{io::Write, path::Path};

use app_core::{ErrorKind, ToolError, ToolResult};
use gif::{DisposalMethod, Repeat};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    dither::{Dither, map},
    frames::{Frame, Frames},
    screen::{Drawing, Screen},
    table::Table,
};

/// Whether all frames share a palette.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaletteMode {
    /// One palette for the whole animation: smaller, no flicker.
    #[default]
    Global,
    /// A palette for each frame: truer colours when the scenes differ.
    Frame,
}

/// How the animation is encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Colours in a palette, 2 to 256.
    pub colors: usize,
    /// One palette or many.
    pub palette: PaletteMode,
    /// How colours in between are shown.
    pub dither: Dither,
    /// Share of the error that is passed on, 0 to 256.
    pub strength: i32,
    /// Pixels whose channels all moved by at most this many levels count as unchanged.
    pub tolerance: u8,
    /// Plays after the first; `None` is written as no loop extension at all.
    pub repeat: Option<Repeat>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Frames written.
    pub frames: usize,
    /// Bytes written.
    pub bytes: u64,
    /// Time of one play in hundredths of a second.
    pub duration: u64,
    /// Entries of the (largest) colour table in use.
    pub colors: usize,
}

/// Called after each window with the frames shown, RGB, as a viewer would draw them.
pub type Watch<'a> = &'a mut dyn FnMut(&[Frame], &[Vec<u8>]) -> ToolResult<()>;

/// Encodes `frames` into `out`, which errors call `target`.
pub fn encode(
    frames: &dyn Frames,
    settings: &Settings,
    out: &mut dyn Write,
    target: &Path,
    watch: Watch,
) -> ToolResult<Outcome> {
    let failure = |e: &gif::EncodingError| failure(target, e);
    let (width, height) = frames.size();
    let (Ok(width), Ok(height)) = (u16::try_from(width), u16::try_from(height)) else {
        return Err(ToolError::new(
            ErrorKind::InvalidInput,
            format!("a GIF cannot be {width}x{height}: the format ends at 65535 pixels a side"),
        ));
    };
    let single = frames.count() == Some(1);
    // One entry is kept for "as before", except in a still.
    let colors = if single {
        settings.colors
    } else {
        settings.colors.min(255)
    };
    let shared = match settings.palette {
        PaletteMode::Global => Some(Table::shared(frames, colors)?),
        PaletteMode::Frame => None,
    };
    let mut counted = Counted { out, bytes: 0 };
    let global = shared.as_ref().map(|t| t.bytes(!single)).unwrap_or_default();
    let mut encoder = gif::Encoder::new(&mut counted, width, height, &global).map_err(|e| failure(&e))?;
    if let Some(repeat) = settings.repeat {
        encoder.set_repeat(repeat).map_err(|e| failure(&e))?;
    }
    let mut screen = Screen::new(usize::from(width), usize::from(height), settings.tolerance);
    let mut outcome = Outcome::default();
    frames.pass(&mut |window| {
        let changes: Vec<_> = window
            .iter()
            .map(|frame| screen.changes(frame.image.as_raw()))
            .collect();
        let mapped = window
            .par_iter()
            .zip(&changes)
            .map(|(frame, change)| {
                let pixels = frame.image.as_raw();
                let own = match &shared {
                    Some(_) => None,
                    None => Some(Table::of_frame(pixels, usize::from(width), change.area, colors)?),
                };
                let table = own
                    .as_ref()
                    .or(shared.as_ref())
                    .ok_or_else(|| ToolError::internal("no palette"))?;
                let mask = change.mask.as_deref();
                let (dither, strength) = (settings.dither, settings.strength);
                let indices = map(
                    pixels,
                    usize::from(width),
                    change.area,
                    mask,
                    &table.nearest,
                    dither,
                    strength,
                );
                Ok((indices, own))
            })
            .collect::<ToolResult<Vec<_>>>()?;
        let mut drawn = Vec::with_capacity(window.len());
        let mut shown = Vec::with_capacity(window.len());
        for ((frame, change), (indices, own)) in window.iter().zip(&changes).zip(mapped) {
            let table = own
                .as_ref()
                .or(shared.as_ref())
                .ok_or_else(|| ToolError::internal("no palette"))?;
            outcome.colors = outcome.colors.max(table.colors.len());
            let drawing = screen.draw(change, indices, &table.colors);
            shown.push(screen.shown());
            outcome.duration += u64::from(frame.delay);
            drawn.push((drawing, own.map(|t| t.bytes(true)), frame.delay));
        }
        let frames: Vec<gif::Frame<'static>> = drawn
            .into_par_iter()
            .map(|(drawing, palette, delay)| packed(&drawing, palette, delay))
            .collect();
        for frame in &frames {
            encoder
                .write_lzw_pre_encoded_frame(frame)
                .map_err(|e| failure(&e))?;
        }
        outcome.frames += frames.len();
        watch(&window, &shown)
    })?;
    encoder.into_inner().map_err(|e| failure(&e))?;
    outcome.bytes = counted.bytes;
    Ok(outcome)
}

/// A drawing as a frame of the file.
fn packed(drawing: &Drawing, palette: Option<Vec<u8>>, delay: u16) -> gif::Frame<'static> {
    let (buffer, transparent) = drawing.compress();
    let area = drawing.area;
    gif::Frame {
        delay,
        dispose: DisposalMethod::Keep,
        transparent,
        needs_user_input: false,
        top: area.y0 as u16,
        left: area.x0 as u16,
        width: area.width() as u16,
        height: area.height() as u16,
        interlaced: false,
        palette,
        buffer: buffer.into(),
    }
}

fn failure(target: &Path, error: &gif::EncodingError) -> ToolError {
    match error {
        gif::EncodingError::Io(e) => ToolError::file("write", target, e),
        other => ToolError::internal(format!("the GIF could not be encoded: {other}")),
    }
}

struct Counted<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use image::{AnimationDecoder, codecs::gif::GifDecoder};
    use proptest::prelude::*;
    use raster::RgbImage;

    use super::*;
    use crate::frames::Take;

    struct Given(Vec<RgbImage>);

    impl Frames for Given {
        fn size(&self) -> (u32, u32) {
            self.0[0].dimensions()
        }
        fn count(&self) -> Option<usize> {
            Some(self.0.len())
        }
        fn pass(&self, take: Take) -> ToolResult<()> {
            self.0.chunks(3).try_for_each(|part| {
                take(
                    part.iter()
                        .map(|i| Frame {
                            image: Arc::new(i.clone()),
                            delay: 7,
                        })
                        .collect(),
                )
            })
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(120))]

        /// With few colours nothing is lost: another decoder sees exactly the frames that went in.
        #[test]
        fn few_colours_come_back_exactly(
            width in 1u32..14,
            height in 1u32..10,
            seeds in proptest::collection::vec(any::<u32>(), 1..9),
            own in any::<bool>(),
        ) {
            let frames: Vec<RgbImage> = seeds
                .iter()
                .map(|seed| RgbImage::from_fn(width, height, |x, y| {
                    // Mostly the same from frame to frame, so that rectangles and transparency are used.
                    let moved = seed.wrapping_mul(2_654_435_761).rotate_left(x + 3 * y) % 16 == 0;
                    image::Rgb(if moved { [250, 20, 30] } else { [(x % 4) as u8 * 60, (y % 4) as u8 * 60, 90] })
                }))
                .collect();
            let settings = Settings {
                colors: 256,
                palette: if own { PaletteMode::Frame } else { PaletteMode::Global },
                dither: Dither::SierraLite,
                strength: 256,
                tolerance: 0,
                repeat: Some(Repeat::Infinite),
            };
            let mut file = Vec::new();
            encode(&Given(frames.clone()), &settings, &mut file, Path::new("x"), &mut |_, _| Ok(())).unwrap();
            let decoder = GifDecoder::new(std::io::Cursor::new(&file)).unwrap();
            let shown = decoder.into_frames().collect_frames().unwrap();
            prop_assert_eq!(shown.len(), frames.len());
            for (shown, source) in shown.into_iter().zip(&frames) {
                let rgb = image::DynamicImage::ImageRgba8(shown.into_buffer()).into_rgb8();
                prop_assert_eq!(&rgb, source);
            }
        }
    }
}
