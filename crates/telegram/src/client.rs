//! A connected account: opened from its session, locked, paced, and closed in order.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use app_core::state::Ledger;
use app_core::{Context, ErrorKind, ToolError, ToolResult};
use grammers_client::sender::{ConnectionParams, NoRetries, SenderPool};
use grammers_client::{Client, InvocationError, tl};

use crate::convert;
use crate::failure::{self, failure};
use crate::lock::Lock;
use crate::model::{MarkedId, Peer};
use crate::pace::{Pace, Steps};
use crate::proxy;
use crate::settings::Settings;
use crate::storage::Storage;

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a request is repeated after the connection failed.
const REPEATS: u32 = 5;

/// How often the flood memory of uncounted requests is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Longest flood wait that is sat out unless `TELEGRAM_FLOOD_WAIT_MAX` says otherwise.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Longest wait for the answer to the end of a take-out.
const GOODBYE: Duration = Duration::from_secs(5);

/// Code of the error of [`Telegram::open_for_login`] for a session whose key Telegram takes no more.
pub const KEY_REVOKED: &str = "key_revoked";

/// Longest flood wait that is sat out for files.
const PATIENCE_WITH_FILES: Duration = Duration::from_secs(120);

/// Whether a request may be made again when nobody knows if the first one arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It changes nothing, or the service recognises the second one.
    Safe,
    /// It would act twice.
    Never,
}

/// A connected account.
pub struct Telegram {
    pub(crate) ctx: Context,
    pub(crate) client: Client,
    pub(crate) storage: Arc<Storage>,
    pub(crate) settings: Settings,
    pub(crate) people: Mutex<HashMap<MarkedId, Arc<Peer>>>,
    me: Option<Arc<Peer>>,
    account: String,
    ledger: Mutex<Ledger>,
    looked: Mutex<HashMap<&'static str, Instant>>,
    /// Pages of histories, and messages by number.
    steps: Mutex<(Steps, Steps)>,
    takeout: Mutex<Option<i64>>,
    pub(crate) elsewhere: crate::auth::Elsewhere,
    /// The service asked to wait with messages by number; pages of the history are asked for instead.
    pub(crate) numbers_refused: std::sync::atomic::AtomicBool,
    flood_patience: Duration,
    runner: Option<tokio::task::JoinHandle<()>>,
    _lock: Lock,
}

impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram")
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// Names this program to the service, which shows it in the list of devices.
///
/// Every field is given: the library's own defaults start other programs to learn the name of the system.
fn parameters(proxy_url: Option<String>) -> ConnectionParams {
    ConnectionParams {
        device_model: "onejob".to_owned(),
        system_version: std::env::consts::OS.to_owned(),
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        system_lang_code: "en".to_owned(),
        lang_code: "en".to_owned(),
        proxy_url,
        use_ipv6: false,
        retry_policy: Box::new(NoRetries),
        updates_channel_capacity: NonZeroUsize::MIN,
        __non_exhaustive: (),
    }
}

impl Telegram {
    /// Takes the lock, opens the session, connects, and makes sure that the account is signed in.
    ///
    /// # Errors
    /// `config` when a setting or the session is missing, `locked` when another program uses the session,
    /// `unauthorised` when the session is signed out (never a prompt), `network` when Telegram cannot be reached.
    async fn open(ctx: &Context) -> ToolResult<Self> {
        let settings = Settings::read(ctx)?;
        let lock = Lock::take(ctx, &settings.locks, &settings.session, settings.patience).await?;
        settings.check_session()?;
        let storage = Arc::new(Storage::open(&settings.session)?);
        if !storage.has_key() {
            return Err(unauthorised("the session holds no login"));
        }
        let mut telegram = Self::connect(ctx, settings, storage, lock).await?;
        let me = telegram.fetch_self().await?;
        telegram.account = format!("telegram:{}", me.id);
        let me = Arc::new(me);
        telegram.remember(&me);
        telegram.me = Some(me);
        Ok(telegram)
    }

