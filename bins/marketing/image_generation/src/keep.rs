//! Putting a picture into its file, with its sidecar.

use std::path::{Path, PathBuf};

use app_core::{Artifact, Context, ToolResult};
use raster::{Color, EncodeOptions, Format, Limits, Pixels, RgbImage, decode, encode, probe};

use crate::{
    Picture,
    humanize::{Noise, humanize},
    input::Generate,
    naming::{self, Names},
    paid::{Ask, Drawn, Made},
    provider::Provider,
    sidecar, write,
};

/// Writes one picture and its sidecar.
pub fn keep(
    input: &Generate,
    ask: &Ask,
    planned: &Path,
    (names, seed): (&Names, u64),
    made: Made,
    warnings: &mut Vec<String>,
    ctx: &Context,
) -> ToolResult<Picture> {
    let touched = input.humanize || (input.as_before && made.provider == Provider::Stability);
    let path = if input.as_before && input.output.is_none() {
        naming::as_before(planned, made.provider)
    } else {
        planned.to_owned()
    };
    let provider = made.provider;
    let noise = Noise::Seeded(made.seed.unwrap_or(seed));
    let (artifact, size) = match &made.picture {
        Drawn::Pixels(image) => {
            let image = if touched {
                humanize(image.clone(), &noise, input.vignette)
            } else {
                image.clone()
            };
            png(input, &path, image, ctx)?
        }
        Drawn::File(bytes) if touched => {
            let image = decode(bytes, &format!("the picture of {provider}"), &Limits::default())?;
            let image = humanize(image.into_srgb().into_rgb(Color::WHITE), &noise, input.vignette);
            png(input, &path, image, ctx)?
        }
        Drawn::File(bytes) => as_it_came(input, &path, (bytes, provider), names.format, warnings, ctx)?,
    };
    let beside = sidecar::write((&artifact.path, size, touched), &made, input, ask, ctx)?;
    Ok(Picture {
        path: artifact.path,
        sidecar: Some(beside.path),
        width: size.0,
        height: size.1,
        provider: Some(provider),
        seed: made.seed,
    })
}

fn png(input: &Generate, path: &Path, image: RgbImage, ctx: &Context) -> ToolResult<(Artifact, (u32, u32))> {
    let size = image.dimensions();
    let png = encode(Pixels::Rgb(image), Format::Png, &EncodeOptions::default())?;
    let written = write(ctx, path, (&png, Format::Png), input.reference.as_deref())?;
    Ok((written, size))
}

/// The file as the provider made it, under the ending that its bytes ask for; converted where the caller named a format
/// or a plan a file.
fn as_it_came(
    input: &Generate,
    path: &Path,
    (bytes, provider): (&[u8], Provider),
    asked: Option<Format>,
    warnings: &mut Vec<String>,
    ctx: &Context,
) -> ToolResult<(Artifact, (u32, u32))> {
    let name = format!("the picture of {provider}");
    let found = probe(bytes, &name, &Limits::default())?;
    let (size, from) = ((found.width, found.height), input.reference.as_deref());
    let wanted = asked.unwrap_or(found.format);
    if wanted == found.format {
        let own: PathBuf = match asked {
            Some(_) => path.to_owned(),
            None => path.with_extension(found.format.extension()),
        };
        if own != path {
            warnings.push(format!(
                "{provider} was asked for PNG and sent {}: it is kept as `{}`",
                found.format.media_type(),
                own.display()
            ));
        }
        match write(ctx, &own, (bytes, found.format), from) {
            // Held to a plan that names the file as it was to be.
            Err(error) if error.code == "not_planned" => {}
            other => return other.map(|written| (written, size)),
        }
    }
    let wanted = asked.unwrap_or(Format::Png);
    warnings.push(format!(
        "{provider} sent {}: it is converted to {}",
        found.format.media_type(),
        wanted.media_type()
    ));
    let picture = decode(bytes, &name, &Limits::default())?;
    let options = EncodeOptions {
        quality: 95,
        ..EncodeOptions::default()
    };
    let file = encode(picture.into_srgb(), wanted, &options)?;
    write(ctx, path, (&file, wanted), from).map(|written| (written, size))
}
