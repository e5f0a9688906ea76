//! Pictures at the size they are shown: a report is sent on, and nobody sends megabytes of pixels that no screen shows.

use app_core::ToolResult;
use raster::{
    EncodeOptions, Filter, Format, Limits, Metadata, Pixels, Shown, decode, each_frame, encode, encode_gif,
    probe, resize,
};

use crate::media;

/// Widest a picture is stored, in pixels: twice the column it is shown in.
const WIDEST: u32 = 1080;

/// The same for a picture that stands upright, which has a narrower column.
const WIDEST_UPRIGHT: u32 = 640;

/// Widest an animation is stored, in pixels.
const WIDEST_MOVING: u32 = 480;

/// A picture that is smaller than this and not too wide stays as it is, in bytes.
const SMALL: usize = 150_000;

/// An animation that is smaller than this stays as it is, in bytes.
const SMALL_MOVING: usize = 250_000;

/// Most frames of an animation that is made shorter.
const MOST_FRAMES: usize = 16;

/// A frame that is held for so long is what an animation is about; shorter ones lead from one to the next.
const HELD_MS: u32 = 300;

/// Milliseconds between frames of an animation that holds none.
const SAMPLE_MS: u32 = 250;

/// A picture in the report.
#[derive(Debug)]
pub struct Inside {
    /// Data URL.
    pub address: String,
    /// What is not as in the file, for people.
    pub note: Option<String>,
}

/// Width and height of a picture as it is shown; none when it is none that is understood.
pub fn size(name: &str, bytes: &[u8]) -> Option<(u32, u32)> {
    let size = probe(bytes, name, &Limits::default()).ok()?;
    Some((size.width, size.height))
}

/// The picture as a data URL, no larger than it is shown. What cannot be decoded is taken as it is.
pub fn inside(media_type: &str, name: &str, bytes: &[u8]) -> Inside {
    let as_it_is = || Inside {
        address: media::data_url(media_type, bytes),
        note: None,
    };
    let made = match media_type {
        "image/gif" if bytes.len() > SMALL_MOVING => shorter(name, bytes).ok().flatten(),
        "image/png" | "image/jpeg" | "image/webp" => smaller(name, bytes),
        _ => None,
    };
    made.unwrap_or_else(as_it_is)
}

/// A still picture, scaled down; `None` when it is fine as it is.
fn smaller(name: &str, bytes: &[u8]) -> Option<Inside> {
    let picture = decode(bytes, name, &Limits::default()).ok()?;
    let upright = picture.pixels.height() > picture.pixels.width();
    let widest = if upright { WIDEST_UPRIGHT } else { WIDEST };
    if picture.frames > 1 || (picture.pixels.width() <= widest && bytes.len() <= SMALL) {
        return None;
    }
    let pixels = scaled(&picture.into_srgb(), widest).ok()?;
    // A JPEG shows nothing through.
    let (format, media_type) = if pixels.has_alpha() {
        (Format::Png, "image/png")
    } else {
        (Format::Jpeg, "image/jpeg")
    };
    let options = EncodeOptions {
        quality: 84,
        progressive: true,
        ..EncodeOptions::default()
    };
    let made = encode(pixels, format, &options).ok()?;
    (made.len() < bytes.len()).then(|| Inside {
        address: media::data_url(media_type, &made),
        note: None,
    })
}

fn scaled(pixels: &Pixels, widest: u32) -> ToolResult<Pixels> {
    let width = pixels.width().min(widest);
    let height = (u64::from(pixels.height()) * u64::from(width) / u64::from(pixels.width().max(1))).max(1);
    resize(
        pixels,
        width,
        u32::try_from(height).unwrap_or(u32::MAX),
        Filter::Lanczos3,
    )
}

/// An animation with the frames that it holds, or a few of those that move; `None` when that makes it no smaller.
fn shorter(name: &str, bytes: &[u8]) -> ToolResult<Option<Inside>> {
    let limits = Limits::default();
    let mut delays = Vec::new();
    each_frame(bytes, name, &limits, &mut |frame| {
        delays.push(frame.delay_ms.unwrap_or(0));
        Ok(())
    })?;
    let kept = chosen(&delays);
    let (mut frames, mut at) = (Vec::new(), 0);
    let plays = each_frame(bytes, name, &limits, &mut |frame| {
        if let Some((_, delay)) = kept.iter().find(|(index, _)| *index == at) {
            frames.push(Shown {
                pixels: scaled(&frame.pixels, WIDEST_MOVING)?,
                delay_ms: Some(*delay),
            });
        }
        at += 1;
        Ok(())
    })?;
    let count = frames.len();
    let made = encode_gif(frames, plays, &Metadata::default())?;
    Ok((made.len() < bytes.len()).then(|| Inside {
        address: media::data_url("image/gif", &made),
        note: (count < delays.len())
            .then(|| format!("shown here with {count} of its {} frames", delays.len())),
    }))
}

/// Which frames of an animation stay, with the time each is shown, which takes in those left out after it. Pure.
fn chosen(delays: &[u32]) -> Vec<(usize, u32)> {
    let held = delays.iter().filter(|delay| **delay >= HELD_MS).count();
    let only_held = (2..=MOST_FRAMES).contains(&held);
    let total: u32 = delays.iter().fold(0, |sum, delay| sum.saturating_add(*delay));
    let step = SAMPLE_MS.max(total / MOST_FRAMES as u32);
    let mut kept: Vec<(usize, u32)> = Vec::new();
    for (index, delay) in delays.iter().enumerate() {
        let since = kept.last().map_or(u32::MAX, |(_, shown)| *shown);
        let stays = if only_held {
            *delay >= HELD_MS
        } else {
            since >= step && kept.len() < MOST_FRAMES
        };
        if stays {
            kept.push((index, *delay));
        } else if let Some((_, shown)) = kept.last_mut() {
            *shown = shown.saturating_add(*delay);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_animation_keeps_what_it_holds_and_its_length() {
        assert_eq!(chosen(&[1200, 40, 40, 40, 1200, 40, 40]), [(0, 1320), (4, 1280)]);
        let smooth = chosen(&[40; 100]);
        assert!(smooth.len() <= MOST_FRAMES && smooth.len() > 8, "{smooth:?}");
        assert_eq!(smooth.iter().map(|(_, shown)| shown).sum::<u32>(), 4000);
        assert_eq!(chosen(&[40]), [(0, 40)]);
        assert!(chosen(&[]).is_empty());
    }

    #[test]
    fn what_is_no_picture_is_taken_as_it_is() {
        let inside = inside("image/png", "x.png", b"no picture");
        assert!(inside.address.starts_with("data:image/png;base64,bm8g"));
        assert!(size("x.png", b"no picture").is_none());
    }
}
