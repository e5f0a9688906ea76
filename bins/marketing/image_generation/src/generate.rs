//! Pictures from a prompt, each with a sidecar.

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};

use crate::{
    Output, Picture, Pictures, PlannedLink,
    canvas::Card,
    input::Generate,
    keep::keep,
    naming::{self, Names},
    paid::{Ask, Chain, Key, Run, read_all},
    provider::Provider,
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
        let one = chain
            .picture(input, (&ask, card.as_ref()), (number, seed), &mut run, ctx)
            .await;
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
        read_all(
            input.reference.as_ref(),
            &input.references,
            input.mask.as_ref(),
            ctx,
        )?
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
            made.warnings
                .push(format!("the first provider may cost {first}, more than {max}"));
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
        let first = chain
            .links
            .first()
            .map(|link| link.as_ref().map(|link| link.remote.provider()));
        made.images.push(Picture {
            path: path.clone(),
            sidecar: Some(beside),
            width,
            height,
            provider: first.map(Option::unwrap_or_default),
            seed: input.seed.map_or_else(
                || (!input.asks_others().unwrap_or(true)).then_some(seed),
                |_| Some(seed),
            ),
        });
    }
    Ok(())
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
        format!(
            "{done} of {wanted} pictures were made, for {spent}; then {}",
            error.message
        ),
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
