//! Asking one provider after the other, with the money of each call.

use std::{sync::Mutex, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use raster::{Limits, RgbImage, probe};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use web::{HttpMethod, http::Creation};

use super::{
    Ask, Charge, Link, Sent, Trouble, TroubleKind, Verdict, Whereabouts, answer,
    link::{Key, NoLink, key_missing},
};
use crate::{canvas::Card, input::Generate, provider::Provider};

/// How long money stays set aside when the run that asked for it dies.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

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
                Err(NoLink::Failed(error)) => return Err(error),
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
            let trouble = match self.within(input, link, run) {
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
    fn within(&self, input: &Generate, link: &Link, run: &Run) -> Result<(), Trouble> {
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
    fn note(&mut self, picture: u32, link: &Link, trouble: Option<&Trouble>, cost_usd: Usd, unconfirmed: bool) {
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

/// What is known when a call is over, also where the call itself is an error for the ledger.
#[derive(Debug, Default)]
struct Told {
    trouble: Option<TroubleKind>,
    unconfirmed: bool,
    cost: Usd,
}

/// One call: money set aside, asked once, settled by what the answer says.
async fn ask_one(link: &Link, ask: &Ask, ctx: &Context) -> (Result<Made, Trouble>, Usd, bool) {
    let told = Mutex::new(Told::default());
    let remember = |trouble: Option<TroubleKind>, cost: Usd, unconfirmed: bool| {
        if let Ok(mut told) = told.lock() {
            *told = Told { trouble, unconfirmed, cost };
        }
    };
    let remember = &remember;
    let what = format!("{}: {}", link.remote.provider(), link.model);
    let paid = ctx
        .spend_sent(&what, link.most, LIFETIME, |sending| async move {
            let request = link.remote.request(link.target(), ask, &link.fit)?;
            sending.left(link.most);
            let answer = match request.create().await {
                Creation::Answered(answer) => answer,
                Creation::NotSent(error) => {
                    sending.refused();
                    return Err(error);
                }
                Creation::Unconfirmed(error) => {
                    remember(Some(TroubleKind::Lost), link.most, true);
                    return Err(unconfirmed(link, error));
                }
            };
            let verdict = link.remote.read(&answer, &link.price);
            let delivered = verdict.result.is_ok();
            let kind = verdict.result.as_ref().err().map(|trouble| trouble.kind);
            match (verdict.charge, verdict.result) {
                (Charge::Nothing, Err(trouble)) => {
                    remember(kind, Usd::ZERO, false);
                    sending.refused();
                    Err(trouble.error)
                }
                (Charge::Unknown, Err(trouble)) => {
                    remember(kind, link.most, true);
                    Err(trouble.error.with("unconfirmed_usd", link.most.dollars()))
                }
                (charge, result) => {
                    let (cost, estimated) = match charge {
                        Charge::Known(usd) => (usd, false),
                        Charge::Estimated(usd) => (usd, true),
                        Charge::Nothing if delivered => (Usd::ZERO, false),
                        Charge::Nothing | Charge::Unknown => (link.most, true),
                    };
                    if estimated {
                        sending.unpriced();
                    }
                    remember(kind, cost, estimated);
                    Ok((Verdict { result, ..verdict }, cost))
                }
            }
        })
        .await;
    let told = told.into_inner().unwrap_or_default();
    let result = match paid {
        Err(error) => Err(Trouble {
            kind: told.trouble.unwrap_or(TroubleKind::Failed),
            error,
        }),
        Ok(verdict) => {
            let (usage, request_id) = (verdict.usage, verdict.request_id);
            match verdict.result {
                Err(trouble) => Err(trouble),
                Ok(sent) => fetched(link, sent, ctx).await.map(|(bytes, seed)| Made {
                    provider: link.remote.provider(),
                    model: link.model.clone(),
                    picture: Drawn::File(bytes),
                    // OpenAI is not told the seed.
                    seed: seed.or(ask.seed.filter(|_| link.remote.provider() != Provider::Openai)),
                    cost_usd: told.cost,
                    unconfirmed: told.unconfirmed,
                    usage,
                    request_id,
                }),
            }
        }
    };
    (result, told.cost, told.unconfirmed)
}

/// The bytes of a picture that was paid for, looked at before anybody relies on them.
async fn fetched(link: &Link, sent: Sent, ctx: &Context) -> Result<(Vec<u8>, Option<u64>), Trouble> {
    let provider = link.remote.provider();
    let bytes = match sent.file {
        Whereabouts::Bytes(bytes) => bytes,
        Whereabouts::At(address) => download(link, &address, ctx).await.map_err(answer::failed)?,
    };
    let name = format!("the picture of {provider}");
    match probe(&bytes, &name, &Limits::default()) {
        Ok(_) => Ok((bytes, sent.seed)),
        Err(mut error) => {
            error.kind = ErrorKind::ProviderRejected;
            Err(answer::failed(error.code("not_a_picture").from_source(provider.name())))
        }
    }
}

/// Some servers that speak OpenAI's API answer with an address. Only the provider's own may lie inside.
async fn download(link: &Link, address: &str, ctx: &Context) -> ToolResult<Vec<u8>> {
    let own = link.target().http;
    let outside = web::Http::of(ctx)?;
    let http = if link.is_at(address) { own } else { &outside };
    let limit = Limits::default().max_file;
    let request = http.request(HttpMethod::GET, address).map_err(|error| {
        let mut error = error.code("picture_address_refused");
        error.kind = ErrorKind::ProviderRejected;
        error
    })?;
    let found = request.max_bytes(limit).download(&std::env::temp_dir()).await?;
    app_core::files::read_limited(found.file.path(), limit)
}

/// The answer is lost. Nobody repeats it unasked: the picture may have been made, and paid.
fn unconfirmed(link: &Link, error: ToolError) -> ToolError {
    if error.kind == ErrorKind::Cancelled {
        return error.with("unconfirmed_usd", link.most.dollars());
    }
    let provider = link.remote.provider();
    let mut told = ToolError::new(
        ErrorKind::ProviderRejected,
        format!(
            "{provider} was asked and its answer is lost; up to {} may be charged for it",
            link.most
        ),
    )
    .code("unconfirmed")
    .hint("look at the provider's usage page before trying again; --fallback-on-unconfirmed asks the next one")
    .from_source(provider.name())
    .with("unconfirmed_usd", link.most.dollars());
    told.causes.push(error.message);
    told.causes.extend(error.causes);
    told
}
