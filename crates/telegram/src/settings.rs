//! Which account, and where its session lies: environment, `.env` and `config.yml` as the scripts read them.

use std::path::PathBuf;
use std::time::Duration;

use app_core::contract::EnvVar;
use app_core::{Context, Definition, ErrorKind, Secret, ToolError, ToolResult};

use url::Url;

use crate::aliases::AliasFile;
use crate::proxy;
use crate::storage::{Layout, layout};

/// The name the scripts use unless another one is given.
const DEFAULT_NAME: &str = "telegram_session";

/// Where the Python helper keeps its own login under the default name.
const PYTHON_NAME: &str = "telegram_session_py";

/// Longest wait for a lock that makes sense, in seconds: a day. More, or without end, means that.
const LONGEST_PATIENCE: f64 = 86_400.0;

/// What connecting needs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Application id.
    pub api_id: i32,
    /// Application hash.
    pub api_hash: Secret,
    /// Telephone number; only needed to log in.
    pub phone: Option<String>,
    /// The session file.
    pub session: PathBuf,
    /// The lock files that guard it, in the order they are taken.
    pub locks: Vec<PathBuf>,
    /// The proxy on the way to Telegram.
    pub proxy: Option<Url>,
    /// How long to wait for them.
    pub patience: Duration,
    /// The owner's id, if the configuration names it.
    pub own_id: Option<i64>,
    /// The name under which the owner's messages appear.
    pub own_name: Option<String>,
}

/// The variables every Telegram tool reads, for its definition.
fn variables() -> Vec<EnvVar> {
    let variable = |name: &str, help: &str, secret: bool, required: bool| EnvVar {
        name: name.to_owned(),
        help: help.to_owned(),
        secret,
        required,
    };
    vec![
        variable(
            "TELEGRAM_API_ID",
            "Application id from my.telegram.org",
            false,
            true,
        ),
        variable(
            "TELEGRAM_API_HASH",
            "Application hash from my.telegram.org",
            true,
            true,
        ),
        variable(
            "TELEGRAM_SESSION_NAME",
            "Name of the session file, without `.session`",
            false,
            false,
        ),
        variable(
            "TELEGRAM_SESSION_DIR",
            "Directory of session and lock files; the working directory by default",
            false,
            false,
        ),
        variable(
            proxy::VARIABLE,
            "SOCKS5 proxy on the way to Telegram, such as `socks5://user:password@host:1080`",
            true,
            false,
        ),
        variable(
            "TELEGRAM_LOCK_WAIT",
            "Seconds to wait for a session that is in use; 10 by default",
            false,
            false,
        ),
    ]
}

/// Says in a tool's definition what every Telegram tool shares: its settings, and that jobs on the account queue up
/// instead of finding the session locked.
pub fn declare(definition: &mut Definition) {
    definition.env.extend(variables());
    definition.policy.concurrency_key = Some("telegram".to_owned());
}

