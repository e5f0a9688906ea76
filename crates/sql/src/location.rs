//! Where the database is: a file, an address, or the parts of an address.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use app_core::Context;
use app_core::contract::{EnvVar, Secret, ToolError, ToolResult};

/// A database, not yet opened.
#[derive(Clone)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A MySQL or MariaDB server.
    MySql {
        /// How to connect, password included.
        options: Box<MySqlConnectOptions>,
        /// The address without the password.
        label: String,
        /// The password, to keep it out of messages.
        password: Option<Secret>,
    },
}

impl Location {
    /// Reads `sqlite:PATH` or `mysql://user:password@host:port/database` (special characters percent-encoded;
    /// `?socket=PATH` for a local socket).
    pub fn parse(url: &Secret) -> ToolResult<Self> {
        let text = url.reveal().trim();
        if let Some(path) = text.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = path.split('?').next().unwrap_or_default();
            if path.is_empty() || path == ":memory:" {
                return Err(wrong("the SQLite address names no file"));
            }
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme);
        match scheme {
            Some("mysql" | "mariadb") => Self::mysql(text),
            Some(other) => Err(wrong(format!("databases of kind `{other}` are not supported"))),
            None => Err(wrong("the database address has no scheme")),
        }
    }

    fn mysql(text: &str) -> ToolResult<Self> {
        // The parser's own message could quote the password.
        let broken = || wrong("the database address cannot be read");
        let parsed = url::Url::parse(text).map_err(|_| broken())?;
        let options = MySqlConnectOptions::from_str(text).map_err(|_| broken())?;
        let database = parsed.path().trim_matches('/');
        if database.is_empty() {
            return Err(wrong("the database address names no database"));
        }
        let host = parsed.host_str().unwrap_or("localhost");
        let port = parsed.port().unwrap_or(3306);
        let password = parsed.password().map(|raw| Secret::new(decoded(raw)));
        Ok(Self::MySql {
            options: Box::new(options),
            label: format!("mysql://{host}:{port}/{database}"),
            password,
        })
    }

    /// From `DATABASE_URL`; else from `MYSQL_HOST`, `MYSQL_PORT`, `MYSQL_DATABASE`, `MYSQL_USER` and
    /// `MYSQL_PASSWORD` when any of them but the port is set; else the SQLite file `default`.
    ///
    /// The parts are taken as they are, whatever characters they hold. A host that begins with `/` is a socket.
    pub fn from_settings(get: &dyn Fn(&str) -> Option<String>, default: &Path) -> ToolResult<Self> {
        if let Some(url) = get("DATABASE_URL") {
            return Self::parse(&Secret::new(url));
        }
        let (host, user, password) = (get("MYSQL_HOST"), get("MYSQL_USER"), get("MYSQL_PASSWORD"));
        let database = get("MYSQL_DATABASE");
        if host.is_none() && user.is_none() && password.is_none() && database.is_none() {
            return Ok(Self::Sqlite(default.to_owned()));
        }
        let port = match get("MYSQL_PORT") {
            Some(text) => text
                .trim()
                .parse::<u16>()
                .map_err(|_| wrong(format!("`MYSQL_PORT` is `{text}`, not a port")))?,
            None => 3306,
        };
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let database = database.unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let user = user.unwrap_or_else(|| DEFAULT_NAME.to_owned());
        let mut options = MySqlConnectOptions::new().database(&database).username(&user);
        options = if host.starts_with('/') {
            options.socket(&host)
        } else {
            options.host(&host).port(port)
        };
        if let Some(password) = &password {
            options = options.password(password);
        }
        Ok(Self::MySql {
            options: Box::new(options),
            label: format!("mysql://{host}:{port}/{database}"),
            password: password.map(Secret::new),
        })
    }

    /// The database a tool is to use: the address in its input, else what the settings say, else the file `default`.
    pub fn choose(ctx: &Context, url: Option<&Secret>, default: &Path) -> ToolResult<Self> {
        if let Some(url) = url {
            return Self::parse(url);
        }
        let secrets = ["DATABASE_URL", "MYSQL_PASSWORD"];
        let mut found = HashMap::new();
        for name in secrets {
            if let Some(secret) = ctx.config().find_secret(name)? {
                found.insert(name, secret.reveal().to_owned());
            }
        }
        let get = |name: &str| {
            if secrets.contains(&name) {
                found.get(name).cloned()
            } else {
                ctx.env(name)
            }
        };
        Self::from_settings(&get, default)
    }

    /// Where it is, without a password.
    pub fn label(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::MySql { label, .. } => label.clone(),
        }
    }

    /// Whether it is a server rather than a file.
    pub const fn is_server(&self) -> bool {
        matches!(self, Self::MySql { .. })
    }

    pub(super) fn password(&self) -> Option<&Secret> {
        match self {
            Self::MySql { password, .. } => password.as_ref(),
            Self::Sqlite(_) => None,
        }
    }

    #[expect(clippy::unused_self, reason = "options belong to the place")]
    pub(super) fn sqlite_options(&self, path: &Path) -> SqliteConnectOptions {
        SqliteConnectOptions::new().filename(path).create_if_missing(true)
    }
}

