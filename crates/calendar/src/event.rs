//! One event as the file has it: typed, with a note for everything that was guessed.

mod length;

use jiff::civil::DateTime;

use crate::{
    Note,
    component::Component,
    content::Line,
    days,
    expand::{Bounds, Expansion},
    rule::{Rule, Until},
    value::{self, Time, parse_time, unescape},
    zone::Zones,
};

pub use length::Length;
use length::{length, more};

/// Whether it takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Stated, or nothing stated.
    Confirmed,
    /// Not sure yet.
    Tentative,
    /// Called off.
    Cancelled,
}

/// An event of a file: single, a series, or a changed instance of one.
#[derive(Clone, Debug)]
pub struct Event {
    /// Identity; empty when the file gives none.
    pub uid: String,
    /// Revision.
    pub sequence: i64,
    /// When it was revised, as text that sorts; empty when the file does not say.
    pub revised: String,
    /// Whether it takes place.
    pub status: Status,
    /// Whether it leaves the time free.
    pub transparent: bool,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// Place.
    pub location: String,
    /// Categories.
    pub categories: Vec<String>,
    /// Start of the first instance.
    pub start: Time,
    /// Length of every instance.
    pub length: Length,
    /// Rules of the series.
    pub rules: Vec<Rule>,
    /// Rules of what does not take place (RFC 2445).
    pub except_rules: Vec<Rule>,
    /// Further instances, some with a length of their own.
    pub more: Vec<(Time, Option<Length>)>,
    /// Instances that do not take place.
    pub except: Vec<Time>,
    /// The instance of the series that this one stands for.
    pub recurrence_id: Option<Time>,
    /// Whether it changes the later instances too.
    pub this_and_future: bool,
    /// Whether the end of a rule was read leniently.
    pub until_lenient: bool,
    /// Line of the file where it begins.
    pub line: usize,
    /// What was guessed.
    pub notes: Vec<Note>,
}

impl Event {
    /// Whether it is more than one instance.
    pub fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.more.is_empty()
    }

    /// Reads a `VEVENT`. The error is why it cannot be shown.
    pub(crate) fn read(component: &Component, zones: &Zones) -> Result<Self, Note> {
        let mut notes = component.broken.clone();
        let line = component
            .get("DTSTART")
            .ok_or_else(|| Note::new(component.line, "there is no DTSTART"))?;
        for single in ["DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "UID"] {
            if let Some(second) = component.all(single).nth(1) {
                notes.push(Note::new(
                    second.number,
                    format!("a second {single}: the first is taken"),
                ));
            }
        }
        let start = time(line, zones, &mut notes)?;
        let length = length(component, &start, zones, &mut notes);
        let text = |name: &str| {
            component
                .get(name)
                .map(|line| unescape(&line.value))
                .unwrap_or_default()
        };
        let word = |name: &str| text(name).trim().to_ascii_uppercase();
        let mut event = Self {
            uid: text("UID").trim().to_owned(),
            sequence: text("SEQUENCE").trim().parse().unwrap_or(0),
            revised: text("LAST-MODIFIED").max(text("DTSTAMP")),
            status: match word("STATUS").as_str() {
                "CANCELLED" | "CANCELED" => Status::Cancelled,
                "TENTATIVE" => Status::Tentative,
                _ => Status::Confirmed,
            },
            transparent: word("TRANSP") == "TRANSPARENT",
            title: text("SUMMARY"),
            description: text("DESCRIPTION"),
            location: text("LOCATION"),
            categories: component
                .all("CATEGORIES")
                .flat_map(|line| value::list(&line.value))
                .collect(),
            start,
            length,
            rules: Vec::new(),
            except_rules: Vec::new(),
            more: Vec::new(),
            except: Vec::new(),
            recurrence_id: None,
            this_and_future: false,
            until_lenient: false,
            line: component.line,
            notes: Vec::new(),
        };
        if event.uid.is_empty() {
            notes.push(Note::new(component.line, "there is no UID"));
        }
        event.recurrence(component, zones, &mut notes)?;
        event.notes = notes;
        Ok(event)
    }

    fn recurrence(
        &mut self,
        component: &Component,
        zones: &Zones,
        notes: &mut Vec<Note>,
    ) -> Result<(), Note> {
        if let Some(line) = component.get("RECURRENCE-ID") {
            self.recurrence_id = Some(time(line, zones, notes)?);
            self.this_and_future = line
                .param("RANGE")
                .is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
        }
        for line in &component.lines {
            match line.name.as_str() {
                "RRULE" | "EXRULE" => {
                    let rule = self.rule(line, notes)?;
                    if self.recurrence_id.is_some() {
                        notes.push(Note::new(line.number, "a rule of a changed instance is left out"));
                    } else if line.name == "RRULE" {
                        self.rules.push(rule);
                    } else {
                        self.except_rules.push(rule);
                    }
                }
                "RDATE" => {
                    for text in line.value.split(',').filter(|text| !text.trim().is_empty()) {
                        self.more.push(more(line, text, zones, notes)?);
                    }
                }
                "EXDATE" => {
                    for text in line.value.split(',').filter(|text| !text.trim().is_empty()) {
                        match parse_time(line, text, zones, notes) {
                            Ok(time) => self.except.push(time),
                            Err(what) => {
                                notes.push(Note::new(line.number, format!("left out: {what}")));
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A rule, its end made fit for the start.
    fn rule(&mut self, line: &Line, notes: &mut Vec<Note>) -> Result<Rule, Note> {
        let told = |what: String| Note::new(line.number, format!("{}: {what}", line.name));
        let mut rule = Rule::parse(&line.value).map_err(told)?;
        let mut lenient = |text: &str| {
            self.until_lenient = true;
            notes.push(Note::new(line.number, text));
        };
        match (&self.start, rule.until) {
            (Time::Date(_), Some(Until::Utc(time) | Until::Local(time))) => {
                lenient("UNTIL has a time though DTSTART is a date: its day taken");
                rule.until = Some(Until::Date(time.date()));
            }
            (Time::At(..), Some(Until::Date(_))) => {
                lenient("UNTIL is a date though DTSTART has a time: whole local day taken");
            }
            (Time::At(_, zone), Some(Until::Local(_)))
                if !matches!(zone.origin(), crate::Origin::Floating(_)) =>
            {
                lenient("UNTIL has no zone: zone of DTSTART taken");
            }
            _ => {}
        }
        if matches!(self.start, Time::Date(_)) {
            let (days, had) = rule.for_days();
            rule = days;
            if had {
                notes.push(told(
                    "times of day have no meaning for whole days: left out".to_owned(),
                ));
            }
            if rule.freq > crate::Freq::Daily {
                return Err(told("whole days cannot recur within a day".to_owned()));
            }
        }
        if line.name == "RRULE" && !meets(&rule, self.start.civil()) {
            notes.push(told(
                "DTSTART is not an instance of it: it is shown, and counted as the first".to_owned(),
            ));
        }
        Ok(rule)
    }
}

fn time(line: &Line, zones: &Zones, notes: &mut Vec<Note>) -> Result<Time, Note> {
    parse_time(line, &line.value, zones, notes).map_err(|what| Note::new(line.number, what))
}

/// Whether the rule has an instance at the start itself.
fn meets(rule: &Rule, start: DateTime) -> bool {
    let bounds = Bounds {
        from: start,
        to: start,
        steps: 10,
    };
    Expansion::new(rule, start, &bounds).next() == Some(days::seconds(start))
}
