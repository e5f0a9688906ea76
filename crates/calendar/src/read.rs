//! A file as events: what can be shown, and what cannot, with the reason.

use crate::{
    Note,
    component::{Component, Document, parse},
    event::{Event, Status},
    value::unescape,
    vtimezone::Table,
    zone::{Origin, Zone, Zones},
};

/// An event that cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Line of the file where it begins.
    pub line: usize,
    /// Its identity, where it has one.
    pub uid: String,
    /// The line that is to blame, and why.
    pub reason: Note,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Calendar {
    /// Its name for people.
    pub name: Option<String>,
    /// Events in the order of the file.
    pub events: Vec<Event>,
    /// Events that cannot be shown.
    pub skipped: Vec<Skipped>,
    /// What was guessed or put right, in the order of the file.
    pub notes: Vec<Note>,
    /// Whether there is a calendar or an event at all.
    pub is_calendar: bool,
    /// The components behind it.
    pub document: Document,
}

/// Reads a file. `floating` is the zone for times without one; without it the file's `X-WR-TIMEZONE`, else `fallback`.
pub fn read(bytes: &[u8], floating: Option<&Zone>, fallback: &Zone) -> Calendar {
    let document = parse(bytes);
    let mut calendar = Calendar {
        notes: document.notes.clone(),
        ..Calendar::default()
    };
    for component in &document.components {
        if !matches!(
            component.name.as_str(),
            "VCALENDAR" | "VEVENT" | "VTODO" | "VJOURNAL" | "VFREEBUSY"
        ) {
            let text = format!("`{}` is no calendar: left out", crate::short(&component.name));
            calendar.notes.push(Note::new(component.line, text));
            continue;
        }
        calendar.is_calendar = true;
        calendar.take(component, floating, fallback);
    }
    calendar.notes.sort_by_key(|note| note.line);
    calendar.document = document;
    calendar
}

impl Calendar {
    fn take(&mut self, component: &Component, floating: Option<&Zone>, fallback: &Zone) {
        let text = |name: &str| component.get(name).map(|line| unescape(&line.value));
        if self.name.is_none() {
            self.name = text("X-WR-CALNAME").or_else(|| text("NAME"));
        }
        self.notes.extend(component.broken.iter().cloned());
        let stated = component.get("X-WR-TIMEZONE");
        let known = stated.and_then(|line| {
            let zone = Zones::new(Zone::utc()).named(&unescape(&line.value));
            let found = !matches!(zone.origin(), Origin::Unknown(_) | Origin::Floating(_));
            found.then_some(zone)
        });
        if let (Some(line), None) = (stated, &known) {
            self.notes
                .push(Note::new(line.number, "X-WR-TIMEZONE is no known zone: left out"));
        }
        let assumed = floating.cloned().or(known).unwrap_or_else(|| fallback.clone());
        let mut zones = Zones::new(assumed);
        for part in component.parts.iter().filter(|part| part.name == "VTIMEZONE") {
            match (part.get("TZID"), Table::read(part)) {
                (Some(id), Ok(table)) => zones.define(&id.value, table),
                (None, _) => self
                    .notes
                    .push(Note::new(part.line, "a time zone without TZID is left out")),
                (_, Err(note)) => self.notes.push(note),
            }
        }
        let cancels = text("METHOD").is_some_and(|method| method.trim().eq_ignore_ascii_case("CANCEL"));
        let own = (component.name == "VEVENT").then_some(component);
        let events = component.parts.iter().filter(|part| part.name == "VEVENT");
        for part in own.into_iter().chain(events) {
            match Event::read(part, &zones) {
                Ok(mut event) => {
                    if cancels {
                        event.status = Status::Cancelled;
                    }
                    self.notes.extend(event.notes.iter().cloned());
                    self.events.push(event);
                }
                Err(reason) => self.skipped.push(Skipped {
                    line: part.line,
                    uid: part
                        .get("UID")
                        .map(|line| unescape(line.value.trim()))
                        .unwrap_or_default(),
                    reason,
                }),
            }
        }
    }
}
