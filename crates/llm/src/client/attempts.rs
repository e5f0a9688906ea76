//! Sending a call, again where that costs nothing, and reading its answer.

use std::time::Duration;

use app_core::{ErrorKind, Sending, ToolError, ToolResult, Usd, config::TokenCount};
use tokio_util::sync::CancellationToken;
use web::http::{Streamed, Unanswered};

use super::{Llm, run::Size};
use crate::{
    call::{Call, Reply, Stop, Usage},
    failure::{self, Refusal, VendorError},
    model::Dialect,
    stream::Parser,
    wire::{self, Answer, Format, Quirks},
};

/// Most bytes of a refusal that are read.
const REFUSAL: usize = 64 << 10;

/// Time for the last bytes of a connection, so that it can be used again.
const LINGER: Duration = Duration::from_millis(20);

impl Llm {
    /// Sends a call until it is answered, or refused for good.
    ///
    /// Again is sent what did not connect, and what was refused with 429 or 5xx before it was answered: that is free.
    /// What was sent and got no answer is not: it may be charged already.
    pub(super) async fn attempts(
        &self,
        call: &Call,
        size: Size,
        sending: Sending,
        stop: &CancellationToken,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> ToolResult<(Reply, Usd)> {
        let model = &self.inner.model;
        let known = self.store().quirks(model)?;
        let mut quirks = known;
        let mut first_refusal = None;
        let mut attempt = 1;
        loop {
            let request = wire::request(model, call, quirks)?;
            sending.left(size.usd.estimate);
            let posted = self
                .inner
                .stream
                .post(&request.url, request.headers, request.body);
            let posted = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(ToolError::cancelled()),
                posted = posted => posted,
            };
            let (error, repeat) = match posted {
                Ok(streamed) if (200..300).contains(&streamed.status) => {
                    if quirks != known {
                        self.store().learn(model, quirks)?;
                    }
                    return self.read(streamed, size, &sending, stop, say).await;
                }
                Ok(streamed) => {
                    let refusal = self.refused(streamed).await;
                    if refusal.free {
                        sending.refused();
                    }
                    if let Some(next) = after(quirks, &refusal, call, model.dialect) {
                        tracing::debug!("`{}` does not take the call as it was, asking anew", model.host());
                        quirks = next;
                        first_refusal.get_or_insert(refusal.error);
                        continue;
                    }
                    let told = match first_refusal.take() {
                        // What was refused first says more than what was refused of the way around it.
                        Some(first) if matches!(refusal.status, 400 | 422) => first,
                        _ => refusal.error,
                    };
                    (told, refusal.repeat)
                }
                Err(Unanswered { sent, error }) => {
                    if !sent {
                        sending.refused();
                    }
                    let repeat = !sent && error.retryable;
                    (error, repeat)
                }
            };
            if !repeat || !self.wait(attempt, &error, stop).await? {
                return Err(error);
            }
            attempt += 1;
        }
    }

    /// Waits before the next attempt; `false` when there is none, or the server asks for a longer silence than the
    /// policy grants.
    async fn wait(&self, attempt: u32, error: &ToolError, stop: &CancellationToken) -> ToolResult<bool> {
        let ctx = &self.inner.ctx;
        let retry = ctx.policy().retry;
        let longest = Duration::from_millis(retry.max_backoff_ms);
        let asked = error.retry_after_ms.map(Duration::from_millis);
        if attempt >= retry.attempts.max(1) || asked.is_some_and(|wait| wait > longest) {
            return Ok(false);
        }
        let wait = asked.unwrap_or_else(|| retry.wait(attempt + 1, jitter()));
        tracing::debug!(attempt, ?wait, "asking the model again: {}", error.message);
        tokio::select! {
            biased;
            () = ctx.cancellation().cancelled() => Err(ToolError::cancelled()),
            () = stop.cancelled() => Err(ToolError::cancelled()),
            () = tokio::time::sleep(wait) => Ok(true),
        }
    }

    async fn refused(&self, mut streamed: Streamed) -> Refusal {
        let wait = failure::wait(|name| streamed.header(name).map(str::to_owned));
        let status = streamed.status;
        // A body that breaks off leaves the status, which says enough.
        let body = streamed.rest(REFUSAL).await.unwrap_or_default();
        let vendor = match serde_json::from_slice(&body) {
            Ok(document) => VendorError::read(&document),
            Err(_) => VendorError {
                message: String::from_utf8_lossy(&body).into_owned(),
                ..VendorError::default()
            },
        };
        failure::refusal(&self.inner.model, status, vendor, wait)
    }

