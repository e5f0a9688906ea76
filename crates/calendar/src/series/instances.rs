//! The instances of a series before any of them was changed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;

use super::{DstGap, Key, Limits, Moment, Occurrence, cancelled};
use crate::{
    days::{self, DAY},
    event::{Event, Length},
    expand::{Bounds, Expansion},
    rule::{Rule, Until},
    value::Time,
    zone::Zone,
};

/// One instance.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    pub(super) key: Key,
    /// As the rule has it: a time that the clock leaps over is not moved here.
    pub(super) civil: DateTime,
    pub(super) zone: Option<Zone>,
    pub(super) length: Length,
    pub(super) gap: bool,
    pub(super) repeated: bool,
}

impl Instance {
    fn new(time: &Time, length: Length) -> Self {
        let civil = time.civil();
        match time {
            Time::Date(date) => Self {
                key: Key::Day(days::number(*date)),
                civil,
                zone: None,
                length,
                gap: false,
                repeated: false,
            },
            Time::At(_, zone) => {
                let resolved = zone.resolve(civil);
                Self {
                    key: Key::Utc(resolved.utc),
                    civil,
                    zone: Some(zone.clone()),
                    length,
                    gap: resolved.gap,
                    repeated: resolved.repeated,
                }
            }
        }
    }

    /// Number of the day that it is on, as people see it there.
    pub(super) fn day(&self) -> i64 {
        days::number(self.civil.date())
    }

    /// Whether it lies at least in part between these times. A whole day is another time in every zone, so it is given
    /// two days more.
    fn lies_within(&self, from: i64, to: i64) -> bool {
        match (self.key, &self.zone) {
            (Key::Utc(utc), Some(zone)) => utc <= to && after(utc, self.civil, zone, self.length) >= from,
            _ => {
                let begin = days::seconds(self.civil);
                let end = begin.saturating_add(self.length.seconds());
                begin <= to.saturating_add(2 * DAY) && end >= from.saturating_sub(2 * DAY)
            }
        }
    }

    pub(super) fn start(&self) -> Moment {
        moment(self.key, self.zone.as_ref())
    }

    pub(super) fn end(&self) -> Moment {
        match (self.key, &self.zone) {
            (Key::Utc(utc), Some(zone)) => Moment::At {
                utc: after(utc, self.civil, zone, self.length),
                zone: zone.clone(),
            },
            _ => {
                let length = match self.length {
                    Length::Days(days) | Length::Nominal { days, .. } => days.max(1),
                    Length::Exact(seconds) => (seconds / DAY).max(1),
                };
                moment(Key::Day(self.day().saturating_add(length)), None)
            }
        }
    }
}

pub(super) fn moment(key: Key, zone: Option<&Zone>) -> Moment {
    match key {
        Key::Day(day) => Moment::Day(days::date(day).unwrap_or(jiff::civil::Date::MAX)),
        Key::Utc(utc) => Moment::At {
            utc,
            zone: zone.cloned().unwrap_or_else(Zone::utc),
        },
    }
}

/// When something that begins then is over.
pub(super) fn after(utc: i64, civil: DateTime, zone: &Zone, length: Length) -> i64 {
    match length {
        Length::Exact(seconds) | Length::Nominal { days: 0, seconds } => utc.saturating_add(seconds),
        Length::Days(days) => utc.saturating_add(days.saturating_mul(DAY)),
        Length::Nominal { days, seconds } => {
            let later = days::datetime(days::seconds(civil).saturating_add(days.saturating_mul(DAY)));
            let moved = later.map_or(utc.saturating_add(days.saturating_mul(DAY)), |later| {
                zone.resolve(later).utc
            });
            moved.saturating_add(seconds)
        }
    }
}

/// An event just as it states itself.
pub(super) fn stated(event: &Event) -> Occurrence<'_> {
    let instance = Instance::new(&event.start, event.length);
    Occurrence {
        event,
        start: instance.start(),
        end: instance.end(),
        recurrence_id: event
            .recurrence_id
            .as_ref()
            .map(|id| Instance::new(id, event.length).start()),
        gap: instance.gap,
        repeated: instance.repeated,
        cancelled: cancelled(event),
    }
}

