//! The alias file `config.yml`, which the replaced scripts had and which goes on living: chat aliases, account, limits.
//!
//! One bad chat entry is skipped with a warning that names it; it never makes the file unusable.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};
use serde_json::{Map, Value};

/// What the file holds, after `${NAME}` placeholders and the environment have been applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AliasFile {
    /// Telegram application id; a number in the file wins over `TELEGRAM_API_ID`.
    pub api_id: Option<i64>,
    /// Telegram application hash; `TELEGRAM_API_HASH` wins over a literal in the file.
    pub api_hash: Option<String>,
    /// Phone of the account; `TELEGRAM_PHONE` wins over a literal in the file.
    pub phone: Option<String>,
    /// The owner's user id; 0 counts as unset.
    pub user_id: Option<i64>,
    /// Messages read by default.
    pub limit_default: u64,
    /// Messages read under CI.
    pub limit_ci: u64,
    /// Chat aliases.
    pub chats: BTreeMap<String, ChatEntry>,
    /// Aliases whose entry is of no use; such a name means no chat, whoever else may bear it.
    pub skipped: BTreeSet<String>,
}

/// One alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatEntry {
    /// What it points to.
    pub kind: ChatKind,
    /// Optional title.
    pub title: Option<String>,
}

/// What an alias points to; ids are bare.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum ChatKind {
    Channel(i64),
    Group(i64),
    User(i64),
    /// Without a leading `@`.
    Username(String),
}

impl AliasFile {
    /// Reads `./config.yml`, `../config.yml`, else that of the configuration directories; none is an empty one. The
    /// warnings name entries that were skipped.
    ///
    /// # Errors
    /// `config` when the file cannot be read or is not YAML.
    pub fn read(ctx: &Context) -> ToolResult<(Self, Vec<String>)> {
        let path = ["config.yml", "../config.yml"]
            .map(PathBuf::from)
            .into_iter()
            .find(|path| path.is_file())
            .or_else(|| ctx.config().find_file("config.yml"));
        let text = match &path {
            None => String::new(),
            Some(path) => std::fs::read_to_string(path).map_err(|e| ToolError::file("read", path, &e))?,
        };
        Self::parse(&text, &|name| ctx.env(name)).map_err(|place| {
            let name = path.map_or_else(|| "config.yml".to_owned(), |p| p.display().to_string());
            ToolError::config(format!("`{name}` is not valid YAML{place}"))
                .hint("its lines are not shown, since they may hold secrets")
        })
    }

