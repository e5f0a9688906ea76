//! What the small exporters share: a chat named on the command line becomes one file.
//!
//! Each of them has its own limit, layout and file name; the rest is here.

use std::path::PathBuf;

use app_core::{Context, ToolError, ToolResult};
use garde::Validate;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aliases::AliasFile;
use crate::claims;
use crate::client::Telegram;
use crate::export::{Format, Options};
use crate::peers::{self, ByTitle, Chat, Named};
use crate::transfer::{Exported, Job, Range, moment};

/// Longest file name made of what a user wrote, in bytes.
const LONGEST_NAME: usize = 200;

/// Which time is meant; inputs take it in by `serde(flatten)`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Period {
    /// Only messages from this day or time on, as 2025-01-31 or 2025-01-31T12:00 in the time zone
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only messages before this day or time
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Time zone of all dates asked for and shown, as `Europe/Berlin`; `host` is that of this machine. JSON also has seconds
    /// since 1970, and NDJSON is always UTC
    #[garde(length(min = 1, max = 100))]
    #[serde(default = "utc")]
    pub time_zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

impl Default for Period {
    fn default() -> Self {
        Self {
            since: None,
            until: None,
            time_zone: utc(),
        }
    }
}

impl Period {
    /// The time zone.
    ///
    /// # Errors
    /// `invalid_input` for a name that is not in the IANA database.
    pub fn zone(&self) -> ToolResult<TimeZone> {
        match self.time_zone.as_str() {
            "host" => Ok(app_core::host_zone()),
            "UTC" => Ok(TimeZone::UTC),
            name => TimeZone::get(name).map_err(|_| {
                ToolError::invalid("time_zone", format!("`{name}` is no time zone"))
                    .hint("names are those of the IANA database: `Europe/Berlin`, `UTC`; or `host`")
            }),
        }
    }

    /// Its first moment, and the first one after it.
    ///
    /// # Errors
    /// `invalid_input` for a text that is not a time, for an unknown zone, and for an end that is not after the beginning.
    pub fn bounds(&self) -> ToolResult<(Option<Timestamp>, Option<Timestamp>)> {
        let zone = self.zone()?;
        let at = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| moment(field, text, &zone)).transpose()
        };
        let (since, until) = (at("since", &self.since)?, at("until", &self.until)?);
        if matches!((since, until), (Some(since), Some(until)) if since >= until) {
            return Err(ToolError::invalid("until", "`until` is not after `since`"));
        }
        Ok((since, until))
    }
}

/// What every exporter may be asked beside the chat; inputs take it in by `serde(flatten)`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema, Validate)]
#[garde(allow_unvalidated)]
pub struct Common {
    /// Which time.
    #[serde(flatten)]
    #[garde(dive)]
    pub period: Period,
    /// Fetch only what is new, edited or deleted since the last export of this chat and range
    #[serde(default)]
    #[schemars(extend("x-cli" = {"short": "i"}))]
    pub incremental: bool,
    /// Download photos and files of up to this many megabytes each, beside the export
    #[garde(range(min = 0.001))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<f64>,
}

/// What an exporter was asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The chat as the user wrote it.
    pub chat: String,
    /// The newest so many messages; 0 takes all.
    pub limit: usize,
    /// Format of the file.
    pub format: Format,
    /// The file, instead of the tool's own name for it.
    pub output: Option<PathBuf>,
    /// What every exporter may be asked.
    pub common: Common,
}

/// What a tool makes of a chat that has been found.
#[derive(Debug)]
pub struct Layout {
    /// The file, unless the user named one.
    pub output: PathBuf,
    /// What the format may be told.
    pub options: Options,
    /// Title line; the chat's name, if not given.
    pub title: Option<String>,
    /// Further lines of the head.
    pub meta: Vec<String>,
}

