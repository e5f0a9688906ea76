//! Every frame of an animation, or page of a document, as it is shown.

use std::io::Cursor;

use app_core::{ToolError, ToolResult};
use image::{
    AnimationDecoder, Delay, Frame, Frames,
    codecs::{
        gif::{GifDecoder, GifEncoder, Repeat},
        png::PngDecoder,
        webp::WebPDecoder,
    },
    metadata::LoopCount,
};

use crate::{
    Format, Limits, Metadata, Pixels, color,
    container::{gif, tiff},
    decode::{check, damaged, decode, failure, without_huge_profile},
};

/// A frame as it is shown: whole, upright, in sRGB.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its pixels.
    pub pixels: Pixels,
    /// Milliseconds until the next; absent where the file says nothing, as for pages.
    pub delay_ms: Option<u32>,
}

/// How often an animation is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plays {
    /// Without end.
    #[default]
    Forever,
    /// This many times.
    Times(u32),
}

/// Hands out the frames of `bytes` in order; a still picture has one. `name` is what errors call it.
/// Stops at the first error of `take`. Says how often the animation is shown.
pub fn each_frame(
    bytes: &[u8],
    name: &str,
    limits: &Limits,
    take: &mut dyn FnMut(Shown) -> ToolResult<()>,
) -> ToolResult<Plays> {
    let bytes: &[u8] = &without_huge_profile(bytes, &mut Vec::new());
    let mut opened = check(bytes, name, limits)?;
    let format = opened.format;
    let pages = if format == Format::Tiff {
        tiff::pages(bytes)
    } else {
        Vec::new()
    };
    if opened.frames <= 1 || (format == Format::Tiff && pages.len() <= 1) {
        let pixels = decode(bytes, name, limits)?.into_srgb();
        take(Shown {
            pixels,
            delay_ms: None,
        })?;
        return Ok(Plays::Forever);
    }
    if format == Format::Tiff {
        drop(opened);
        for page in pages {
            let pixels = decode(&tiff::with_first(bytes, page), name, limits)?.into_srgb();
            take(Shown {
                pixels,
                delay_ms: None,
            })?;
        }
        return Ok(Plays::Forever);
    }
    let icc = opened
        .decoder
        .icc_profile()
        .ok()
        .flatten()
        .filter(|icc| icc.len() <= color::LARGEST_PROFILE && color::space(icc) == color::Space::Rgb);
    drop(opened);
    let broken = |e: &image::ImageError| failure(name, format, e);
    let cursor = Cursor::new(bytes);
    let (frames, plays): (Frames<'_>, Plays) = match format {
        Format::Gif => {
            let decoder = GifDecoder::new(cursor).map_err(|e| broken(&e))?;
            (decoder.into_frames(), gif::plays(bytes))
        }
        Format::Webp => {
            let decoder = WebPDecoder::new(cursor).map_err(|e| broken(&e))?;
            let plays = plays_of(decoder.loop_count());
            (decoder.into_frames(), plays)
        }
        Format::Png => {
            let decoder = PngDecoder::new(cursor)
                .and_then(PngDecoder::apng)
                .map_err(|e| broken(&e))?;
            let plays = plays_of(decoder.loop_count());
            (decoder.into_frames(), plays)
        }
        _ => return Err(damaged(name, format, "it has no frames")),
    };
    for frame in frames {
        let frame = frame.map_err(|e| broken(&e))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let pixels = Pixels::Rgba(frame.into_buffer());
        let pixels = match &icc {
            Some(icc) => color::to_srgb(&pixels, icc).unwrap_or(pixels),
            None => pixels,
        };
        take(Shown {
            pixels,
            delay_ms: Some(numerator / denominator.max(1)),
        })?;
    }
    Ok(plays)
}

fn plays_of(count: LoopCount) -> Plays {
    match count {
        LoopCount::Infinite => Plays::Forever,
        LoopCount::Finite(times) => Plays::Times(times.get()),
    }
}

/// An animated GIF of `frames`, each with a palette of its own. What `metadata` holds that a GIF can is written too.
pub fn encode_gif(frames: Vec<Shown>, plays: Plays, metadata: &Metadata) -> ToolResult<Vec<u8>> {
    let failed =
        |e: image::ImageError| ToolError::internal(format!("cannot encode as gif: {e}")).caused_by(&e);
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, 10);
    let repeat = match plays {
        Plays::Forever => Some(Repeat::Infinite),
        // The extension counts the plays after the first.
        Plays::Times(0 | 1) => None,
        Plays::Times(times) => Some(Repeat::Finite(u16::try_from(times - 1).unwrap_or(u16::MAX))),
    };
    if let Some(repeat) = repeat {
        encoder.set_repeat(repeat).map_err(failed)?;
    }
    for frame in frames {
        let delay = Delay::from_numer_denom_ms(frame.delay_ms.unwrap_or(100), 1);
        let frame = Frame::from_parts(frame.pixels.into_rgba(), 0, 0, delay);
        encoder.encode_frame(frame).map_err(failed)?;
    }
    drop(encoder);
    if metadata.xmp.is_none() && metadata.comments.is_empty() {
        return Ok(out);
    }
    Ok(gif::with_texts(&out, metadata.xmp.as_deref(), &metadata.comments))
}