    /// A connection for logging in, to a session file that need not be signed in; and who is, if anybody.
    ///
    /// # Errors
    /// As [`Telegram::open`], but a signed-out session is none.
    pub async fn open_for_login(
        ctx: &Context,
        settings: Settings,
        storage: Storage,
        lock: Lock,
    ) -> ToolResult<(Self, Option<Peer>)> {
        let signed_in = storage.has_key();
        let telegram = Self::connect(ctx, settings, Arc::new(storage), lock).await?;
        if !signed_in {
            return Ok((telegram, None));
        }
        match telegram.fetch_self().await {
            Ok(me) => Ok((telegram, Some(me))),
            // Such a key takes no new login either.
            Err(error) if failure::is_dead_key(&error) => Err(error.code(KEY_REVOKED)),
            Err(error) if error.kind == ErrorKind::Unauthorised => Ok((telegram, None)),
            Err(error) => Err(error),
        }
    }

    /// A connection without an account, for logging in.
    async fn connect(
        ctx: &Context,
        settings: Settings,
        storage: Arc<Storage>,
        lock: Lock,
    ) -> ToolResult<Self> {
        let proxy = match &settings.proxy {
            Some(proxy) => Some(proxy::located(ctx, proxy).await?),
            None => None,
        };
        let pool = SenderPool::with_configuration(Arc::clone(&storage), settings.api_id, parameters(proxy));
        // Nobody listens to pushed updates: tools ask for what changed, and miss nothing.
        let SenderPool { runner, handle, .. } = pool;
        let client = Client::new(handle);
        let flood_patience = ctx
            .env("TELEGRAM_FLOOD_WAIT_MAX")
            .map(|text| {
                text.trim().parse::<u64>().map(Duration::from_secs).map_err(|_| {
                    ToolError::config("`TELEGRAM_FLOOD_WAIT_MAX` is not a number of seconds")
                        .code("setting_invalid")
                })
            })
            .transpose()?
            .unwrap_or(PATIENCE);
        Ok(Self {
            ctx: ctx.clone(),
            client,
            storage,
            settings,
            people: Mutex::default(),
            me: None,
            account: "telegram:new".to_owned(),
            ledger: Mutex::new(ctx.ledger()?),
            looked: Mutex::default(),
            steps: Mutex::new((Pace::Reads.steps(ctx)?, Pace::Numbers.steps(ctx)?)),
            takeout: Mutex::new(None),
            elsewhere: Mutex::default(),
            numbers_refused: std::sync::atomic::AtomicBool::new(false),
            flood_patience,
            runner: Some(tokio::spawn(runner.run())),
            _lock: lock,
        })
    }

    /// The account itself, as the server names it.
    ///
    /// # Errors
    /// `unauthorised` before [`Telegram::open`] has seen it.
    pub fn me(&self) -> ToolResult<&Arc<Peer>> {
        self.me
            .as_ref()
            .ok_or_else(|| unauthorised("nobody is signed in"))
    }

    /// The name under which the account's own messages appear, if the owner configured one.
    pub fn own_name(&self) -> Option<&str> {
        self.settings.own_name.as_deref()
    }

    /// The run this connection belongs to.
    pub fn context(&self) -> &Context {
        &self.ctx
    }

    async fn fetch_self(&self) -> ToolResult<Peer> {
        let request = tl::functions::users::GetUsers {
            id: vec![tl::enums::InputUser::UserSelf],
        };
        let users = self.call(Pace::Reads, Repeat::Safe, &request).await?;
        match users.into_iter().next() {
            Some(tl::enums::User::User(user)) => Ok(convert::user(&user)),
            _ => Err(unauthorised("the server names no account for this session")),
        }
    }

    /// Makes one request: waits for its turn, sits flood waits out, and repeats it when the connection failed.
    pub(crate) async fn call<R: tl::RemoteCall>(
        &self,
        pace: Pace,
        repeat: Repeat,
        request: &R,
    ) -> ToolResult<R::Return> {
        self.call_raw(pace, repeat, request)
            .await
            .map_err(|error| match error {
                Failed::Tool(error) => *error,
                Failed::Invocation(error) => failure(&error),
            })
    }

    /// As [`Telegram::call`], but leaves the service's own error to the caller.
    pub(crate) async fn call_raw<R: tl::RemoteCall>(
        &self,
        pace: Pace,
        repeat: Repeat,
        request: &R,
    ) -> Result<R::Return, Failed> {
        let takeout = *guard(&self.takeout);
        self.call_in(pace, repeat, async || match takeout {
            Some(takeout_id) => {
                self.client
                    .invoke(&tl::functions::InvokeWithTakeout {
                        takeout_id,
                        query: Borrowed(request),
                    })
                    .await
            }
            None => self.client.invoke(request).await,
        })
        .await
    }

