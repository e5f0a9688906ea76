//! The YAML file: the old script's fields, all honoured now, and what was added.

use std::{collections::BTreeMap, path::Path};

use app_core::{Context, ToolError, ToolResult};
use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::{condition::Condition, hysteresis::Thresholds};

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    pub(crate) sites: Vec<Site>,
    /// Seconds between two rounds of `watch`.
    #[serde(default)]
    pub(crate) check_interval_secs: Option<u64>,
    /// Chat for Telegram alerts (the old key).
    #[serde(default)]
    pub(crate) notify_telegram_chat: Option<Chat>,
    #[serde(default)]
    pub(crate) alerts: Alerts,
    /// Consecutive failures before an alert.
    #[serde(default = "three")]
    failure_threshold: u32,
    /// Consecutive successes before it counts as resolved.
    #[serde(default = "two")]
    success_threshold: u32,
    /// Minutes between reminders; 0 never reminds.
    #[serde(default)]
    reminder_minutes: u32,
    /// Hours in which nothing is judged.
    #[serde(default)]
    maintenance: Vec<Window>,
    /// Days before expiry from which a certificate is a warning; 0 switches the check off.
    #[serde(default = "fourteen")]
    pub(crate) certificate_warn_days: u32,
    /// Addresses that answer unless this host itself is offline; asked when every site fails.
    #[serde(default)]
    pub(crate) self_check: Vec<String>,
}

/// A chat id or name, as YAML gives it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Chat {
    Id(i64),
    Name(String),
}

impl Chat {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// One site.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Site {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) name: Option<String>,
    #[serde(default = "thirty")]
    pub(crate) timeout_secs: u64,
    #[serde(default)]
    pub(crate) expected_status: Option<u16>,
    /// Tell when the content changes.
    #[serde(default)]
    pub(crate) check_content: bool,
    /// CSS selector of the part that is watched; the whole body without one.
    #[serde(default)]
    pub(crate) content_selector: Option<String>,
    #[serde(default)]
    pub(crate) conditions: Vec<Rule>,
    #[serde(default)]
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) body: Option<String>,
    #[serde(default)]
    maintenance: Vec<Window>,
    #[serde(default)]
    failure_threshold: Option<u32>,
    #[serde(default)]
    success_threshold: Option<u32>,
}

impl Site {
    /// The address for people, alerts and files: without password and without the values of its query.
    pub(crate) fn shown(&self) -> String {
        // A plain address stays as it was written, without the slash that a parser would add.
        if self.url.contains(['@', '?', '#']) {
            web::shown_text(&self.url)
        } else {
            self.url.clone()
        }
    }

    /// What the memory between runs calls it (version 1): the shown address, told apart by a hash of the whole where
    /// something is not shown, since nothing secret may lie in the state.
    pub(crate) fn memory_key(&self) -> String {
        let shown = self.shown();
        if shown == self.url {
            return shown;
        }
        let hash = hex::encode(Sha256::digest(self.url.as_bytes()));
        format!("{shown} {}", hash.get(..16).unwrap_or_default())
    }
}

/// A condition with its severity; a bare text is critical.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Rule {
    Plain(String),
    Graded {
        when: String,
        #[serde(default)]
        severity: Severity,
    },
}

/// How bad a failed condition is. Only critical ones make a site unhealthy.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, serde::Serialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    /// The site counts as down.
    #[default]
    Critical,
    /// Told on its own; the site counts as up.
    Warning,
}

/// Where alerts go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alerts {
    /// Chat id or @name; the token is the secret TELEGRAM_BOT_TOKEN.
    #[serde(default)]
    pub(crate) telegram_chat: Option<Chat>,
    /// Base address of the Bot API.
    #[serde(default = "bot_api")]
    pub(crate) telegram_api: String,
    /// Gets a POST with the alert as JSON.
    #[serde(default)]
    pub(crate) webhook: Option<String>,
    /// Program and arguments; the alert comes as JSON on its standard input.
    #[serde(default)]
    pub(crate) command: Vec<String>,
    /// Mail recipients; the server is SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD.
    #[serde(default)]
    pub(crate) email: Vec<String>,
    /// Most alerts an hour over all channels; the rest are counted in the next one.
    #[serde(default = "sixty")]
    pub(crate) max_per_hour: u32,
}

/// A daily stretch of time, for example nightly maintenance. It may pass midnight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    from: Time,
    to: Time,
    /// Days on which it begins (`monday` ...); all without any.
    #[serde(default)]
    days: Vec<Weekday>,
    /// IANA time zone.
    #[serde(default = "utc")]
    timezone: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

