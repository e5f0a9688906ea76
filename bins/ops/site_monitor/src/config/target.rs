//! A site as it is probed: its conditions parsed, its thresholds decided.

use std::collections::BTreeMap;

use app_core::{ToolError, ToolResult};
use jiff::Timestamp;

use super::{Config, Rule, Severity, Site, fourteen};
use crate::condition::Condition;

/// A site with its conditions parsed.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) site: Site,
    pub(crate) conditions: Vec<(Condition, Severity)>,
    pub(crate) thresholds: alerting::Rule,
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
            alerting::Rule {
                failures: 1,
                successes: 1,
                reminder: None,
            },
            fourteen(),
        )
        .map_err(|(field, problem)| ToolError::invalid(field, problem))
    }

    pub(super) fn of(site: Site, default: alerting::Rule, warn_days: u32) -> Result<Self, (String, String)> {
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
        let thresholds = alerting::Rule {
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