/// The variables by which a database is chosen, for a tool's definition.
pub fn variables() -> Vec<EnvVar> {
    let variable = |name: &str, help: &str, secret: bool| EnvVar {
        name: name.to_owned(),
        help: help.to_owned(),
        secret,
        required: false,
    };
    vec![
        variable(
            "DATABASE_URL",
            "Address of the database: sqlite:PATH or mysql://user:password@host/database",
            true,
        ),
        variable(
            "MYSQL_HOST",
            "Host of a MySQL or MariaDB server, or the path of its socket",
            false,
        ),
        variable("MYSQL_PORT", "Its port; 3306 by default", false),
        variable("MYSQL_DATABASE", "Name of the database there", false),
        variable("MYSQL_USER", "User there", false),
        variable("MYSQL_PASSWORD", "The user's password, as it is", true),
    ]
}

/// Name of database and user where the settings give none, as the replaced programs had it.
const DEFAULT_NAME: &str = "pythorust_tg";

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label())
    }
}

fn wrong(message: impl Into<String>) -> ToolError {
    ToolError::config(message)
        .code("database_address")
        .hint("use sqlite:PATH or mysql://user:password@host:3306/database, with special characters percent-encoded")
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%').then(|| after.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> ToolResult<Location> {
        Location::parse(&Secret::new(url))
    }

    #[test]
    fn files_and_servers_are_told_apart() {
        assert_eq!(parse("sqlite:a/b.db").unwrap().label(), "sqlite:a/b.db");
        assert_eq!(
            parse("sqlite:///var/b.db?mode=rwc").unwrap().label(),
            "sqlite:/var/b.db"
        );
        let server = parse("mysql://me:p%40s%2Fs@db.example:3307/data").unwrap();
        assert_eq!(server.label(), "mysql://db.example:3307/data");
        assert_eq!(server.password().map(Secret::reveal), Some("p@s/s"));
        for bad in [
            "",
            "postgres://h/d",
            "mysql://h",
            "data.db",
            "sqlite:",
            "mysql://u:sesame@[/d",
        ] {
            let error = parse(bad).unwrap_err();
            assert_eq!(error.kind, app_core::ErrorKind::Config, "{bad}");
            assert!(!format!("{error:?}").contains("sesame"));
        }
    }

    #[test]
    fn settings_are_asked_in_order_and_parts_need_no_encoding() {
        let default = Path::new("data.sqlite");
        let from = |settings: &'static [(&str, &str)]| {
            let get = |name: &str| {
                settings
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, v)| (*v).to_owned())
            };
            Location::from_settings(&get, default)
        };
        assert_eq!(from(&[]).unwrap().label(), "sqlite:data.sqlite");
        assert_eq!(
            from(&[("MYSQL_PORT", "1")]).unwrap().label(),
            "sqlite:data.sqlite"
        );
        let parts = from(&[("MYSQL_HOST", "db"), ("MYSQL_PASSWORD", "p@:/?#%41 пароль")]).unwrap();
        assert_eq!(parts.label(), "mysql://db:3306/pythorust_tg");
        assert_eq!(parts.password().map(Secret::reveal), Some("p@:/?#%41 пароль"));
        assert!(!format!("{parts:?}").contains("пароль"));
        let both = from(&[("DATABASE_URL", "sqlite:x.db"), ("MYSQL_HOST", "db")]).unwrap();
        assert_eq!(both.label(), "sqlite:x.db");
        assert!(from(&[("MYSQL_HOST", "db"), ("MYSQL_PORT", "many")]).is_err());
    }
}
