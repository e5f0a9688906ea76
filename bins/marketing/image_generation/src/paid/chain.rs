//! Asking one provider after the other, with the money of each call.

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use raster::RgbImage;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    Ask, Link, Trouble, TroubleKind, answer,
    call::ask_one,
    link::{Key, NoLink, key_missing},
};
use crate::{canvas::Card, input::Generate, provider::Provider};

/// Who is asked, in order.
#[derive(Debug)]
pub struct Chain {
    /// The links; `None` is the card drawn here.
    pub links: Vec<Option<Link>>,
    /// What is not as asked, and who was left out.
    pub notes: Vec<String>,
}

/// One call, or why there was none.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Attempt {
    /// Number of the picture, from 1.
    pub picture: u32,
    /// Who was asked.
    pub provider: Provider,
    /// Which model.
    pub model: String,
    /// Why it made no picture: a code; absent for one that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What it cost.
    pub cost_usd: Usd,
    /// Whether the cost is what was set aside, since nobody told it.
    pub unconfirmed: bool,
}

/// A picture that was made.
#[derive(Debug)]
pub struct Made {
    /// By whom.
    pub provider: Provider,
    /// With which model.
    pub model: String,
    /// What came.
    pub picture: Drawn,
    /// Its seed, if known.
    pub seed: Option<u64>,
    /// What it cost, the calls before it that failed not counted.
    pub cost_usd: Usd,
    /// Whether the cost is an estimate.
    pub unconfirmed: bool,
    /// The provider's own count.
    pub usage: Option<Value>,
    /// The provider's number of the request.
    pub request_id: Option<String>,
}

/// A picture as whoever made it left it.
#[derive(Debug)]
pub enum Drawn {
    /// Drawn here.
    Pixels(RgbImage),
    /// A file of a far side.
    File(Vec<u8>),
}

/// What a run did so far.
#[derive(Debug, Default)]
pub struct Run {
    /// Every call.
    pub attempts: Vec<Attempt>,
    /// What they cost together.
    pub spent: Usd,
    /// Links that are not asked again: their key or credit will not come back within a run.
    given_up: Vec<usize>,
}

impl Chain {
    /// Every provider of the input that can do what is asked. Fails before anything is asked or paid: with
    /// `invalid_input` when none can, with `config` naming the key that is missing.
    pub fn new(input: &Generate, ask: &Ask, ctx: &Context) -> ToolResult<Self> {
        let providers = input.chain()?;
        let (mut links, mut notes, mut cannot, mut without_key) = (Vec::new(), Vec::new(), Vec::new(), None);
        for provider in providers {
            let Some(remote) = provider.remote() else {
                links.push(None);
                continue;
            };
            let link = match Link::new(remote, input.model.as_deref(), ask, ctx) {
                Ok(link) => link,
                Err(NoLink::Cannot(why)) => {
                    cannot.push(format!("{provider} {why}"));
                    continue;
                }
                Err(NoLink::Failed(error)) => return Err(*error),
            };
            if matches!(link.key, Key::Missing) && !ctx.dry_run() {
                if !input.skip_unconfigured {
                    return Err(key_missing(remote));
                }
                notes.push(format!("{provider} is left out: it has no key"));
                without_key = Some(remote);
                continue;
            }
            notes.extend(link.fit.notes.iter().map(|note| format!("{provider} {note}")));
            links.push(Some(link));
        }
        match (links.is_empty(), without_key) {
            (true, Some(remote)) => Err(key_missing(remote)),
            (true, None) => Err(ToolError::invalid(
                "providers",
                format!("no provider of the chain can do this: {}", cannot.join("; ")),
            )),
            (false, _) => {
                notes.extend(cannot.into_iter().map(|why| format!("left out: {why}")));
                Ok(Self { links, notes })
            }
        }
    }

    /// Makes one picture. Fails as the last provider fails, with what it cost in `run`.
    pub async fn picture(
        &self,
        input: &Generate,
        (ask, card): (&Ask, Option<&Card>),
        (number, seed): (u32, u64),
        run: &mut Run,
        ctx: &Context,
    ) -> ToolResult<Made> {
        let mut last = None;
        for (index, link) in self.links.iter().enumerate() {
            ctx.check_cancelled()?;
            let Some(link) = link else {
                let card = card.ok_or_else(|| ToolError::internal("a card was asked for and not set up"))?;
                return card.draw(seed);
            };
            if run.given_up.contains(&index) {
                continue;
            }
            let trouble = match Self::within(input, link, run) {
                Err(trouble) => {
                    run.note(number, link, Some(&trouble), Usd::ZERO, false);
                    trouble
                }
                Ok(()) => match ask_one(link, ask, ctx).await {
                    (Ok(made), cost, unconfirmed) => {
                        run.note(number, link, None, cost, unconfirmed);
                        return Ok(made);
                    }
                    (Err(trouble), cost, unconfirmed) => {
                        run.note(number, link, Some(&trouble), cost, unconfirmed);
                        trouble
                    }
                },
            };
            let goes_on = match trouble.kind {
                TroubleKind::Refused => input.fallback_on_refusal,
                TroubleKind::Lost => input.fallback_on_unconfirmed,
                TroubleKind::Unauthorised => input.skip_unconfigured,
                TroubleKind::NoCredit | TroubleKind::Failed => true,
            };
            if matches!(trouble.kind, TroubleKind::Unauthorised | TroubleKind::NoCredit) {
                run.given_up.push(index);
            }
            let stopped = trouble.error.kind == ErrorKind::Cancelled;
            last = Some(trouble.error);
            if !goes_on || stopped {
                break;
            }
        }
        Err(last.unwrap_or_else(|| {
            ToolError::new(
                ErrorKind::BudgetExceeded,
                "no provider of the chain has credit left, or takes its key",
            )
            .code("provider_credit")
        }))
    }

    /// Whether a call stays within `--max-usd`.
    fn within(input: &Generate, link: &Link, run: &Run) -> Result<(), Trouble> {
        let most = run.spent + link.most;
        match input.max_usd {
            Some(max) if most > max => Err(answer::failed(
                ToolError::new(
                    ErrorKind::BudgetExceeded,
                    format!(
                        "a picture by {} may cost {}, and with {} spent that is more than {max}",
                        link.remote.provider(),
                        link.most,
                        run.spent
                    ),
                )
                .code("max_usd_exceeded")
                .field("max_usd"),
            )),
            _ => Ok(()),
        }
    }
}

impl Run {
    fn note(
        &mut self,
        picture: u32,
        link: &Link,
        trouble: Option<&Trouble>,
        cost_usd: Usd,
        unconfirmed: bool,
    ) {
        self.spent += cost_usd;
        self.attempts.push(Attempt {
            picture,
            provider: link.remote.provider(),
            model: link.model.clone(),
            code: trouble.map(|trouble| trouble.error.code.clone()),
            message: trouble.map(|trouble| trouble.error.message.clone()),
            cost_usd,
            unconfirmed,
        });
    }
}