/// What an exporter returns.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChatExport {
    /// Title of the chat.
    pub chat: String,
    /// Marked id of the chat.
    pub chat_id: i64,
    /// Public name of the chat, without `@`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The newest so many messages were asked for; all of the range, if not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What was exported.
    #[serde(flatten)]
    pub exported: Exported,
}

impl Request {
    /// The messages asked for.
    ///
    /// # Errors
    /// `invalid_input` for a time that is none, and for a range that holds nothing.
    pub fn range(&self) -> ToolResult<Range> {
        let (since, until) = self.common.period.bounds()?;
        // A range by date is wanted whole, and so is what is to be kept up to date.
        let whole = self.limit == 0 || since.is_some() || self.common.incremental;
        Ok(Range {
            limit: (!whole).then_some(self.limit),
            since,
            until,
            ..Range::default()
        })
    }

    /// Refuses what cannot be exported, before anybody is asked.
    ///
    /// # Errors
    /// `invalid_input` for a range that is none, and for a text that names no chat.
    pub fn check(&self, ctx: &Context) -> ToolResult<()> {
        self.range()?;
        peers::parse_unless_alias(ctx, &self.chat)
    }

    /// Connects, finds the chat, exports it, and disconnects. Nothing is asked of Telegram before the range is sound.
    pub async fn run(
        &self,
        ctx: &Context,
        layout: impl FnOnce(&Telegram, &Chat) -> Layout,
    ) -> ToolResult<ChatExport> {
        self.check(ctx)?;
        Telegram::session(ctx, async |telegram| {
            let chat = telegram.resolve(&self.chat, ByTitle::No).await?;
            let layout = layout(telegram, &chat);
            self.export(telegram, &chat, layout).await
        })
        .await
    }

    /// Exports a chat over a connection that is open. A file that nobody named is never that of another chat.
    ///
    /// # Errors
    /// Those of reading and of writing.
    pub async fn export(&self, telegram: &Telegram, chat: &Chat, layout: Layout) -> ToolResult<ChatExport> {
        self.export_range(telegram, chat, self.range()?, layout).await
    }

    /// The same for a range that the tool made.
    ///
    /// # Errors
    /// Those of reading and of writing.
    pub async fn export_range(
        &self,
        telegram: &Telegram,
        chat: &Chat,
        range: Range,
        mut layout: Layout,
    ) -> ToolResult<ChatExport> {
        let limit = range.limit;
        layout.options.time_zone = self.common.period.zone()?;
        let output = match &self.output {
            Some(output) => output.clone(),
            None => claims::free(telegram, &layout.output, chat, self.format)?,
        };
        let exported = telegram
            .export(Job {
                chat,
                range,
                format: self.format,
                options: layout.options,
                title: layout.title,
                meta: layout.meta,
                output: output.clone(),
                incremental: self.common.incremental,
                media: self.common.media.map(|megabytes| (megabytes * 1e6) as u64),
            })
            .await?;
        claims::keep(telegram, &output, chat)?;
        Ok(ChatExport {
            chat: chat.title(),
            chat_id: chat.id().0,
            username: chat.peer.username.clone(),
            limit,
            exported,
        })
    }
}

impl ChatExport {
    /// Itself, as a partial failure where files are missing from the export.
    ///
    /// # Errors
    /// `partial`, with itself as the output.
    pub fn whole(self) -> ToolResult<Self> {
        self.exported.clone().whole(self)
    }
}

/// The public name a user wrote, without `@` or link, or `me`; else that of the chat, else its id.
pub fn username(text: &str, chat: &Chat) -> String {
    match peers::parse(text) {
        Ok(Named::Username(name)) if chat.alias.is_none() => name,
        Ok(Named::Me) if chat.alias.is_none() => "me".to_owned(),
        _ => chat
            .peer
            .username
            .clone()
            .unwrap_or_else(|| chat.id().to_string()),
    }
}

