//! What people read: alerts of one cause together, in texts of a size the channel takes.

use std::collections::BTreeMap;

use crate::{Alert, Occasion, shorten, since};

/// Largest text of the Bot API, in UTF-16 units.
pub(crate) const LARGEST: usize = 4096;

/// How many alerts of one cause are still told one by one.
const FEW: usize = 3;

/// An alert on its way, with what the outbox knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) alert: &'a Alert,
    /// It comes later than it happened: an earlier try failed.
    pub(crate) late: bool,
    /// An earlier try may have arrived.
    pub(crate) repeated: bool,
}

/// A text, and which alerts it tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) of: Vec<usize>,
}

/// Puts alerts into as few texts as hold them, worst first. Every alert is in exactly one text.
pub(crate) fn parts(told: &[Told<'_>]) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in lines(told) {
        match parts.last_mut() {
            Some(part) if units(&part.text) + 1 + units(&line.text) <= LARGEST => {
                part.text.push('\n');
                part.text.push_str(&line.text);
                part.of.extend(line.of);
            }
            _ => parts.push(line),
        }
    }
    parts
}

pub(crate) fn units(text: &str) -> usize {
    text.encode_utf16().count()
}

/// One line for each alert, or for each group of one cause.
fn lines(told: &[Told<'_>]) -> Vec<Part> {
    let (paired, rest) = over_already(told);
    let mut groups: BTreeMap<(u8, usize), (Vec<usize>, String)> = BTreeMap::new();
    let mut first_of: BTreeMap<(String, bool, bool), usize> = BTreeMap::new();
    for index in rest {
        let one = &told[index];
        let cause = (cause_of(one), one.late, one.repeated);
        let first = *first_of.entry(cause).or_insert(index);
        let group = groups
            .entry((rank(one.alert), first))
            .or_insert_with(|| (Vec::new(), one.alert.cause()));
        group.0.push(index);
    }
    let mut lines = Vec::new();
    for (indexes, cause) in groups.into_values() {
        if indexes.len() <= FEW {
            lines.extend(indexes.into_iter().map(|index| single(told, index)));
        } else {
            lines.extend(grouped(told, &indexes, &cause));
        }
    }
    lines.extend(paired);
    lines
}

/// Outages before warnings before good news.
fn rank(alert: &Alert) -> u8 {
    match (alert.change.occasion, alert.severity) {
        (Occasion::Failing, crate::Severity::Critical) => 0,
        (Occasion::Reminder, crate::Severity::Critical) => 1,
        (Occasion::Resolved, _) => 4,
        (Occasion::Changed, _) => 5,
        _ => 3,
    }
}

fn cause_of(one: &Told<'_>) -> String {
    let alert = one.alert;
    format!(
        "{:?} {:?}{}",
        alert.change.occasion,
        alert.severity,
        alert.cause()
    )
}

fn single(told: &[Told<'_>], index: usize) -> Part {
    let one = &told[index];
    let mut text = one.alert.line();
    if one.late && one.alert.change.occasion == Occasion::Failing {
        text.push_str(&since(one.alert.change.since));
    }
    text.push_str(mark(one.repeated));
    Part {
        text,
        of: vec![index],
    }
}

const fn mark(repeated: bool) -> &'static str {
    if repeated { " (perhaps told before)" } else { "" }
}

/// `🚨 60 fail: reachable (connection refused)` and their names, over as many texts as they need.
fn grouped(told: &[Told<'_>], indexes: &[usize], cause: &str) -> Vec<Part> {
    let first = &told[indexes[0]];
    let words = match first.alert.change.occasion {
        Occasion::Failing => " fail",
        Occasion::Reminder => " still fail",
        Occasion::Resolved => " work again",
        Occasion::Changed => " have new content",
        Occasion::Notice => " messages",
    };
    let since_when = indexes.iter().map(|i| told[*i].alert.change.since).min();
    let mut head = format!("{} {}{words}{cause}", first.alert.icon(), indexes.len());
    let dated = first.late || first.alert.change.occasion != Occasion::Failing;
    if let (true, Some(at)) = (dated, since_when) {
        head.push_str(&since(at));
    }
    head.push_str(mark(first.repeated));
    let mut lines = vec![Part {
        text: format!("{head}:"),
        of: Vec::new(),
    }];
    for index in indexes {
        let name = shorten(&told[*index].alert.title, 100);
        let full = lines
            .last()
            .is_some_and(|line| units(&line.text) + 2 + units(&name) > LARGEST);
        if full {
            lines.push(Part {
                text: format!("{} and, for the same reason:", first.alert.icon()),
                of: Vec::new(),
            });
        }
        if let Some(line) = lines.last_mut() {
            line.text.push_str(if line.of.is_empty() { "\n" } else { ", " });
            line.text.push_str(&name);
            line.of.push(*index);
        }
    }
    lines
}

/// Incidents that came and went before anybody was told become one line each.
fn over_already(told: &[Told<'_>]) -> (Vec<Part>, Vec<usize>) {
    let mut by_incident: BTreeMap<(&str, u64), Vec<usize>> = BTreeMap::new();
    for (index, one) in told.iter().enumerate() {
        by_incident
            .entry((&one.alert.key, one.alert.change.incident))
            .or_default()
            .push(index);
    }
    let (mut paired, mut rest) = (Vec::new(), Vec::new());
    for indexes in by_incident.into_values() {
        let of = |occasion: Occasion| {
            indexes
                .iter()
                .copied()
                .find(|i| told[*i].alert.change.occasion == occasion)
        };
        match (of(Occasion::Failing), of(Occasion::Resolved)) {
            (Some(failing), Some(resolved)) => {
                let (failing, resolved) = (told[failing], told[resolved]);
                let text = format!(
                    "✅ {} failed{}{} and works again{}",
                    shorten(&failing.alert.title, 200),
                    failing.alert.cause(),
                    since(failing.alert.change.since),
                    mark(failing.repeated || resolved.repeated)
                );
                paired.push(Part { text, of: indexes });
            }
            _ => rest.extend(indexes),
        }
    }
    rest.sort_unstable();
    (paired, rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Change, Severity};

    fn alert(number: u64, occasion: Occasion, detail: &str) -> Alert {
        Alert {
            key: format!("site{number}"),
            change: Change {
                occasion,
                incident: 1,
                step: 0,
                since: "2026-01-01T10:00:00Z".parse().unwrap(),
            },
            title: format!("Site number {number} of a long list with a rather long name"),
            severity: Severity::Critical,
            condition: "reachable".into(),
            detail: detail.into(),
            stage: Some("tcp".into()),
            data: serde_json::Value::Null,
        }
    }

    fn fresh(alerts: &[Alert]) -> Vec<Told<'_>> {
        alerts
            .iter()
            .map(|alert| Told {
                alert,
                late: false,
                repeated: false,
            })
            .collect()
    }

    #[test]
    fn a_few_are_told_one_by_one() {
        let alerts = [
            alert(1, Occasion::Resolved, ""),
            alert(2, Occasion::Failing, "no answer within 10 s"),
        ];
        assert_eq!(
            parts(&fresh(&alerts)),
            [Part {
                text: "🚨 Site number 2 of a long list with a rather long name fails: reachable (no answer within 10 s) \
                       [stage: tcp]\n✅ Site number 1 of a long list with a rather long name works again: reachable \
                       [stage: tcp] since 2026-01-01 10:00 UTC"
                    .into(),
                of: vec![1, 0]
            }]
        );
    }

    #[test]
    fn many_of_one_cause_are_one_group_and_every_one_is_named_once_within_the_limit() {
        for count in [4_u64, 60, 1000] {
            let alerts: Vec<_> = (0..count)
                .map(|n| alert(n, Occasion::Failing, "connection refused"))
                .collect();
            let parts = parts(&fresh(&alerts));
            assert!(parts[0].text.starts_with(&format!(
                "🚨 {count} fail: reachable (connection refused) [stage: tcp]:\nSite number 0 of"
            )));
            let mut seen: Vec<_> = parts.iter().flat_map(|part| part.of.clone()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..alerts.len()).collect::<Vec<_>>());
            for part in &parts {
                assert!(units(&part.text) <= LARGEST, "{}", units(&part.text));
                for index in &part.of {
                    assert!(part.text.contains(&alerts[*index].title));
                }
            }
            assert!(parts.len() <= 1 + count as usize / 60, "{}", parts.len());
        }
    }

    #[test]
    fn what_came_and_went_untold_is_one_line() {
        let alerts = [
            alert(1, Occasion::Failing, "HTTP 500"),
            alert(1, Occasion::Resolved, ""),
        ];
        let parts = parts(&fresh(&alerts));
        assert_eq!(parts.len(), 1);
        assert!(parts[0].text.ends_with(
            "failed: reachable (HTTP 500) [stage: tcp] since 2026-01-01 10:00 UTC and works again"
        ));
        assert_eq!(parts[0].of, [0, 1]);
    }

    #[test]
    fn late_and_repeated_ones_say_so() {
        let alerts = [alert(1, Occasion::Failing, "x")];
        let told = Told {
            alert: &alerts[0],
            late: true,
            repeated: true,
        };
        assert!(
            parts(&[told])[0]
                .text
                .ends_with("[stage: tcp] since 2026-01-01 10:00 UTC (perhaps told before)")
        );
    }

    #[test]
    fn other_peoples_text_is_one_line_and_bounded() {
        let mut hostile = alert(1, Occasion::Failing, &"x".repeat(100_000));
        hostile.title = "Shop\n🚨 Bank fails\u{202e}".into();
        let alerts = [hostile];
        let parts = parts(&fresh(&alerts));
        assert!(units(&parts[0].text) < 1000 && !parts[0].text.contains(['\n', '\u{202e}']));
    }
}
