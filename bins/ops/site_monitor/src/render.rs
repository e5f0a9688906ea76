//! Results for people, in the layout of the old program, and as metrics.

use std::fmt;

use crate::{
    Summary,
    record::{Record, line},
};

pub(crate) fn record(record: &Record, out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "{}", line(record))?;
    let t = &record.timings;
    let parts = [
        ("dns", t.dns_ms),
        ("tcp", t.tcp_ms),
        ("tls", t.tls_ms),
        ("first byte", t.first_byte_ms),
        ("body", t.body_ms),
    ];
    let shown: Vec<_> = parts
        .iter()
        .filter_map(|(name, ms)| ms.map(|ms| format!("{name} {ms:.1} ms")))
        .collect();
    if !shown.is_empty() {
        writeln!(out, "   {}", shown.join(", "))?;
    }
    if let Some(days) = record.certificate_days {
        writeln!(out, "   certificate: {days:.0} days left")?;
    }
    for failed in &record.failed_conditions {
        writeln!(out, "   {} (is {})", failed.condition, failed.actual)?;
    }
    Ok(())
}

pub(crate) fn summary(summary: &Summary, out: &mut dyn fmt::Write) -> fmt::Result {
    sites(&summary.sites, out)?;
    for alert in &summary.alerts {
        writeln!(out, "{}", alert.line())?;
    }
    Ok(())
}

/// The layout of the old `check-all`.
pub(crate) fn sites(records: &[Record], out: &mut dyn fmt::Write) -> fmt::Result {
    writeln!(out, "\n📊 Результаты проверки:\n")?;
    for record in records {
        writeln!(out, "{}", line(record))?;
    }
    let healthy = records.iter().filter(|r| r.is_healthy).count();
    writeln!(out, "\n✅ Доступно: {healthy}/{}", records.len())?;
    if healthy < records.len() {
        writeln!(out, "\n🚨 *Проблемы с сайтами:*\n")?;
        for record in records.iter().filter(|r| !r.is_healthy) {
            writeln!(out, "❌ `{}`", record.url)?;
            writeln!(out, "   Ошибка: {}", record.error.as_deref().unwrap_or("Unknown"))?;
            writeln!(out, "   Время: {}ms\n", record.response_time_ms)?;
        }
    }
    Ok(())
}

/// One set of gauges per site in the Prometheus exposition format.
pub(crate) fn metrics(records: &[Record]) -> String {
    let mut text = String::new();
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&Record) -> Option<f64>| {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
        for record in records {
            if let Some(value) = value(record) {
                let url = record
                    .url
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\n', "");
                text.push_str(&format!("{name}{{url=\"{url}\"}} {value}\n"));
            }
        }
    };
    gauge("site_up", "Whether the site answered as it should.", &|r| {
        Some(f64::from(u8::from(r.is_healthy)))
    });
    gauge(
        "site_response_seconds",
        "Time until the headers were there.",
        &|r| Some(r.response_time_ms as f64 / 1000.0),
    );
    gauge("site_status", "HTTP status.", &|r| r.status.map(f64::from));
    gauge(
        "site_certificate_days",
        "Days until the certificate expires.",
        &|r| r.certificate_days,
    );
    text
}
