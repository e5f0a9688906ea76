//! The occurrences of an event: its rules, what is added and taken away, and the instances that were changed.

mod changes;
mod instances;

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;

use crate::{
    days::{self, DAY},
    event::{Event, Status},
    zone::Zone,
};

use changes::Changes;

/// What becomes of a time that the clock leaps over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DstGap {
    /// It is moved by the leap, as people's calendars show it.
    #[default]
    Shift,
    /// An instance of a rule is neither shown nor counted (RFC 5545 3.3.10). A time that is stated stays.
    Omit,
}

/// A day, or a moment in a zone.
#[derive(Clone, Debug, PartialEq)]
pub enum Moment {
    /// A whole day, wherever one is.
    Day(Date),
    /// A moment.
    At {
        /// Seconds since 1970.
        utc: i64,
        /// The zone it was given in.
        zone: Zone,
    },
}

impl Moment {
    /// A number to sort by: days count from their midnight in `zone`.
    pub fn seconds(&self, zone: &Zone) -> i64 {
        match self {
            Self::Day(date) => zone.resolve(date.at(0, 0, 0, 0)).utc,
            Self::At { utc, .. } => *utc,
        }
    }
}

/// What is asked for. Days are asked by day and moments by moment, so that no day shifts with a zone.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// First moment, in seconds since 1970.
    pub from: i64,
    /// First moment after it.
    pub to: i64,
    /// First day.
    pub first: Date,
    /// Last day, which belongs to it.
    pub last: Date,
}

impl Window {
    /// Whether something from `start` to `end` (which does not belong to it) lies in the window, if only in part.
    pub fn meets(&self, start: &Moment, end: &Moment) -> bool {
        match (start, end) {
            (Moment::Day(start), Moment::Day(end)) => *start <= self.last && *end > self.first,
            (Moment::At { utc: start, .. }, Moment::At { utc: end, .. }) => {
                *start < self.to && (*end > self.from || start == end && *start >= self.from)
            }
            _ => false,
        }
    }
}

/// How much work a series may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Instances of one series within the window.
    pub instances: usize,
    /// Periods of its rules looked at.
    pub steps: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            instances: 10_000,
            steps: 2_000_000,
        }
    }
}

/// One time that an event takes place.
#[derive(Clone, Debug)]
pub struct Occurrence<'a> {
    /// The event that says what takes place: the series, or the changed instance.
    pub event: &'a Event,
    /// When it begins.
    pub start: Moment,
    /// When it is over; that moment or day is no part of it.
    pub end: Moment,
    /// When the series would have had it; `None` for what does not recur.
    pub recurrence_id: Option<Moment>,
    /// Whether the clock leaps over the time that was given.
    pub gap: bool,
    /// Whether the clock shows the time twice, and the first was taken.
    pub repeated: bool,
    /// Whether it is called off.
    pub cancelled: bool,
}

/// The occurrences of a series in a window.
#[derive(Clone, Debug, Default)]
pub struct Overview<'a> {
    /// In order of their start.
    pub occurrences: Vec<Occurrence<'a>>,
    /// Why some may be missing.
    pub cut: Option<String>,
    /// Changed instances of which the series knows nothing.
    pub orphans: Vec<&'a Event>,
}

/// Events of one identity.
#[derive(Clone, Debug, Default)]
pub struct Series<'a> {
    /// The event or series itself; `None` where a file has changed instances only.
    pub master: Option<&'a Event>,
    /// Its changed instances, each in its latest revision.
    pub changed: Vec<&'a Event>,
    /// Earlier revisions, which do not count.
    pub superseded: Vec<&'a Event>,
}

/// A place within a series: a moment, or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Utc(i64),
    Day(i64),
}

/// Groups events by identity, in the order of the first of each.
pub fn group(events: &[Event]) -> Vec<Series<'_>> {
    let mut order: Vec<Vec<&Event>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for event in events {
        let next = order.len();
        let place = if event.uid.is_empty() {
            next
        } else {
            *places.entry(&event.uid).or_insert(next)
        };
        match order.get_mut(place) {
            Some(known) => known.push(event),
            None => order.push(vec![event]),
        }
    }
    order.into_iter().map(Series::of).collect()
}

/// The later of two revisions; of equal ones the one that comes later in the file.
fn newer(one: &Event, two: &Event) -> bool {
    (one.sequence, &one.revised) > (two.sequence, &two.revised)
}

impl<'a> Series<'a> {
    fn of(events: Vec<&'a Event>) -> Self {
        let mut series = Self::default();
        let mut changed: BTreeMap<(i64, bool), &'a Event> = BTreeMap::new();
        for event in events {
            let Some(id) = &event.recurrence_id else {
                match series.master {
                    Some(known) if newer(known, event) => series.superseded.push(event),
                    known => {
                        series.superseded.extend(known);
                        series.master = Some(event);
                    }
                }
                continue;
            };
            let place = match id {
                crate::Time::Date(date) => (days::number(*date) * DAY, true),
                crate::Time::At(time, zone) => (zone.resolve(*time).utc, false),
            };
            match changed.get(&place) {
                Some(known) if newer(known, event) => series.superseded.push(event),
                _ => series.superseded.extend(changed.insert(place, event)),
            }
        }
        series.changed = changed.into_values().collect();
        series
    }

    /// Everything that takes place in the window, called off or not.
    pub fn occurrences(&self, window: &Window, gap: DstGap, limits: &Limits) -> Overview<'a> {
        let mut overview = Overview::default();
        let changes = Changes::new(self);
        if let Some(master) = self.master {
            let margin = changes.margin();
            let found = instances::within(
                master,
                window.from.saturating_sub(margin + changes.longest()),
                window.to.saturating_add(margin),
                gap,
                limits,
            );
            overview.cut = found.cut;
            for instance in &found.instances {
                if changes.replaces(instance) || changes.excludes(instance) {
                    continue;
                }
                let occurrence = changes.shifted(master, instance);
                if window.meets(&occurrence.start, &occurrence.end) {
                    overview.occurrences.push(occurrence);
                }
            }
        }
        for event in &self.changed {
            let occurrence = instances::stated(event);
            if !window.meets(&occurrence.start, &occurrence.end) || changes.is_outdated(event) {
                continue;
            }
            if let Some(master) = self.master
                && !changes.belongs(master, event, gap, limits)
            {
                overview.orphans.push(event);
            }
            overview.occurrences.push(occurrence);
        }
        let utc = Zone::utc();
        overview
            .occurrences
            .sort_by_key(|occurrence| occurrence.start.seconds(&utc));
        overview
    }
}

fn cancelled(event: &Event) -> bool {
    event.status == Status::Cancelled
}
