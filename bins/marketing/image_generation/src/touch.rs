//! A hand-made touch for a picture that exists.

use app_core::{Context, ToolError, ToolResult, Usd};
use raster::{Color, EncodeOptions, Format, Limits, Pixels, RgbImage, decode, encode};

use crate::{
    Output, Picture, Pictures,
    humanize::{Noise, humanize},
    input::{Humanize, NoiseSource},
    write,
};

/// Gives a picture a hand-made touch; its transparency stays as it is.
pub fn touch(input: &Humanize, ctx: &Context) -> ToolResult<Output> {
    if Format::from_path(&input.output, "output")? != Format::Png {
        return Err(ToolError::invalid(
            "output",
            format!("`{}` must end in .png", input.output.display()),
        ));
    }
    let limits = Limits::default();
    let bytes = ctx.read(&input.image, limits.max_file)?;
    let picture =
        decode(&bytes, &input.image.display().to_string(), &limits).map_err(|e| e.field("image"))?;
    let mut warnings: Vec<String> = picture.notes.clone();
    if picture.frames > 1 {
        warnings.push(format!(
            "it has {} frames; only the first is used",
            picture.frames
        ));
    }
    let (image, alpha) = split(picture.into_srgb());
    let noise = match input.noise {
        NoiseSource::Off => Noise::Off,
        NoiseSource::Seed => Noise::Seeded(input.seed),
        NoiseSource::File => Noise::Given(given_noise(input, &image, ctx)?),
    };
    let image = humanize(image, &noise, input.vignette);
    let (width, height) = image.dimensions();
    let pixels = joined(image, alpha, input.alpha);
    let png = encode(pixels, Format::Png, &EncodeOptions::default())?;
    let written = write(ctx, &input.output, (&png, Format::Png), Some(&input.image))?;
    let picture = Picture {
        path: written.path,
        sidecar: None,
        width,
        height,
        provider: None,
        seed: Some(input.seed),
    };
    Ok(Output::Pictures(Pictures {
        images: vec![picture],
        cost_usd: Usd::ZERO,
        links: Vec::new(),
        attempts: Vec::new(),
        warnings: warnings
            .iter()
            .map(|note| format!("`{}`: {note}", input.image.display()))
            .collect(),
    }))
}

/// Colours and, where there is one, the alpha channel. Colours under full transparency stay what
/// they are, and hidden.
fn split(pixels: Pixels) -> (RgbImage, Option<Vec<u8>>) {
    if !pixels.has_alpha() {
        return (pixels.into_rgb(Color::BLACK), None);
    }
    let image = pixels.into_rgba();
    let alpha = image.pixels().map(|p| p[3]).collect();
    let (width, height) = image.dimensions();
    let colours = image.pixels().flat_map(|p| [p[0], p[1], p[2]]).collect();
    (
        RgbImage::from_raw(width, height, colours).unwrap_or_default(),
        Some(alpha),
    )
}

/// The picture with the transparency it had; `always` writes an alpha channel also where it had none.
fn joined(image: RgbImage, alpha: Option<Vec<u8>>, always: bool) -> Pixels {
    if alpha.is_none() && !always {
        return Pixels::Rgb(image);
    }
    let mut whole = Pixels::Rgb(image).into_rgba();
    if let Some(alpha) = alpha {
        for (pixel, alpha) in whole.pixels_mut().zip(alpha) {
            pixel[3] = alpha;
        }
    }
    Pixels::Rgba(whole)
}

fn given_noise(input: &Humanize, image: &RgbImage, ctx: &Context) -> ToolResult<Vec<i32>> {
    let Some(path) = &input.noise_file else {
        return Err(ToolError::invalid(
            "noise_file",
            "noise from a file needs `noise_file`",
        ));
    };
    let bytes = ctx.read(path, 1 << 30)?;
    let rows: Vec<Vec<[i32; 3]>> = serde_json::from_slice(&bytes).map_err(|e| {
        ToolError::invalid(
            "noise_file",
            format!(
                "`{}` does not hold rows of pixels of three whole numbers: {e}",
                path.display()
            ),
        )
    })?;
    let (width, height) = image.dimensions();
    if rows.len() != height as usize || rows.iter().any(|row| row.len() != width as usize) {
        let message = format!("`{}` does not fit a picture of {width}x{height}", path.display());
        return Err(ToolError::invalid("noise_file", message));
    }
    Ok(rows.into_iter().flatten().flatten().collect())
}