impl Settings {
    /// Reads them.
    pub fn read(ctx: &Context) -> ToolResult<Self> {
        let (file, warnings) = AliasFile::read(ctx)?;
        for warning in warnings {
            ctx.warn(warning);
        }
        let number = |name: &str| -> ToolResult<Option<i64>> {
            ctx.env(name)
                .map(|text| text.trim().parse().map_err(|_| bad(name, "is not a number")))
                .transpose()
        };
        let api_id = match file.api_id {
            Some(id) => id,
            None => number("TELEGRAM_API_ID")?.unwrap_or_default(),
        };
        let api_id = i32::try_from(api_id)
            .ok()
            .filter(|id| *id > 0)
            .ok_or_else(|| missing("TELEGRAM_API_ID"))?;
        let hash = match ctx.config().find_secret("TELEGRAM_API_HASH")? {
            Some(hash) => hash,
            None => file
                .api_hash
                .map(Secret::new)
                .ok_or_else(|| missing("TELEGRAM_API_HASH"))?,
        };
        let dir = ctx
            .env("TELEGRAM_SESSION_DIR")
            .map(PathBuf::from)
            .unwrap_or_default();
        let name = ctx
            .env("TELEGRAM_SESSION_NAME")
            .map(|name| name.trim().to_owned())
            .unwrap_or_default();
        let name = name.strip_suffix(".session").unwrap_or(&name);
        let patience = ctx
            .env("TELEGRAM_LOCK_WAIT")
            .map(|text| {
                text.trim()
                    .parse::<f64>()
                    .ok()
                    .filter(|s| *s >= 0.0)
                    .map(|s| s.min(LONGEST_PATIENCE))
                    .ok_or_else(|| bad("TELEGRAM_LOCK_WAIT", "is not a number of seconds"))
            })
            .transpose()?
            .unwrap_or(10.0);
        let session_file = |name: &str| dir.join(format!("{name}.session"));
        let lock = |name: &str| dir.join(format!("{name}.lock"));
        // Under the default name the scripts had two logins; both locks are taken, so that neither side runs beside us.
        let (session, locks) = if name.is_empty() || name == DEFAULT_NAME {
            let python = session_file(PYTHON_NAME);
            let ours = session_file(DEFAULT_NAME);
            let session = if !ours.exists() && python.exists() {
                python
            } else {
                ours
            };
            (session, vec![lock(DEFAULT_NAME), lock(PYTHON_NAME)])
        } else {
            (session_file(name), vec![lock(name)])
        };
        let own_id = [ctx.env("USER_ID"), ctx.env("MY_ID")]
            .into_iter()
            .flatten()
            .next();
        let own_id = own_id
            .and_then(|text| text.trim().parse::<i64>().ok())
            .or(file.user_id)
            .filter(|id| *id != 0);
        let own_name = [ctx.env("USER_NAME"), ctx.env("MY_NAME")]
            .into_iter()
            .flatten()
            .map(|name| name.trim().to_owned())
            .find(|name| !name.is_empty());
        Ok(Self {
            api_id,
            api_hash: hash,
            phone: file
                .phone
                .or_else(|| ctx.env("TELEGRAM_PHONE"))
                .filter(|phone| !phone.trim().is_empty()),
            proxy: ctx
                .config()
                .find_secret(proxy::VARIABLE)?
                .map(|address| proxy::read(&address))
                .transpose()?,
            session,
            locks,
            patience: Duration::from_secs_f64(patience),
            own_id,
            own_name,
        })
    }

    /// The name by which the Python helper called this session: under the default name it kept a login of its own.
    pub fn python_name(&self) -> String {
        let name = self
            .session
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name == DEFAULT_NAME {
            PYTHON_NAME.to_owned()
        } else {
            name
        }
    }

    /// Checks that there is a session to use; never makes an empty one by accident.
    pub fn check_session(&self) -> ToolResult<()> {
        let path = self.session.display();
        if !self.session.is_file() {
            return Err(ToolError::new(ErrorKind::Config, format!("Session file not found: {path}"))
                .code("session_missing")
                .hint("log in once with `init_session`, or take over a login with `init_session --import FILE`"));
        }
        if layout(&self.session)? == Layout::Telethon {
            return Err(ToolError::new(
                ErrorKind::Config,
                format!("`{path}` is a Telethon session, which is left as it is"),
            )
            .code("session_foreign")
            .hint(format!("copy its login once: `init_session --import {path}`")));
        }
        Ok(())
    }
}

fn missing(name: &str) -> ToolError {
    ToolError::config(format!("`{name}` is not set"))
        .code("setting_missing")
        .hint(format!(
            "put `{name}=...` into `.env` or the environment; both values come from https://my.telegram.org"
        ))
}

fn bad(name: &str, what: &str) -> ToolError {
    ToolError::config(format!("`{name}` {what}")).code("setting_invalid")
}