    /// The patience, pace and repeats around one request.
    pub(crate) async fn call_in<T>(
        &self,
        pace: Pace,
        repeat: Repeat,
        invoke: impl AsyncFn() -> Result<T, InvocationError>,
    ) -> Result<T, Failed> {
        let mut failures = 0;
        loop {
            self.turn(pace).await?;
            let outcome = tokio::select! {
                answer = tokio::time::timeout(ANSWER_TIMEOUT, invoke()) => answer,
                () = self.ctx.cancellation().cancelled() => return Err(ToolError::cancelled().into()),
            };
            let Ok(answer) = outcome else {
                failures += 1;
                if repeat == Repeat::Safe && failures <= REPEATS {
                    continue;
                }
                return Err(
                    ToolError::new(ErrorKind::Timeout, "Telegram did not answer in time")
                        .from_source("telegram")
                        .into(),
                );
            };
            let error = match answer {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if let Some(wait) = failure::wait_asked(&error).filter(|_| !error_is_per_chat(&error)) {
                self.block(pace, wait)?;
                if wait > self.patience(pace) {
                    return Err(error.into());
                }
                continue;
            }
            if failure::is_connection(&error) && repeat == Repeat::Safe && failures < REPEATS {
                failures += 1;
                tracing::debug!(failures, "the connection failed; the request is made again");
                self.sleep(Duration::from_millis(200 * u64::from(failures * failures)))
                    .await?;
                continue;
            }
            return Err(error.into());
        }
    }

    /// Waits until a page of a history may be asked for; or, where `also` allows it, messages by number if that is
    /// possible sooner. Whether it is by number.
    pub(crate) async fn history_turn(&self, also: bool) -> ToolResult<bool> {
        loop {
            let wait = {
                let mut steps = guard(&self.steps);
                let now = Instant::now();
                let Some(wait) = steps.0.take(now) else {
                    return Ok(false);
                };
                match also.then(|| steps.1.take(now)) {
                    Some(None) => return Ok(true),
                    Some(Some(other)) => wait.min(other),
                    None => wait,
                }
            };
            self.sleep(wait).await?;
        }
    }

    /// Longest wait that is sat out. Files are not worth a long one: what else there is must not wait for them.
    fn patience(&self, pace: Pace) -> Duration {
        match pace {
            Pace::Files => self.flood_patience.min(PATIENCE_WITH_FILES),
            // There is another way to the same messages.
            Pace::Numbers => Duration::ZERO,
            _ => self.flood_patience,
        }
    }

    /// Waits until a request of this sort may be made.
    async fn turn(&self, pace: Pace) -> ToolResult<()> {
        if !pace.counted() {
            let mut looked = guard(&self.looked);
            let fresh = looked
                .get(pace.name())
                .is_some_and(|at| at.elapsed() < LOOK_EVERY);
            if fresh {
                return Ok(());
            }
            looked.insert(pace.name(), Instant::now());
        }
        let bucket = pace.bucket(&self.ctx, &self.account)?;
        loop {
            let now = app_core::Clock::System.now();
            let wait = guard(&self.ledger).take(&bucket, 1.0, now)?;
            if wait.is_zero() {
                return Ok(());
            }
            if wait > self.patience(pace) {
                return Err(ToolError::new(
                    ErrorKind::RateLimited,
                    format!(
                        "Telegram asked this account to wait {} s longer with {}",
                        wait.as_secs(),
                        pace.name()
                    ),
                )
                .code("flood_wait")
                .from_source("telegram")
                .retry_after(wait));
            }
            if wait > Duration::from_secs(3) {
                self.ctx.info(format!(
                    "waiting {} s before more {}",
                    wait.as_secs_f64().ceil(),
                    pace.name()
                ));
            }
            self.sleep(wait.min(Duration::from_secs(60))).await?;
        }
    }

    /// Remembers for all programs that the service asked to wait.
    fn block(&self, pace: Pace, wait: Duration) -> ToolResult<()> {
        let now = app_core::Clock::System.now();
        let until = now + jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::from_secs(1));
        self.ctx.info(format!(
            "Telegram asks to wait {} s with {}",
            wait.as_secs(),
            pace.name()
        ));
        guard(&self.looked).remove(pace.name());
        guard(&self.ledger).block(&format!("{}:{}", self.account, pace.name()), until, now)
    }

