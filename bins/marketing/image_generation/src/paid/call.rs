//! One call of a provider: money set aside, asked once, settled by what the answer says.

use std::{sync::Mutex, time::Duration};

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd};
use raster::{Limits, probe};
use web::{HttpMethod, http::Creation};

use super::{Ask, Charge, Drawn, Link, Made, Sent, Trouble, TroubleKind, Verdict, Whereabouts, answer};
use crate::provider::Provider;

/// How long money stays set aside when the run that asked for it dies.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What is known when a call is over, also where the call itself is an error for the ledger.
#[derive(Debug, Default)]
struct Told {
    trouble: Option<TroubleKind>,
    unconfirmed: bool,
    cost: Usd,
}

/// Asks once. Answers the picture or the trouble, what it cost, and whether that is an estimate.
pub async fn ask_one(link: &Link, ask: &Ask, ctx: &Context) -> (Result<Made, Trouble>, Usd, bool) {
    let told = Mutex::new(Told::default());
    let remember = |trouble: Option<TroubleKind>, cost: Usd, unconfirmed: bool| {
        if let Ok(mut told) = told.lock() {
            *told = Told {
                trouble,
                unconfirmed,
                cost,
            };
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
            Err(answer::failed(
                error.code("not_a_picture").from_source(provider.name()),
            ))
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
    .hint(
        "look at the provider's usage page before trying again; --fallback-on-unconfirmed asks the next one",
    )
    .from_source(provider.name())
    .with("unconfirmed_usd", link.most.dollars());
    told.causes.push(error.message);
    told.causes.extend(error.causes);
    told
}