/// Instances found, in order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) instances: Vec<Instance>,
    pub(super) cut: Option<String>,
}

/// The instances of a series that are not over before `from` and begin before `to`, in seconds since 1970; days
/// around them come too. None of the changed ones is looked at.
pub(super) fn within(event: &Event, from: i64, to: i64, gap: DstGap, limits: &Limits) -> Found {
    let mut found = Found::default();
    let mut all: BTreeMap<Key, Instance> = BTreeMap::new();
    let mut add = |instance: Instance| {
        if instance.lies_within(from, to) {
            all.entry(instance.key).or_insert(instance);
        }
    };
    add(Instance::new(&event.start, event.length));
    for rule in &event.rules {
        let (instances, cut) = of_rule(event, rule, from, to, gap, limits);
        instances.into_iter().for_each(&mut add);
        found.cut = found.cut.or(cut);
    }
    for (time, length) in &event.more {
        add(Instance::new(time, length.unwrap_or(event.length)));
    }
    let mut except: BTreeSet<Key> = BTreeSet::new();
    for rule in &event.except_rules {
        let (instances, cut) = of_rule(event, rule, from, to, DstGap::Shift, limits);
        except.extend(instances.iter().map(|instance| instance.key));
        found.cut = found.cut.or(cut);
    }
    found.instances = all
        .into_values()
        .filter(|instance| !except.contains(&instance.key))
        .collect();
    found
}

/// The instances of one rule, and why some may be missing.
fn of_rule(
    event: &Event,
    rule: &Rule,
    from: i64,
    to: i64,
    gap: DstGap,
    limits: &Limits,
) -> (Vec<Instance>, Option<String>) {
    let start = event.start.civil();
    let begin = from.saturating_sub(event.length.seconds());
    // More on either side: what is asked for is in UTC, a rule speaks of civil times.
    let (Some(first), Some(last)) = (
        days::datetime((begin - 2 * DAY).max(days::day_of(1, 1, 2) * DAY)),
        days::datetime((to + 2 * DAY).min(days::day_of(9999, 12, 30) * DAY)),
    ) else {
        return (Vec::new(), None);
    };
    let bounds = Bounds {
        from: first,
        to: last,
        steps: limits.steps,
    };
    let mut expansion = Expansion::new(rule, start, &bounds);
    let mut instances = Vec::new();
    let mut cut = None;
    // The start counts as the first, whether the rule has it or not.
    let mut counted = 0_u64;
    let mut begun = false;
    for civil in expansion.times() {
        if !begun {
            begun = true;
            counted += u64::from(rule.count.is_some() && civil != start);
        }
        let time = match &event.start {
            Time::Date(_) => Time::Date(civil.date()),
            Time::At(_, zone) => Time::At(civil, zone.clone()),
        };
        let instance = Instance::new(&time, event.length);
        if is_over(rule, &instance) {
            break;
        }
        if instance.gap && gap == DstGap::Omit && civil != start {
            continue;
        }
        counted += 1;
        if rule.count.is_some_and(|count| counted > count) {
            break;
        }
        if !instance.lies_within(from, to) {
            continue;
        }
        if instances.len() >= limits.instances {
            cut = Some(format!("more than {} instances", limits.instances));
            break;
        }
        instances.push(instance);
    }
    if expansion.was_cut() {
        cut = Some("its rule takes too long to follow".to_owned());
    }
    (instances, cut)
}

/// Whether an instance comes after the end of its rule.
fn is_over(rule: &Rule, instance: &Instance) -> bool {
    match (rule.until, instance.key) {
        (None, _) => false,
        (Some(Until::Date(end)), _) => instance.civil.date() > end,
        (Some(Until::Local(end)), _) => instance.civil > end,
        (Some(Until::Utc(end)), Key::Utc(utc)) => utc > days::seconds(end),
        (Some(Until::Utc(end)), Key::Day(_)) => instance.civil.date() > end.date(),
    }
}
