//! One call: looked up among what was kept, sized, paid for, sent, judged.

mod attempts;
mod planning;
mod run;

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};

use app_core::{Context, ErrorKind, ToolError, ToolResult, Usd, contract::settings::LlmSettings};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;
use web::http::{Stream, StreamLimits};

use crate::{
    call::{Call, Reply, Stop},
    choose,
    model::{Dialect, Model},
    pieces::Pieces,
    privacy::{Privacy, redacted},
    store::Store,
    tokens::{self, Sample},
};
use run::{Run, Size};

/// A model that was chosen, ready to be asked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Llm {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    ctx: Context,
    model: Arc<Model>,
    stream: Stream,
    limits: StreamLimits,
    store: Mutex<Store>,
    run: Run,
    privacy: Privacy,
    keep: bool,
    fresh: bool,
    announced: Once,
}

impl Llm {
    pub(crate) fn open(
        ctx: &Context,
        model: Arc<Model>,
        privacy: Privacy,
        max_usd: Option<Usd>,
        fresh: bool,
        settings: &LlmSettings,
    ) -> ToolResult<Self> {
        let limits = choose::limits(settings);
        let inner = Inner {
            stream: Stream::to(ctx, &model.base, limits)?,
            limits,
            store: Mutex::new(Store::open(ctx.state_dir()?, settings.cache_days, ctx.now())?),
            ctx: ctx.clone(),
            model,
            run: Run::new(max_usd),
            privacy,
            keep: settings.cache_days > 0,
            fresh,
            announced: Once::new(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The model.
    pub fn model(&self) -> &Model {
        &self.inner.model
    }

    /// What of people's names a caller may put into a call.
    pub fn privacy(&self) -> Privacy {
        self.inner.privacy
    }

    /// Asks, and waits for the whole answer.
    ///
    /// Only a finished answer is a success: one that is cut off, refused, filtered or empty is an error of kind
    /// `provider_rejected`, with the code `answer_cut_off`, `answer_refused`, `answer_filtered` or `answer_empty`. What
    /// it cost is settled in the ledger before this returns, in either case.
    pub async fn complete(&self, call: &Call) -> ToolResult<Reply> {
        self.ask(call, &CancellationToken::new(), &mut |_| {}).await
    }

    /// Asks, and hands the answer out while it is made. Must be called within the run's runtime.
    pub fn stream(&self, call: Call) -> Pieces {
        Pieces::of(self.clone(), call)
    }

    /// Forgets the kept answers to calls with this subject; answers how many there were.
    pub fn forget(&self, subject: &str) -> ToolResult<usize> {
        self.store().forget(subject)
    }

    pub(crate) async fn ask(
        &self,
        call: &Call,
        stop: &CancellationToken,
        say: &mut (dyn FnMut(&str) + Send),
    ) -> ToolResult<Reply> {
        let ctx = &self.inner.ctx;
        if ctx.dry_run() {
            return Err(ToolError::internal("a model was asked by a run that only plans"));
        }
        self.announce();
        let call = self.outgoing(call);
        if let Some(reply) = self.kept(&call)? {
            say(&reply.text);
            return Ok(reply);
        }
        let size = self.size(&call)?;
        let room = self.inner.run.room(&size)?;
        let what = format!("{} {}", self.inner.model.dialect.name(), self.inner.model.name);
        let mut sent = None;
        let asked = ctx.spend_sent(&what, size.usd.bound, self.lifetime(), |sending| {
            sent = Some(sending.clone());
            self.attempts(&call, size, sending, stop, say)
        });
        let ended = asked.await;
        let spent = match &ended {
            Ok(reply) => Some(reply.cost),
            Err(_) => sent.and_then(|sending| sending.estimate()),
        };
        room.spent(spent);
        let reply = ended?;
        self.note(&call, &reply, size);
        self.judge(&reply, size)?;
        self.keep(&call, &reply);
        Ok(reply)
    }

    /// The first line of a run: who is asked, and what leaves.
    fn announce(&self) {
        self.inner.announced.call_once(|| {
            let model = &self.inner.model;
            let (name, host) = (&model.name, model.host());
            self.inner
                .ctx
                .info(format!("asking `{name}` at `{host}`: {}", self.inner.privacy));
        });
    }

    /// The call as it leaves.
    fn outgoing(&self, call: &Call) -> Call {
        let mut call = call.clone();
        if self.inner.privacy == Privacy::Redacted {
            for turn in &mut call.turns {
                turn.text = redacted(&turn.text);
            }
        }
        call
    }

    /// What a call will take. Fails with `invalid_input` when the window cannot hold it: a server would cut it, some of
    /// them without a word.
    fn size(&self, call: &Call) -> ToolResult<Size> {
        let model = &self.inner.model;
        let learnt = self.store().learnt(model)?;
        let size = Size::of(model, &learnt, call);
        let needed = size.input.estimate + u64::from(call.max_output);
        if needed > model.context {
            return Err(ToolError::new(
                ErrorKind::InvalidInput,
                format!(
                    "about {} tokens and an answer of {} do not fit into the window of {} of `{}`",
                    size.input.estimate, call.max_output, model.context, model.name
                ),
            )
            .code("context_exceeded")
            .hint("`llm.context` in onejob.toml says how much the model holds")
            .from_source("llm"));
        }
        Ok(size)
    }

    /// Everything that could make the answer another one.
    fn key(&self, call: &Call) -> String {
        let model = &self.inner.model;
        let said = json!([
            1,
            model.dialect.name(),
            model.base.as_str(),
            model.name,
            model.context,
            call.max_output,
            call.temperature,
            call.system,
            call.turns,
            call.schema,
            call.prompt_hash
        ]);
        hex::encode(Sha256::digest(said.to_string()))
    }

    fn kept(&self, call: &Call) -> ToolResult<Option<Reply>> {
        if !self.inner.keep || self.inner.fresh || !call.keep {
            return Ok(None);
        }
        let found = self.store().answer(&self.key(call))?;
        Ok(found.map(|(text, usage)| Reply {
            text,
            usage,
            stop: Stop::Finished,
            cached: true,
            cost: Usd::ZERO,
        }))
    }

    fn keep(&self, call: &Call, reply: &Reply) {
        if !self.inner.keep || !call.keep || reply.usage.estimated {
            return;
        }
        let now = self.inner.ctx.now();
        let kept = self
            .store()
            .keep(&self.key(call), &call.subject, &reply.text, reply.usage, now);
        if let Err(error) = kept {
            self.inner
                .ctx
                .warn(format!("an answer could not be kept: {}", error.message));
        }
    }

    /// Remembers what the call took, for the estimates of later ones.
    fn note(&self, call: &Call, reply: &Reply, size: Size) {
        if reply.usage.estimated {
            return;
        }
        let sample = Sample {
            bytes: tokens::bytes(call),
            input: reply.usage.input,
            output: reply.usage.output,
        };
        // A prompt that the server cut says nothing of how texts are counted.
        if size.was_cut(&self.inner.model, reply.usage.input) {
            return;
        }
        if let Err(error) = self.store().note(&self.inner.model, &call.purpose, sample) {
            self.inner
                .ctx
                .warn(format!("what a call took could not be noted: {}", error.message));
        }
    }

    fn judge(&self, reply: &Reply, size: Size) -> ToolResult<()> {
        let model = &self.inner.model;
        let name = &model.name;
        let (code, message) = match reply.stop {
            _ if !reply.usage.estimated && size.was_cut(model, reply.usage.input) => (
                "prompt_cut",
                format!("`{name}` read only {} tokens of the question", reply.usage.input),
            ),
            Stop::Length => (
                "answer_cut_off",
                format!(
                    "the answer of `{name}` was cut off after {} tokens",
                    reply.usage.output
                ),
            ),
            Stop::Refused => ("answer_refused", format!("`{name}` refused to answer")),
            Stop::Filtered => (
                "answer_filtered",
                format!("a filter withheld the answer of `{name}`"),
            ),
            Stop::Finished if reply.text.trim().is_empty() => {
                ("answer_empty", format!("the answer of `{name}` is empty"))
            }
            Stop::Finished => return Ok(()),
        };
        let error = ToolError::new(ErrorKind::ProviderRejected, message)
            .code(code)
            .from_source("llm")
            .with("cost_usd", reply.cost.dollars());
        Err(match (code, model.dialect) {
            ("prompt_cut", Dialect::Ollama) => {
                error.hint("raise `llm.context` in onejob.toml, or ask for less at once")
            }
            _ => error,
        })
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.inner.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
