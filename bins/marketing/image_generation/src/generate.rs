//! Pictures from a prompt, each with a sidecar.

use std::path::{Path, PathBuf};

use app_core::{Artifact, Context, ErrorKind, ToolError, ToolResult, Usd};
use raster::{Color, EncodeOptions, Format, Limits, Pixels, RgbImage, decode, encode, probe};

use crate::{
    Output, Picture, Pictures, PlannedLink,
    canvas::Card,
    humanize::{Noise, humanize},
    input::Generate,
    naming::{self, Names},
    paid::{Ask, Chain, Drawn, Key, Made, Run, read_all},
    provider::Provider,
    sidecar, write,
};

/// Makes the pictures one after the other; a dry run checks everything and makes nothing.
pub async fn generate(input: &Generate, ctx: &Context) -> ToolResult<Output> {
    input.check()?;
    let names = naming::names(input, ctx)?;
    let (ask, card, mut warnings) = gather(input, ctx)?;
    let chain = Chain::new(input, &ask, ctx)?;
    warnings.extend(chain.notes.iter().cloned());
    let mut made = Pictures {
        images: Vec::new(),
        cost_usd: Usd::ZERO,
        links: Vec::new(),
        attempts: Vec::new(),
        warnings,
    };
    if ctx.dry_run() {
        plan(input, &ask, &names, &chain, &mut made, ctx)?;
        return Ok(Output::Pictures(made));
    }
    if input.asks_others()? {
        // Money that is on its way is settled also when the run is to stop.
        let _ = ctx.cancellation();
        for path in &names.paths {
            if !ctx.may("write_file", &path.display().to_string(), "") {
                return Err(ToolError::new(
                    ErrorKind::Conflict,
                    format!("`{}` is not in the plan that this run is held to", path.display()),
                )
                .code("not_planned"));
            }
        }
    }
    let progress = ctx.progress("generate", "images", Some(names.paths.len() as u64));
    let mut run = Run::default();
    for (index, path) in names.paths.iter().enumerate() {
        let seed = input.seed().wrapping_add(index as u64);
        let ask = Ask {
            seed: ask.seed.map(|_| seed),
            ..ask.clone()
        };
        let number = index as u32 + 1;
        let one = chain.picture(input, (&ask, card.as_ref()), (number, seed), &mut run, ctx).await;
        let kept = one.and_then(|one| keep(input, &ask, path, (&names, seed), one, &mut made.warnings, ctx));
        made.cost_usd = run.spent;
        made.attempts.clone_from(&run.attempts);
        match kept {
            Ok(picture) => made.images.push(picture),
            Err(error) => return Err(failed(error, made, names.paths.len())),
        }
        ctx.count_items(1);
        progress.inc(1);
    }
    progress.finish();
    if made.attempts.iter().all(|attempt| attempt.code.is_none()) {
        made.attempts.clear();
    }
    Ok(Output::Pictures(made))
}

/// What was asked, and the card where one may be drawn.
fn gather(input: &Generate, ctx: &Context) -> ToolResult<(Ask, Option<Card>, Vec<String>)> {
    let has_card = input.chain()?.contains(&Provider::Canvas);
    let (card, warnings) = if has_card {
        let (card, warnings) = Card::new(input, ctx)?;
        (Some(card), warnings)
    } else {
        (None, Vec::new())
    };
    let (references, mask) = if input.asks_others()? {
        read_all(input.reference.as_ref(), &input.references, input.mask.as_ref(), ctx)?
    } else {
        (Vec::new(), None)
    };
    let ask = Ask {
        prompt: input.prompt.clone(),
        negative_prompt: input.negative_prompt.clone(),
        size: input.pixels()?,
        seed: input.seed,
        quality: input.quality,
        references,
        mask,
        strength: input.strength,
    };
    Ok((ask, card, warnings))
}

/// What a run would do, and what each link of the chain would cost.
fn plan(
    input: &Generate,
    ask: &Ask,
    names: &Names,
    chain: &Chain,
    made: &mut Pictures,
    ctx: &Context,
) -> ToolResult<()> {
    let count = i64::from(input.count);
    let links = chain.links.iter().map(|link| match link {
        None => PlannedLink {
            provider: Provider::Canvas,
            model: crate::canvas::MODEL.to_owned(),
            makes: format!("{}x{}", ask.size.0, ask.size.1),
            most_usd_each: Usd::ZERO,
            most_usd: Usd::ZERO,
            key_set: true,
        },
        Some(link) => PlannedLink {
            provider: link.remote.provider(),
            model: link.model.clone(),
            makes: link.fit.shape.to_string(),
            most_usd_each: link.most,
            most_usd: link.most.times(count),
            key_set: !matches!(link.key, Key::Missing),
        },
    });
    if input.asks_others()? {
        made.links = links.collect();
        let first = made.links.first().map(|link| link.most_usd).unwrap_or_default();
        made.cost_usd = first;
        if let Some(max) = input.max_usd.filter(|max| first > *max) {
            made.warnings.push(format!("the first provider may cost {first}, more than {max}"));
        }
        for link in made.links.iter().filter(|link| !link.key_set) {
            made.warnings.push(format!("{} has no key yet", link.provider));
        }
    }
    let (width, height) = match chain.links.first() {
        Some(Some(link)) => link.fit.shape.pixels(),
        _ => ask.size,
    };
    for (index, path) in names.paths.iter().enumerate() {
        ctx.may("write_file", &path.display().to_string(), "image/png");
        let beside = path.with_extension("json");
        ctx.may("write_file", &beside.display().to_string(), "application/json");
        let seed = input.seed().wrapping_add(index as u64);
        let first = chain.links.first().map(|link| link.as_ref().map(|link| link.remote.provider()));
        made.images.push(Picture {
            path: path.clone(),
            sidecar: Some(beside),
            width,
            height,
            provider: first.map(|provider| provider.unwrap_or_default()),
            seed: input.seed.map_or_else(|| (!input.asks_others().unwrap_or(true)).then_some(seed), |_| Some(seed)),
        });
    }
    Ok(())
}

/// Writes one picture and its sidecar.
fn keep(
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

/// The error of a run, with what was made before it.
fn failed(error: ToolError, made: Pictures, wanted: usize) -> ToolError {
    let attempts = serde_json::to_value(&made.attempts).unwrap_or_default();
    if made.images.is_empty() {
        return match made.attempts.len() {
            0 => error,
            _ => error.with("attempts", attempts),
        };
    }
    let (done, spent) = (made.images.len(), made.cost_usd);
    let kind = error.kind;
    let mut told = ToolError::partial(
        format!("{done} of {wanted} pictures were made, for {spent}; then {}", error.message),
        &Output::Pictures(made),
    );
    if kind == ErrorKind::Cancelled {
        told.kind = kind;
    }
    told.code = error.code;
    told.hint = error.hint;
    told.causes = error.causes;
    told
}
