//! One round over all sites: probe them together, judge the conditions, update the memory, decide what to tell.

use std::collections::HashSet;

use alerting::{Change, Incident, Incidents, Rule, Verdict as Look};
use app_core::{Context, ToolResult};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;

use crate::{
    condition::Verdict,
    config::{Config, Severity, Target},
    probe::{Cause, Probe, Prober},
    record::{FailedCondition, Record, icon},
    told::Alert,
};

/// Days left of a certificate at which it is told again, each once.
const CERTIFICATE_STEPS: [f64; 4] = [14.0, 7.0, 3.0, 1.0];

/// What a round brought.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub(crate) records: Vec<Record>,
    pub(crate) alerts: Vec<Alert>,
    /// The same, as they go to the channels.
    pub(crate) raised: Vec<alerting::Alert>,
    /// Every site failed and so did the self-check: this host is offline, nothing was judged.
    pub(crate) offline: bool,
}

/// Probes all targets at once. The number in flight is bounded by the open files this process may have.
pub(crate) async fn probe_all(
    targets: &[Target],
    prober: &Prober,
    ctx: &Context,
) -> Vec<(Record, Vec<(usize, Verdict)>)> {
    let progress = ctx.progress("check", "sites", Some(targets.len() as u64));
    let checks = targets.iter().map(|target| {
        let progress = &progress;
        async move {
            let probe = prober.probe(&target.site).await;
            progress.inc(1);
            judge(target, &probe, ctx.now())
        }
    });
    let results = stream::iter(checks).buffered(in_flight()).collect().await;
    progress.finish();
    results
}

/// Raises the soft limit of open files to the hard one and keeps some for logs and state.
fn in_flight() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Failing to raise it only means fewer sites at once.
    let _ = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    );
    let open = getrlimit(Resource::Nofile).current.unwrap_or(65_536);
    (open.saturating_sub(64) as usize).clamp(16, 4096)
}

/// The pure part: a record and the verdict on every condition.
fn judge(target: &Target, probe: &Probe, now: Timestamp) -> (Record, Vec<(usize, Verdict)>) {
    let mut record = Record {
        url: target.site.shown(),
        status: probe.facts.status,
        response_time_ms: probe.response_time_ms,
        content_hash: probe.content_hash.clone(),
        error: None,
        timestamp: now,
        is_healthy: false,
        name: target.site.name.clone(),
        cause: None,
        timings: probe.timings,
        certificate_days: probe
            .facts
            .certificate_days
            .map(|days| (days * 10.0).round() / 10.0),
        failed_conditions: Vec::new(),
        maintenance: false,
    };
    if let Some((cause, text)) = &probe.failure {
        record.cause = Some(*cause);
        record.error = Some(text.clone());
        return (record, Vec::new());
    }
    let status = probe.facts.status.unwrap_or_default();
    let judged_by_condition = target
        .conditions
        .iter()
        .any(|(c, _)| c.to_string().contains("[STATUS]"));
    let expected = match target.site.expected_status {
        Some(expected) => status == expected,
        None => judged_by_condition || (200..300).contains(&status),
    };
    if !expected {
        let reason = hyper::StatusCode::from_u16(status)
            .ok()
            .and_then(|s| s.canonical_reason())
            .unwrap_or_default();
        record.error = Some(format!("HTTP {status} {reason}").trim_end().to_owned());
    }
    let mut verdicts = Vec::new();
    for (index, (condition, severity)) in target.conditions.iter().enumerate() {
        let verdict = condition.judge(&probe.facts);
        if !verdict.holds {
            let failed = FailedCondition {
                condition: condition.to_string(),
                severity: *severity,
                actual: verdict.actual.clone(),
            };
            if *severity == Severity::Critical && record.error.is_none() {
                record.error = Some(format!("{} (is {})", failed.condition, failed.actual));
            }
            record.failed_conditions.push(failed);
        }
        verdicts.push((index, verdict));
    }
    record.is_healthy = record.error.is_none();
    (record, verdicts)
}

impl Round {
    fn tell(&mut self, key: &str, change: Change, alert: Alert) {
        self.raised.push(alert.raised(key, change));
        self.alerts.push(alert);
    }
}

/// Updates the memory and decides what to tell.
pub(crate) fn decide(
    targets: &[Target],
    results: Vec<(Record, Vec<(usize, Verdict)>)>,
    config: &Config,
    incidents: &mut Incidents,
    now: Timestamp,
) -> Round {
    let mut round = Round::default();
    let mut seen = HashSet::new();
    for (index, (target, (mut record, verdicts))) in targets.iter().zip(results).enumerate() {
        // The same address twice is two sites, each with a memory of its own.
        let key = if seen.insert(&target.site.url) {
            target.site.memory_key()
        } else {
            format!("{}#{index}", target.site.memory_key())
        };
        record.maintenance = target.in_maintenance(config, now);
        if !record.maintenance {
            reachable(target, &record, &key, incidents, &mut round, now);
            // A site that is down says nothing about its certificate or its speed: their memory stays as it is.
            for (condition, verdict) in &verdicts {
                warning(
                    target,
                    &record,
                    (&key, *condition, verdict),
                    incidents,
                    &mut round,
                    now,
                );
            }
        }
        round.records.push(record);
    }
    round
}

