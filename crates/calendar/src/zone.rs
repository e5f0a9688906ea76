//! Time zones by name: the rules of the file, then the zone database, then the Windows table, else unknown and marked.

mod windows;

use std::{collections::HashMap, sync::Arc};

use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::{days, vtimezone::Table};
use windows::windows;

/// Where the rules of a zone come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// UTC.
    Utc,
    /// A `VTIMEZONE` of the file.
    File,
    /// The zone database.
    Database,
    /// A name of Windows, read as this zone of the database.
    Windows(String),
    /// No zone was given: read in this one.
    Floating(String),
    /// A zone that nobody knows: read in this one.
    Unknown(String),
}

#[derive(Debug)]
enum Rules {
    Database(TimeZone),
    Table(Table),
}

#[derive(Debug)]
struct Inner {
    name: String,
    origin: Origin,
    rules: Rules,
}

/// A time zone. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Zone(Arc<Inner>);

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name && self.0.origin == other.0.origin
    }
}

/// What a civil time is in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Seconds since 1970 in UTC.
    pub utc: i64,
    /// Seconds that the zone is east of UTC then.
    pub offset: i32,
    /// The clock leaps over this time: it was read with the offset before, as people's calendars show it.
    pub gap: bool,
    /// The clock shows this time twice: the first was taken.
    pub repeated: bool,
}

impl Zone {
    fn new(name: impl Into<String>, origin: Origin, rules: Rules) -> Self {
        Self(Arc::new(Inner {
            name: name.into(),
            origin,
            rules,
        }))
    }

    /// UTC.
    pub fn utc() -> Self {
        Self::new("UTC", Origin::Utc, Rules::Database(TimeZone::UTC))
    }

    /// A zone of the database, by its own name.
    pub fn database(name: &str) -> Option<Self> {
        let zone = database(name)?;
        let name = zone.iana_name().unwrap_or(name).to_owned();
        let origin = if name == "UTC" {
            Origin::Utc
        } else {
            Origin::Database
        };
        Some(Self::new(name, origin, Rules::Database(zone)))
    }

    /// A zone of the database that is at hand, the host's for example.
    pub fn of(zone: TimeZone) -> Self {
        let name = zone.iana_name().unwrap_or("UTC").to_owned();
        Self::new(name, Origin::Database, Rules::Database(zone))
    }

    /// Its name, as it is written in the file.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where its rules come from.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// The zone of the database behind it, unless the file brings rules of its own.
    pub fn time_zone(&self) -> Option<&TimeZone> {
        match &self.0.rules {
            Rules::Database(zone) => Some(zone),
            Rules::Table(_) => None,
        }
    }

    /// Seconds east of UTC at a time in seconds since 1970.
    pub fn offset_at(&self, utc: i64) -> i32 {
        match &self.0.rules {
            Rules::Table(table) => table.offset_at(utc),
            Rules::Database(zone) => {
                let at = Timestamp::from_second(utc).unwrap_or(if utc < 0 {
                    Timestamp::MIN
                } else {
                    Timestamp::MAX
                });
                zone.to_offset(at).seconds()
            }
        }
    }

    /// The civil time at a time in seconds since 1970; `None` outside of the years 1 to 9999.
    pub fn civil_at(&self, utc: i64) -> Option<DateTime> {
        days::datetime(utc.checked_add(i64::from(self.offset_at(utc)))?)
    }

    /// What a civil time is in this zone.
    pub fn resolve(&self, civil: DateTime) -> Resolved {
        let seconds = days::seconds(civil);
        let zone = match &self.0.rules {
            Rules::Table(table) => return table.resolve(seconds),
            Rules::Database(zone) => zone,
        };
        let resolved = |before: i32, gap: bool, repeated: bool| {
            let utc = seconds - i64::from(before);
            // In a gap the time is moved, and the offset is the one that holds then.
            let offset = if gap { self.offset_at(utc) } else { before };
            Resolved {
                utc,
                offset,
                gap,
                repeated,
            }
        };
        match zone.to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => resolved(offset.seconds(), false, false),
            AmbiguousOffset::Gap { before, .. } => resolved(before.seconds(), true, false),
            AmbiguousOffset::Fold { before, .. } => resolved(before.seconds(), false, true),
        }
    }
}

