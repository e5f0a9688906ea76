//! What was changed in a series after it was planned: instances moved, taken out, or shifted from one on.

use std::collections::{HashMap, HashSet};

use super::{
    DstGap, Key, Limits, Moment, Occurrence, Series, cancelled,
    instances::{self, Instance, after, moment},
};
use crate::{
    days::{self, DAY},
    event::Event,
    value::Time,
    zone::Zone,
};

/// A change of an instance and of all later ones.
#[derive(Debug)]
struct Shift<'a> {
    event: &'a Event,
    /// From this time on, in seconds since 1970; days count from midnight UTC.
    from: i64,
    /// How far the clock on the wall is moved.
    by: i64,
}

#[derive(Debug)]
pub(super) struct Changes<'a> {
    /// Whether the series is of whole days.
    whole_days: bool,
    master_sequence: i64,
    /// Places of changed instances.
    keys: HashSet<Key>,
    /// Days of changed instances that name a day only.
    days: HashSet<i64>,
    except: HashSet<Key>,
    except_days: HashSet<i64>,
    /// In order of time.
    shifts: Vec<Shift<'a>>,
    revisions: HashMap<Key, i64>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(series: &Series<'a>) -> Self {
        let whole_days = series
            .master
            .is_some_and(|master| matches!(master.start, Time::Date(_)));
        let mut changes = Self {
            whole_days,
            master_sequence: series.master.map_or(0, |master| master.sequence),
            keys: HashSet::new(),
            days: HashSet::new(),
            except: HashSet::new(),
            except_days: HashSet::new(),
            shifts: Vec::new(),
            revisions: HashMap::new(),
        };
        for time in series.master.iter().flat_map(|master| &master.except) {
            match changes.place(time) {
                Place::Key(key) => changes.except.insert(key),
                Place::Day(day) => changes.except_days.insert(day),
            };
        }
        for event in &series.changed {
            let Some(id) = &event.recurrence_id else { continue };
            match changes.place(id) {
                Place::Key(key) => {
                    changes.revisions.insert(key, event.sequence);
                    changes.keys.insert(key)
                }
                Place::Day(day) => changes.days.insert(day),
            };
            if event.this_and_future {
                changes.shifts.push(shift(event, id));
            }
        }
        changes.shifts.sort_by_key(|shift| shift.from);
        changes
    }

    /// What a time means in this series: one instance, or every one of a day.
    fn place(&self, time: &Time) -> Place {
        match time {
            Time::Date(date) if self.whole_days => Place::Key(Key::Day(days::number(*date))),
            Time::Date(date) => Place::Day(days::number(*date)),
            Time::At(civil, _) if self.whole_days => Place::Key(Key::Day(days::number(civil.date()))),
            Time::At(civil, zone) => Place::Key(Key::Utc(zone.resolve(*civil).utc)),
        }
    }

    /// Whether a changed instance stands for this one.
    pub(super) fn replaces(&self, instance: &Instance) -> bool {
        let key = self.keys.contains(&instance.key) && !self.outdated(instance.key);
        key || self.days.contains(&instance.day())
    }

    /// Whether this one does not take place.
    pub(super) fn excludes(&self, instance: &Instance) -> bool {
        self.except.contains(&instance.key) || self.except_days.contains(&instance.day())
    }

    /// Whether the series was revised after the instance was changed, and takes it out since.
    fn outdated(&self, key: Key) -> bool {
        self.except.contains(&key)
            && self
                .revisions
                .get(&key)
                .is_some_and(|sequence| *sequence < self.master_sequence)
    }

    pub(super) fn is_outdated(&self, event: &Event) -> bool {
        match event.recurrence_id.as_ref().map(|id| self.place(id)) {
            Some(Place::Key(key)) => self.outdated(key),
            _ => false,
        }
    }

    /// Whether the series has the instance that this event changes.
    pub(super) fn belongs(&self, master: &Event, event: &Event, gap: DstGap, limits: &Limits) -> bool {
        let Some(id) = &event.recurrence_id else {
            return true;
        };
        let (place, around) = match self.place(id) {
            Place::Key(Key::Utc(utc)) => (Place::Key(Key::Utc(utc)), utc),
            Place::Key(Key::Day(day)) => (Place::Key(Key::Day(day)), day * DAY),
            Place::Day(day) => (Place::Day(day), day * DAY),
        };
        let found = instances::within(master, around - 2 * DAY, around + 2 * DAY, gap, limits);
        found.instances.iter().any(|instance| match place {
            Place::Key(key) => instance.key == key,
            Place::Day(day) => instance.day() == day,
        })
    }

    /// How far a change can move an instance, in seconds.
    pub(super) fn margin(&self) -> i64 {
        let farthest = self.shifts.iter().map(|shift| shift.by.abs()).max();
        farthest.map_or(0, |by| by + DAY)
    }

    /// Longest instance that a change gives its series, in seconds: it may last into a window that the plain one does
    /// not reach.
    pub(super) fn longest(&self) -> i64 {
        let lengths = self.shifts.iter().map(|shift| shift.event.length.seconds());
        lengths.max().unwrap_or(0)
    }

    /// An instance as it takes place, moved by the last change before it.
    pub(super) fn shifted(&self, master: &'a Event, instance: &Instance) -> Occurrence<'a> {
        let recurrence_id = master.recurs().then(|| instance.start());
        let at = match instance.key {
            Key::Utc(utc) => utc,
            Key::Day(day) => day * DAY,
        };
        let next = self.shifts.partition_point(|shift| shift.from <= at);
        let Some(shift) = next.checked_sub(1).map(|last| &self.shifts[last]) else {
            return Occurrence {
                event: master,
                start: instance.start(),
                end: instance.end(),
                recurrence_id,
                gap: instance.gap,
                repeated: instance.repeated,
                cancelled: cancelled(master),
            };
        };
        let mut occurrence = Occurrence {
            event: shift.event,
            start: instance.start(),
            end: instance.end(),
            recurrence_id,
            gap: false,
            repeated: false,
            cancelled: cancelled(shift.event),
        };
        match (&shift.event.start, instance.key) {
            (Time::At(_, zone), Key::Utc(utc)) => {
                let moved = zone
                    .civil_at(utc)
                    .and_then(|civil| days::datetime(days::seconds(civil) + shift.by));
                if let Some(civil) = moved {
                    let resolved = zone.resolve(civil);
                    let end = after(resolved.utc, civil, zone, shift.event.length);
                    occurrence.start = moment(Key::Utc(resolved.utc), Some(zone));
                    occurrence.end = moment(Key::Utc(end), Some(zone));
                    occurrence.gap = resolved.gap;
                    occurrence.repeated = resolved.repeated;
                }
            }
            (_, _) => {
                let day = instance.day() + shift.by.div_euclid(DAY);
                let length = match shift.event.length {
                    crate::Length::Days(length) => length.max(1),
                    _ => 1,
                };
                occurrence.start = Moment::Day(days::date(day).unwrap_or(jiff::civil::Date::MAX));
                occurrence.end = Moment::Day(days::date(day + length).unwrap_or(jiff::civil::Date::MAX));
            }
        }
        occurrence
    }
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Key(Key),
    Day(i64),
}

fn shift<'a>(event: &'a Event, id: &Time) -> Shift<'a> {
    let begin = days::seconds(event.start.civil());
    let (from, old) = match (id, &event.start) {
        (Time::At(civil, of), Time::At(_, zone)) => {
            let utc = of.resolve(*civil).utc;
            let seen = zone.civil_at(utc).unwrap_or(*civil);
            (utc, days::seconds(seen))
        }
        (Time::At(civil, of), Time::Date(_)) => (of.resolve(*civil).utc, days::number(civil.date()) * DAY),
        (Time::Date(date), start) => {
            let midnight = date.at(0, 0, 0, 0);
            let zone = start.zone().cloned().unwrap_or_else(Zone::utc);
            (zone.resolve(midnight).utc, days::seconds(midnight))
        }
    };
    Shift {
        event,
        from,
        by: begin - old,
    }
}
