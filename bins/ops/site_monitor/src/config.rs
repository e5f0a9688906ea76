//! The YAML file: the old script's fields, all honoured now, and what was added.

mod target;
mod window;

use std::{collections::BTreeMap, path::Path};

use app_core::{Context, ToolError, ToolResult};
use jiff::{SignedDuration, tz::TimeZone};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use alerting::{Channels, Chat, Rule as Thresholds};

use window::Window;

pub(crate) use alerting::Severity;
pub(crate) use target::Target;

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
    notify_telegram_chat: Option<Chat>,
    #[serde(default)]
    pub(crate) alerts: Channels,
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
        let mut config: Self = serde_saphyr::from_str(&text).map_err(|e| {
            let first = e.to_string().lines().next().unwrap_or_default().to_owned();
            fault(String::new(), first)
        })?;
        let old_key = config.notify_telegram_chat.take();
        config.alerts.telegram_chat = config.alerts.telegram_chat.take().or(old_key);
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

    #[test]
    fn the_sample_and_the_old_format_are_read() {
        let sample: Config = serde_saphyr::from_str(SAMPLE).unwrap();
        assert_eq!((sample.sites.len(), sample.sites[1].timeout_secs), (2, 15));
        let old = "sites:\n- url: https://one.example.test\n  name: One\n  timeout_secs: 10\n  expected_status: 200\n  check_content: false\n  content_selector: null\ncheck_interval_secs: 60\nnotify_telegram_chat: null\n";
        assert!(serde_saphyr::from_str::<Config>(old).is_ok());
        assert!(serde_saphyr::from_str::<Config>("sites: []\nbogus: 1\n").is_err());
    }
}