    /// Reads the text of a `config.yml`; an empty text gives the defaults and the environment.
    /// Returns the warnings beside the result; fails only when the text is not YAML, with the place of the mistake.
    pub fn parse(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<(Self, Vec<String>), String> {
        let root: Value = if text.trim().is_empty() {
            Value::Null
        } else {
            serde_saphyr::from_str(text).map_err(|error| place(&error))?
        };
        let (mut warnings, mut skipped) = (Vec::new(), BTreeSet::new());
        let section = |name: &str| {
            root.get(name)
                .and_then(Value::as_object)
                .cloned()
                .unwrap_or_default()
        };
        let (telegram, user, limits) = (section("telegram"), section("user"), section("limits"));
        let config = Self {
            api_id: integer(&telegram, "api_id", "TELEGRAM_API_ID", env, &mut warnings),
            api_hash: text_value(&telegram, "api_hash", "TELEGRAM_API_HASH", env),
            phone: text_value(&telegram, "phone", "TELEGRAM_PHONE", env),
            user_id: integer(&user, "id", "USER_ID", env, &mut warnings),
            limit_default: limits
                .get("default")
                .or(limits.get("message_limit"))
                .and_then(Value::as_u64)
                .unwrap_or(3000),
            limit_ci: limits.get("ci").and_then(Value::as_u64).unwrap_or(1000),
            chats: chats(&section("chats"), &mut warnings, &mut skipped),
            skipped,
        };
        Ok((config, warnings))
    }
}

/// Where a mistake is. What stands there is not told, nor what the reader says of it: the file holds secrets.
fn place(error: &serde_saphyr::Error) -> String {
    error.location().map_or_else(String::new, |at| {
        format!(
            ": there is a mistake at line {}, column {}",
            at.line(),
            at.column()
        )
    })
}

fn chats(
    section: &Map<String, Value>,
    warnings: &mut Vec<String>,
    skipped: &mut BTreeSet<String>,
) -> BTreeMap<String, ChatEntry> {
    let mut chats = BTreeMap::new();
    for (alias, entry) in section {
        match chat(entry) {
            Ok(entry) => {
                chats.insert(alias.clone(), entry);
            }
            Err(reason) => {
                warnings.push(format!("chat alias `{alias}` is skipped: {reason}"));
                skipped.insert(alias.clone());
            }
        }
    }
    chats
}

fn chat(entry: &Value) -> Result<ChatEntry, String> {
    let entry = entry.as_object().ok_or("it is not a table with `type`")?;
    let kind = entry
        .get("type")
        .and_then(Value::as_str)
        .ok_or("`type` is missing")?;
    let id = || match entry.get("id") {
        Some(Value::Number(n)) => n
            .as_i64()
            .filter(|n| *n != 0)
            .ok_or_else(|| "`id` is not a chat id".to_owned()),
        Some(Value::String(s)) => s
            .trim()
            .parse()
            .ok()
            .filter(|n| *n != 0)
            .ok_or_else(|| format!("`id` is `{s}`, not a number")),
        _ => Err("`id` is missing".to_owned()),
    };
    let kind = match kind {
        "channel" => ChatKind::Channel(id()?),
        "group" => ChatKind::Group(id()?),
        "user" => ChatKind::User(id()?),
        "username" => {
            let name = match entry.get("username") {
                Some(Value::String(s)) => s.trim().trim_start_matches('@').to_owned(),
                Some(Value::Number(n)) => n.to_string(),
                _ => String::new(),
            };
            if name.is_empty() {
                return Err("`username` is missing".to_owned());
            }
            ChatKind::Username(name)
        }
        other => return Err(format!("unknown `type` `{other}`")),
    };
    Ok(ChatEntry {
        kind,
        title: entry.get("title").and_then(Value::as_str).map(str::to_owned),
    })
}

/// `${NAME}` -> `NAME`.
fn placeholder(text: &str) -> Option<&str> {
    text.strip_prefix("${")?.strip_suffix('}')
}

fn text_value(
    section: &Map<String, Value>,
    key: &str,
    variable: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<String> {
    let literal = section.get(key).and_then(|v| match v {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    });
    match literal.as_deref().map(|text| (text, placeholder(text))) {
        Some((_, Some(name))) => env(name).or_else(|| env(variable)),
        Some((text, None)) => env(variable).or_else(|| Some(text.to_owned()).filter(|t| !t.is_empty())),
        None => env(variable),
    }
}

fn integer(
    section: &Map<String, Value>,
    key: &str,
    variable: &str,
    env: &dyn Fn(&str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> Option<i64> {
    let (name, text) = match section.get(key) {
        Some(Value::Number(n)) => return n.as_i64().filter(|n| *n != 0),
        Some(Value::String(s)) => match placeholder(s) {
            Some(name) => (name.to_owned(), env(name)),
            None => (key.to_owned(), Some(s.clone())),
        },
        _ => (variable.to_owned(), env(variable)),
    };
    let text = text.or_else(|| env(variable))?;
    let number = text.trim().parse::<i64>().ok();
    if number.is_none() {
        warnings.push(format!("`{name}` is not a number and counts as unset"));
    }
    number.filter(|n| *n != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_env(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn good_entries_survive_bad_ones_and_each_bad_one_is_named() {
        let text = "chats:\n  news: {type: channel, id: 1001, title: Demo}\n  друг: {type: user, id: '1003'}\n  at: {type: username, username: '@demo'}\n  a: {type: channel}\n  b: {type: wrong, id: 1}\n  c: plain\n  d: {type: username, username: null}\n  e: {type: group, id: abc}\n  5: {type: group, id: 7}\n";
        let (config, warnings) = AliasFile::parse(text, &no_env).unwrap();
        assert_eq!(config.chats["news"].kind, ChatKind::Channel(1001));
        assert_eq!(config.chats["друг"].kind, ChatKind::User(1003));
        assert_eq!(config.chats["at"].kind, ChatKind::Username("demo".into()));
        assert_eq!(config.chats["5"].kind, ChatKind::Group(7));
        assert_eq!(config.chats.len(), 4);
        for alias in ["a", "b", "c", "d", "e"] {
            assert!(
                warnings.iter().any(|w| w.contains(&format!("`{alias}`"))),
                "{alias}: {warnings:?}"
            );
        }
    }

    #[test]
    fn precedence_follows_the_replaced_scripts() {
        let env = |name: &str| match name {
            "TELEGRAM_API_ID" => Some("1".to_owned()),
            "TELEGRAM_API_HASH" => Some("from-env".to_owned()),
            "MY_PHONE" => Some("+1000".to_owned()),
            "USER_ID" => Some("your_id".to_owned()),
            _ => None,
        };
        let text = "telegram: {api_id: 12345, api_hash: literal, phone: '${MY_PHONE}'}\n";
        let (config, warnings) = AliasFile::parse(text, &env).unwrap();
        assert_eq!(config.api_id, Some(12345));
        assert_eq!(config.api_hash.as_deref(), Some("from-env"));
        assert_eq!(config.phone.as_deref(), Some("+1000"));
        assert_eq!(config.user_id, None);
        assert_eq!(warnings.len(), 1);
        let (config, _) = AliasFile::parse("", &env).unwrap();
        assert_eq!(config.api_id, Some(1), "the environment works without a file");
    }

    #[test]
    fn text_that_is_not_yaml_is_reported() {
        let text = "telegram:\n  api_hash: CANARY-HASH\n  phone: \"+1000\"\nchats: [a, b\n";
        let told = AliasFile::parse(text, &no_env).unwrap_err();
        assert!(told.contains("line "), "{told}");
        assert!(!told.contains("CANARY") && !told.contains("1000"), "{told}");
    }
}