const fn three() -> u32 {
    3
}
const fn two() -> u32 {
    2
}
const fn fourteen() -> u32 {
    14
}
const fn thirty() -> u64 {
    30
}
const fn sixty() -> u32 {
    60
}
fn utc() -> String {
    "UTC".to_owned()
}
fn bot_api() -> String {
    "https://api.telegram.org".to_owned()
}

/// A site with its conditions parsed.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) site: Site,
    pub(crate) conditions: Vec<(Condition, Severity)>,
    pub(crate) thresholds: Thresholds,
}

impl Target {
    /// A site named on the command line.
    pub(crate) fn single(url: &str, timeout_secs: u64, conditions: &[String]) -> ToolResult<Self> {
        let site = Site {
            url: url.to_owned(),
            name: None,
            timeout_secs,
            expected_status: None,
            check_content: false,
            content_selector: None,
            conditions: conditions.iter().cloned().map(Rule::Plain).collect(),
            method: None,
            headers: BTreeMap::new(),
            body: None,
            maintenance: Vec::new(),
            failure_threshold: None,
            success_threshold: None,
        };
        Self::of(
            site,
            Thresholds {
                failures: 1,
                successes: 1,
                reminder: None,
            },
            fourteen(),
        )
        .map_err(|(field, problem)| ToolError::invalid(field, problem))
    }

    fn of(site: Site, default: Thresholds, warn_days: u32) -> Result<Self, (String, String)> {
        let url = url::Url::parse(&site.url)
            .map_err(|e| ("url".to_owned(), format!("`{}` is not a URL: {e}", site.shown())))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err((
                "url".to_owned(),
                format!("`{}` is not an http(s) address", site.shown()),
            ));
        }
        if site.timeout_secs == 0 || site.timeout_secs > 3600 {
            return Err(("timeout_secs".to_owned(), "must be between 1 and 3600".to_owned()));
        }
        if let Some(selector) = &site.content_selector {
            scraper::Selector::parse(selector).map_err(|_| {
                (
                    "content_selector".to_owned(),
                    format!("`{selector}` is not a CSS selector"),
                )
            })?;
        }
        let mut conditions = Vec::new();
        for (index, rule) in site.conditions.iter().enumerate() {
            let (text, severity) = match rule {
                Rule::Plain(text) => (text, Severity::Critical),
                Rule::Graded { when, severity } => (when, *severity),
            };
            conditions.push((
                Condition::parse(text).map_err(|e| (format!("conditions[{index}]"), e))?,
                severity,
            ));
        }
        let covers_certificate = conditions
            .iter()
            .any(|(c, _)| c.to_string().contains("CERTIFICATE_DAYS"));
        if url.scheme() == "https" && warn_days > 0 && !covers_certificate {
            let text = format!("[CERTIFICATE_DAYS] > {warn_days}");
            conditions.push((
                Condition::parse(&text).map_err(|e| ("conditions".to_owned(), e))?,
                Severity::Warning,
            ));
        }
        let thresholds = Thresholds {
            failures: site.failure_threshold.unwrap_or(default.failures).max(1),
            successes: site.success_threshold.unwrap_or(default.successes).max(1),
            ..default
        };
        Ok(Self {
            site,
            conditions,
            thresholds,
        })
    }

    /// Name, or the address without one.
    pub(crate) fn label(&self) -> String {
        self.site.name.clone().unwrap_or_else(|| self.site.shown())
    }

    /// Whether results count at this time.
    pub(crate) fn in_maintenance(&self, config: &Config, now: Timestamp) -> bool {
        self.site
            .maintenance
            .iter()
            .chain(&config.maintenance)
            .any(|window| window.covers(now))
    }
}