/// What a user wrote as the name of a file: as it is, but always a plain name of the folder it stands in.
pub fn written_name(text: &str) -> String {
    let text = text.trim();
    let text = ["https://t.me/", "http://t.me/", "t.me/"]
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix))
        .unwrap_or(text);
    let name: String = text
        .chars()
        .map(|c| {
            if c.is_control() || matches!(c, '/' | '\\' | ':' | '?' | '*' | '"' | '<' | '>' | '|') {
                '_'
            } else {
                c
            }
        })
        .collect();
    let name = crate::files::cut(name.trim_start_matches('.').trim(), LONGEST_NAME);
    if name.is_empty() { "chat".to_owned() } else { name }
}

/// The chat where none is given: `DEFAULT_CHAT`, else an alias of `config.yml`.
///
/// # Errors
/// `invalid_input` when neither is there. The alias is never looked up as a stranger's public name.
pub fn default_chat(ctx: &Context, given: Option<String>, alias: &str) -> ToolResult<String> {
    if let Some(chat) = given.or_else(|| ctx.env("DEFAULT_CHAT")) {
        return Ok(chat);
    }
    let (file, _) = AliasFile::read(ctx)?;
    if file.chats.contains_key(alias) {
        return Ok(alias.to_owned());
    }
    Err(ToolError::invalid("chat", "no chat is named").hint(format!(
        "name one, set `DEFAULT_CHAT`, or give config.yml the alias `{alias}`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(limit: usize, since: Option<&str>, until: Option<&str>) -> ToolResult<Range> {
        let period = Period {
            since: since.map(str::to_owned),
            until: until.map(str::to_owned),
            ..Period::default()
        };
        Request {
            limit,
            common: Common {
                period,
                ..Common::default()
            },
            ..Request::default()
        }
        .range()
    }

    #[test]
    fn a_limit_counts_unless_dates_are_given() {
        assert_eq!(asked(5, None, None).map(|r| r.limit).ok(), Some(Some(5)));
        assert_eq!(asked(0, None, None).map(|r| r.limit).ok(), Some(None));
        assert_eq!(
            asked(5, Some("2025-01-01"), None).map(|r| r.limit).ok(),
            Some(None)
        );
        assert!(asked(5, Some("2025-01-02"), Some("2025-01-02")).is_err());
        assert!(asked(5, Some("soon"), None).is_err());
    }

    #[test]
    fn days_and_times_are_those_of_the_zone() {
        let since = |text: &str, zone: &str| {
            let period = Period {
                since: Some(text.to_owned()),
                until: None,
                time_zone: zone.to_owned(),
            };
            period.bounds().map(|(since, _)| since.unwrap().to_string())
        };
        assert_eq!(since("2025-01-31", "UTC").unwrap(), "2025-01-31T00:00:00Z");
        assert_eq!(
            since("2025-07-01", "Europe/Berlin").unwrap(),
            "2025-06-30T22:00:00Z"
        );
        assert_eq!(
            since("2025-01-31T12:30", "Europe/Berlin").unwrap(),
            "2025-01-31T11:30:00Z"
        );
        // A time with an offset says itself where it is meant.
        assert_eq!(
            since("2025-01-31T12:30:00Z", "Europe/Berlin").unwrap(),
            "2025-01-31T12:30:00Z"
        );
        assert!(since("2025-01-31", "Europe/Atlantis").is_err());
        assert!(since("31.01.2025", "UTC").is_err());
    }

    #[test]
    fn a_written_name_stays_in_its_folder() {
        for (text, name) in [
            ("@demo", "@demo"),
            ("команда", "команда"),
            ("-1000000001002", "-1000000001002"),
            ("../../etc/passwd", "_.._etc_passwd"),
            ("https://t.me/demo/5", "demo_5"),
            ("..", "chat"),
            (" a/b ", "a_b"),
        ] {
            assert_eq!(written_name(text), name, "{text}");
        }
        assert_eq!(written_name(&"я".repeat(300)), "я".repeat(100), "200 bytes");
    }
}