    async fn read(
        &self,
        mut streamed: Streamed,
        size: Size,
        sending: &Sending,
        stop: &CancellationToken,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> ToolResult<(Reply, Usd)> {
        let model = &self.inner.model;
        let kind = streamed.header("content-type").unwrap_or_default().to_owned();
        let framing = wire::framing(model.dialect, &kind);
        let mut parser = framing.map(Parser::new);
        let (mut answer, mut said) = (Answer::default(), 0);
        let (mut whole, mut messages) = (Vec::new(), Vec::new());
        while !answer.closed {
            let piece = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(ToolError::cancelled()),
                piece = streamed.piece() => piece,
            };
            let piece = match piece {
                Ok(piece) => piece,
                // The text is whole; only its price is missing.
                Err(_) if answer.ended => None,
                Err(error) => return Err(error),
            };
            let last = piece.is_none();
            match (&mut parser, piece) {
                (Some(parser), Some(bytes)) => {
                    parser.take(&bytes, &mut messages).map_err(|_| too_large(model))?;
                }
                (Some(parser), None) => parser.end(&mut messages),
                (None, Some(bytes)) => whole.extend_from_slice(&bytes),
                (None, None) => {
                    let taken = wire::take_whole(model.dialect, &mut answer, &whole);
                    taken.map_err(|trouble| failure::within(model, trouble))?;
                }
            }
            for message in messages.drain(..) {
                if !answer.closed {
                    let taken = wire::take(model.dialect, &mut answer, &message);
                    taken.map_err(|trouble| failure::within(model, trouble))?;
                }
            }
            if answer.text.len() > said {
                say(&answer.text[said..]);
                said = answer.text.len();
            }
            if last {
                break;
            }
        }
        if !answer.ended {
            return Err(incomplete(model));
        }
        let _ = tokio::time::timeout(LINGER, streamed.piece()).await;
        Ok(self.reply(answer, size, sending))
    }

    /// The answer with its price. One that does not tell its usage is not free: it is charged by estimate, and marked.
    fn reply(&self, answer: Answer, size: Size, sending: &Sending) -> (Reply, Usd) {
        let told = answer.usage.filter(|usage| usage.input > 0);
        let usage = told.unwrap_or_else(|| {
            sending.unpriced();
            let written = answer.text.len() as u64;
            Usage {
                input: size.input.estimate,
                cached: 0,
                output: (written / 3 + 1).min(size.output.bound),
                estimated: true,
            }
        });
        let cost = self.inner.model.price.tokens(TokenCount {
            input: usage.input,
            cached: usage.cached,
            output: usage.output,
        });
        let reply = Reply {
            text: answer.text,
            usage,
            stop: answer.stop.unwrap_or(Stop::Refused),
            cached: false,
            cost,
        };
        (reply, cost)
    }
}

fn too_large(model: &crate::model::Model) -> ToolError {
    ToolError::new(
        ErrorKind::ProviderRejected,
        format!("`{}` sends a message larger than any answer", model.host()),
    )
    .code("body_too_large")
    .from_source("llm")
}

fn incomplete(model: &crate::model::Model) -> ToolError {
    ToolError::new(
        ErrorKind::Network,
        format!("the answer of `{}` broke off before its end", model.host()),
    )
    .code("answer_incomplete")
    .from_source("llm")
}

/// How to ask after a refusal that names what the server does not understand; `None` when asking otherwise would not
/// help. Each step is taken once.
fn after(quirks: Quirks, refusal: &Refusal, call: &Call, dialect: Dialect) -> Option<Quirks> {
    if !matches!(refusal.status, 400 | 422) {
        return None;
    }
    let vendor = &refusal.vendor;
    let mut next = quirks;
    // A limit that is too high names the field too, and must stay a limit.
    let unknown =
        vendor.message.contains("max_completion_tokens") || vendor.words.contains("unsupported_parameter");
    if dialect == Dialect::OpenAi && !quirks.reasoning && vendor.names("max_tokens") && unknown {
        next.reasoning = true;
    } else if call.temperature.is_some()
        && !quirks.no_temperature
        && !quirks.reasoning
        && vendor.names("temperature")
    {
        next.no_temperature = true;
    } else if dialect == Dialect::OpenAi && !quirks.no_usage_option && vendor.names("stream_options") {
        next.no_usage_option = true;
    } else if call.schema.is_some() && vendor.names_format() {
        next.format = match (quirks.format, dialect) {
            // Anthropic has no JSON mode.
            (Format::Schema, Dialect::Anthropic) | (Format::Json, _) => Format::Plain,
            (Format::Schema, _) => Format::Json,
            (Format::Plain, _) => return None,
        };
    } else {
        return None;
    }
    Some(next)
}

fn jitter() -> f64 {
    let mut byte = [128_u8];
    // Without a random source the middle will do.
    let _ = getrandom::fill(&mut byte);
    f64::from(byte[0]) / 255.0
}