fn database(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().filter(|zone| !zone.is_unknown())
}

/// The zones of one file, and what is taken where none is given.
#[derive(Clone, Debug)]
pub struct Zones {
    own: HashMap<String, Zone>,
    assumed: Zone,
}

impl Zones {
    /// Zones without any of a file. `assumed` is the zone for times without one.
    pub fn new(assumed: Zone) -> Self {
        Self {
            own: HashMap::new(),
            assumed,
        }
    }

    /// Takes a zone that the file defines.
    pub(crate) fn define(&mut self, name: &str, table: Table) {
        let name = name.trim();
        let zone = Zone::new(name, Origin::File, Rules::Table(table));
        self.own.entry(name.to_owned()).or_insert(zone);
    }

    fn stand_in(&self, name: &str, origin: fn(String) -> Origin) -> Zone {
        let inner = &self.assumed.0;
        let rules = match &inner.rules {
            Rules::Database(zone) => Rules::Database(zone.clone()),
            Rules::Table(table) => Rules::Table(table.clone()),
        };
        Zone::new(name, origin(inner.name.clone()), rules)
    }

    /// The zone of times that name none.
    pub fn floating(&self) -> Zone {
        self.stand_in(self.assumed.name(), Origin::Floating)
    }

    /// The zone that a `TZID` means.
    pub fn named(&self, name: &str) -> Zone {
        let name = name.trim().trim_matches('"').trim();
        if let Some(zone) = self.own.get(name) {
            return zone.clone();
        }
        if let Some(zone) = Zone::database(name.trim_start_matches('/')) {
            return Zone::new(
                name,
                zone.origin().clone(),
                Rules::Database(zone.time_zone().cloned().unwrap_or(TimeZone::UTC)),
            );
        }
        // `/vendor.example/20260101_1/Europe/Berlin`: the name of the zone is at the end.
        let parts: Vec<&str> = name.split('/').collect();
        for kept in [3, 2] {
            if let Some(zone) = parts
                .len()
                .checked_sub(kept)
                .and_then(|from| database(&parts[from..].join("/")))
            {
                return Zone::new(name, Origin::Database, Rules::Database(zone));
            }
        }
        if let Some((known, zone)) = windows(name).and_then(|known| Some((known, database(known)?))) {
            return Zone::new(name, Origin::Windows(known.to_owned()), Rules::Database(zone));
        }
        self.stand_in(name, Origin::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn names_are_found_by_the_order_of_trust() {
        let zones = Zones::new(Zone::database("Europe/Lisbon").unwrap());
        let origin = |name: &str| zones.named(name).origin().clone();
        assert_eq!(origin("Europe/Berlin"), Origin::Database);
        assert_eq!(
            origin("/x.example/20260101_1/America/Argentina/Ushuaia"),
            Origin::Database
        );
        assert_eq!(
            origin("\"W. Europe Standard Time 1\""),
            Origin::Windows("Europe/Berlin".to_owned())
        );
        assert_eq!(
            origin("Nowhere/Imagined"),
            Origin::Unknown("Europe/Lisbon".to_owned())
        );
        assert_eq!(
            zones.floating().origin(),
            &Origin::Floating("Europe/Lisbon".to_owned())
        );
    }

    #[test]
    fn gaps_and_repeated_hours_are_marked() {
        let zone = Zone::database("Europe/Berlin").unwrap();
        let gap = zone.resolve(date(2026, 3, 29).at(2, 30, 0, 0));
        assert!(gap.gap && !gap.repeated);
        assert_eq!(zone.civil_at(gap.utc), Some(date(2026, 3, 29).at(3, 30, 0, 0)));
        assert_eq!(gap.offset, 7200);
        let twice = zone.resolve(date(2026, 10, 25).at(2, 30, 0, 0));
        assert!(twice.repeated);
        assert_eq!(twice.offset, 7200, "the first of both");
    }
}