    /// Sleeps unless the run is cancelled.
    pub async fn sleep(&self, time: Duration) -> ToolResult<()> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            () = self.ctx.cancellation().cancelled() => Err(ToolError::cancelled()),
        }
    }

    /// Begins a take-out session: exports within it are not slowed down, but Telegram may ask for a day's patience
    /// and a confirmation in an official program first.
    ///
    /// # Errors
    /// `rate_limited` with the delay Telegram asks for.
    pub async fn begin_takeout(&self) -> ToolResult<()> {
        let request = tl::functions::account::InitTakeoutSession {
            contacts: false,
            message_users: true,
            message_chats: true,
            message_megagroups: true,
            message_channels: true,
            files: true,
            file_max_size: Some(i64::from(i32::MAX)),
        };
        match self.client.invoke(&request).await {
            Ok(tl::enums::account::Takeout::Takeout(takeout)) => {
                *guard(&self.takeout) = Some(takeout.id);
                Ok(())
            }
            Err(error) => Err(failure(&error)
                .hint("confirm the export in an official Telegram program, then try again after the wait, or go without `--takeout`")),
        }
    }

    /// Does a piece of work with the account, and leaves nothing open whatever becomes of it: a take-out is ended, the
    /// connection closed, the lock let go.
    ///
    /// # Errors
    /// Those of [`Telegram::open`], then those of the work, which nothing that fails afterwards hides.
    pub async fn session<T>(ctx: &Context, work: impl AsyncFnOnce(&Self) -> ToolResult<T>) -> ToolResult<T> {
        let telegram = Self::open(ctx).await?;
        let done = work(&telegram).await;
        telegram.end_takeout(done.is_ok()).await;
        telegram.close().await;
        done
    }

    /// Ends the take-out session, if there is one; also when the run has been told to stop.
    async fn end_takeout(&self, success: bool) {
        let Some(takeout_id) = guard(&self.takeout).take() else {
            return;
        };
        let request = tl::functions::InvokeWithTakeout {
            takeout_id,
            query: tl::functions::account::FinishTakeoutSession { success },
        };
        let ended = tokio::time::timeout(GOODBYE, self.client.invoke(&request)).await;
        if !matches!(ended, Ok(Ok(_))) {
            self.ctx
                .warn("the take-out session could not be ended; Telegram ends it by itself after a while");
        }
    }

    /// Closes the connection.
    pub async fn close(mut self) {
        self.client.disconnect();
        if let Some(runner) = self.runner.take() {
            // The far side may hang; closing must not.
            let _ = tokio::time::timeout(Duration::from_secs(2), runner).await;
        }
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        self.client.disconnect();
        if let Some(runner) = self.runner.take() {
            runner.abort();
        }
    }
}

/// Why a request failed: for a reason of ours, or as the library reports it.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Cancelled, or not allowed to go on.
    Tool(Box<ToolError>),
    /// The far side's.
    Invocation(Box<InvocationError>),
}

impl From<ToolError> for Failed {
    fn from(error: ToolError) -> Self {
        Self::Tool(Box::new(error))
    }
}

impl From<InvocationError> for Failed {
    fn from(error: InvocationError) -> Self {
        Self::Invocation(Box::new(error))
    }
}

impl Failed {
    /// As every tool reports it.
    pub(crate) fn told(self) -> ToolError {
        match self {
            Self::Tool(error) => *error,
            Self::Invocation(error) => failure(&error),
        }
    }

    /// Whether the service answered with this error.
    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self, Self::Invocation(error) if error.is(name))
    }
}

/// Slow mode concerns one chat, not the account.
fn error_is_per_chat(error: &InvocationError) -> bool {
    error.is("SLOWMODE_WAIT")
}

pub(crate) fn guard<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unauthorised(message: &str) -> ToolError {
    ToolError::new(ErrorKind::Unauthorised, message)
        .code("session_unauthorised")
        .from_source("telegram")
        .hint("log in with `init_session`; tools never ask for a code themselves")
}

/// A request inside another one, without copying it.
struct Borrowed<'a, R>(&'a R);

impl<R: tl::Serializable> tl::Serializable for Borrowed<'_, R> {
    fn serialize(&self, buffer: &mut impl Extend<u8>) {
        self.0.serialize(buffer);
    }
}

impl<R: tl::RemoteCall> tl::RemoteCall for Borrowed<'_, R> {
    type Return = R::Return;
}
