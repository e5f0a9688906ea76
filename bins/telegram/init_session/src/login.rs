//! The login itself: which way, into a file of its own, and into place when it worked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use app_core::{Context, ErrorKind, Secret, ToolError, ToolResult};
use serde_json::json;
use telegram::auth::{LoginError, Step};
use telegram::model::Peer;
use telegram::storage::{Layout, Storage, layout};
use telegram::{Lock, Settings, Telegram, import};

use crate::{Input, Output, Status, ask, sent};

/// How often a wrong code or password may be typed again.
const TRIES: usize = 3;

/// How long a QR code is waited for.
const QR_PATIENCE: Duration = Duration::from_secs(300);

fn output(settings: &Settings, status: Status, account: Option<&Peer>) -> Output {
    Output {
        status,
        session: settings.session.clone(),
        locks: settings.locks.clone(),
        account_id: account.map(|peer| peer.id.0),
        name: account.and_then(Peer::name),
        username: account.and_then(|peer| peer.username.clone()),
        next: None,
        helper: None,
    }
}

pub async fn run(input: Input, ctx: &Context) -> ToolResult<Output> {
    let settings = Settings::read(ctx)?;
    if input.names && input.check {
        settings.check_session()?;
        return Ok(output(&settings, Status::Planned, None));
    }
    if input.names {
        return Ok(names(&settings, ctx));
    }
    if input.check {
        let me = Telegram::session(ctx, async |telegram| telegram.me().cloned()).await?;
        return Ok(output(&settings, Status::SignedIn, Some(&me)));
    }
    if ctx.dry_run() {
        return Ok(output(&settings, Status::Planned, None));
    }
    let lock = Lock::take(ctx, &settings.locks, &settings.session, settings.patience).await?;
    if let Some(from) = &input.import {
        return take_over(from, &input, settings, lock, ctx).await;
    }
    let pending = beside(&settings.session, "login");
    let storage = prepare(&input, &settings, &pending)?;
    let opened = match Telegram::open_for_login(ctx, settings.clone(), storage, lock).await {
        Err(error) if error.code == telegram::KEY_REVOKED && input.force => {
            remove(&pending);
            let lock = Lock::take(ctx, &settings.locks, &settings.session, settings.patience).await?;
            let storage = Storage::create(&pending)?;
            Telegram::open_for_login(ctx, settings.clone(), storage, lock).await
        }
        opened => opened,
    };
    let (telegram, account) = opened?;
    if let Some(account) = account.filter(|_| !input.force) {
        telegram.close().await;
        remove(&pending);
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!(
                "`{}` is signed in already ({})",
                settings.session.display(),
                account.name().unwrap_or_default()
            ),
        )
        .code("session_exists")
        .hint("nothing was changed; `--force` signs in anew, `--check` says who is signed in"));
    }
    let signed = sign_in(&input, &settings, &telegram, ctx).await;
    telegram.close().await;
    match signed {
        Ok(Some(account)) => {
            // The new login takes its place in one step; until now the old file stood untouched.
            std::fs::rename(&pending, &settings.session)
                .map_err(|e| ToolError::file("write", &settings.session, &e))?;
            sent::forget(ctx, &settings)?;
            let mut done = output(&settings, Status::SignedIn, Some(&account));
            done.next = Some("Keep a copy of this file in a safe place: it is the login.".to_owned());
            Ok(done)
        }
        Ok(None) if input.code.is_none() && !input.qr && !ask::possible() => {
            let mut sent = output(&settings, Status::CodeSent, None);
            sent.next = Some(
                "Run it again with `--code CODE` (and `--password`, if the account has one).".to_owned(),
            );
            Ok(sent)
        }
        Ok(None) => {
            remove(&pending);
            Ok(output(&settings, Status::Cancelled, None))
        }
        Err(error) => {
            // A code that was mistyped may be typed again; everything else starts anew.
            if !matches!(error, LoginError::WrongCode | LoginError::PasswordNeeded) {
                remove(&pending);
                sent::forget(ctx, &settings)?;
            }
            Err(error.into())
        }
    }
}