impl Config {
    /// Reads and checks the file. Every fault is named with its place in the file.
    pub(crate) fn load(path: &Path, ctx: &Context) -> ToolResult<(Self, Vec<Target>)> {
        let bytes = ctx.read(path, 8 << 20)?;
        let fault = |place: String, problem: String| {
            ToolError::new(
                app_core::ErrorKind::InvalidInput,
                format!("`{}`: {place}{problem}", path.display()),
            )
            .from_source("input")
            .field("config")
        };
        let text = String::from_utf8(bytes).map_err(|_| fault(String::new(), "is not UTF-8".to_owned()))?;
        let config: Self = serde_saphyr::from_str(&text).map_err(|e| {
            let first = e.to_string().lines().next().unwrap_or_default().to_owned();
            fault(String::new(), first)
        })?;
        if config.sites.is_empty() {
            return Err(fault("`sites` ".to_owned(), "is empty".to_owned()));
        }
        for window in config
            .maintenance
            .iter()
            .chain(config.sites.iter().flat_map(|s| &s.maintenance))
        {
            TimeZone::get(&window.timezone).map_err(|_| {
                fault(
                    "`maintenance`: ".to_owned(),
                    format!("`{}` is not a time zone", window.timezone),
                )
            })?;
        }
        let reminder = (config.reminder_minutes > 0)
            .then(|| SignedDuration::from_mins(i64::from(config.reminder_minutes)));
        let default = Thresholds {
            failures: config.failure_threshold,
            successes: config.success_threshold,
            reminder,
        };
        let mut targets = Vec::with_capacity(config.sites.len());
        for (index, site) in config.sites.iter().enumerate() {
            let target = Target::of(site.clone(), default, config.certificate_warn_days)
                .map_err(|(field, problem)| fault(format!("`sites[{index}].{field}`: "), problem))?;
            targets.push(target);
        }
        Ok((config, targets))
    }
}

impl Window {
    fn covers(&self, now: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.timezone) else {
            return false;
        };
        let local = now.to_zoned(zone);
        let (time, today) = (local.time(), local.date().weekday());
        let begins = |day: jiff::civil::Weekday| {
            self.days.is_empty() || self.days.iter().any(|d| *d as i8 == day.to_monday_zero_offset())
        };
        if self.from <= self.to {
            begins(today) && self.from <= time && time < self.to
        } else {
            begins(today) && time >= self.from || begins(today.previous()) && time < self.to
        }
    }
}

/// What `init-config` writes.
pub(crate) const SAMPLE: &str = "\
# Sites that site_monitor checks. Only `url` is required.
sites:
- url: https://one.example.test
  name: One
  timeout_secs: 10
  expected_status: 200
  check_content: false
- url: https://two.example.test/health
  name: Two
  timeout_secs: 15
  expected_status: 200
  check_content: false
  conditions:
  - \"[BODY].status == UP\"
  - when: \"[RESPONSE_TIME] < 800\"
    severity: warning
check_interval_secs: 60
# Consecutive failures before an alert, and successes before it counts as resolved.
failure_threshold: 3
success_threshold: 2
reminder_minutes: 60
# maintenance:
# - {from: \"02:00:00\", to: \"02:30:00\", days: [sunday], timezone: Europe/Berlin}
# alerts:
#   telegram_chat: -1001234567890   # token: TELEGRAM_BOT_TOKEN
#   webhook: https://hooks.example.test/alerts
#   command: [/usr/local/bin/on-alert]
#   email: [ops@example.test]       # server: SMTP_HOST, SMTP_PORT, SMTP_USERNAME, SMTP_PASSWORD
# self_check: [https://example.test]
";

#[cfg(test)]
mod tests {
    use super::*;

    fn window(text: &str) -> Window {
        serde_saphyr::from_str(text).unwrap()
    }

    #[test]
    fn windows_pass_midnight_in_their_zone_on_their_days() {
        let nightly = window("{from: '23:00:00', to: '01:00:00', days: [sunday], timezone: Europe/Berlin}");
        // 2026-03-01 is a Sunday; Berlin is UTC+1 then.
        for (at, covered) in [
            ("2026-03-01T22:30:00Z", true),
            ("2026-03-01T23:59:00Z", true),
            ("2026-03-02T00:00:00Z", false),
            ("2026-03-01T21:59:00Z", false),
            ("2026-03-02T22:30:00Z", false),
        ] {
            assert_eq!(nightly.covers(at.parse().unwrap()), covered, "{at}");
        }
    }

    #[test]
    fn the_sample_and_the_old_format_are_read() {
        let sample: Config = serde_saphyr::from_str(SAMPLE).unwrap();
        assert_eq!((sample.sites.len(), sample.sites[1].timeout_secs), (2, 15));
        let old = "sites:\n- url: https://one.example.test\n  name: One\n  timeout_secs: 10\n  expected_status: 200\n  check_content: false\n  content_selector: null\ncheck_interval_secs: 60\nnotify_telegram_chat: null\n";
        assert!(serde_saphyr::from_str::<Config>(old).is_ok());
        assert!(serde_saphyr::from_str::<Config>("sites: []\nbogus: 1\n").is_err());
    }
}
