//! Where alerts go: a section of settings, and the lanes of the outbox that it means.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use app_core::{Context, ToolError, ToolResult};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Channels as a settings file names them: `alerts:` in the file of a tool, `[providers.alerts]` in `onejob.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Channels {
    /// Chat id or @name; the token is the secret TELEGRAM_BOT_TOKEN.
    pub telegram_chat: Option<Chat>,
    /// Base address of the Bot API.
    pub telegram_api: String,
    /// Gets a POST with the alerts as JSON.
    pub webhook: Option<String>,
    /// Program and arguments; the alerts come as JSON on its standard input.
    pub command: Vec<String>,
    /// Mail recipients; the server is SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD, the sender SMTP_FROM or else
    /// SMTP_USERNAME.
    pub email: Vec<String>,
    /// Most texts an hour over one channel; what is more waits and comes together.
    pub max_per_hour: u32,
}

impl Default for Channels {
    fn default() -> Self {
        Self {
            telegram_chat: None,
            telegram_api: "https://api.telegram.org".to_owned(),
            webhook: None,
            command: Vec::new(),
            email: Vec::new(),
            max_per_hour: 60,
        }
    }
}

/// A chat id or name, as YAML and TOML give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Chat {
    /// A number.
    Id(i64),
    /// A public name.
    Name(String),
}

impl fmt::Display for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// The kinds of channels.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A chat of a Telegram bot.
    Telegram,
    /// A POST.
    Webhook,
    /// A program.
    Command,
    /// A letter.
    Email,
}

impl Kind {
    /// Its name in settings and messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Webhook => "webhook",
            Self::Command => "command",
            Self::Email => "email",
        }
    }
}

/// One way to somebody.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// What kind.
    pub kind: Kind,
    /// Its lane in the outbox: the same for all that lead to one place, and without its secrets.
    pub lane: String,
}

impl Channels {
    /// Those of a tool's own file, or where it names none those of `onejob.toml`.
    pub fn or_settings(self, origin: Origin, ctx: &Context) -> ToolResult<(Self, Origin)> {
        if self.all().is_empty() {
            return Ok((ctx.provider_settings("alerts")?, Origin::Settings));
        }
        Ok((self, origin))
    }

    /// Every channel that is named.
    pub fn all(&self) -> Vec<Channel> {
        let mut all = Vec::new();
        let mut add = |kind: Kind, shown: &str, whole: &str| {
            let hash = hex::encode(Sha256::digest(whole.as_bytes()));
            let lane = format!("{} {shown} {}", kind.word(), hash.get(..8).unwrap_or_default());
            all.push(Channel { kind, lane });
        };
        if let Some(chat) = &self.telegram_chat {
            let chat = chat.to_string();
            add(Kind::Telegram, &chat, &format!("{} {chat}", self.telegram_api));
        }
        if let Some(url) = &self.webhook {
            // The path of a webhook is its password.
            let host = web::shown_text(url);
            let host = host.split('/').nth(2).unwrap_or_default().to_owned();
            add(Kind::Webhook, &host, url);
        }
        if let Some(program) = self.command.first() {
            let name = Path::new(program)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            add(Kind::Command, &name, &self.command.join("\0"));
        }
        if let Some(first) = self.email.first() {
            add(Kind::Email, first, &self.email.join("\0"));
        }
        all
    }
}

/// Which settings name a channel. A message in the outbox keeps this instead of the settings, which may hold secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// `[providers.alerts]` of `onejob.toml`.
    Settings,
    /// `alerts` in this YAML file, by its absolute path.
    File(PathBuf),
}

/// What a file of a tool says of alerts; the rest of it is the tool's own affair.
#[derive(Deserialize)]
struct AlertsOnly {
    #[serde(default)]
    alerts: Channels,
    notify_telegram_chat: Option<Chat>,
}

impl Origin {
    /// Reads the channels anew, as they are now.
    ///
    /// Fails when the file cannot be read or understood.
    pub fn load(&self, ctx: &Context) -> ToolResult<Channels> {
        let Self::File(path) = self else {
            return ctx.provider_settings("alerts");
        };
        let unusable = |problem: String| ToolError::config(format!("`{}`: {problem}", path.display()));
        let bytes = ctx.read(path, 8 << 20)?;
        let text = String::from_utf8(bytes).map_err(|_| unusable("is not UTF-8".to_owned()))?;
        let file: AlertsOnly = serde_saphyr::from_str(&text)
            .map_err(|e| unusable(e.to_string().lines().next().unwrap_or_default().to_owned()))?;
        let mut channels = file.alerts;
        channels.telegram_chat = channels.telegram_chat.or(file.notify_telegram_chat);
        Ok(channels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_names_the_place_without_its_secret() {
        let channels: Channels = serde_saphyr::from_str(
            "telegram_chat: -1001\nwebhook: https://bob:pw@hooks.example/services/T0/SECRET?key=SECRET\n\
             command: [/usr/local/bin/page-me, --token, SECRET]\nemail: [ops@shop.example, b@shop.example]\n",
        )
        .unwrap();
        let lanes: Vec<_> = channels.all().into_iter().map(|c| c.lane).collect();
        let shown: Vec<_> = lanes.iter().map(|l| l.rsplit_once(' ').unwrap().0).collect();
        assert_eq!(
            shown,
            [
                "telegram -1001",
                "webhook hooks.example",
                "command page-me",
                "email ops@shop.example"
            ]
        );
        assert!(!lanes.concat().contains("SECRET") && !lanes.concat().contains("pw"));
        let other: Channels =
            serde_saphyr::from_str("webhook: https://hooks.example/services/T0/OTHER\n").unwrap();
        assert_ne!(other.all()[0].lane, lanes[1]);
    }
}