/// The session beside which a login is made, so that a failed one never looks like a session.
fn beside(session: &Path, what: &str) -> PathBuf {
    PathBuf::from(format!("{}.{what}", session.display()))
}

fn remove(path: &Path) {
    for suffix in ["", "-journal", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
    }
}

/// The file a login works on: a begun login, else a copy of a session that is there, else a new one.
fn prepare(input: &Input, settings: &Settings, pending: &Path) -> ToolResult<Storage> {
    if pending.is_file() && input.code.is_some() {
        return Storage::open(pending);
    }
    remove(pending);
    if settings.session.is_file() {
        match layout(&settings.session)? {
            Layout::Telethon => {
                return Err(ToolError::new(
                    ErrorKind::Conflict,
                    format!("`{}` is a Telethon session and is left as it is", settings.session.display()),
                )
                .code("session_foreign")
                .hint("take its login over under another name: `TELEGRAM_SESSION_NAME=onejob init_session --import FILE`"));
            }
            Layout::Ours => {
                // Its key may still be good for a new login.
                std::fs::copy(&settings.session, pending)
                    .map_err(|e| ToolError::file("copy", pending, &e))?;
                return Storage::open(pending);
            }
            Layout::Blank => {}
        }
    }
    Storage::create(pending)
}

/// Signs in; `None` when the owner did not agree, or a code was sent that nobody here can type.
async fn sign_in(
    input: &Input,
    settings: &Settings,
    telegram: &Telegram,
    ctx: &Context,
) -> Result<Option<Peer>, LoginError> {
    if input.qr {
        return by_picture(input, telegram, ctx).await;
    }
    let phone = input
        .phone
        .clone()
        .or_else(|| settings.phone.clone())
        .ok_or_else(|| {
            ToolError::config("`TELEGRAM_PHONE` is not set")
                .code("setting_missing")
                .hint("give `--phone +...`, or use `--qr`")
        })?;
    if let Some(code) = &input.code {
        let sent = sent::recall(ctx, settings)?.ok_or_else(|| {
            ToolError::invalid("code", "no code has been sent")
                .hint("run `init_session` without `--code` first")
        })?;
        let step = telegram.sign_in(&sent, code.reveal().trim()).await?;
        return finish(step, input, telegram).await.map(Some);
    }
    if ask::possible() {
        ask::show(&format!(
            "This signs in the account {} and adds a device to it. Other devices stay signed in.",
            masked(&phone)
        ));
        if ask::line("Type YES to go on:")? != "YES" {
            return Ok(None);
        }
    }
    let sent = telegram.send_code(&phone).await?;
    ctx.info(format!("Telegram sent a login code {}", sent.way));
    if !ask::possible() {
        // The code is typed in another run.
        sent::keep(ctx, settings, &sent)?;
        return Ok(None);
    }
    for _ in 0..TRIES {
        let code = ask::line("Code:")?;
        match telegram.sign_in(&sent, &code).await {
            Ok(step) => return finish(step, input, telegram).await.map(Some),
            Err(LoginError::WrongCode) => ask::show("That is not the code."),
            Err(error) => return Err(error),
        }
    }
    Err(given_up("the login code was wrong three times"))
}

async fn finish(step: Step, input: &Input, telegram: &Telegram) -> Result<Peer, LoginError> {
    let hint = match step {
        Step::Done(account) => return Ok(*account),
        Step::Password { hint } => hint,
    };
    if let Some(password) = &input.password {
        return telegram.check_password(password).await;
    }
    if !ask::possible() {
        return Err(LoginError::PasswordNeeded);
    }
    let question = hint.map_or_else(
        || "Two-step password:".to_owned(),
        |hint| format!("Two-step password ({hint}):"),
    );
    for _ in 0..TRIES {
        let password: Secret = ask::secret(&question)?;
        match telegram.check_password(&password).await {
            Ok(account) => return Ok(account),
            Err(LoginError::WrongPassword) => ask::show("That is not the password."),
            Err(error) => return Err(error),
        }
    }
    Err(given_up("the password was wrong three times"))
}