/// Whether the site does what it must, and whether what it shows is another.
fn reachable(
    target: &Target,
    record: &Record,
    key: &str,
    incidents: &mut Incidents,
    round: &mut Round,
    now: Timestamp,
) {
    let critical: Vec<_> = record
        .failed_conditions
        .iter()
        .filter(|f| f.severity == Severity::Critical)
        .map(|f| f.condition.clone())
        .collect();
    let condition = if critical.is_empty() {
        "reachable".to_owned()
    } else {
        critical.join(", ")
    };
    let incident = incidents.entry(key.to_owned()).or_default();
    let look = if record.is_healthy {
        Look::Ok
    } else {
        Look::Failing(0)
    };
    if let Some(change) = incident.observe(look, target.thresholds, now) {
        let detail = record.error.clone().unwrap_or_default();
        round.tell(
            key,
            change,
            alert(target, record, change, Severity::Critical, condition, detail),
        );
    }
    if let Some(change) = content(target, record, incident, now) {
        let alert = alert(
            target,
            record,
            change,
            Severity::Warning,
            "content".to_owned(),
            String::new(),
        );
        round.tell(key, change, alert);
    }
}

/// A condition that is told on its own.
fn warning(
    target: &Target,
    record: &Record,
    (site, condition, verdict): (&str, usize, &Verdict),
    incidents: &mut Incidents,
    round: &mut Round,
    now: Timestamp,
) {
    let Some((condition, Severity::Warning)) =
        target.conditions.get(condition).map(|(c, s)| (c.to_string(), *s))
    else {
        return;
    };
    let key = format!("{site}|{condition}");
    let mut rule = target.thresholds;
    let mut step = 0;
    if condition.contains("[CERTIFICATE_DAYS]")
        && let Some(days) = record.certificate_days
    {
        // A date that comes nearer is told by its steps, not by the clock.
        rule = Rule {
            reminder: None,
            ..rule
        };
        step = CERTIFICATE_STEPS.iter().filter(|limit| days <= **limit).count() as u32;
    }
    let look = if verdict.holds {
        Look::Ok
    } else {
        Look::Failing(step)
    };
    let incident = incidents.entry(key.clone()).or_default();
    if let Some(change) = incident.observe(look, rule, now) {
        let detail = format!("is {}", verdict.actual);
        round.tell(
            &key,
            change,
            alert(target, record, change, Severity::Warning, condition, detail),
        );
    }
}

fn alert(
    target: &Target,
    record: &Record,
    change: Change,
    severity: Severity,
    condition: String,
    detail: String,
) -> Alert {
    Alert {
        site: target.label(),
        url: target.site.shown(),
        occasion: change.occasion,
        severity,
        condition,
        detail,
        cause: record.cause,
        timings: record.timings,
        since: change.since,
    }
}

fn content(target: &Target, record: &Record, incident: &mut Incident, now: Timestamp) -> Option<Change> {
    let hash = record.content_hash.as_ref().filter(|_| record.is_healthy)?;
    incident.see(hash, now).filter(|_| target.site.check_content)
}

/// The lines of the old `watch` for what is different from the round before.
pub(crate) fn changes(before: &[Record], now: &[Record]) -> Vec<String> {
    let mut lines = Vec::new();
    for (index, record) in now.iter().enumerate() {
        let Record { url, .. } = record;
        let Some(old) = before.get(index) else {
            lines.push(format!("{} {url} добавлен в мониторинг", icon(record)));
            continue;
        };
        match (old.is_healthy, record.is_healthy) {
            (false, true) => lines.push(format!("✅ {url} восстановлен")),
            (true, false) => lines.push(format!(
                "❌ {url} недоступен: {}",
                record.error.as_deref().unwrap_or("Unknown")
            )),
            _ => {}
        }
        if let (Some(a), Some(b)) = (&old.content_hash, &record.content_hash)
            && a != b
        {
            lines.push(format!("📝 {url} контент изменился"));
        }
    }
    lines
}

/// Asks the self-check addresses whether this host is online at all; only when everything failed to connect.
pub(crate) async fn host_is_offline(
    records: &[Record],
    config: &Config,
    prober: &Prober,
) -> ToolResult<bool> {
    let unreachable = |r: &Record| matches!(r.cause, Some(Cause::Dns | Cause::Tcp));
    if config.self_check.is_empty() || !records.iter().all(unreachable) {
        return Ok(false);
    }
    for url in &config.self_check {
        let target = Target::single(url, 10, &[])?;
        if prober.probe(&target.site).await.facts.connected {
            return Ok(false);
        }
    }
    Ok(true)
}