/// No further question is asked.
fn given_up(why: &str) -> LoginError {
    ToolError::new(ErrorKind::Unauthorised, why)
        .code("login_failed")
        .into()
}

/// Shows a code to scan until somebody does.
async fn by_picture(input: &Input, telegram: &Telegram, ctx: &Context) -> Result<Option<Peer>, LoginError> {
    let until = std::time::Instant::now() + QR_PATIENCE;
    let mut shown = String::new();
    while std::time::Instant::now() < until {
        match telegram.login_token().await? {
            Ok(token) if token.url != shown => {
                let code = qrcode::QrCode::new(token.url.as_bytes())
                    .map_err(|e| ToolError::internal(format!("no QR code: {e}")))?;
                let picture = code
                    .render::<qrcode::render::unicode::Dense1x2>()
                    .quiet_zone(true)
                    .build();
                ask::show(&picture);
                ask::show("Telegram > Settings > Devices > Link Desktop Device: scan this.");
                shown = token.url;
            }
            Ok(_) => {}
            Err(step) => return finish(step, input, telegram).await.map(Some),
        }
        ctx.check_cancelled()?;
        telegram.sleep(Telegram::LOGIN_POLL).await?;
    }
    Err(ToolError::new(ErrorKind::Timeout, "nobody scanned the code")
        .code("login_failed")
        .hint("run it again")
        .into())
}

/// Copies the login of another program's session file.
async fn take_over(
    from: &Path,
    input: &Input,
    settings: Settings,
    lock: Lock,
    ctx: &Context,
) -> ToolResult<Output> {
    if settings.session.exists() && !input.force {
        return Err(ToolError::new(
            ErrorKind::Conflict,
            format!("`{}` exists", settings.session.display()),
        )
        .code("session_exists")
        .hint("`--force` replaces it; or choose another name with `TELEGRAM_SESSION_NAME`"));
    }
    let pending = beside(&settings.session, "import");
    remove(&pending);
    let taken = import::import(from, &pending).await?;
    let (telegram, account) = Telegram::open_for_login(ctx, settings.clone(), Storage::open(&pending)?, lock)
        .await
        .inspect_err(|_| remove(&pending))?;
    telegram.close().await;
    let Some(account) = account else {
        remove(&pending);
        return Err(ToolError::new(
            ErrorKind::Unauthorised,
            format!("the login in `{}` is signed out", from.display()),
        )
        .code("session_unauthorised")
        .hint("log in with `init_session`"));
    };
    std::fs::rename(&pending, &settings.session)
        .map_err(|e| ToolError::file("write", &settings.session, &e))?;
    ctx.warn(
        "one login used from two addresses at once is revoked by Telegram: stop the program it came from",
    );
    ctx.info(format!(
        "taken over from a {:?} session of data centre {}",
        taken.layout, taken.dc
    ));
    Ok(output(&settings, Status::SignedIn, Some(&account)))
}

/// A number of which only the end is shown.
fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    let keep = digits.len().saturating_sub(2);
    digits
        .iter()
        .enumerate()
        .map(|(n, c)| if n == 0 || n >= keep { *c } else { '*' })
        .collect()
}

/// Which files and names the old helper would have used here.
fn names(settings: &Settings, ctx: &Context) -> Output {
    let name = settings.python_name();
    let first = ctx.env("USER_ID").or_else(|| ctx.env("MY_ID"));
    let user_id = first.as_deref().and_then(|text| text.trim().parse::<i64>().ok());
    if first.is_some() && user_id.is_none() {
        ctx.warn("USER_ID/MY_ID is not a number and is ignored");
    }
    let user_name = settings.own_name.clone().unwrap_or_else(|| "User".to_owned());
    let known = user_id.map_or_else(|| json!({}), |id| json!({id.to_string(): user_name}));
    let mut output = output(settings, Status::Planned, None);
    output.helper = Some(json!({
        "session_name": name,
        "lock_file": format!("{name}.lock"),
        "user_id": user_id,
        "user_name": user_name,
        "known_senders": known,
    }));
    output
}
